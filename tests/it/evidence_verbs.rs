//! `portcullis evidence replay | show | diff`, the real program: what is equal, what is altered,
//! what is lost, and what was made to harm whoever looks at it.

use crate::replay::{Run, Scratch, replay, synthetic, write_recording};
use portcullis_core::entry;
use portcullis_evidence::{Journal, JournalFolder, MemoryDisk};
use portcullis_statement::json::{Fields, parse_canonical};
use portcullis_tests::{component, program};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Frames of the recording that is looked at.
const LINES: usize = 1_500;
const SEGMENT: &str = "epochs/000001/journal/000001.journal";

/// What a small replay kept, with the pin of its roster beside it.
struct Bench {
    scratch: Scratch,
    kept: PathBuf,
    strategy: PathBuf,
}

impl Bench {
    fn new() -> Option<Self> {
        let (lines, strategy) = (synthetic()?.lines(), component("ema-cross")?);
        let scratch = Scratch::new();
        let (folder, kept) = (scratch.path("recording"), scratch.path("kept"));
        write_recording(&folder, &lines[..LINES]);
        replay(&[&folder, &"--component", &strategy, &"--json", &"--out", &kept]).document();
        let bench = Self { scratch, kept, strategy };
        let started = entry::decode(&bench.entries()[0]).unwrap();
        let pin = Fields::new(&started.body).unwrap().text("pinned").unwrap().to_owned();
        fs::write(bench.scratch.path("pin"), pin).unwrap();
        Some(bench)
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        let folder = JournalFolder::of_epoch(&self.kept.join("epochs"), 1);
        portcullis_evidence::read(folder).unwrap().entries
    }

    /// A copy whose journal holds other entries, sound in itself.
    fn forged(&self, name: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> PathBuf {
        let copy = self.copy(name);
        let mut entries = self.entries();
        change(&mut entries);
        let mut journal = Journal::create(MemoryDisk::new(), "host/acct/1").unwrap();
        for entry in &entries {
            journal.append(entry);
        }
        journal.commit().unwrap();
        fs::write(copy.join(SEGMENT), &journal.disk().segments(1)[0]).unwrap();
        copy
    }

    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.scratch.path(name);
        copy_folder(&self.kept, &copy);
        copy
    }

    fn replay(&self, path: &Path) -> Run {
        let (pin, strategy) = (self.scratch.path("pin"), &self.strategy);
        let [path, pin, strategy] = [path, &pin, strategy].map(|it| it.to_str().unwrap());
        verb(&["replay", path, "--trust", pin, "--component", strategy])
    }

    /// Number of the first entry of a kind.
    fn first(&self, kind: &str) -> usize {
        let found = self.entries().iter().position(|e| entry::kind(e) == Some(kind.as_bytes()));
        found.unwrap_or_else(|| panic!("no {kind}"))
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let (path, target) = (item.as_ref().unwrap().path(), to.join(item.unwrap().file_name()));
        if path.is_dir() { copy_folder(&path, &target) } else { drop(fs::copy(path, target)) }
    }
}

