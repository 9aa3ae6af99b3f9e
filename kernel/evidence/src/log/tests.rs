//! Tiles and proofs against the definition, at every size around the edges of a tile.

use std::fs;

use super::proof::Nodes;
use super::*;
use crate::Digest;
use crate::note::{Checkpoint, KeyKind, NoteSigner, SignedCheckpoint};
use crate::testing::{Generator, Scratch};
use crate::tree::{LOG_LEAF_BYTES_MAX, TreeHasher, leaf_hash, node_hash};

const ORIGIN: &str = "portcullis/host/account/1/simulated";

fn leaf(number: u64) -> Vec<u8> {
    format!("{{\"entry\":{number}}}").into_bytes()
}

/// A log of `size` leaves that was flushed at `flushed` too, and the roots at every size.
fn written(scratch: &Scratch, size: u64, flushed: &[u64]) -> (TileWriter, Vec<Digest>) {
    let mut writer = TileWriter::new(LogFiles::new(scratch.path().join("log")));
    let (mut tree, mut roots) = (TreeHasher::new(), vec![TreeHasher::new().root()]);
    for number in 0..size {
        writer.push(&leaf(number)).unwrap();
        tree.push(&leaf(number));
        roots.push(tree.root());
        if flushed.contains(&writer.size()) {
            writer.flush().unwrap();
        }
    }
    writer.flush().unwrap();
    (writer, roots)
}

fn signer() -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, KeyKind::Ed25519, [9; 32]).unwrap()
}

fn signed(size: u64, root: Digest) -> SignedCheckpoint {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root };
    let note = checkpoint.sign(&signer()).unwrap();
    SignedCheckpoint::open(note.to_string().as_bytes(), signer().verifier()).unwrap()
}

#[test]
fn tiles_are_named_as_specified() {
    let check = |level, index, width, expect: &str| {
        assert_eq!(TileName { level, index, width }.to_string(), expect);
    };
    check(Some(0), 0, 256, "tile/0/000");
    check(Some(0), 273, 112, "tile/0/273.p/112");
    check(Some(63), 1_234_067, 256, "tile/63/x001/x234/067");
    check(None, 999, 1, "tile/entries/999.p/1");
    check(None, 1000, 255, "tile/entries/x001/000.p/255");
    check(Some(1), u64::MAX, 256, "tile/1/x018/x446/x744/x073/x709/x551/615");
}

#[test]
fn the_writers_root_is_the_trees_at_every_size() {
    let scratch = Scratch::new("log");
    let mut writer = TileWriter::new(LogFiles::new(scratch.path().join("log")));
    let mut tree = TreeHasher::new();
    for number in 0..2_000 {
        assert_eq!(writer.root(), tree.root(), "size {number}");
        writer.push(&leaf(number)).unwrap();
        tree.push(&leaf(number));
    }
}

#[test]
fn the_files_of_a_log_are_the_specified_ones() {
    let scratch = Scratch::new("log");
    let (writer, _) = written(&scratch, 70_000, &[]);
    let len = |name: &str| fs::metadata(writer.files().root().join(name)).map(|it| it.len()).ok();
    // The example of the specification.
    assert_eq!(len("tile/0/272"), Some(8192));
    assert_eq!(len("tile/0/273.p/112"), Some(112 * 32));
    assert_eq!(len("tile/1/000"), Some(8192));
    assert_eq!(len("tile/1/001.p/17"), Some(17 * 32));
    assert_eq!(len("tile/2/000.p/1"), Some(32));
    assert_eq!(len("tile/0/273"), None);
    assert!(len("tile/entries/273.p/112").is_some());
    let bundle = fs::read(writer.files().root().join("tile/entries/000")).unwrap();
    let name = TileName { level: None, index: 0, width: 256 };
    assert_eq!(read_bundle(&bundle, name).unwrap()[255], leaf(255));
}

#[test]
fn partial_tiles_stay_until_the_tile_is_full() {
    let scratch = Scratch::new("log");
    let (writer, _) = written(&scratch, 255, &[3, 200]);
    let root = writer.files().root().to_owned();
    for width in ["3", "200", "255"] {
        assert!(root.join("tile/0/000.p").join(width).exists(), "{width}");
    }
    let (writer, _) = written(&scratch, 256, &[]);
    assert!(!root.join("tile/0/000.p").exists() && !root.join("tile/entries/000.p").exists());
    assert_eq!(fs::read(root.join("tile/1/000.p/1")).unwrap(), writer.root().0);
}

