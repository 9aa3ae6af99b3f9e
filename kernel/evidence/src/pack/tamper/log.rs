//! The log of a pack: its checkpoint, witnesses, and the way back to the approval.

use super::*;
use crate::log::{LeafHashes, LogProof};
use crate::note::{Checkpoint, SignedCheckpoint};
use crate::pack::testkit::{attested, checkpoint_signer};
use crate::tree::leaf_hash;

const CHECKPOINT: &str = "log/checkpoint";

/// Puts the checkpoint of that many entries there, with the root over other ones if it is wrong,
/// signed with the key of `origin`; everything is sealed anew.
fn signed(b: &Bench, pack: &Path, (origin, size, is_wrong): (&str, u64, bool)) {
    let folder = JournalFolder::new(pack.join("journal"));
    let recovered = journal::read(folder).unwrap();
    let root = recovered.root_at(if is_wrong { 1 } else { size.min(6) }).unwrap();
    let checkpoint = Checkpoint { origin: origin.to_owned(), size, root };
    let note = checkpoint.sign(&checkpoint_signer(origin)).unwrap();
    write(pack.join(CHECKPOINT), note.to_string()).unwrap();
    reseal(&b.ours, pack);
}

/// What stands in `log/` is not what the epoch's key signed, or is of no use.
pub(super) const LOGS: Kinds = &[
    ("bit of the checkpoint", |_, p| flip(p, CHECKPOINT), "PACK_FILE_ALTERED"),
    ("no checkpoint", |_, p| gone(p, CHECKPOINT), "PACK_FILE_MISSING"),
    (
        "no checkpoint, and none listed",
        |b, p| {
            gone(p, CHECKPOINT);
            reseal(&b.ours, p);
        },
        "PACK_MANIFEST",
    ),
    (
        "a checkpoint of an earlier moment, all sealed anew",
        |b, p| signed(b, p, (ORIGIN, 4, false)),
        "PACK_CHECKPOINT",
    ),
    (
        "a checkpoint of more than there is, all sealed anew",
        |b, p| signed(b, p, (ORIGIN, 7, false)),
        "PACK_CHECKPOINT",
    ),
    (
        "a checkpoint of other entries, all sealed anew",
        |b, p| signed(b, p, (ORIGIN, 6, true)),
        "PACK_CHECKPOINT",
    ),
    (
        "a checkpoint of another journal, all sealed anew",
        |b, p| signed(b, p, ("host-1/acct/2", 6, false)),
        "CHECKPOINT_ORIGIN",
    ),
    (
        "a checkpoint that nobody signed, all sealed anew",
        |b, p| {
            alter(p, CHECKPOINT, |bytes| {
                // A letter of the signature itself.
                let at = bytes.len() - 8;
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            });
            reseal(&b.ours, p);
        },
        "NOTE_SIGNATURE_WRONG",
    ),
    (
        "no note in the place of the checkpoint, all sealed anew",
        |b, p| {
            write(p.join(CHECKPOINT), "6 entries, I promise\n").unwrap();
            reseal(&b.ours, p);
        },
        "NOTE_MALFORMED",
    ),
    (
        "a witness that the roster does not have, all sealed anew",
        |b, p| {
            fs::copy(p.join(CHECKPOINT), p.join("log/witness-w1")).unwrap();
            reseal(&b.ours, p);
        },
        "PACK_WITNESS",
    ),
    (
        "something else in the log, all sealed anew",
        |b, p| {
            write(p.join("log/more"), "more").unwrap();
            reseal(&b.ours, p);
        },
        "PACK_STRUCTURE",
    ),
    (
        "a consistency proof of nothing, all sealed anew",
        |b, p| {
            write(p.join("log/approval.consistency"), "").unwrap();
            reseal(&b.ours, p);
        },
        "PACK_STRUCTURE",
    ),
    (
        "a way back that the approval does not need, all sealed anew",
        |b, p| {
            let mut nodes = LeafHashes(vec![leaf_hash(b"x")]);
            let root = leaf_hash(b"x");
            let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 1, root };
            let (signer, note) = (checkpoint_signer(ORIGIN), checkpoint);
            let note = note.sign(&signer).unwrap().to_string();
            let note = SignedCheckpoint::open(note.as_bytes(), signer.verifier()).unwrap();
            let proof = LogProof::of(&mut nodes, (0, b"x".to_vec()), &note).unwrap();
            write(p.join("log/001-back.tlog-proof"), proof.to_string()).unwrap();
            write(p.join("log/approval.consistency"), "").unwrap();
            reseal(&b.ours, p);
        },
        "PACK_BINDING",
    ),
    (
        "a way back that is no proof, all sealed anew",
        |b, p| {
            write(p.join("log/001-back.tlog-proof"), "trust me\n").unwrap();
            reseal(&b.ours, p);
        },
        "LOG_PROOF_MALFORMED",
    ),
    (
        "an entry of the host altered and listed, the checkpoint left",
        |_, p| {
            let kept = read(p.join(CHECKPOINT)).unwrap();
            fork(p, |e| e[3] = b"h tock".to_vec());
            write(p.join(CHECKPOINT), kept).unwrap();
            relist(p);
        },
        "PACK_CHECKPOINT",
    ),
    (
        "a key that is none",
        |_, p| list(p, |manifest| manifest.key = "host-1+00000000+key".to_owned()),
        "NOTE_KEY_MALFORMED",
    ),
];

/// The checkpoint of a journal that was written anew, by somebody who has the house's key too.
pub(super) fn resign(pack: &Path, origin: &str, head: Head) {
    let made = if origin == ORIGIN {
        attested(head).checkpoint
    } else {
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: head.size, root: head.root };
        checkpoint.sign(&checkpoint_signer(origin)).unwrap().to_string().into_bytes()
    };
    write(pack.join(CHECKPOINT), made).unwrap();
}
