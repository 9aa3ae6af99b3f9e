//! Journals and statements that are sound in themselves, and not what was signed.

use super::*;
use crate::pack::testkit::checkpoint_signer;

/// Journals that are sound in themselves and not the sealed one.
pub(super) const JOURNALS: Kinds = &[
    ("entries in another order", |_, p| forge(p, |e| e.swap(2, 3)), "JOURNAL_DAMAGED"),
    ("an entry less", |_, p| forge(p, |e| drop(e.remove(2))), "JOURNAL_DAMAGED"),
    ("an entry more", |_, p| forge(p, |e| e.push(b"more".to_vec())), "JOURNAL_DAMAGED"),
    ("an entry twice", |_, p| forge(p, |e| e.insert(3, e[2].clone())), "JOURNAL_DAMAGED"),
    ("cut at a group's end", |_, p| forge(p, |e| e.truncate(4)), "JOURNAL_DAMAGED"),
    (
        "cut within a group",
        |_, p| {
            alter(p, SEGMENT, |b| {
                let end = b.windows(4).rposition(|w| w == b"h en").unwrap();
                b.truncate(end);
            });
        },
        "JOURNAL_TRUNCATED",
    ),
    (
        "of another origin",
        |_, p| {
            rejournal(p, "host-1/acct/2", |_| {});
        },
        "JOURNAL_DAMAGED",
    ),
    ("reordered, and listed", |_, p| fork(p, |e| e.swap(2, 3)), "PACK_BINDING"),
    (
        "an entry of the session altered, and listed",
        |_, p| {
            fork(p, |e| e[2] = b"{\"fill\":2}".to_vec());
        },
        "PACK_SESSION_ROOT",
    ),
    (
        "an entry of the host altered, and listed",
        |_, p| fork(p, |e| e[3] = b"h tock".to_vec()),
        "PACK_BINDING",
    ),
    (
        "what was before the approval altered, all sealed anew",
        |b, p| {
            fork(p, |e| e[0] = b"h other".to_vec());
            reseal(&b.ours, p);
        },
        "PACK_BINDING",
    ),
    (
        "of another origin, all sealed anew",
        |b, p| {
            let head = rejournal(p, "host-1/acct/2", |_| {});
            relist(p);
            let key = checkpoint_signer("host-1/acct/2").verifier().to_string();
            list(p, |m| (m.journal, m.origin, m.key) = (head, "host-1/acct/2".to_owned(), key));
            put(p, SEAL, &b.ours.seal(&written(p), 1));
        },
        "PACK_BINDING",
    ),
    (
        "the session's end cut off, and listed",
        |_, p| fork(p, |e| e.truncate(4)),
        "PACK_SESSION_ROOT",
    ),
    ("a session opened twice", |_, p| fork(p, |e| e.insert(2, b"(".to_vec())), "PACK_BINDING"),
    (
        "a second segment of zeros",
        |_, p| write(p.join("journal/000002.journal"), [0; 64]).unwrap(),
        "JOURNAL_DAMAGED",
    ),
    (
        "a segment renamed",
        |_, p| {
            rename(p.join(SEGMENT), p.join("journal/000002.journal")).unwrap();
        },
        "PACK_STRUCTURE",
    ),
];

