//! Ways to tamper with an epoch: each changes one thing in a copy of a sound one.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_evidence::Digest;
use portcullis_evidence::log::TileName;
use portcullis_evidence::note::{Checkpoint, KeyKind, Note, NoteSigner, SignedCheckpoint};

use super::epoch::{ORIGIN, entries, key, write_journal};

/// Who can find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Whoever has the log alone.
    ByAll,
    /// Whoever has the journal too: the log itself is sound.
    ByUs,
}

/// One way.
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) found: Found,
    pub(super) tamper: Box<dyn Fn(&Path)>,
}

fn kind(name: impl Into<String>, found: Found, tamper: impl Fn(&Path) + 'static) -> Kind {
    Kind { name: name.into(), found, tamper: Box::new(tamper) }
}

/// Entries of the sound epoch: two full tiles and a partial one, one tile a level up.
pub(super) const ENTRIES: usize = 600;
/// Entries a group, and between two checkpoints.
pub(super) const GROUP: usize = 50;

const CHECKPOINT: &str = "log/checkpoint";
const JOURNAL: &str = "journal/000001.journal";
/// Each file of the sound log that its checkpoint speaks of.
const TILES: [&str; 7] = [
    "log/tile/0/000",
    "log/tile/0/001",
    "log/tile/0/002.p/88",
    "log/tile/1/000.p/2",
    "log/tile/entries/000",
    "log/tile/entries/001",
    "log/tile/entries/002.p/88",
];

fn change(folder: &Path, file: &str, change: impl Fn(&mut Vec<u8>)) {
    let path = folder.join(file);
    let mut bytes = fs::read(&path).unwrap();
    let before = bytes.clone();
    change(&mut bytes);
    assert_ne!(bytes, before, "{file}: nothing was changed");
    fs::write(path, bytes).unwrap();
}

fn change_text(folder: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
}

/// Every way.
pub(super) fn all() -> Vec<Kind> {
    let mut kinds = files();
    kinds.extend(tiles());
    kinds.extend(checkpoints());
    kinds.extend(signatures());
    kinds.extend(journals());
    kinds.extend(journal_headers());
    kinds
}

/// What can happen to any file.
fn files() -> Vec<Kind> {
    let mut kinds = Vec::new();
    let logs = TILES.iter().chain(&[CHECKPOINT]).map(|file| (*file, Found::ByAll));
    for (file, found) in logs.chain([(JOURNAL, Found::ByUs)]) {
        let mut add = |what: &str, edit: fn(&mut Vec<u8>)| {
            let tamper = move |folder: &Path| change(folder, file, edit);
            kinds.push(kind(format!("{file}: {what}"), found, tamper));
        };
        add("first bit", |it| it[0] ^= 0x80);
        add("a bit at a third", |it| {
            let at = it.len() / 3;
            it[at] ^= 1;
        });
        add("a bit in the middle", |it| {
            let at = it.len() / 2;
            it[at] ^= 0x10;
        });
        add("a bit near the end", |it| {
            let at = it.len() - 7;
            it[at] ^= 4;
        });
        add("last byte cut", |it| it.truncate(it.len() - 1));
        add("cut in half", |it| it.truncate(it.len() / 2));
        add("emptied", Vec::clear);
        add("a byte more", |it| it.push(b'x'));
        kinds.push(kind(format!("{file}: removed"), found, move |folder: &Path| {
            fs::remove_file(folder.join(file)).unwrap();
        }));
    }
    kinds
}

fn swap_files(folder: &Path, one: &str, other: &str) {
    let [one, other] = [one, other].map(|it| folder.join(it));
    let bytes = fs::read(&one).unwrap();
    fs::copy(&other, &one).unwrap();
    fs::write(other, bytes).unwrap();
}

