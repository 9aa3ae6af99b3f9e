//! The start of the daemon: what is not whole does not start, says so once, and changes nothing.

use crate::house::House;
use portcullis_evidence::JournalFolder;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every file below a folder with its bytes; sockets and locks are no content.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.is_file() && !name.ends_with("daemon.lock") {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

/// The start is refused with this code and exit code, with one error that names cause and next
/// command, and the home is what it was.
#[track_caller]
fn check(house: &House, command: Command, expect: (&str, i32)) -> String {
    let home = house.path("home");
    let before = contents(&home);
    let (code, said) = house.refused_start(command);
    assert!(said.starts_with(&format!("error[{}] ", expect.0)), "{said}");
    assert_eq!((code, said.matches("error[").count()), (expect.1, 1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with("next: "), "{said}");
    assert_eq!(contents(&home), before, "the home changed: {said}");
    said
}

/// The daemon's command line with one setting changed.
fn with(house: &House, flag: &str, value: &Path) -> Command {
    let mut command = house.daemon_command();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    command = Command::new(command.get_program());
    let mut replace = false;
    for argument in arguments {
        command.arg(if replace { value.as_os_str() } else { &argument });
        replace = argument == flag;
    }
    command
}

#[test]
fn a_setting_that_makes_no_sense_is_refused() {
    let house = House::empty("");
    let mut unknown = house.daemon_command();
    unknown.args(["--dry", "run"]);
    check(&house, unknown, ("USAGE", 2));
    let mut twice = house.daemon_command();
    twice.args(["--home", "elsewhere"]);
    check(&house, twice, ("USAGE", 2));
    let mut open_end = house.daemon_command();
    open_end.arg("--pin");
    check(&house, open_end, ("USAGE", 2));
    let missing = house.path("nowhere");
    check(&house, with(&house, "--home", &missing), ("HOME_NOT_FOUND", 4));
    assert!(!missing.exists());
    // A folder that is no home does not even get a lock.
    let other = house.path("other");
    fs::create_dir(&other).unwrap();
    check(&house, with(&house, "--home", &other), ("HOME_NOT_FOUND", 4));
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0);
    let below_a_file = house.path("venue.json").join("home");
    check(&house, with(&house, "--home", &below_a_file), ("HOME_NOT_FOUND", 4));
    // Root writes everywhere, but not into what is no file.
    let lock = house.path("home/daemon.lock");
    fs::create_dir(&lock).unwrap();
    check(&house, house.daemon_command(), ("HOME_UNWRITABLE", 78));
    fs::remove_dir(&lock).unwrap();
}

/// A8: the anchor of trust lies outside of what it vouches for.
#[test]
fn a8_a_genesis_that_is_not_the_pinned_one_is_refused() {
    let house = House::empty("");
    let pin = |name: &str, text: &str| {
        let path = house.path(name);
        fs::write(&path, text).unwrap();
        with(&house, "--pin", &path)
    };
    let pinned = fs::read_to_string(house.path("pin")).unwrap();
    check(&house, pin("home/pin", &pinned), ("PIN_UNUSABLE", 78));
    fs::remove_file(house.path("home/pin")).unwrap();
    check(&house, pin("short", &pinned.trim()[1..]), ("PIN_UNUSABLE", 78));
    check(&house, pin("none", ""), ("PIN_UNUSABLE", 78));
    check(&house, with(&house, "--pin", &house.path("nowhere")), ("PIN_UNUSABLE", 78));
    check(&house, pin("of-another", &"0".repeat(64)), ("GENESIS_MISMATCH", 3));

    let genesis = house.path("home/genesis.json");
    let whole = fs::read(&genesis).unwrap();
    fs::write(&genesis, [&whole[..], b"\n"].concat()).unwrap();
    check(&house, house.daemon_command(), ("GENESIS_MISMATCH", 3));
    fs::write(&genesis, &whole).unwrap();

    let signatures = [1, 4].map(|number| house.path(&format!("home/genesis.{number}.sig")));
    let [first, last] = signatures.each_ref().map(|path| fs::read(path).unwrap());
    fs::remove_file(&signatures[1]).unwrap();
    check(&house, house.daemon_command(), ("SIGNATURE_MISSING", 3));
    fs::write(&signatures[1], &first).unwrap();
    check(&house, house.daemon_command(), ("SIGNER_TWICE", 3));
    let mut changed = last.clone();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    fs::write(&signatures[1], changed).unwrap();
    let said = check(&house, house.daemon_command(), ("SIGNATURE_INVALID", 3));
    assert!(said.contains("genesis.json"), "{said}");
}

#[test]
fn policies_and_credential_are_read_strictly() {
    let house = House::empty("");
    let edit = |name: &str, from: &str, to: &str, expect: (&str, i32), names: &str| {
        let path = house.path(name);
        let whole = fs::read_to_string(&path).unwrap();
        assert!(whole.contains(from), "{name}: {from}");
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let said = check(&house, house.daemon_command(), expect);
        assert!(said.contains(names), "{said}");
        fs::write(&path, whole).unwrap();
    };
    let phases = "home/policies/phases.toml";
    let two = "[phases.3]\nsigners = [\"operator\", \"approver\"]";
    edit(phases, two, "[phases.3]\nsigners = [\"operator\"]", ("POLICY_BELOW_FLOOR", 78), "3");
    edit(phases, "[phases.3]", "[phases.3]\nrelaxed = true", ("POLICY_SYNTAX", 78), "relaxed");
    let instrument = "home/policies/instruments/kraken-btc-usd.toml";
    edit(instrument, "tick = ", "tack = ", ("POLICY_SYNTAX", 78), "tack");
    edit(instrument, "\"kraken\"", "\"binance\"", ("NO_INSTRUMENT", 78), "instruments");

    let credential = |text: &str| {
        let path = house.path("credential");
        fs::write(&path, text).unwrap();
        with(&house, "--credential", &path)
    };
    let nowhere = with(&house, "--credential", &house.path("nowhere"));
    check(&house, nowhere, ("FILE_UNREADABLE", 78));
    check(&house, with(&house, "--credential", &house.path("home")), ("FILE_UNREADABLE", 78));
    for text in ["", "{}", r#"{"key":"k"}"#, r#"{"key":"k","secret":"hidden-word?"}"#] {
        let said = check(&house, credential(text), ("CREDENTIAL_INVALID", 78));
        assert!(!said.contains("hidden-word"), "{said}");
    }
}

#[test]
fn a_second_daemon_on_a_home_is_refused_and_the_first_goes_on() {
    let mut house = House::empty("");
    house.start_daemon();
    let (code, said) = house.refused_start(house.daemon_command());
    assert!(said.starts_with("error[HOME_LOCKED] "), "{said}");
    assert_eq!(code, 75);
    // Its sockets are still there and still its own.
    assert!(!house.status().expect("the first one answers").killed);
    house.stop();
    for gone in ["control.sock", "kill.sock"] {
        assert!(!house.path("home").join(gone).exists(), "{gone}");
    }
}

/// A start whose first entry never became durable has not happened; one that did has.
#[test]
fn a_first_start_that_came_to_nothing_leaves_no_trace() {
    let mut house = House::empty("");
    let socket = house.path("home/control.sock");
    fs::create_dir(&socket).unwrap();
    fs::create_dir(house.path("home/epochs")).unwrap();
    fs::write(house.path("home/epochs/spare.partial"), b"left behind by a crash").unwrap();
    let (code, said) = house.refused_start(house.daemon_command());
    assert!(said.starts_with("error[SOCKET] "), "{said}");
    assert_eq!((code, house.path("home/epochs/000001/journal").exists()), (78, false));
    fs::remove_dir(&socket).unwrap();
    house.start_daemon();
    assert!(!house.status().unwrap().killed);
    house.stop();
}

/// Evidence without its journal is a journal that somebody took away.
#[test]
fn a_home_that_lost_its_journal_does_not_begin_anew() {
    let mut house = House::empty("");
    house.start_daemon();
    house.stop();
    fs::write(house.path("home/chunks/0.gz"), b"of a session").unwrap();
    let journal = fs::read(house.journal_path()).unwrap();
    fs::remove_file(house.journal_path()).unwrap();
    check(&house, house.daemon_command(), ("JOURNAL_MISSING", 5));
    // A segment has no name before its first group is in it.
    let header = journal.windows(4).position(|four| four == b"PCGR").unwrap();
    fs::write(house.journal_path(), &journal[..header]).unwrap();
    check(&house, house.daemon_command(), ("JOURNAL_DAMAGED", 5));
}

/// D1: a torn tail is what a crash leaves; anything else is damage, and damage is kept.
#[test]
fn d1_a_torn_tail_is_cut_and_counts_as_a_crash_and_any_other_damage_is_refused() {
    let mut house = House::empty("");
    house.start_daemon();
    house.stop();
    house.start_daemon();
    house.stop();
    let mut whole = fs::read(house.journal_path()).unwrap();
    whole.truncate(whole.iter().rposition(|byte| *byte != 0).unwrap() + 1);
    let write = |bytes: &[u8]| fs::write(house.journal_path(), bytes).unwrap();

    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    write(&flipped);
    let said = check(&house, house.daemon_command(), ("JOURNAL_DAMAGED", 5));
    for word in ["000001.journal", "group ", "entry ", "byte "] {
        assert!(said.contains(word), "{said}");
    }

    let origin = b"portcullis/demo-host/demo/1";
    let at = whole.windows(origin.len()).position(|part| part == origin).unwrap();
    let mut other = whole.clone();
    other[at + origin.len() - 1] = b'2';
    write(&other);
    check(&house, house.daemon_command(), ("JOURNAL_DAMAGED", 5));
    write(b"");
    check(&house, house.daemon_command(), ("JOURNAL_TRUNCATED", 5));

    let last_group = whole.windows(4).rposition(|four| four == b"PCGR").unwrap();
    let cut = last_group + (whole.len() - last_group) / 2;
    write(&whole[..cut]);
    house.start_daemon();
    let view = house.status().unwrap();
    assert!(view.killed && view.kill_seq == 1, "{view:?}");
    assert!(view.reasons[0].contains("NO_CLEAN_STOP_MARK"), "{view:?}");
    house.stop();
    let after = fs::read(house.journal_path()).unwrap();
    assert_eq!(&after[..last_group], &whole[..last_group]);
    assert!(portcullis_evidence::read(&[after][..]).is_ok());
}

/// D3: behind a damaged journal a new epoch begins, killed; the damaged files stay as they are.
#[test]
fn d3_a_rescue_begins_anew_behind_the_damage_and_stands_killed() {
    let mut house = House::empty("");
    for _ in 0..3 {
        house.start_daemon();
        house.stop();
    }
    let rescue = |house: &House| house.daemon_command().arg("--rescue").output().unwrap();
    let whole = rescue(&house);
    let said = String::from_utf8_lossy(&whole.stderr).into_owned();
    assert!(said.starts_with("error[JOURNAL_SOUND] "), "{said}");
    assert!(!house.path("home/epochs/000002").exists());

    let mut damaged = fs::read(house.journal_path()).unwrap();
    let last = damaged.windows(4).rposition(|four| four == b"PCGR").unwrap();
    damaged[last + 100] ^= 1;
    fs::write(house.journal_path(), &damaged).unwrap();
    let said = check(&house, house.daemon_command(), ("JOURNAL_DAMAGED", 5));
    assert!(said.contains("--rescue"), "{said}");

    let output = rescue(&house);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("000001.journal, group "), "{output:?}");
    assert_eq!(fs::read(house.journal_path()).unwrap(), damaged);
    house.start_daemon();
    let view = house.status().unwrap();
    assert!(view.killed && view.reasons[0].contains("JOURNAL_DAMAGED"), "{view:?}");
    house.stop();
    let folder = JournalFolder::of_epoch(&house.path("home/epochs"), 2);
    let rescued = portcullis_evidence::read(folder).unwrap();
    let kinds = |kind: &str| {
        let kind = format!("\"kind\":\"{kind}\"");
        let texts = rescued.entries.iter().map(|entry| String::from_utf8_lossy(entry));
        texts.filter(|text| text.contains(&kind)).map(String::from).collect::<Vec<_>>()
    };
    let damage = |text: &&String| text.contains("\"damage\":\"");
    // The three runs are its snapshot; the rescue's own start and the last run follow.
    assert!(!kinds("snapshot").is_empty());
    assert_eq!(kinds("started").len(), 2);
    assert_eq!(kinds("started").iter().filter(damage).count(), 1);
    assert_eq!(kinds("killed").len(), 1);
}