/// Statements that are not what they should be, or not of this pack.
pub(super) const STATEMENTS_ALTERED: Kinds = &[
    (
        "everything signed anew by a stranger",
        |b, p| {
            fs::remove_dir_all(p).unwrap();
            let made = write_pack(p, &b.stranger.contents(), &TestLeaves).unwrap();
            seal_pack(p, &b.stranger.seal(&made, 1)).unwrap();
        },
        "GENESIS_MISMATCH",
    ),
    (
        "a stranger's genesis",
        |b, p| {
            put(p, GENESIS, &b.stranger.genesis);
            relist(p);
        },
        "GENESIS_MISMATCH",
    ),
    (
        "a stranger's approval",
        |b, p| {
            put(p, APPROVAL, &b.stranger.statements(Phase::Paper, written(p).journal)[3]);
            relist(p);
        },
        "GENESIS_MISMATCH",
    ),
    ("a stranger's seal", |b, p| reseal(&b.stranger, p), "GENESIS_MISMATCH"),
    (
        "the approval with another amount",
        |_, p| {
            alter(p, APPROVAL, |b| {
                let text = String::from_utf8(b.clone()).unwrap();
                *b = text
                    .replace("\"worst_case_loss\":\"250\"", "\"worst_case_loss\":\"999\"")
                    .into();
            });
            relist(p);
        },
        "SIGNATURE_INVALID",
    ),
    (
        "the approval signed by one who may not",
        |b, p| {
            let body = portcullis_statement::Envelope::parse(&read(p.join(APPROVAL)).unwrap());
            let by = [("gerd", Role::Governance)];
            put(p, APPROVAL, &b.ours.sign(Kind::SessionApproval, &by, &body.unwrap().body));
            reseal(&b.ours, p);
        },
        "SIGNER_MISSING",
    ),
    (
        "the approval of another session",
        |b, p| reapprove(b, p, "\"session\":\"s-1\"", "\"session\":\"s-9\""),
        "PACK_BINDING",
    ),
    (
        "the approval of another phase",
        |b, p| reapprove(b, p, "\"phase\":2", "\"phase\":1"),
        "PACK_BINDING",
    ),
    (
        "the approval of another journal",
        |b, p| reapprove(b, p, "acct/1\"", "acct/7\""),
        "PACK_BINDING",
    ),
    (
        "the approval of a longer journal",
        |b, p| reapprove(b, p, "\"size\":1", "\"size\":2"),
        "PACK_BINDING",
    ),
    (
        "the approval of another component",
        |b, p| {
            let [from, to] = [&b"component"[..], b"other"].map(|bytes| Digest::of(bytes).hex());
            reapprove(b, p, &from, &to);
        },
        "RELEASE_MISMATCH",
    ),
    (
        "two approvals",
        |b, p| {
            let twice = get(p, APPROVAL);
            put(p, "statements/04-session-approval.json", &twice);
            reseal(&b.ours, p);
        },
        "PACK_STRUCTURE",
    ),
    (
        "two geneses",
        |b, p| {
            let twice = get(p, GENESIS);
            put(p, "statements/04-genesis.json", &twice);
            reseal(&b.ours, p);
        },
        "KIND_UNEXPECTED",
    ),
    (
        "the seal under another name",
        |b, p| {
            let seal = get(p, SEAL);
            put(p, "statements/04-seal.json", &seal);
            reseal(&b.ours, p);
        },
        "PACK_STRUCTURE",
    ),
    (
        "another statement as the seal",
        |_, p| {
            let approval = get(p, APPROVAL);
            put(p, SEAL, &approval);
        },
        "PACK_STRUCTURE",
    ),
    (
        "the seal of another pack",
        |b, p| {
            let mut other = written(p);
            other.manifest = Digest::of(b"other");
            put(p, SEAL, &b.ours.seal(&other, 1));
        },
        "PACK_BINDING",
    ),
    (
        "the seal of another journal",
        |b, p| {
            let mut other = written(p);
            other.journal.size += 1;
            put(p, SEAL, &b.ours.seal(&other, 1));
        },
        "PACK_BINDING",
    ),
    (
        "the seal of one person",
        |b, p| sealed_by(b, p, &[("olga", Role::Operator)]),
        "SIGNER_MISSING",
    ),
    (
        "the seal of one person twice",
        |b, p| {
            sealed_by(b, p, &[("olga", Role::Operator), ("olga", Role::Operator)]);
        },
        "SIGNER_TWICE",
    ),
    (
        "the seal of one person as two",
        |b, p| {
            sealed_by(b, p, &[("ada", Role::Operator), ("ada", Role::Approver)]);
        },
        "SIGNER_ROLE",
    ),
    (
        "a signature of the seal beside the others",
        |_, p| write(p.join(format!("{SEAL}.9.sig")), "x").unwrap(),
        "PACK_FILE_UNLISTED",
    ),
    (
        "a signature of the seal that is none",
        |_, p| write(p.join(format!("{SEAL}.3.sig")), "x").unwrap(),
        "SIGNATURE_INVALID",
    ),
    (
        "a signature of another kind",
        |b, p| {
            let body = portcullis_statement::Envelope::parse(&read(p.join(SEAL)).unwrap()).unwrap();
            let mut other = b.ours.sign(Kind::Unkill, &[("olga", Role::Operator)], &body.body);
            other.bytes = draft(&body.header, &body.body);
            put(p, SEAL, &other);
        },
        "SIGNATURE_INVALID",
    ),
    (
        "a derived part altered, all sealed anew",
        |b, p| {
            write(p.join("metrics.json"), "{\"entries\":5}").unwrap();
            reseal(&b.ours, p);
        },
        "PACK_DERIVED",
    ),
    (
        "a statement of a megabyte, all sealed anew",
        |b, p| {
            alter(p, APPROVAL, |bytes| bytes.resize(1 << 20, b' '));
            reseal(&b.ours, p);
        },
        "PACK_FILE_TOO_LONG",
    ),
    (
        "a genesis that has expired by its own words",
        |b, p| {
            let genesis = portcullis_statement::Envelope::parse(&b.ours.genesis.bytes).unwrap();
            let mut header = genesis.header;
            header.expires = BEGINS;
            let bytes = draft(&header, &genesis.body);
            put(p, GENESIS, &SignedStatement { bytes, ..b.ours.genesis.clone() });
            relist(p);
        },
        "GENESIS_MISMATCH",
    ),
];
