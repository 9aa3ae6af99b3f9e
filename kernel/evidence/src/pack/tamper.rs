//! Every way we know to tamper with a pack, one line each: what is done, and the code that the
//! verifier says. Whoever tampers may write listings anew; only keys they do not have.

use std::fs::{self, create_dir, read, remove_file, rename, write};
use std::os::unix::fs::symlink;
use std::path::Path;

use portcullis_domain::{Phase, Role};
use portcullis_statement::{Kind, SignedStatement, draft};

use super::manifest::{FileEntry, Manifest};
use super::testkit::{BEGINS, Installation, ORIGIN, TestLeaves, files as all_files, name};
use super::*;
use crate::Digest;
use crate::disk::MemoryDisk;
use crate::journal::{self, Head, Journal, JournalFolder};
use crate::testing::Scratch;

mod files;
mod log;
mod signed;

/// Two installations of the same host and account: ours, and one that a stranger made.
struct Bench {
    ours: Installation,
    stranger: Installation,
}

type Kinds = &'static [(&'static str, fn(&Bench, &Path), &'static str)];

const SEGMENT: &str = "journal/000001.journal";
const GENESIS: &str = "statements/00-genesis.json";
const ENDPOINT: &str = "statements/01-endpoint-set.json";
const RELEASE: &str = "statements/02-plugin-release.json";
const APPROVAL: &str = "statements/03-session-approval.json";
const SEAL: &str = "statements/seal.json";

fn alter(pack: &Path, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = read(pack.join(file)).unwrap();
    change(&mut bytes);
    write(pack.join(file), bytes).unwrap();
}

