//! Others' witnesses and others' logs: `c2sp.org/tlog-witness` spoken with Go's packages.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use portcullis_evidence::log::LOG_FOLDER;
use portcullis_tests::program;

use super::Stranger;
use super::epoch::{self, Scratch, key};
use crate::house::House;
use crate::processes::{Program, await_until};

/// Our carrier brings a house's checkpoints to a witness that is not ours, again and again, and
/// the kernel believes what comes back.
#[test]
fn a_strangers_witness_cosigns_our_house() {
    let Some(mut stranger) = Stranger::start() else { return };
    let vkey = stranger.ask(&["key", "gopher"]).unwrap();
    let line = format!("gopher,other-host,eve,{vkey}");
    let mut house = House::empty_with("", &["--witness", &line, "--quorum", "1"]);
    house.start_daemon();
    let text = fs::read_to_string(house.path("home/epochs/000001/key")).unwrap();
    let signer = portcullis_evidence::note::NoteSigner::parse(text.trim_end()).unwrap();
    let log = signer.verifier().to_string();
    let at = format!("gopher={}", stranger.ask(&["serve", "gopher", &log]).unwrap());
    let checkpoint = house.path("home/epochs/000001/log/checkpoint");
    let carry = |house: &House| {
        let home = house.text("home");
        house.must(&["witness", "carry", "--home", &home, "--witness", &at])
    };
    await_until("a checkpoint", || checkpoint.exists().then_some(()));
    let mut sizes = Vec::new();
    for round in 0..3 {
        // The guess of the size is wrong from the second time on, and corrected by the answer.
        carry(&house);
        let view = house.status().unwrap();
        let cosigned = view.witnesses[1].split_once("gopher: cosigned ").unwrap().1;
        sizes.push(cosigned.split(' ').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(house.count("cosigned"), round + 1);
        let before = fs::read(&checkpoint).unwrap();
        await_until("another checkpoint", || (fs::read(&checkpoint).ok()? != before).then_some(()));
    }
    assert!(sizes.is_sorted_by(|one, other| one < other), "{sizes:?}");
    // A witness that follows another log does not sign, and nothing of it counts.
    let other = key(1).verifier().to_string();
    let at = format!("gopher={}", stranger.ask(&["serve", "gopher", &other]).unwrap());
    let home = house.text("home");
    let said = house.call(&["witness", "carry", "--home", &home, "--witness", &at]);
    assert!(said.code == 3 && said.stderr.contains("WITNESS_UNTRUSTING"), "{said:?}");
}

/// Serves from a folder at an address of its own.
fn serve(state: &str) -> (Program, String) {
    let mut command = Command::new(program("portcullis").unwrap());
    command.args(["witness", "serve", "--state", state, "--listen", "127.0.0.1:0"]);
    let mut served = Program(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(served.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let at = line.trim_end().find("http://").unwrap();
    (served, line.trim_end()[at..].to_owned())
}

fn witness(words: &[&str]) -> String {
    let mut command = Command::new(program("portcullis").unwrap());
    let run = command.arg("witness").args(words).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    String::from_utf8(run.stdout).unwrap()
}

/// A log that is not ours offers its checkpoints to our witness, with Go's proofs; each status is
/// the one that the specification names.
#[test]
fn our_witness_cosigns_a_strangers_log() {
    let Some(mut stranger) = Stranger::start() else { return };
    let scratch = Scratch::new();
    let vkey = key(1).verifier().to_string();
    let made = |name: &str, signer: &_, count| {
        let folder = scratch.path().join(name);
        fs::create_dir(&folder).unwrap();
        epoch::make(&folder, signer, count, 64);
        folder.join(LOG_FOLDER)
    };
    let (short, long) = (made("short", &key(1), 300), made("long", &key(1), 900));
    let foreign = made("foreign", &key(2), 900);
    let forked = scratch.path().join("forked");
    let mut entries = epoch::entries(&key(1), 1000);
    entries.swap(20, 21);
    fs::create_dir(&forked).unwrap();
    epoch::write_journal(&forked, &entries, 64);
    let mut follower = epoch::follower(&forked, &key(1));
    while follower.follow(None, |_| {}).unwrap() {}
    follower.sign(&key(1), false).unwrap();
    let forked = forked.join(LOG_FOLDER);
    let state = scratch.path().join("state").display().to_string();
    let of = ["init", &state, "--name", "ours", "--domain", "same-host", "--operator", "eve"];
    let own =
        witness(&of).lines().find_map(|line| line.strip_prefix("vkey")).unwrap().trim().to_owned();
    witness(&["trust", &state, &vkey]);
    let (_served, at) = serve(&state);
    let mut offer = |log: &Path, vkey: &str, old: &str| {
        let said = stranger.ask(&["offer", &at, &log.display().to_string(), vkey, old]).unwrap();
        let (status, rest) = said.split_once(' ').unwrap();
        (status.parse::<u16>().unwrap(), rest.to_owned())
    };
    assert_eq!(offer(&long, &vkey, "901").0, 400);
    assert_eq!(offer(&short, &vkey, "9"), (409, "text/x.tlog.size 0".to_owned()));
    let (status, said) = offer(&short, &vkey, "0");
    assert_eq!(status, 200, "{said}");
    assert_eq!(offer(&short, &vkey, "300").0, 200, "the same once more");
    assert_eq!(offer(&long, &vkey, "0"), (409, "text/x.tlog.size 300".to_owned()));
    let (status, said) = offer(&long, &vkey, "300");
    assert_eq!(status, 200, "{said}");
    let line = said.split_once("utf-8 ").unwrap().1;
    let note = fs::read_to_string(long.join("checkpoint")).unwrap() + line + "\n";
    let cosigned = scratch.path().join("cosigned");
    fs::write(&cosigned, note).unwrap();
    assert_eq!(offer(&short, &vkey, "300"), (409, "text/x.tlog.size 900".to_owned()));
    let other = key(2).verifier().to_string();
    assert_eq!(offer(&foreign, &other, "900").0, 403, "the origin is known, the key is not");
    assert_eq!(offer(&forked, &vkey, "900").0, 422, "another history of that log");
    stranger.ask(&["cosigned", &cosigned.display().to_string(), &own]).unwrap();
}
