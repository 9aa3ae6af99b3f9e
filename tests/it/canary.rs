//! X4: no secret lies where it does not belong. Everything that a house wrote is looked through for
//! its secrets, in every spelling in which a careless line might have written them.

use crate::house::House;
use flate2::read::MultiGzDecoder;
use portcullis_statement::json::{Fields, parse};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Stands in a policy file and in the daemon's environment, and is nobody's to repeat.
pub(crate) const CANARY: &str = "canary-7d1f0b6e52c94a83";

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Where the seed lies in an unencrypted OpenSSH key of Ed25519, behind names and public key.
const SEED_AT: std::ops::Range<usize> = 161..193;

/// A secret, and the files that may hold it.
struct Secret {
    name: String,
    bytes: Vec<u8>,
    belongs: Vec<PathBuf>,
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letters = [18, 12, 6, 0].map(|shift| LETTERS[(bits >> shift) as usize & 63]);
        text.extend(letters.iter().take(group.len() + 1).map(|letter| char::from(*letter)));
    }
    text
}

fn decode(text: &str) -> Vec<u8> {
    let value = |letter: u8| LETTERS.iter().position(|it| *it == letter);
    let sixes: Vec<usize> = text.bytes().filter_map(value).collect();
    let bits: Vec<bool> =
        sixes.iter().flat_map(|six| (0..6).rev().map(move |at| six >> at & 1 == 1)).collect();
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks_exact(8).map(byte).collect()
}

/// How bytes might be written: as they are, in hexadecimal digits, in both alphabets of base64
/// behind any number of other bytes.
fn spellings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> Vec<u8> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if upper { text.to_uppercase().into() } else { text.into() }
    };
    let mut all = vec![bytes.to_vec(), hex(false), hex(true)];
    for before in 0..3 {
        let text = base64(&[&vec![0; before][..], bytes].concat());
        // Letters that hold bits of a neighbour are anybody's.
        let first = (before * 8).div_ceil(6);
        let whole = (before + bytes.len()) * 8 / 6;
        let text = &text[first..whole];
        all.push(text.into());
        all.push(text.replace('+', "-").replace('/', "_").into());
    }
    all
}

fn secrets(house: &House) -> Vec<Secret> {
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let venue = parse(read(&house.path("venue.json")).as_bytes()).unwrap();
    let written = Fields::new(&venue).unwrap().text("secret").unwrap().to_owned();
    let belongs = vec![house.path("venue.json"), house.path("accounts.json")];
    let secret = |bytes: &[u8], belongs: &[PathBuf], name: &str| Secret {
        name: name.to_owned(),
        bytes: bytes.to_vec(),
        belongs: belongs.to_vec(),
    };
    let policies = [house.path("policies/phases.toml"), house.path("home/policies/phases.toml")];
    let mut secrets = vec![
        secret(written.as_bytes(), &belongs, "the venue's secret as it is written"),
        secret(&decode(&written), &belongs, "the venue's secret"),
        secret(CANARY.as_bytes(), &policies, "the canary"),
    ];
    for path in files(&house.path("keys")) {
        if path.extension().is_none() {
            let text = read(&path);
            let lines = text.lines().filter(|line| !line.starts_with("-----"));
            let key = decode(&lines.collect::<String>());
            assert!(key.starts_with(b"openssh-key-v1\0\0\0\0\x04none"), "{}", path.display());
            let name = format!("the private key {}", path.display());
            secrets.push(secret(&key[SEED_AT], std::slice::from_ref(&path), &name));
        }
    }
    assert!(secrets.len() >= 6, "only {} secrets", secrets.len());
    secrets
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => files(&path),
        Ok(metadata) if metadata.is_file() => vec![path],
        Ok(_) | Err(_) => vec![],
    };
    entries.flat_map(below).collect()
}

/// The bytes of a file, decompressed where that is what it holds, without the room at its end that
/// nobody has written to yet.
fn contents(file: &Path) -> Vec<u8> {
    let mut bytes = fs::read(file).unwrap();
    if file.extension().is_none_or(|it| it != "gz") {
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(used);
        return bytes;
    }
    let mut whole = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut whole).unwrap();
    whole
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some((first, rest)) = wanted.split_first() else { return false };
    let mut at = bytes;
    while let Some(found) = at.iter().position(|byte| byte == first) {
        at = &at[found + 1..];
        if at.starts_with(rest) {
            return true;
        }
    }
    false
}

/// Looks through all that the house, its processes and its command line wrote and answered.
#[track_caller]
pub(crate) fn check(house: &House) {
    let root = house.path("home").parent().unwrap().to_path_buf();
    let looked: Vec<(PathBuf, Vec<u8>)> =
        files(&root).into_iter().map(|file| (file.clone(), contents(&file))).collect();
    for needed in ["said.log", "answers.log", "daemon.err", "exchange.err"] {
        assert!(looked.iter().any(|(file, _)| *file == house.path(needed)), "{needed}");
    }
    assert!(looked.len() > 20, "only {} files", looked.len());
    for Secret { name, bytes, belongs } in secrets(house) {
        let spellings = spellings(&bytes);
        let found = looked.iter().filter(|(_, bytes)| spellings.iter().any(|it| holds(bytes, it)));
        let found: Vec<&PathBuf> = found.map(|(file, _)| file).collect();
        assert!(belongs.iter().any(|file| found.contains(&file)), "{name} is not where it belongs");
        let stray: Vec<_> = found.into_iter().filter(|file| !belongs.contains(file)).collect();
        assert!(stray.is_empty(), "{name} lies in {stray:?}");
    }
}

/// The check finds what it looks for, in each spelling and behind any other bytes.
#[test]
fn x4_a_secret_is_found_in_every_spelling() {
    let secret = b"\xfb\xef\xbe seed of a key \xff\xfe\x00\x7f!";
    assert_eq!(decode(&base64(secret)), secret);
    for before in 0..7 {
        let around = [&vec![0xa5; before][..], secret, b"tail"].concat();
        let hex: String = around.iter().map(|byte| format!("{byte:02X}")).collect();
        let plain = base64(&around);
        let url = plain.replace('+', "-").replace('/', "_");
        for text in [around, hex.to_lowercase().into(), hex.into(), plain.into(), url.into()] {
            assert!(spellings(secret).iter().any(|it| holds(&text, it)), "{before}");
        }
    }
    assert!(!spellings(secret).iter().any(|it| holds(b"seed of another", it)));
}