fn verb(arguments: &[&str]) -> Run {
    let mut command = Command::new(program("portcullis").unwrap());
    let output = command.arg("evidence").args(arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap_or_else(|| panic!("{arguments:?}: {}", output.status)),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Replaces the first occurrence in an entry.
fn replaced(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let changed = String::from_utf8(bytes.clone()).unwrap();
    assert!(changed.contains(from), "{from} is not in {changed}");
    *bytes = changed.replacen(from, to, 1).into_bytes();
}

#[test]
fn c16_what_is_equal_altered_or_lost_is_said_with_its_place() {
    let Some(bench) = Bench::new() else { return };
    let whole = bench.replay(&bench.kept);
    // Nothing of it is signed by anybody, so it proves no origin.
    assert_eq!(whole.code, 3, "{}{}", whole.stdout, whole.stderr);
    assert!(whole.stderr.starts_with("error[ORIGIN_UNPROVEN]"), "{}", whole.stderr);
    assert!(whole.stdout.ends_with("verdict          EQUAL\n"), "{}", whole.stdout);
    assert!(!whole.stdout.contains(" 0 answers equal"), "{}", whole.stdout);

    // No plugin runs but one that the people of the anchor released, from the bytes they signed.
    let unpinned = verb(&["replay", text(&bench.kept)]);
    assert!(unpinned.stdout.contains("[JAIL_MISSING]"), "{}", unpinned.stdout);
    let pin = bench.scratch.path("pin");
    let without = verb(&["replay", text(&bench.kept), "--trust", text(&pin)]);
    assert!(without.stdout.contains("[COMPONENT_MISSING]"), "{}", without.stdout);

    let check = |path: &Path, code: &str, at: usize| {
        let run = bench.replay(path);
        assert_eq!(run.code, 5, "{}{}", run.stdout, run.stderr);
        assert!(run.stderr.starts_with(&format!("error[{code}]")), "{}", run.stderr);
        assert!(run.stdout.contains(&format!("entry {at}:")), "entry {at}: {}", run.stdout);
    };
    let at = bench.first("denied").min(bench.first("ordered"));
    let outcome =
        |entries: &mut Vec<Vec<u8>>| replaced(&mut entries[at], "\"reason\":\"", "\"reason\":\"X");
    check(&bench.forged("outcome", outcome), "REPLAY_DIFFERS", at);
    check(&bench.forged("less", |entries| drop(entries.remove(at))), "REPLAY_DIFFERS", at);
    let reply = bench.first("plugin-reply");
    let fuel =
        |entries: &mut Vec<Vec<u8>>| replaced(&mut entries[reply], "\"fuel\":", "\"fuel\":1");
    check(&bench.forged("fuel", fuel), "PLUGIN_DIFFERS", reply);
    let log =
        |entries: &mut Vec<Vec<u8>>| replaced(&mut entries[reply], "\"log\":\"", "\"log\":\"x");
    check(&bench.forged("log", log), "PLUGIN_DIFFERS", reply);

    let lost = bench.copy("lost");
    let newest = bench.entries().iter().rev().find_map(|bytes| {
        (entry::kind(bytes) == Some(b"chunk")).then(|| entry::decode(bytes).unwrap().corr)
    });
    fs::remove_file(lost.join(format!("chunks/{}.gz", newest.unwrap()))).unwrap();
    let run = bench.replay(&lost);
    assert_eq!(run.code, 5);
    assert!(run.stderr.starts_with("error[MARKET_DATA_LOST]"), "{}", run.stderr);
    assert!(run.stderr.contains("market data lost from ("), "{}", run.stderr);
    assert!(run.stdout.contains("YELLOW"), "{}", run.stdout);
}

#[test]
fn entries_are_shown_and_two_journals_compared() {
    let Some(bench) = Bench::new() else { return };
    let kept = text(&bench.kept);
    let at = bench.first("ordered").to_string();
    let page = verb(&["show", kept, &at]);
    assert_eq!(page.code, 0, "{}", page.stderr);
    assert!(page.stdout.contains("\nkind             ordered\n"), "{}", page.stdout);
    let order = entry::decode(&bench.entries()[bench.first("ordered")]).unwrap().corr;
    let life = verb(&["show", kept, "--of", &order, "--json"]).document();
    let entries = Fields::new(&life).unwrap().list("entries").unwrap().len();
    assert!(entries >= 3, "an order is asked for, reported and ends: {entries}");
    assert_eq!(verb(&["show", kept, "999999999"]).code, 4);
    assert_eq!(verb(&["show", "/nowhere"]).code, 4);
    assert_eq!(verb(&["show", kept, "9..x"]).code, 2);

    let same = bench.copy("same");
    assert_eq!(verb(&["diff", kept, text(&same)]).code, 0);
    let number: usize = at.parse().unwrap();
    let change = |entries: &mut Vec<Vec<u8>>| replaced(&mut entries[number], "\"v\":1", "\"v\":2");
    let other = bench.forged("other", change);
    let run = verb(&["diff", kept, text(&other), "--json"]);
    assert_eq!(run.code, 5, "{}", run.stderr);
    let document = parse_canonical(run.stdout.trim_end().as_bytes()).unwrap();
    let mut fields = Fields::new(&document).unwrap();
    let mut first = fields.fields("first").unwrap();
    assert_eq!(first.uint("entry").unwrap(), u64::try_from(number).unwrap());
    let places = format!("{:?}", first.list("places").unwrap());
    assert!(places.contains("v: 1, the other 2"), "{places}");
}

/// Damage at random, seeded: no verb panics, hangs, or calls equal what is not.
#[test]
fn c16_damaged_evidence_harms_no_verb() {
    let Some(bench) = Bench::new() else { return };
    let copy = bench.copy("damaged");
    let chunks = fs::read_dir(copy.join("chunks")).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<PathBuf> = chunks.collect();
    files.sort();
    files.push(copy.join(SEGMENT));
    let mut state = 0x5eed_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
    };
    for round in 0..24 {
        let file = if round % 2 == 0 { files.last().unwrap() } else { &files[below(files.len())] };
        let whole = fs::read(file).unwrap();
        let mut bytes = whole.clone();
        let at = below(bytes.len().min(60_000));
        match below(4) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << below(8),
            2 => drop(bytes.splice(at..at, vec![0xff; 70])),
            _ => drop(bytes.drain(..=at)),
        }
        fs::write(file, bytes).unwrap();
        let verbs: [&[&str]; 3] = [
            &["replay", text(&copy)],
            &["show", text(&copy)],
            &["diff", text(&bench.kept), text(&copy)],
        ];
        for arguments in verbs {
            let run = verb(arguments);
            assert!([0, 3, 5].contains(&run.code), "round {round}: {}", run.stderr);
            assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        }
        fs::write(file, whole).unwrap();
    }
    assert_eq!(verb(&["diff", text(&bench.kept), text(&copy)]).code, 0);
}
