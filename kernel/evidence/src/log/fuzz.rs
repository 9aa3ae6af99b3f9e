//! Seeds that are valid, damaged at random: notes, checkpoints, proofs and tiles. No reader panics,
//! none takes more memory than its input deserves, and what is believed is what was signed.

use std::fs;

use super::reader::BUNDLE_BYTES_MAX;
use super::*;
use crate::note::{Burn, Checkpoint, KeyKind, Note, NoteSigner, SignedCheckpoint, VerifierKey};
use crate::testing::{Generator, Scratch, damage};

const ORIGIN: &str = "portcullis/host/account/1/simulated";
const ROUNDS: u32 = 20_000;
const LEAVES: u64 = 300;

fn signer() -> NoteSigner {
    NoteSigner::from_seed(ORIGIN, KeyKind::Ed25519, [9; 32]).unwrap()
}

/// A log of a few hundred leaves with its checkpoint.
fn log(scratch: &Scratch) -> (TileWriter, SignedCheckpoint) {
    let mut writer = TileWriter::new(LogFiles::new(scratch.path().join("log")));
    for number in 0..LEAVES {
        writer.push(format!("{{\"entry\":{number}}}").as_bytes()).unwrap();
    }
    writer.flush().unwrap();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: LEAVES, root: writer.root() };
    let note = checkpoint.sign(&signer()).unwrap().to_string();
    (writer, SignedCheckpoint::open(note.as_bytes(), signer().verifier()).unwrap())
}

/// Calls `read` with each damaged seed that differs; says how many it took.
fn fuzz(seed: &[u8], random: &mut Generator, rounds: u32, read: impl Fn(&[u8]) -> bool) -> usize {
    let mut takes = || {
        let mut bytes = seed.to_vec();
        damage(&mut bytes, random);
        bytes != seed && read(&bytes)
    };
    (0..rounds).filter(|_| takes()).count()
}

#[test]
fn a_damaged_note_is_refused_or_is_another_note_that_nobody_signed() {
    let (scratch, mut random) = (Scratch::new("fuzz-note"), Generator::new(21));
    let (_, mut signed) = log(&scratch);
    let witness = NoteSigner::from_seed("witness/w1", KeyKind::Cosignature, [3; 32]).unwrap();
    let line = witness.cosign(signed.checkpoint(), 1_800_000_000).unwrap();
    signed.cosign(line, witness.verifier()).unwrap();
    let text = signed.note().to_string();
    let taken = fuzz(text.as_bytes(), &mut random, ROUNDS, |bytes| {
        let Ok(note) = Note::parse(bytes) else { return false };
        assert_eq!(note.to_string().as_bytes(), bytes, "one note, one text");
        if let Ok(read) = Checkpoint::parse(note.text()) {
            assert_eq!(read.text(), note.text());
        }
        drop(Burn::parse(note.text()));
        if let Ok(opened) = SignedCheckpoint::open(bytes, signer().verifier()) {
            assert_eq!(opened.checkpoint(), signed.checkpoint());
        }
        true
    });
    assert!(taken > 50, "{taken} read as notes");
    let key = signer().verifier().to_string();
    fuzz(key.as_bytes(), &mut random, ROUNDS, |bytes| {
        let read = str::from_utf8(bytes).ok().and_then(|text| VerifierKey::parse(text).ok());
        read.is_some_and(|key| {
            assert_eq!(key.to_string().as_bytes(), bytes);
            true
        })
    });
}

#[test]
fn a_damaged_proof_proves_nothing_else() {
    let (scratch, mut random) = (Scratch::new("fuzz-proof"), Generator::new(22));
    let (writer, signed) = log(&scratch);
    let mut tiles = TileReader::new(writer.files().clone(), LEAVES);
    let proof = LogProof::from_tiles(&mut tiles, 77, &signed).unwrap();
    fuzz(proof.to_string().as_bytes(), &mut random, ROUNDS, |bytes| {
        let Ok(read) = LogProof::parse(bytes) else { return false };
        assert!(read.leaf.len() + 32 * read.path.len() <= bytes.len());
        if read.verify(signer().verifier()).is_ok() {
            assert_eq!((&read.leaf, read.index), (&proof.leaf, proof.index));
        }
        true
    });
}

#[test]
fn a_damaged_tile_is_read_as_its_name_says_or_refused() {
    let (scratch, mut random) = (Scratch::new("fuzz-tile"), Generator::new(23));
    let (writer, signed) = log(&scratch);
    let name = TileName { level: None, index: 0, width: TILE_WIDTH };
    let files = writer.files();
    let bundle = files.read(&name.to_string(), BUNDLE_BYTES_MAX).unwrap().unwrap();
    fuzz(&bundle, &mut random, ROUNDS, |bytes| {
        let Ok(leaves) = read_bundle(bytes, name) else { return false };
        let held: usize = leaves.iter().map(|leaf| leaf.len() + 2).sum();
        assert_eq!((leaves.len(), held), (TILE_WIDTH, bytes.len()));
        true
    });
    for file in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"] {
        let whole = fs::read(files.root().join(file)).unwrap();
        fuzz(&whole, &mut random, 300, |bytes| {
            fs::write(files.root().join(file), bytes).unwrap();
            let mut tiles = TileReader::new(files.clone(), LEAVES);
            let proof = LogProof::from_tiles(&mut tiles, 77, &signed);
            proof.is_ok_and(|proof| {
                assert_eq!(proof.leaf, b"{\"entry\":77}", "{file}");
                true
            })
        });
        fs::write(files.root().join(file), whole).unwrap();
    }
}
