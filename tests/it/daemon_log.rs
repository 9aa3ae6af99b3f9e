//! The log of a running house: signed while it runs, whole when it ends, and never under another
//! key.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Output;

use portcullis_core::entry::{self, Decoded, decode};
use portcullis_evidence::log::{CHECKPOINT, KEPT_FOLDER};
use portcullis_evidence::note::{KeyKind, NoteSigner, SignedCheckpoint, VerifierKey};
use portcullis_evidence::{JournalFolder, Reader, begun_epochs};
use portcullis_statement::json::Fields;

use crate::house::{House, Program};
use crate::processes::await_until;
use crate::stranger::Stranger;

fn log(house: &House) -> PathBuf {
    house.path("home/epochs/000001/log")
}

fn key_path(house: &House) -> PathBuf {
    house.path("home/epochs/000001/key")
}

fn key(house: &House) -> VerifierKey {
    key_text(&fs::read(key_path(house)).unwrap()).verifier().clone()
}

/// The size that is signed by now.
fn signed(house: &House) -> Option<u64> {
    let bytes = fs::read(log(house).join(CHECKPOINT)).ok()?;
    let signed = SignedCheckpoint::open(&bytes, &key(house)).unwrap();
    Some(signed.checkpoint().size)
}

/// Waits until so many entries are signed.
#[track_caller]
fn await_size(house: &House, size: u64) {
    await_until(&format!("a checkpoint of {size} entries"), || {
        signed(house).filter(|signed| *signed >= size)
    });
}

fn size(house: &House) -> u64 {
    u64::try_from(house.journal().len()).unwrap()
}

#[test]
fn what_a_house_records_is_signed_soon_and_to_its_end() {
    let mut house = House::empty("");
    house.start_exchange();
    house.start_daemon();
    await_size(&house, size(&house));
    house.connect(house.ports.1);
    await_size(&house, size(&house));
    // A kill is signed at once: there is no other news to wait for.
    house.must(&["kill", "--home", &house.text("home"), "--reason", "test"]);
    await_size(&house, size(&house));
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
    await_until("a heartbeat", || (house.count("tick") > ticks).then_some(()));
    await_size(&house, size(&house));
    let before = fs::read(log(&house).join(CHECKPOINT)).unwrap();
    house.crash();
    house.start_daemon();
    let seen = size(&house);
    await_size(&house, seen);
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
    await_size(&house, size(&house));
    house.stop();
    let key = fs::read(key_path(&house)).unwrap();
    fs::remove_file(key_path(&house)).unwrap();
    let before = size(&house);
    let (code, said) = house.refused_start(house.daemon_command());
    assert_eq!((code, said.contains("EPOCH_KEY_MISSING")), (3, true), "{said}");
    assert!(said.contains("next: "), "{said}");
    assert_eq!(size(&house), before, "a refused start records nothing");
    assert!(!key_path(&house).exists(), "no second key for one epoch");
    fs::write(key_path(&house), &key).unwrap();
    let (code, said) = house.refused_start(house.daemon_command());
    assert_eq!((code, said.contains("EPOCH_KEY_UNREADABLE")), (78, true), "{said}");
    // A key that only must not be read is not lost.
    let said = String::from_utf8(rescue(&house).stderr).unwrap();
    assert!(said.contains("JOURNAL_SOUND"), "{said}");
    assert_eq!(fs::read(key_path(&house)).unwrap(), key);
    // A key of the right name that nobody announced signs nothing.
    let own = key_text(&key);
    let foreign = NoteSigner::from_seed(own.verifier().name(), KeyKind::Ed25519, [7; 32]).unwrap();
    fs::write(key_path(&house), foreign.secret_text() + "\n").unwrap();
    fs::set_permissions(key_path(&house), fs::Permissions::from_mode(0o600)).unwrap();
    let (code, said) = house.refused_start(house.daemon_command());
    assert_eq!((code, said.contains("EPOCH_KEY_FOREIGN")), (3, true), "{said}");
    assert_eq!(size(&house), before, "a refused start records nothing");
}

fn key_text(file: &[u8]) -> NoteSigner {
    NoteSigner::parse(std::str::from_utf8(file).unwrap().trim_end()).unwrap()
}

fn rescue(house: &House) -> Output {
    house.daemon_command().arg("--rescue").output().unwrap()
}

