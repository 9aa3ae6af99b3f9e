//! Bits, files, listings and names.

use super::*;

/// One bit of a file of each kind.
pub(super) const FLIPPED: Kinds = &[
    ("bit of the manifest", |_, p| alter(p, "manifest.json", |b| b[0] ^= 1), "PACK_MANIFEST"),
    ("bit of the sums", |_, p| flip(p, "SHA256SUMS"), "PACK_SUMS"),
    ("bit of the journal's header", |_, p| alter(p, SEGMENT, |b| b[9] ^= 1), "JOURNAL_VERSION"),
    ("bit of the journal's magic", |_, p| alter(p, SEGMENT, |b| b[0] ^= 1), "JOURNAL_DAMAGED"),
    ("bit of the journal", |_, p| flip(p, SEGMENT), "JOURNAL_DAMAGED"),
    ("bit of a chunk", |_, p| flip(p, &chunk(p)), "PACK_FILE_ALTERED"),
    ("bit of a component", |_, p| flip(p, &component(p)), "PACK_FILE_ALTERED"),
    ("bit of the genesis", |_, p| flip(p, GENESIS), "PACK_FILE_ALTERED"),
    ("bit of the endpoint set", |_, p| flip(p, ENDPOINT), "PACK_FILE_ALTERED"),
    ("bit of the release", |_, p| flip(p, RELEASE), "PACK_FILE_ALTERED"),
    ("bit of the approval", |_, p| flip(p, APPROVAL), "PACK_FILE_ALTERED"),
    ("bit of a signature", |_, p| flip(p, &format!("{APPROVAL}.1.sig")), "PACK_FILE_ALTERED"),
    ("bit of the seal", |_, p| flip(p, SEAL), "GENESIS_MISMATCH"),
    ("bit of the seal's signature", |_, p| flip(p, &format!("{SEAL}.1.sig")), "SIGNATURE_INVALID"),
    ("bit of a derived part", |_, p| flip(p, "metrics.json"), "PACK_FILE_ALTERED"),
    ("bit of the people's words", |_, p| flip(p, "lessons.md"), "PACK_FILE_ALTERED"),
];

/// A file that is missing, of each kind.
pub(super) const MISSING: Kinds = &[
    ("no manifest", |_, p| gone(p, "manifest.json"), "PACK_FILE_MISSING"),
    ("no sums", |_, p| gone(p, "SHA256SUMS"), "PACK_FILE_MISSING"),
    ("no journal", |_, p| gone(p, SEGMENT), "JOURNAL_TRUNCATED"),
    ("no chunk", |_, p| gone(p, &chunk(p)), "PACK_FILE_MISSING"),
    ("no component", |_, p| gone(p, &component(p)), "PACK_FILE_MISSING"),
    ("no genesis", |_, p| gone(p, GENESIS), "PACK_FILE_MISSING"),
    ("no endpoint set", |_, p| gone(p, ENDPOINT), "PACK_FILE_MISSING"),
    ("no release", |_, p| gone(p, RELEASE), "PACK_FILE_MISSING"),
    ("no approval", |_, p| gone(p, APPROVAL), "PACK_FILE_MISSING"),
    ("no signature", |_, p| gone(p, &format!("{APPROVAL}.1.sig")), "PACK_FILE_MISSING"),
    ("no seal", |_, p| gone(p, SEAL), "PACK_UNSEALED"),
    ("no signature of the seal", |_, p| gone(p, &format!("{SEAL}.2.sig")), "SIGNATURE_MISSING"),
    ("no part", |_, p| gone(p, "recon.md"), "PACK_FILE_MISSING"),
    (
        "no part, and none listed",
        |_, p| {
            gone(p, "recon.md");
            relist(p);
        },
        "PACK_MANIFEST",
    ),
    (
        "no component, and none listed",
        |b, p| {
            gone(p, &component(p));
            reseal(&b.ours, p);
        },
        "PACK_BINDING",
    ),
    (
        "no release, and none listed",
        |b, p| {
            gone(p, RELEASE);
            reseal(&b.ours, p);
        },
        "PACK_BINDING",
    ),
    (
        "no endpoint set, and none listed",
        |b, p| {
            gone(p, ENDPOINT);
            reseal(&b.ours, p);
        },
        "PACK_BINDING",
    ),
    (
        "no chunk, and none listed",
        |_, p| {
            gone(p, &chunk(p));
            relist(p);
        },
        "PACK_BINDING",
    ),
];