#[test]
fn every_entry_is_proved_and_every_tree_continues_every_smaller_one() {
    for size in [1, 2, 3, 7, 8, 255, 256, 257, 300, 600] {
        let scratch = Scratch::new("log");
        let (writer, roots) = written(&scratch, size, &[]);
        let tree = (size, roots[usize::try_from(size).unwrap()]);
        let mut tiles = TileReader::new(writer.files().clone(), size);
        for index in 0..size {
            let path = prove_inclusion(&mut tiles, index, size).unwrap();
            let hash = leaf_hash(&leaf(index));
            check_inclusion(&path, (index, hash), tree).unwrap();
            assert_eq!(tiles.leaf(index).unwrap(), leaf(index));
            check_inclusion(&path, (index + 1, hash), tree).unwrap_err();
            // A tree of one leaf has its hash for a root.
            assert!(size == 1 || check_inclusion(&path, (index, tree.1), tree).is_err());
        }
        for old in 0..=size {
            let older = (old, roots[usize::try_from(old).unwrap()]);
            let path = prove_consistency(&mut tiles, old, size).unwrap();
            check_consistency(&path, older, tree).unwrap();
            check_consistency(&path, (older.0, Digest([1; 32])), tree).unwrap_err();
            if old > 0 {
                check_consistency(&path, older, (size, Digest([1; 32]))).unwrap_err();
            }
            if old + 1 < size {
                check_consistency(&path, (old + 1, older.1), tree).unwrap_err();
            }
        }
        assert!(prove_inclusion(&mut tiles, size, size).is_err());
        assert!(prove_consistency(&mut tiles, size + 1, size).is_err());
    }
}

/// The definition, over leaves in memory.
struct InMemory;

impl Nodes for InMemory {
    fn full(&mut self, height: u32, index: u64) -> Result<Digest, LogFault> {
        if height == 0 {
            return Ok(leaf_hash(&leaf(index)));
        }
        let (height, left) = (height.saturating_sub(1), index.saturating_mul(2));
        Ok(node_hash(self.full(height, left)?, self.full(height, left.saturating_add(1))?))
    }
}

#[test]
fn a_changed_proof_is_refused() {
    let mut random = Generator::new(7);
    let mut tree = TreeHasher::new();
    (0..1000).for_each(|number| tree.push(&leaf(number)));
    let whole = (1000, tree.root());
    for _ in 0..200 {
        let index = u64::try_from(random.below(1000)).unwrap();
        let path = prove_inclusion(&mut InMemory, index, 1000).unwrap();
        let sound =
            |path: &[Digest]| check_inclusion(path, (index, leaf_hash(&leaf(index))), whole);
        sound(&path).unwrap();
        let mut flipped = path.clone();
        let at = random.below(path.len());
        flipped[at].0[random.below(32)] ^= 1;
        assert_eq!(sound(&flipped), Err(LogFault::ProofWrong));
        assert_eq!(sound(&path[1..]), Err(LogFault::ProofWrong));
        assert_eq!(sound(&[&path[..], &path[..1]].concat()), Err(LogFault::ProofWrong));
        let mut swapped = path.clone();
        swapped.swap(0, 1);
        assert_eq!(sound(&swapped), Err(LogFault::ProofWrong));
    }
}

#[test]
fn a_proof_of_the_largest_tree_overflows_nothing() {
    let path = vec![Digest([1; 32]); 64];
    for index in [0, u64::MAX - 1, u64::MAX] {
        let leaf = (index, Digest([2; 32]));
        check_inclusion(&path, leaf, (u64::MAX, Digest([3; 32]))).unwrap_err();
        let old = (index.max(1), Digest([2; 32]));
        check_consistency(&path, old, (u64::MAX, Digest([3; 32]))).unwrap_err();
    }
}

#[test]
fn a_restart_writes_the_same_files_and_mends_damaged_ones() {
    let scratch = Scratch::new("log");
    let (writer, _) = written(&scratch, 700, &[]);
    let root = writer.files().root().to_owned();
    let names = ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/001"];
    let before: Vec<_> = names.iter().map(|name| fs::read(root.join(name)).unwrap()).collect();
    for name in names {
        let mut bytes = fs::read(root.join(name)).unwrap();
        bytes[5] ^= 1;
        fs::write(root.join(name), bytes).unwrap();
    }
    fs::remove_file(root.join("tile/0/001")).unwrap();
    fs::write(root.join("unfinished"), b"half").unwrap();
    written(&scratch, 700, &[]);
    let after: Vec<_> = names.iter().map(|name| fs::read(root.join(name)).unwrap()).collect();
    assert_eq!(before, after);
    assert!(root.join("tile/0/001").exists() && !root.join("unfinished").exists());
}