/// Flips one bit in the middle of a file.
fn flip(pack: &Path, file: &str) {
    alter(pack, file, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
}

fn gone(pack: &Path, file: &str) {
    remove_file(pack.join(file)).unwrap();
}

fn chunk(pack: &Path) -> String {
    all_files(pack).into_iter().find(|file| file.starts_with("chunks/")).unwrap()
}

fn component(pack: &Path) -> String {
    all_files(pack).into_iter().find(|file| file.starts_with("plugins/")).unwrap()
}

/// Changes the manifest and writes the sums to it.
fn list(pack: &Path, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = Manifest::parse(&read(pack.join("manifest.json")).unwrap()).unwrap();
    change(&mut manifest);
    write(pack.join("manifest.json"), manifest.to_bytes()).unwrap();
    write(pack.join("SHA256SUMS"), manifest.sums_text()).unwrap();
}

/// Lists whatever lies there now.
fn relist(pack: &Path) {
    let own = |file: &String| !["manifest.json", "SHA256SUMS"].contains(&file.as_str());
    let listed = all_files(pack).into_iter().filter(own).filter(|file| !file.starts_with(SEAL));
    let entry = |file: String| {
        let bytes = read(pack.join(&file)).unwrap();
        let (digest, length) = (Digest::of(&bytes), bytes.len().try_into().unwrap());
        (file, FileEntry { digest, bytes: length })
    };
    let all = listed.map(entry).collect();
    list(pack, |manifest| manifest.files = all);
}

/// Puts a statement with its signatures where another one was.
fn put(pack: &Path, file: &str, statement: &SignedStatement) {
    for number in 1..=9 {
        drop(remove_file(pack.join(format!("{file}.{number}.sig"))));
    }
    write(pack.join(file), &statement.bytes).unwrap();
    for (number, signature) in (1..).zip(&statement.signatures) {
        write(pack.join(format!("{file}.{number}.sig")), signature).unwrap();
    }
}

fn get(pack: &Path, file: &str) -> SignedStatement {
    let signatures = (1..)
        .map_while(|number| fs::read_to_string(pack.join(format!("{file}.{number}.sig"))).ok());
    SignedStatement { bytes: read(pack.join(file)).unwrap(), signatures: signatures.collect() }
}

/// Seals whatever lies there now, with the keys of `by`.
fn reseal(by: &Installation, pack: &Path) {
    relist(pack);
    put(pack, SEAL, &by.seal(&written(pack), 1));
}

fn written(pack: &Path) -> WrittenPack {
    let bytes = read(pack.join("manifest.json")).unwrap();
    let manifest = Manifest::parse(&bytes).unwrap();
    let (journal, session_root) = (manifest.journal, manifest.session_root);
    WrittenPack { manifest: Digest::of(&bytes), journal, session_root }
}

/// A sound journal of other entries in the place of this one, under `origin`, with a checkpoint.
fn rejournal(pack: &Path, origin: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Head {
    let folder = JournalFolder::new(pack.join("journal"));
    let mut entries = journal::read(folder).unwrap().entries;
    change(&mut entries);
    let mut made = Journal::create(MemoryDisk::new(), origin).unwrap();
    for entry in &entries {
        made.append(entry);
        made.commit().unwrap();
    }
    write(pack.join(SEGMENT), &made.disk().segments(1)[0]).unwrap();
    log::resign(pack, origin, made.head());
    made.head()
}

/// Another journal, and nothing else.
fn forge(pack: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    rejournal(pack, ORIGIN, change);
}

/// Another journal, and the manifest made to fit it.
fn fork(pack: &Path, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let head = rejournal(pack, ORIGIN, change);
    relist(pack);
    list(pack, |manifest| manifest.journal = head);
}

/// Signs the approval of this pack anew after a change of its text.
fn reapprove(b: &Bench, pack: &Path, from: &str, to: &str) {
    let text = String::from_utf8(read(pack.join(APPROVAL)).unwrap()).unwrap();
    assert!(text.contains(from), "{from} is not in the approval");
    let envelope = portcullis_statement::Envelope::parse(text.replace(from, to).as_bytes());
    let body = envelope.unwrap().body;
    put(pack, APPROVAL, &b.ours.sign(Kind::SessionApproval, &[("olga", Role::Operator)], &body));
    reseal(&b.ours, pack);
}

/// The seal of this pack, signed by some people only.
fn sealed_by(b: &Bench, pack: &Path, by: &[(&str, Role)]) {
    let seal = get(pack, SEAL);
    let body = portcullis_statement::Envelope::parse(&seal.bytes).unwrap().body;
    put(pack, SEAL, &b.ours.sign(Kind::Seal, by, &body));
}

#[test]
fn every_kind_of_tampering_is_found_and_has_its_code() {
    let bench = Bench { ours: Installation::new(7), stranger: Installation::new(8) };
    let whole = Scratch::new("whole");
    let whole = (bench.ours.pack(&whole), whole);
    let (mut faults, mut count) = (Vec::new(), 0);
    for (what, act, code) in [
        files::FLIPPED,
        files::MISSING,
        files::LISTINGS,
        log::LOGS,
        signed::JOURNALS,
        signed::STATEMENTS_ALTERED,
    ]
    .into_iter()
    .flatten()
    {
        let scratch = Scratch::new("tamper");
        let pack = scratch.path().join("pack");
        copy(&whole.0, &pack);
        assert_eq!(outcome(&bench, &pack), Outcome::Ok);
        act(&bench, &pack);
        match outcome(&bench, &pack) {
            Outcome::Damaged(finding) if finding.code == *code => {}
            other @ (Outcome::Ok | Outcome::SelfConsistentOriginUnproven | Outcome::Damaged(_)) => {
                faults.push(format!("{what}: {code} expected, {other:?}"));
            }
        }
        count += 1;
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    assert!(count >= 95, "{count} kinds");
}

fn outcome(bench: &Bench, pack: &Path) -> Outcome {
    verify(pack, Some(bench.ours.pin()), &TestLeaves).outcome
}

fn copy(from: &Path, to: &Path) {
    for file in all_files(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
}