/// The leaves of a bundle, to be put together anew.
fn rebundle(folder: &Path, change_leaves: impl Fn(&mut Vec<Vec<u8>>)) {
    change(folder, "log/tile/entries/000", |bytes| {
        let name = TileName { level: None, index: 0, width: 256 };
        let leaves = portcullis_evidence::log::read_bundle(bytes, name).unwrap();
        let mut leaves = leaves.into_iter().map(<[u8]>::to_vec).collect();
        change_leaves(&mut leaves);
        *bytes = Vec::new();
        for leaf in leaves {
            bytes.extend_from_slice(&u16::try_from(leaf.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(&leaf);
        }
    });
}

/// Order and number of what the tiles hold.
fn tiles() -> Vec<Kind> {
    let all = Found::ByAll;
    let swap = |one: &'static str, other: &'static str| {
        kind(format!("{one} and {other} swapped"), all, move |it: &Path| swap_files(it, one, other))
    };
    let hashes = |what: &str, edit: fn(&mut Vec<u8>)| {
        let tamper = move |it: &Path| change(it, "log/tile/0/000", edit);
        kind(format!("hashes of a tile: {what}"), all, tamper)
    };
    let leaves = |what: &str, edit: fn(&mut Vec<Vec<u8>>)| {
        kind(format!("entries: {what}"), all, move |it: &Path| rebundle(it, edit))
    };
    vec![
        swap("log/tile/0/000", "log/tile/0/001"),
        swap("log/tile/entries/000", "log/tile/entries/001"),
        swap("log/tile/0/000", "log/tile/entries/000"),
        swap("log/tile/1/000.p/2", "log/tile/0/002.p/88"),
        hashes("two swapped", |it| it[..64].rotate_left(32)),
        hashes("reversed", |it| it.reverse()),
        hashes("one twice", |it| it.copy_within(..32, 32)),
        hashes("all zero", |it| it.fill(0)),
        hashes("one left out", |it| drop(it.drain(32..64))),
        leaves("two swapped", |it| it.swap(1, 2)),
        leaves("one left out", |it| drop(it.remove(3))),
        leaves("one put in", |it| it.insert(3, b"{}".to_vec())),
        leaves("one twice", |it| it[4] = it[5].clone()),
        leaves("one emptied", |it| it[4].clear()),
        leaves("one longer by a space", |it| it[4].push(b' ')),
        leaves("the digest of the long one changed", |it| {
            let at = it[50].len() - 5;
            it[50][at] ^= 1;
        }),
        leaves("two joined", |it| {
            let second = it.remove(8);
            it[7].extend(second);
        }),
        leaves("order turned around", |it| it.reverse()),
        kind("all tiles removed", all, |it: &Path| {
            fs::remove_dir_all(it.join("log/tile")).unwrap();
        }),
        kind("the tiles of another log", all, |it: &Path| {
            let other = it.join("other");
            fs::create_dir_all(&other).unwrap();
            super::epoch::make(&other, &key(2), ENTRIES, GROUP);
            fs::remove_dir_all(it.join("log/tile")).unwrap();
            fs::rename(other.join("log/tile"), it.join("log/tile")).unwrap();
        }),
    ]
}

fn sound(folder: &Path) -> Checkpoint {
    let bytes = fs::read(folder.join(CHECKPOINT)).unwrap();
    let signed = SignedCheckpoint::open(&bytes, key(1).verifier()).unwrap();
    signed.checkpoint().clone()
}

fn put(folder: &Path, note: &Note) {
    fs::write(folder.join(CHECKPOINT), note.to_string()).unwrap();
}

/// Checkpoints that are well signed by the right key, or by a wrong one, and bound to other things.
fn checkpoints() -> Vec<Kind> {
    let all = Found::ByAll;
    let resigned = |what: &str, edit: fn(&mut Checkpoint)| {
        kind(format!("checkpoint, signed again: {what}"), all, move |it: &Path| {
            let mut checkpoint = sound(it);
            edit(&mut checkpoint);
            put(it, &checkpoint.sign(&key(1)).unwrap());
        })
    };
    let signed_by = |what: &str, signer: fn() -> NoteSigner| {
        kind(format!("checkpoint signed by {what}"), all, move |it: &Path| {
            let signer = signer();
            let origin = signer.verifier().name().to_owned();
            put(it, &Checkpoint { origin, ..sound(it) }.sign(&signer).unwrap());
        })
    };
    let text = |what: &str, from: &'static str, to: &'static str| {
        kind(format!("checkpoint: {what}"), all, move |it: &Path| {
            change_text(it, CHECKPOINT, from, to);
        })
    };
    let kept = |what: &str, size: usize| {
        kind(format!("{what} under the root of the last"), all, move |it: &Path| {
            let size = u64::try_from(size).unwrap();
            put(it, &Checkpoint { size, ..sound(it) }.sign(&key(1)).unwrap());
        })
    };
    vec![
        resigned("root of nothing", |it| it.root = Digest::of(b"")),
        resigned("root with one wrong bit", |it| it.root.0[31] ^= 1),
        resigned("more entries", |it| it.size += 1),
        resigned("fewer entries", |it| it.size -= 1),
        resigned("one entry", |it| it.size = 1),
        resigned("no entries", |it| it.size = 0),
        resigned("very many entries", |it| it.size = 1 << 40),
        kept("an older size", 550),
        kept("the size of a full tile", 512),
        signed_by("another key of the same name", || key(9)),
        signed_by("the key of the next epoch", || {
            let name = ORIGIN.replace("/1/", "/2/");
            NoteSigner::from_seed(&name, KeyKind::Ed25519, [1; 32]).unwrap()
        }),
        signed_by("the key of a real venue's log", || {
            let name = ORIGIN.trim_end_matches("/simulated");
            NoteSigner::from_seed(name, KeyKind::Ed25519, [1; 32]).unwrap()
        }),
        text("another account", "/account/", "/accounT/"),
        text("the mark of the simulation gone", "/simulated\n", "\n"),
        text("a leading zero", "\n600\n", "\n0600\n"),
        text("a sign", "\n600\n", "\n+600\n"),
        text("more entries, not signed again", "\n600\n", "\n601\n"),
        text("a line more", "\n\n", "\nextension\n\n"),
        text("the empty line gone", "\n\n", "\n"),
        text("Windows line ends", "\n600\n", "\r\n600\r\n"),
    ]
}

fn change_signature(folder: &Path, edit: impl Fn(&mut Vec<u8>)) {
    let bytes = fs::read(folder.join(CHECKPOINT)).unwrap();
    let mut line = Note::parse(&bytes).unwrap().lines()[0].clone();
    edit(&mut line.signature);
    let text = sound(folder).text();
    fs::write(folder.join(CHECKPOINT), format!("{text}\n{line}\n")).unwrap();
}

/// The signature's own parts.
fn signatures() -> Vec<Kind> {
    let all = Found::ByAll;
    let signature = |what: &str, edit: fn(&mut Vec<u8>)| {
        kind(format!("signature: {what}"), all, move |it: &Path| change_signature(it, edit))
    };
    let mut kinds = vec![
        signature("R and s swapped", |it| it.rotate_left(32)),
        signature("all zero", |it| it.fill(0)),
        signature("half of it", |it| it.truncate(32)),
        signature("one byte more", |it| it.push(0)),
        signature("s with its top bits set", |it| it[63] |= 0xe0),
        kind("signature: of another text", all, |it: &Path| {
            let other = Checkpoint { size: 599, ..sound(it) }.sign(&key(1)).unwrap();
            let text = sound(it).text();
            let line = &other.lines()[0];
            fs::write(it.join(CHECKPOINT), format!("{text}\n{line}\n")).unwrap();
        }),
        kind("signature: a true line and a false one", all, |it: &Path| {
            change(it, CHECKPOINT, |bytes| {
                let mut line = Note::parse(bytes).unwrap().lines()[0].clone();
                line.signature[0] ^= 1;
                let mut first = format!("{}\n{line}\n", sound(it).text()).into_bytes();
                let line = Note::parse(bytes).unwrap().lines()[0].clone();
                first.extend(format!("{line}\n").into_bytes());
                *bytes = first;
            });
        }),
        kind("signature: as a witness's line", all, |it: &Path| {
            let seed = [1; 32];
            let signer = NoteSigner::from_seed(ORIGIN, KeyKind::Cosignature, seed).unwrap();
            let line = signer.cosign(&sound(it), 1_800_000_000).unwrap();
            let text = sound(it).text();
            fs::write(it.join(CHECKPOINT), format!("{text}\n{line}\n")).unwrap();
        }),
        kind("signature: the key's hash changed", all, |it: &Path| {
            let bytes = fs::read(it.join(CHECKPOINT)).unwrap();
            let mut line = Note::parse(&bytes).unwrap().lines()[0].clone();
            line.key_hash ^= 1;
            let text = sound(it).text();
            fs::write(it.join(CHECKPOINT), format!("{text}\n{line}\n")).unwrap();
        }),
    ];
    for byte in [0, 15, 31, 32, 47, 62] {
        kinds.push(kind(format!("signature: a bit of byte {byte}"), all, move |it: &Path| {
            change_signature(it, |signature| signature[byte] ^= 1);
        }));
    }
    kinds
}

/// A journal written anew, with checksums that fit: only the signed log tells.
fn journals() -> Vec<Kind> {
    let us = Found::ByUs;
    let rewritten = |what: &str, edit: fn(&mut Vec<Vec<u8>>)| {
        kind(format!("journal written anew: {what}"), us, move |it: &Path| {
            let mut entries = entries(&key(1), ENTRIES);
            edit(&mut entries);
            write_journal(it, &entries, GROUP);
        })
    };
    vec![
        rewritten("two entries swapped", |it| it.swap(10, 11)),
        rewritten("an entry left out", |it| drop(it.remove(300))),
        rewritten("an entry twice", |it| it.insert(300, it[300].clone())),
        rewritten("the last entry left out", |it| drop(it.pop())),
        rewritten("the last group left out", |it| it.truncate(ENTRIES - GROUP)),
        rewritten("only the first entry", |it| it.truncate(1)),
        rewritten("the first entry left out", |it| drop(it.remove(0))),
        rewritten("a letter of an entry", |it| {
            let text = String::from_utf8(it[20].clone()).unwrap();
            it[20] = text.replacen("\"tick\"", "\"tock\"", 1).into_bytes();
        }),
        rewritten("a letter of the long entry", |it| {
            let at = it[50].len() - 20;
            it[50][at] = b'y';
        }),
        rewritten("the first entry names another key", |it| {
            it[0] = super::epoch::began(&key(2));
        }),
        rewritten("the long entry replaced by its leaf", |it| {
            it[50] = portcullis_evidence::tree::log_leaf(&it[50]).into_owned();
        }),
        rewritten("an entry that is no JSON", |it| it[30] = b"nothing".to_vec()),
        rewritten("order turned around behind the first", |it| it[1..].reverse()),
    ]
}

fn segment(folder: &Path) -> PathBuf {
    folder.join(JOURNAL)
}

/// The journal's own frame.
fn journal_headers() -> Vec<Kind> {
    let us = Found::ByUs;
    let at = |what: &str, place: fn(&[u8]) -> usize| {
        kind(format!("journal: {what}"), us, move |it: &Path| {
            change(it, JOURNAL, |bytes| {
                let at = place(bytes);
                bytes[at] ^= 1;
            });
        })
    };
    let group = |bytes: &[u8], number: usize| {
        let mut starts = bytes.windows(4).enumerate().filter(|(_, it)| *it == b"PCGR");
        starts.nth(number).unwrap().0
    };
    let in_group = |what: &str, number: usize, offset: usize| {
        kind(format!("journal: {what}"), us, move |it: &Path| {
            change(it, JOURNAL, |bytes| {
                let at = group(bytes, number) + offset;
                bytes[at] ^= 1;
            });
        })
    };
    vec![
        at("magic of the segment", |_| 0),
        at("version of the segment", |_| 9),
        at("length of the origin", |_| 11),
        at("a letter of the origin", |_| 14),
        in_group("magic of a group", 3, 0),
        in_group("version of a group", 3, 5),
        in_group("number of a group", 3, 13),
        in_group("first entry of a group", 3, 21),
        in_group("count of a group", 3, 25),
        in_group("length of a group", 3, 29),
        in_group("watermark of a group", 3, 37),
        in_group("root before a group", 3, 50),
        in_group("checksum of a group's header", 3, 71),
        in_group("checksum of a group", 3, 75),
        in_group("length of an entry", 3, 81),
        in_group("checksum of an entry", 3, 84),
        in_group("a letter of an entry", 3, 100),
        in_group("the last group", 11, 100),
        kind("journal: a group left out", us, move |it: &Path| {
            change(it, JOURNAL, |bytes| drop(bytes.drain(group(bytes, 4)..group(bytes, 5))));
        }),
        kind("journal: a group twice", us, move |it: &Path| {
            change(it, JOURNAL, |bytes| {
                let copy = bytes[group(bytes, 4)..group(bytes, 5)].to_vec();
                let at = group(bytes, 5);
                bytes.splice(at..at, copy);
            });
        }),
        kind("journal: two groups swapped", us, move |it: &Path| {
            change(it, JOURNAL, |bytes| {
                let (from, middle, to) = (group(bytes, 4), group(bytes, 5), group(bytes, 6));
                bytes[from..to].rotate_left(middle - from);
            });
        }),
        kind("journal: of another origin", us, |it: &Path| {
            let bytes = fs::read(segment(it)).unwrap();
            let text = bytes.windows(7).position(|it| it == b"account").unwrap();
            let mut bytes = bytes;
            bytes[text] = b'A';
            fs::write(segment(it), bytes).unwrap();
        }),
        kind("journal: a second segment of another one", us, |it: &Path| {
            fs::copy(segment(it), it.join("journal/000002.journal")).unwrap();
        }),
        kind("journal: the segment under the second name", us, |it: &Path| {
            fs::rename(segment(it), it.join("journal/000002.journal")).unwrap();
        }),
    ]
}
