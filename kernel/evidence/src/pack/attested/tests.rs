use portcullis_statement::{Digest, FailureDomain, Witness};

use super::*;
use crate::disk::MemoryDisk;
use crate::journal::{Journal, read};
use crate::note::{KeyKind, NoteSigner};
use crate::pack::testkit::{ORIGIN, name};
use crate::testing::Scratch;

fn signer(witness: &str) -> NoteSigner {
    let seed = Digest::of(witness.as_bytes()).0;
    NoteSigner::from_seed(witness, KeyKind::Cosignature, seed).unwrap()
}

fn roster(names: &[&str], quorum: usize) -> Witnesses {
    let witness = |witness: &&str| Witness {
        name: name(witness),
        key: signer(witness).verifier().clone(),
        domain: FailureDomain::OtherHost,
        operator: name("eve"),
    };
    Witnesses::new(names.iter().map(witness).collect(), quorum).unwrap()
}

/// Six entries; a session would end behind the fifth.
fn journal() -> Recovered {
    let mut journal = Journal::create(MemoryDisk::new(), ORIGIN).unwrap();
    for at in 0..6 {
        journal.append(format!("entry {at}").as_bytes());
        journal.commit().unwrap();
    }
    read(journal.disk().segments(1).as_slice()).unwrap()
}

fn note(journal: &Recovered, by: &str, (origin, size, is_forked): (&str, u64, bool)) -> Vec<u8> {
    let root = journal.root_at(if is_forked { 1 } else { size.min(6) }).unwrap();
    let checkpoint = Checkpoint { origin: origin.to_owned(), size, root };
    let line = signer(by).cosign(&checkpoint, 1_800_000_000).unwrap();
    format!("{}\n{line}\n", checkpoint.text()).into_bytes()
}

fn check(roster: &Witnesses, files: &[(&str, Vec<u8>)]) -> Result<String, &'static str> {
    let scratch = Scratch::new("witnesses");
    std::fs::create_dir(scratch.path().join("log")).unwrap();
    for (witness, bytes) in files {
        std::fs::write(scratch.path().join(format!("log/witness-{witness}")), bytes).unwrap();
    }
    let folder = Folder::open(scratch.path()).unwrap();
    check_witnesses(&folder, roster, (&journal(), 5)).map_err(|finding| finding.code)
}

#[test]
fn a_pack_says_who_has_seen_how_much() {
    let (ours, two) = (journal(), roster(&["w1", "w2"], 2));
    assert_eq!(check(&Witnesses::default(), &[]), Ok("self-attested".to_owned()));
    let said = check(&two, &[]).unwrap();
    assert!(said.starts_with("no quorum has seen it all: "), "{said}");
    assert!(said.contains("w1 (other-host, run by eve): cosigned nothing"), "{said}");
    let of = |by, size| (by, note(&ours, by, (ORIGIN, size, false)));
    let early = check(&two, &[of("w1", 6), of("w2", 4)]).unwrap();
    assert!(early.starts_with("no quorum"), "{early}");
    let whole = check(&two, &[of("w1", 6), of("w2", 5)]).unwrap();
    assert!(whole.starts_with("a quorum has seen the whole session: "), "{whole}");
    assert!(whole.contains("w2 (other-host, run by eve): cosigned 5 entries at 2027"), "{whole}");
}

#[test]
fn a_word_that_is_no_witness_of_this_journal_is_refused() {
    let (ours, one) = (journal(), roster(&["w1"], 1));
    let of = |by, what| vec![("w1", note(&ours, by, what))];
    for (what, files, code) in [
        ("another witness's word", of("w2", (ORIGIN, 6, false)), "PACK_WITNESS"),
        ("a fork", of("w1", (ORIGIN, 6, true)), "PACK_WITNESS"),
        ("more than there is", of("w1", (ORIGIN, 7, false)), "PACK_WITNESS"),
        ("another journal", of("w1", ("host/acct/2", 6, false)), "PACK_WITNESS"),
        ("no note", vec![("w1", b"seen it\n".to_vec())], "NOTE_MALFORMED"),
        ("nobody's file", vec![("w9", note(&ours, "w9", (ORIGIN, 6, false)))], "PACK_WITNESS"),
    ] {
        assert_eq!(check(&one, &files), Err(code), "{what}");
    }
}