/// A lost key is no way around anything: what goes on is killed, has the loss on record, and is
/// signed by another key under another origin.
#[test]
fn behind_a_lost_key_another_epoch_begins_killed() {
    let mut house = House::empty("");
    house.start_daemon();
    await_size(&house, size(&house));
    house.stop();
    let last = fs::read(log(&house).join(CHECKPOINT)).unwrap();
    fs::write(key_path(&house), "PRIVATE+KEY+garbage\n").unwrap();
    let (_, said) = house.refused_start(house.daemon_command());
    assert!(said.contains("EPOCH_KEY_MALFORMED"), "{said}");
    fs::remove_file(key_path(&house)).unwrap();
    let before = size(&house);
    let rescued = rescue(&house);
    let said = String::from_utf8_lossy(&rescued.stdout).into_owned();
    assert!(rescued.status.success() && said.contains("EPOCH_KEY_MISSING"), "{rescued:?}");
    house.start_daemon();
    let view = house.status().unwrap();
    assert!(view.killed, "{view:?}");
    await_until("the new epoch is signed", || {
        house.path("home/epochs/000002/log").join(KEPT_FOLDER).exists().then_some(())
    });
    house.stop();
    let started = house.journal().into_iter().filter(|entry| entry.kind == "started");
    let damage = |entry: &Decoded| entry.body.canonical_text().contains("EPOCH_KEY_MISSING");
    assert_eq!(started.filter(damage).count(), 1);
    assert_eq!(fs::read(log(&house).join(CHECKPOINT)).unwrap(), last, "nobody signs for epoch 1");
    let kept = check_kept(&house);
    assert!(kept.contains("killed") && kept.contains("epoch-began"), "{kept:?}");
    let began = house.journal().into_iter().rfind(|entry| entry.kind == "epoch-began").unwrap();
    let mut began = Fields::new(&began.body).unwrap();
    assert_eq!(began.fields("previous").unwrap().uint("size"), Ok(before));
}

/// Every checkpoint that stays, held against the journal: one behind each group with a milestone
/// in it, whose kinds are given. An epoch whose key was lost has them up to its last checkpoint.
#[track_caller]
fn check_kept(house: &House) -> BTreeSet<String> {
    let (epochs, mut kinds) = (house.path("home/epochs"), BTreeSet::new());
    for epoch in begun_epochs(&epochs).unwrap() {
        let mut reader = Reader::open(JournalFolder::of_epoch(&epochs, epoch)).unwrap();
        let log = epochs.join(format!("{epoch:06}/log"));
        let mut key = None;
        while let Some(group) = reader.next().unwrap() {
            let entries: Vec<_> = group.entries().map(<[u8]>::to_vec).collect();
            let milestones: Vec<_> = entries.iter().filter(|it| entry::is_milestone(it)).collect();
            let key = key.get_or_insert_with(|| {
                let began = decode(&entries[0]).unwrap();
                VerifierKey::parse(Fields::new(&began.body).unwrap().text("key").unwrap()).unwrap()
            });
            let head = reader.head();
            if !milestones.is_empty() {
                let path = log.join(KEPT_FOLDER).join(head.size.to_string());
                let kept =
                    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let kept = SignedCheckpoint::open(&kept, key).unwrap();
                assert_eq!(
                    (kept.checkpoint().size, kept.checkpoint().root),
                    (head.size, head.root)
                );
            }
            kinds.extend(milestones.iter().map(|it| decode(it).unwrap().kind));
        }
    }
    kinds
}

/// Each open, close, approval, limit change, kill, plugin load and recovery has a checkpoint of
/// its own, which stays.
#[test]
fn every_milestone_has_a_checkpoint_that_stays() {
    let mut house = House::ready();
    let home = house.text("home");
    let opened = house.perform("idle", |view| view.session.is_some());
    let limits = fs::read_to_string(house.path("policies/limits.toml")).unwrap();
    let tighter = limits.replacen("open_orders_max = 4", "open_orders_max = 3", 1);
    assert_ne!(limits, tighter);
    fs::write(house.path("tighter.toml"), tighter).unwrap();
    house.must(&["limits", "tighten", &house.text("tighter.toml"), "--home", &home]);
    house.must(&["close", "--home", &home, "--reason", "done"]);
    await_until("the end of the epoch", || (!key_path(&house).exists()).then_some(()));
    house.must(&["kill", "--home", &home, "--reason", "test"]);
    house.unkill();
    house.crash();
    house.start_daemon();
    house.stop();
    let kept = check_kept(&house);
    for kind in [
        "session-opened",
        "session-closed",
        "statement-accepted",
        "tightened",
        "killed",
        "orders-clear",
        "unkilled",
        "plugin-ready",
        "started",
        "epoch-ended",
        "epoch-began",
        "clean-stop",
    ] {
        assert!(kept.contains(kind), "{kind}: {kept:?}; {opened:?}");
    }
}

/// The 32 bytes of a secret, from the text of its file.
fn seed(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // A signature scheme's byte and the seed: 33 bytes are 44 digits.
    let text = text.trim_end().as_bytes();
    let value =
        |digit: &u8| u32::try_from(DIGITS.iter().position(|it| it == digit).unwrap()).unwrap();
    let four = |four: &[u8]| four.iter().fold(0, |sum, digit| sum << 6 | value(digit));
    let three = |digits| four(digits).to_be_bytes()[1..].to_vec();
    text[text.len() - 44..].chunks(4).flat_map(three).skip(1).collect()
}