/// Listings, names and files that lead elsewhere.
pub(super) const LISTINGS: Kinds = &[
    (
        "another pack_version",
        |_, p| {
            alter(p, "manifest.json", |b| {
                *b =
                    String::from_utf8(b.clone()).unwrap().replace(PACK_VERSION, "9.9").into_bytes();
            });
        },
        "PACK_MANIFEST",
    ),
    (
        "a key more in the manifest",
        |_, p| {
            alter(p, "manifest.json", |b| {
                b.splice(1..1, *b"\"a\":1,");
            });
        },
        "PACK_MANIFEST",
    ),
    (
        "a space in the manifest",
        |_, p| alter(p, "manifest.json", |b| b.insert(1, b' ')),
        "PACK_MANIFEST",
    ),
    (
        "nothing required",
        |_, p| {
            alter(p, "manifest.json", |b| {
                let text = String::from_utf8(b.clone()).unwrap();
                let (before, rest) = text.split_once("\"requires\":[").unwrap();
                let (_, after) = rest.split_once(']').unwrap();
                *b = format!("{before}\"requires\":[]{after}").into_bytes();
            });
        },
        "PACK_MANIFEST",
    ),
    (
        "deep JSON for a manifest",
        |_, p| write(p.join("manifest.json"), "[".repeat(1 << 20)).unwrap(),
        "PACK_MANIFEST",
    ),
    ("the name of another session", |_, p| list(p, |m| m.session = name("s-2")), "PACK_BINDING"),
    ("another phase", |_, p| list(p, |m| m.phase = Phase::Shadow), "PACK_BINDING"),
    ("a simulation called real", |_, p| list(p, |m| m.simulated = false), "PACK_BINDING"),
    (
        "another session root",
        |_, p| list(p, |m| m.session_root = Digest::of(b"x")),
        "PACK_SESSION_ROOT",
    ),
    (
        "a line less in the sums",
        |_, p| {
            alter(p, "SHA256SUMS", |b| {
                let end = b.iter().position(|byte| *byte == b'\n').unwrap();
                b.drain(..=end);
            });
        },
        "PACK_SUMS",
    ),
    (
        "lines of the sums in another order",
        |_, p| alter(p, "SHA256SUMS", |b| b.rotate_left(70)),
        "PACK_SUMS",
    ),
    ("a file more", |_, p| write(p.join("extra.md"), "x").unwrap(), "PACK_FILE_UNLISTED"),
    (
        "a file more, and listed",
        |_, p| {
            write(p.join("extra.md"), "x").unwrap();
            relist(p);
        },
        "PACK_BINDING",
    ),
    (
        "a chunk more",
        |_, p| {
            let other = p.join(format!("chunks/{}.gz", "0".repeat(64)));
            fs::copy(p.join(chunk(p)), other).unwrap();
        },
        "PACK_FILE_UNLISTED",
    ),
    (
        "a chunk renamed",
        |_, p| {
            let (from, to) = (chunk(p), p.join(format!("chunks/{}.gz", "0".repeat(64))));
            rename(p.join(from), to).unwrap();
        },
        "PACK_FILE_UNLISTED",
    ),
    (
        "a chunk renamed, all sealed anew",
        |b, p| {
            let (from, to) = (chunk(p), p.join(format!("chunks/{}.gz", "0".repeat(64))));
            rename(p.join(from), to).unwrap();
            reseal(&b.ours, p);
        },
        "CHUNK_DIGEST",
    ),
    (
        "a chunk that is no chunk, all sealed anew",
        |b, p| {
            write(p.join("chunks/x"), "x").unwrap();
            reseal(&b.ours, p);
        },
        "PACK_STRUCTURE",
    ),
    (
        "a bomb for a chunk, all sealed anew",
        |b, p| {
            let mut bomb = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            std::io::Write::write_all(&mut bomb, &vec![0; 64 << 20]).unwrap();
            write(p.join(chunk(p)), bomb.finish().unwrap()).unwrap();
            reseal(&b.ours, p);
        },
        "CHUNK_TOO_LARGE",
    ),
    (
        "other bytes as the component, all sealed anew",
        |b, p| {
            write(p.join(component(p)), "other").unwrap();
            reseal(&b.ours, p);
        },
        "PACK_BINDING",
    ),
    ("a folder more", |_, p| create_dir(p.join("more")).unwrap(), "PACK_STRUCTURE"),
    ("a folder in a folder", |_, p| create_dir(p.join("chunks/more")).unwrap(), "PACK_STRUCTURE"),
    (
        "a link to a file",
        |_, p| {
            gone(p, "recon.md");
            symlink("/etc/hostname", p.join("recon.md")).unwrap();
        },
        "PACK_STRUCTURE",
    ),
    (
        "a link to a folder",
        |_, p| {
            rename(p.join("chunks"), p.with_extension("chunks")).unwrap();
            symlink(p.with_extension("chunks"), p.join("chunks")).unwrap();
        },
        "PACK_STRUCTURE",
    ),
    ("a hidden file", |_, p| write(p.join(".hidden"), "x").unwrap(), "PACK_STRUCTURE"),
    (
        "a name that moves the cursor",
        |_, p| write(p.join("\u{1b}[2J"), "x").unwrap(),
        "PACK_STRUCTURE",
    ),
    (
        "a part of ten gigabytes",
        |_, p| {
            fs::File::options()
                .write(true)
                .open(p.join("recon.md"))
                .unwrap()
                .set_len(10 << 30)
                .unwrap();
        },
        "PACK_FILE_TOO_LONG",
    ),
    (
        "a journal of ten gigabytes",
        |_, p| {
            fs::File::options()
                .write(true)
                .open(p.join(SEGMENT))
                .unwrap()
                .set_len(10 << 30)
                .unwrap();
        },
        "JOURNAL_UNREADABLE",
    ),
];