#[test]
fn nothing_is_written_through_a_link() {
    let scratch = Scratch::new("log");
    let (log, elsewhere) = (scratch.path().join("log"), scratch.path().join("elsewhere"));
    fs::create_dir_all(log.join("tile/0")).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    let victim = scratch.path().join("victim");
    fs::write(&victim, b"untouched").unwrap();
    std::os::unix::fs::symlink(&elsewhere, log.join("tile/entries")).unwrap();
    std::os::unix::fs::symlink(&victim, log.join("checkpoint")).unwrap();
    std::os::unix::fs::symlink(&victim, log.join("unfinished")).unwrap();
    let files = LogFiles::new(log.clone());
    files.put("checkpoint", b"new").unwrap();
    let mut writer = TileWriter::new(files);
    writer.push(b"leaf").unwrap();
    assert_eq!(writer.flush().unwrap_err().code(), "LOG_UNWRITABLE");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert_eq!(fs::read(&victim).unwrap(), b"untouched");
    assert_eq!(fs::read(log.join("checkpoint")).unwrap(), b"new");
}

#[test]
fn damaged_tiles_are_named() {
    let scratch = Scratch::new("log");
    let (writer, roots) = written(&scratch, 300, &[]);
    let root = writer.files().root().to_owned();
    let read = |index| {
        let mut tiles = TileReader::new(writer.files().clone(), 300);
        LogProof::of(&mut tiles, index, &signed(300, roots[300])).map(|_| ())
    };
    let check = |name: &str, bytes: Option<&[u8]>, index, code: &str| {
        let path = root.join(name);
        let before = fs::read(&path).unwrap();
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        assert_eq!(read(index).unwrap_err().code(), code, "{name}");
        fs::write(&path, before).unwrap();
        read(index).unwrap();
    };
    check("tile/0/000", None, 1, "LOG_FILE_MISSING");
    check("tile/0/000", Some(b"short"), 1, "LOG_FILE_MALFORMED");
    check("tile/0/000", Some(&[0; 8193]), 1, "LOG_FILE_MALFORMED");
    check("tile/0/000", Some(&[0; 8192]), 1, "LOG_PROOF_WRONG");
    check("tile/entries/001.p/44", Some(&[0, 1, b'x']), 299, "LOG_FILE_MALFORMED");
    check("tile/entries/001.p/44", Some(&[0, 9, b'x']), 299, "LOG_FILE_MALFORMED");
    check("tile/entries/001.p/44", Some(&[0; 88]), 299, "LOG_PROOF_WRONG");
    check("tile/entries/001.p/44", None, 299, "LOG_FILE_MISSING");
}

#[test]
fn a_leaf_has_a_longest_length() {
    let scratch = Scratch::new("log");
    let mut writer = TileWriter::new(LogFiles::new(scratch.path().join("log")));
    writer.push(&vec![b'x'; LOG_LEAF_BYTES_MAX]).unwrap();
    let fault = writer.push(&vec![b'x'; LOG_LEAF_BYTES_MAX + 1]).unwrap_err();
    assert_eq!(fault, LogFault::LeafTooLong);
}

#[test]
fn a_proof_is_one_text_that_verifies_by_itself() {
    let scratch = Scratch::new("log");
    let (writer, roots) = written(&scratch, 300, &[]);
    let mut tiles = TileReader::new(writer.files().clone(), 300);
    let proof = LogProof::of(&mut tiles, 77, &signed(300, roots[300])).unwrap();
    let text = proof.to_string();
    assert_eq!(LogProof::parse(text.as_bytes()).unwrap(), proof);
    let log = signer();
    let verified = proof.verify(log.verifier()).unwrap();
    assert_eq!(verified.checkpoint().size, 300);
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let outcome = LogProof::parse(&bytes).and_then(|it| it.verify(log.verifier()));
        assert!(outcome.is_err(), "byte {at}");
    }
    let check = |from: &str, to: &str, code: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_eq!(LogProof::parse(changed.as_bytes()).unwrap_err().code(), code, "{from}");
    };
    check("index 77", "index 077", "LOG_PROOF_MALFORMED");
    check("@v1", "@v2", "LOG_PROOF_MALFORMED");
    check("extra ", "extra", "LOG_PROOF_MALFORMED");
    check("\n\n", "\n", "NOTE_MALFORMED");
    check("\u{2014} ", "- ", "NOTE_MALFORMED");
}