/// How often a process has these bytes in memory that it can write.
fn held(process: u32, bytes: &[u8]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let ranges = maps.lines().filter(|line| line.contains(" rw")).filter_map(|line| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        Some((hex(from)?, hex(to)?))
    });
    let find = |(from, to): (u64, u64)| {
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        // What is no memory any more, or never was, holds no secret.
        let read = memory.read_at(&mut part, from).unwrap_or(0);
        part[..read].windows(bytes.len()).filter(|window| *window == bytes).count()
    };
    ranges.map(find).sum()
}

fn announced(house: &House) -> VerifierKey {
    let ended = house.journal().into_iter().find(|entry| entry.kind == "epoch-ended").unwrap();
    VerifierKey::parse(Fields::new(&ended.body).unwrap().text("next_key").unwrap()).unwrap()
}

/// Opens and closes a session, which ends the epoch.
#[track_caller]
fn end_epoch(house: &House) {
    house.perform("idle", |view| view.session.is_some());
    house.must(&["close", "--home", &house.text("home"), "--reason", "done"]);
    await_until("the old key is forgotten", || (!key_path(house).exists()).then_some(()));
}

#[test]
fn at_the_end_of_an_epoch_the_old_secret_goes_and_the_announced_key_signs() {
    let house = House::ready();
    let (secret, first) = (fs::read_to_string(key_path(&house)).unwrap(), key(&house));
    let process = house.daemon.as_ref().unwrap().id();
    assert!(held(process, &seed(&secret)) > 0, "the key that signs is in memory");
    end_epoch(&house);
    let next = house.path("home/epochs/000002");
    await_until("the next epoch is signed", || next.join("log/checkpoint").exists().then_some(()));
    assert_eq!(held(process, &seed(&secret)), 0, "the old secret lies in memory");
    let digits = &secret.trim_end()[secret.trim_end().len() - 44..];
    assert_eq!(held(process, digits.as_bytes()), 0, "the old secret lies in memory as text");
    let signed = fs::read(next.join("log/checkpoint")).unwrap();
    assert_eq!(
        SignedCheckpoint::open(&signed, &announced(&house)).unwrap().checkpoint().origin,
        announced(&house).name()
    );
    check_ended(&house, &first);
    for item in fs::read_dir(house.path("home/epochs/000001/journal")).unwrap() {
        let mode = item.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o222, 0, "nobody writes an epoch that is over");
    }
}

/// The first epoch has its last checkpoint under its own key, and no secret.
#[track_caller]
fn check_ended(house: &House, first: &VerifierKey) {
    assert!(!key_path(house).exists());
    let last = fs::read(log(house).join(CHECKPOINT)).unwrap();
    let last = SignedCheckpoint::open(&last, first).unwrap().checkpoint().clone();
    let journal = JournalFolder::of_epoch(&house.path("home/epochs"), 1);
    let head = portcullis_evidence::read(journal).unwrap().end.head;
    assert_eq!((last.size, last.root), (head.size, head.root));
}

/// Each state that a crash can leave between the end of an epoch's journal and the end of its key
/// is finished by the next start.
#[test]
fn a_crash_while_an_epoch_turns_over_is_finished_by_the_next_start() {
    let mut house = House::ready();
    let (secret, first) = (fs::read(key_path(&house)).unwrap(), key(&house));
    await_size(&house, size(&house));
    let early = fs::read(log(&house).join(CHECKPOINT)).unwrap();
    end_epoch(&house);
    house.crash();
    let last = fs::read(log(&house).join(CHECKPOINT)).unwrap();
    let put_key = |bytes: &[u8]| {
        fs::write(key_path(&house), bytes).unwrap();
        fs::set_permissions(key_path(&house), fs::Permissions::from_mode(0o600)).unwrap();
    };
    let zeros = vec![0; secret.len()];
    let states = [
        ("nothing of it was signed", &secret, None),
        ("its end was not signed", &secret, Some(&early)),
        ("its key was not touched", &secret, Some(&last)),
        ("its key was overwritten", &zeros, Some(&last)),
    ];
    for (state, key, checkpoint) in states {
        put_key(key);
        match checkpoint {
            Some(bytes) => fs::write(log(&house).join(CHECKPOINT), bytes).unwrap(),
            None => fs::remove_dir_all(log(&house)).unwrap(),
        }
        let mut daemon = Program(house.daemon_command().spawn().unwrap());
        await_until(state, || (!key_path(&house).exists()).then_some(()));
        check_ended(&house, &first);
        await_until("the present epoch is signed", || {
            let log = house.path("home/epochs/000002/log");
            SignedCheckpoint::open(&fs::read(log.join(CHECKPOINT)).ok()?, &announced(&house)).ok()
        });
        daemon.kill();
    }
}
