use portcullis_core::entry::{Content, Entry, Place};
use portcullis_statement::json::{Value, count, object};

use super::*;
use crate::log::LeafHashes;
use crate::note::SignedCheckpoint;
use crate::pack::testkit::checkpoint_signer;
use crate::testing::Scratch;
use crate::tree::{TreeHasher, leaf_hash};

/// An epoch that has ended: its entries, the first of which names the one before it.
struct Epoch {
    origin: String,
    entries: Vec<Vec<u8>>,
}

impl Epoch {
    fn new(number: u64, before: Option<&Self>) -> Self {
        let origin = format!("host/acct/{number}");
        let previous = before.map_or(Value::Null, |before| {
            let size = count(crate::bytes::len_u64(before.entries.len()));
            let origin = before.origin.as_str().into();
            object([("origin", origin), ("root", before.root_at(9).hex().into()), ("size", size)])
        });
        let key = checkpoint_signer(&origin).verifier().to_string().into();
        let body = object([("key", key), ("previous", previous)]);
        let (kind, corr, reason) = ("epoch-began", "-".to_owned(), "TEST".to_owned());
        let content = Content { kind, corr, reason, body };
        let mut entries = vec![Entry::new(Class::Host, &Place::default(), content).bytes];
        entries.extend((0..8).map(|at| format!("entry {at} of {number}").into_bytes()));
        Self { origin, entries }
    }

    fn root_at(&self, size: usize) -> Digest {
        let mut tree = TreeHasher::new();
        self.entries[..size].iter().for_each(|entry| tree.push(entry));
        tree.root()
    }

    fn nodes(&self) -> LeafHashes {
        LeafHashes(self.entries.iter().map(|entry| leaf_hash(entry)).collect())
    }

    fn proof(&self, index: u64) -> LogProof {
        let (key, root) = (checkpoint_signer(&self.origin), self.root_at(9));
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: 9, root };
        let note = checkpoint.sign(&key).unwrap().to_string();
        let signed = SignedCheckpoint::open(note.as_bytes(), key.verifier()).unwrap();
        let leaf = self.entries[usize::try_from(index).unwrap()].clone();
        LogProof::of(&mut self.nodes(), (index, leaf), &signed).unwrap()
    }

    /// What an approval binds that was drafted after five entries.
    fn bound(&self) -> JournalBinding {
        let key = checkpoint_signer(&self.origin).verifier().to_string();
        JournalBinding { origin: self.origin.clone(), key, size: 5, root: self.root_at(5) }
    }
}

/// Three epochs, the oldest first.
fn epochs() -> [Epoch; 3] {
    let first = Epoch::new(1, None);
    let second = Epoch::new(2, Some(&first));
    let third = Epoch::new(3, Some(&second));
    [first, second, third]
}

fn lineage(ancestors: &[&Epoch]) -> Lineage {
    let proofs = ancestors.iter().map(|epoch| epoch.proof(0)).collect();
    let oldest = ancestors.last().unwrap();
    Lineage::prove(proofs, &mut oldest.nodes(), (5, 9)).unwrap()
}

#[test]
fn an_approval_of_one_or_two_epochs_ago_is_found_again() {
    let [first, second, third] = &epochs();
    let begins = &third.entries[0];
    assert_eq!(lineage(&[second]).check(begins, &second.bound()), Ok(()));
    assert_eq!(lineage(&[second, first]).check(begins, &first.bound()), Ok(()));
}

#[test]
fn what_is_no_way_back_is_refused() {
    let [first, second, third] = &epochs();
    let begins = &third.entries[0];
    let two = || lineage(&[second, first]);
    let check = |what: &str, lineage: &Lineage, bound: &JournalBinding, why: &str| {
        let refused = lineage.check(begins, bound).unwrap_err();
        assert!(refused.contains(why), "{what}: {refused}");
    };
    let bound = first.bound();
    check("no proofs", &Lineage::default(), &bound, "another journal");
    check("an epoch left out", &lineage(&[first]), &bound, "not the epoch that the next one");
    check("too short", &lineage(&[second]), &bound, "another journal");
    check("too long", &two(), &second.bound(), "further than the approval");
    let elsewhere = JournalBinding { origin: "host/acct/9".to_owned(), ..first.bound() };
    check("a foreign journal", &two(), &elsewhere, "another journal");
    let forked = JournalBinding { root: Digest::of(b"fork"), ..first.bound() };
    check("a fork of the same origin", &two(), &forked, "does not continue");
    let longer = JournalBinding { size: 6, ..first.bound() };
    check("another length", &two(), &longer, "does not continue");
    let key = JournalBinding { key: second.bound().key, ..first.bound() };
    check("another key", &two(), &key, "another key");

    let mut middle = two();
    middle.ancestors[0] = second.proof(3);
    check("another entry than the first", &middle, &bound, "no epoch begins so");
    let mut bent = two();
    bent.ancestors[1].path[0] = Digest::of(b"bent");
    check("a path that leads elsewhere", &bent, &bound, "LOG_PROOF_WRONG");
    let mut bare = two();
    bare.continues.clear();
    check("no consistency", &bare, &bound, "does not continue");
    // The same house made anew by somebody who has its name only.
    let stranger = Epoch {
        entries: [&first.entries[..8], &[b"other".to_vec()]].concat(),
        origin: first.origin.clone(),
    };
    check("another end of that epoch", &lineage(&[second, &stranger]), &bound, "not the epoch");
}

#[test]
fn files_read_back_and_other_texts_do_not() {
    let [first, second, _] = &epochs();
    let (whole, scratch) = (lineage(&[second, first]), Scratch::new("lineage"));
    let put = |name: &str, bytes: &[u8]| {
        std::fs::create_dir_all(scratch.path().join("log")).unwrap();
        std::fs::write(scratch.path().join(name), bytes).unwrap();
    };
    let read = || Lineage::read(&Folder::open(scratch.path()).unwrap());
    assert_eq!(read(), Ok(Lineage::default()));
    for (name, bytes) in whole.files() {
        assert!(whole.has(&name) && !Lineage::default().has(&name));
        put(&name, &bytes);
    }
    assert_eq!(read(), Ok(whole.clone()));
    for broken in ["", "\n", "x\n", " "] {
        let (name, bytes) = whole.files().pop().unwrap();
        let text = String::from_utf8(bytes).unwrap() + broken;
        put(&name, text.as_bytes());
        assert_eq!(read().is_ok(), broken.is_empty(), "{broken:?}");
    }
}
