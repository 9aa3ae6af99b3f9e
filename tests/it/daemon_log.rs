//! The log of a running house: signed while it runs, whole when it ends, and never under another
//! key.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use portcullis_evidence::log::CHECKPOINT;
use portcullis_evidence::note::{NoteSigner, SignedCheckpoint, VerifierKey};

use crate::house::House;
use crate::stranger::Stranger;

fn log(house: &House) -> PathBuf {
    house.path("home/epochs/000001/log")
}

fn key_path(house: &House) -> PathBuf {
    house.path("home/epochs/000001/key")
}

fn key(house: &House) -> VerifierKey {
    let text = fs::read_to_string(key_path(house)).unwrap();
    NoteSigner::parse(text.trim_end()).unwrap().verifier().clone()
}

/// The size that is signed by now.
fn signed(house: &House) -> Option<u64> {
    let bytes = fs::read(log(house).join(CHECKPOINT)).ok()?;
    let signed = SignedCheckpoint::open(&bytes, &key(house)).unwrap();
    Some(signed.checkpoint().size)
}

#[track_caller]
fn await_size(house: &House, size: u64, wait: Duration) {
    let start = Instant::now();
    while signed(house).is_none_or(|signed| signed < size) {
        assert!(start.elapsed() < wait, "{:?} of {size} entries are signed", signed(house));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn size(house: &House) -> u64 {
    u64::try_from(house.journal().len()).unwrap()
}

#[test]
fn what_a_house_records_is_signed_soon_and_to_its_end() {
    let mut house = House::empty("");
    house.start_exchange();
    house.start_daemon();
    let wait = Duration::from_secs(5);
    await_size(&house, size(&house), wait);
    house.connect(house.ports.1);
    await_size(&house, size(&house), wait);
    // A kill is signed at once: there is no other news to wait for.
    house.must(&["kill", "--home", &house.text("home"), "--reason", "test"]);
    await_size(&house, size(&house), wait);
    house.stop();
    assert_eq!(signed(&house), Some(size(&house)), "the last entry of a run is signed");
    if let Some(mut stranger) = Stranger::start() {
        let found = stranger.log(&log(&house), &key(&house).to_string()).unwrap();
        assert!(found.starts_with(&format!("{} ", size(&house))), "{found}");
    }
}

#[test]
fn an_idle_house_has_a_heartbeat_and_a_crash_loses_no_checkpoint() {
    let mut house = House::empty("");
    house.start_daemon();
    let ticks = house.count("tick");
    let start = Instant::now();
    while house.count("tick") == ticks {
        assert!(start.elapsed() < Duration::from_secs(15), "no heartbeat");
        std::thread::sleep(Duration::from_millis(200));
    }
    await_size(&house, size(&house), Duration::from_secs(5));
    let before = fs::read(log(&house).join(CHECKPOINT)).unwrap();
    house.crash();
    house.start_daemon();
    let seen = size(&house);
    await_size(&house, seen, Duration::from_secs(5));
    house.stop();
    if let Some(mut stranger) = Stranger::start() {
        let older = house.path("older");
        fs::write(&older, before).unwrap();
        let (older, folder) = (older.display().to_string(), log(&house).display().to_string());
        let vkey = key(&house).to_string();
        stranger.ask(&["consistent", &older, &folder, &vkey]).unwrap();
    }
}

#[test]
fn without_its_key_an_epoch_does_not_go_on() {
    let mut house = House::empty("");
    house.start_daemon();
    await_size(&house, size(&house), Duration::from_secs(5));
    house.stop();
    let key = fs::read(key_path(&house)).unwrap();
    fs::remove_file(key_path(&house)).unwrap();
    let before = size(&house);
    let (code, said) = house.refused_start(house.daemon_command());
    assert_eq!((code, said.contains("EPOCH_KEY_MISSING")), (3, true), "{said}");
    assert!(said.contains("next: "), "{said}");
    assert_eq!(size(&house), before, "a refused start records nothing");
    assert!(!key_path(&house).exists(), "no second key for one epoch");
    fs::write(key_path(&house), key).unwrap();
    let (code, said) = house.refused_start(house.daemon_command());
    assert_eq!((code, said.contains("EPOCH_KEY_UNREADABLE")), (78, true), "{said}");
}