/// A12: a key that is sealed to a house opens no other one, whatever else is the same.
#[test]
fn a12_a_fresh_home_does_not_get_the_key_of_another() {
    let mut house = House::empty("");
    let credential = house.path("venue.json");
    let plain = fs::read_to_string(&credential).unwrap();
    let seal = |genesis: &str, journal: Option<&str>| {
        let journal = journal.map_or_else(String::new, |it| format!(",\"journal\":\"{it}\""));
        let own = plain.trim_end().strip_suffix('}').unwrap();
        fs::write(&credential, format!("{own},\"genesis\":\"{genesis}\"{journal}}}")).unwrap();
    };
    let pin = fs::read_to_string(house.path("pin")).unwrap().trim().to_owned();
    let other = "ab".repeat(32);
    seal(&other, None);
    check(&house, house.daemon_command(), ("CREDENTIAL_SEALED", 3));
    assert!(!house.path("home/epochs/000001/journal").exists(), "a refused start begins nothing");
    seal(&pin, None);
    house.start_daemon();
    house.stop();
    let key = fs::read_to_string(house.path("home/epochs/000001/key")).unwrap();
    let key = portcullis_evidence::note::NoteSigner::parse(key.trim_end()).unwrap();
    seal(&pin, Some(&key.verifier().to_string()));
    house.start_daemon();
    house.stop();
    // The same people, genesis and pin, and no history.
    fs::rename(house.path("home/epochs"), house.path("set-aside")).unwrap();
    check(&house, house.daemon_command(), ("CREDENTIAL_SEALED", 3));
    fs::write(&credential, &plain).unwrap();
    house.start_daemon();
    house.stop();
    seal(&pin, Some(&key.verifier().to_string()));
    check(&house, house.daemon_command(), ("CREDENTIAL_SEALED", 3));
    fs::remove_dir_all(house.path("home/epochs")).unwrap();
    fs::rename(house.path("set-aside"), house.path("home/epochs")).unwrap();
    house.start_daemon();
    house.stop();
}

