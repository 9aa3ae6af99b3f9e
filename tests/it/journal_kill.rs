//! A process that writes a journal is killed a thousand times, at any moment, and no entry that it
//! had acknowledged is lost, none comes twice.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use portcullis_evidence::{JournalFolder, Reader};
use portcullis_tests::numbered_entry;

use crate::replay::Scratch;

const KILLS: u64 = 1_000;
/// Of one journal; it is read as a whole after them.
const KILLS_EACH: u64 = 100;

/// How many entries are durable that the writer has spoken of before it was killed.
fn killed_once(epochs: &Path, acknowledged: u64, kill: u64) -> u64 {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_portcullis-writer"))
        .arg(epochs)
        .args([acknowledged.to_string(), kill.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = writer.stdout.take().unwrap();
    let mut text = Vec::new();
    if kill.is_multiple_of(4) {
        // While it starts: it may be recovering.
        sleep(Duration::from_micros(kill.wrapping_mul(7_919) % 10_000));
    } else {
        let mut first = [0; 1];
        if said.read_exact(&mut first).is_ok() {
            text.extend_from_slice(&first);
        }
        sleep(Duration::from_micros(kill.wrapping_mul(7_919) % 4_000));
    }
    writer.kill().unwrap();
    let status = writer.wait().unwrap();
    assert_eq!(status.code(), None, "kill {kill}: it ended by itself: {status}");
    said.read_to_end(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    // The last line may be cut.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().last().map_or(acknowledged, |line| line.parse().unwrap())
}

fn read(epochs: &Path) -> u64 {
    let mut reader = Reader::open(JournalFolder::of_epoch(epochs, 1)).unwrap();
    let mut number = 0;
    while let Some(group) = reader.next().unwrap() {
        for entry in group.entries() {
            assert_eq!(entry, numbered_entry(number), "entry {number}");
            number += 1;
        }
    }
    number
}

#[test]
fn a_thousand_kills_lose_no_acknowledged_entry() {
    let scratch = Scratch::new();
    let mut silent = 0;
    for journal in 0..KILLS / KILLS_EACH {
        let epochs = scratch.path(&journal.to_string());
        let mut acknowledged = 0;
        for kill in journal * KILLS_EACH..(journal + 1) * KILLS_EACH {
            let now = killed_once(&epochs, acknowledged, kill);
            assert!(now >= acknowledged, "kill {kill}: {now} after {acknowledged}");
            silent += u64::from(now == acknowledged);
            acknowledged = now;
        }
        let found = read(&epochs);
        assert!(found >= acknowledged, "journal {journal}: {found} of {acknowledged}");
    }
    assert!(silent < KILLS / 2, "{silent} of {KILLS} were killed before they wrote anything");
}