/// A whole and valid journal, but of another account.
#[test]
fn a_journal_of_another_origin_is_refused() {
    let mut house = House::empty("");
    house.start_daemon();
    house.stop();
    let other = House::empty("");
    let (home, pin) = (other.text("twin"), other.text("twin.pin"));
    let (keys, policies) = (other.text("twin.keys"), other.text("policies"));
    let as_other = ["--account", "other", "--profile", "demo", "--policies", &policies];
    let arguments = ["init", &home, "--pin", &pin, "--keys", &keys];
    other.must(&[&arguments, &as_other[..]].concat());
    fs::create_dir_all(other.path("twin/epochs/000001/journal")).unwrap();
    let copy = other.path("twin/epochs/000001/journal/000001.journal");
    fs::copy(house.journal_path(), copy).unwrap();
    let mut command = with(&other, "--home", Path::new(&home));
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    command = Command::new(command.get_program());
    let of_twin = |argument: &std::ffi::OsString| {
        if *argument == *other.path("pin").as_os_str() {
            pin.clone().into()
        } else {
            argument.clone()
        }
    };
    command.args(arguments.iter().map(of_twin));
    let (code, said) = other.refused_start(command);
    assert!(said.starts_with("error[JOURNAL_ORIGIN] "), "{said}");
    assert_eq!(code, 5);
}
