//! A house and its two witnesses, as real processes: what was seen by them cannot be undone by
//! whoever owns the house's disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_control::{Reconciliation, Request};
use portcullis_core::Input;
use portcullis_evidence::note::{Burn, Note, NoteSigner, VerifierKey};
use portcullis_tests::program;

use crate::house::{House, Program, Said, await_until, signed_bytes};

const NAMES: [&str; 2] = ["near", "far"];

/// Two witnesses of one house.
struct Witnesses {
    dir: PathBuf,
    served: Vec<Program>,
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        self.served.clear();
        drop(fs::remove_dir_all(&self.dir));
    }
}

impl Witnesses {
    fn new() -> (Self, House) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = PathBuf::from(format!("/tmp/pcw-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let own = Self { dir, served: vec![] };
        let line = |name: &str| {
            let of = ["--name", name, "--domain", "same-host", "--operator", "eve"];
            let said = Self::call(&[&["witness", "init", &own.state(name)], &of[..]].concat());
            let lines = said.lines().find_map(|line| line.strip_prefix("roster"));
            lines.unwrap().trim().to_owned()
        };
        let [near, far] = NAMES.map(line);
        let more = ["--witness", &near, "--witness", &far, "--quorum", "2"];
        let house = House::empty_with("", &more);
        (own, house)
    }

    fn state(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn place(&self, name: &str) -> String {
        format!("unix:{}/{name}.sock", self.dir.display())
    }

    fn call(arguments: &[&str]) -> String {
        let run = Command::new(program("portcullis").unwrap()).args(arguments).output().unwrap();
        assert!(run.status.success(), "{arguments:?}: {run:?}");
        String::from_utf8(run.stdout).unwrap()
    }

    /// Each trusts the house's first key and serves.
    fn serve(&mut self, key: &VerifierKey) {
        for name in NAMES {
            Self::call(&["witness", "trust", &self.state(name), &key.to_string()]);
        }
        self.run();
    }

    fn run(&mut self) {
        for name in NAMES {
            let mut command = Command::new(program("portcullis").unwrap());
            let (state, place) = (self.state(name), self.place(name));
            command.args(["witness", "serve", "--state", &state, "--listen", &place]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            self.served.push(Program(command.spawn().unwrap()));
            let socket = self.dir.join(format!("{name}.sock"));
            await_until("a witness", || std::os::unix::net::UnixStream::connect(&socket).ok());
        }
    }

    /// The words by which a verb reaches them.
    fn words(&self) -> Vec<String> {
        let word = |name| ["--witness".to_owned(), format!("{name}={}", self.place(name))];
        NAMES.iter().flat_map(|name| word(name)).collect()
    }

    fn verb(&self, house: &House, verb: &[&str]) -> Said {
        let (home, words) = (house.text("home"), self.words());
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        house.call(&[verb, &["--home", &home], &words].concat())
    }
}

fn first_key(house: &House) -> VerifierKey {
    let text = fs::read_to_string(house.path("home/epochs/000001/key")).unwrap();
    NoteSigner::parse(text.trim_end()).unwrap().verifier().clone()
}

/// A house with its witnesses, connected, with the actor released.
fn ready() -> (Witnesses, House) {
    let (mut witnesses, mut house) = Witnesses::new();
    house.start_exchange();
    house.start_daemon();
    witnesses.serve(&first_key(&house));
    house.connect(house.ports.1);
    house.release_actor("2");
    (witnesses, house)
}

/// All of the home, but for sockets.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (kind, path) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &path);
        } else if kind.is_file() {
            fs::copy(entry.path(), path).unwrap();
        }
    }
}

/// Puts the home back as it was then.
fn restore(house: &House, then: &str) {
    fs::remove_dir_all(house.path("home")).unwrap();
    copy(&house.path(then), &house.path("home"));
}

#[test]
fn a_house_opens_with_its_witnesses_and_says_who_has_seen_it() {
    let (mut witnesses, house) = ready();
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert_eq!(said.code, 0, "{said:?}");
    let view = house.status().unwrap();
    assert!(view.witnesses[0].starts_with("2 of: near (same-host, run by eve)"), "{view:?}");
    assert!(view.witnesses[1].contains("near: cosigned "), "{view:?}");
    let approval = house.approval("2", "s-1", "idle");
    let home = house.text("home");
    // Nobody asked the witnesses, and one is not two.
    let bare = house.refusal(&Request::Open(signed_bytes(&approval)));
    assert_eq!(bare, "BURN_MISSING");
    let near = format!("near={}", witnesses.place("near"));
    let said = house.call(&["open", &approval, "--home", &home, "--witness", &near]);
    assert!(said.code == 3 && said.stderr.contains("BURN_MISSING"), "{said:?}");
    // Its nonce is burned at one of them: this approval will never open anything.
    let said = witnesses.verb(&house, &["open", &approval]);
    assert!(said.code == 3 && said.stderr.contains("NONCE_BURNED"), "{said:?}");
    let approval = house.approval("2", "s-2", "idle");
    let said = witnesses.verb(&house, &["open", &approval]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(house.count("session-opened"), 1);
    house.must(&["close", "--home", &home, "--reason", "done"]);
    // The next epoch's key came with its announcement, so the same witnesses go on.
    await_until("the next epoch is signed", || {
        house.path("home/epochs/000002/log/checkpoint").exists().then_some(())
    });
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert_eq!(said.code, 0, "{said:?}");
    // A witness that is down is missed, and told by name.
    witnesses.served.clear();
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert!(said.code == 69 && said.stderr.contains("WITNESS_UNREACHABLE"), "{said:?}");
}

/// What a thief can have kept of an opening: the approval, and the burns, which are in the journal.
struct Kept {
    approval: String,
    burns: Vec<String>,
}

/// Opens a session with its witnesses.
#[track_caller]
fn opened(witnesses: &Witnesses, house: &House, approval: String) -> Kept {
    let said = witnesses.verb(house, &["open", &approval]);
    assert_eq!(said.code, 0, "{said:?}");
    let mut entries = house.journal().into_iter();
    let opened = entries.rfind(|entry| entry.kind == "open-session").unwrap();
    let Input::OpenSession { burns, .. } = Input::decode(&opened).unwrap() else { panic!() };
    assert_eq!(burns.len(), 2);
    Kept { approval, burns }
}

/// Closes the session and ends the daemon.
#[track_caller]
fn closed(house: &mut House) {
    house.must(&["close", "--home", &house.text("home"), "--reason", "done"]);
    house.await_status("the end of the session", |view| view.session.is_none());
    house.stop();
}

/// One restored house: every approval, bare, with its kept burns, and by way of the witnesses.
/// Nothing opens, and the witnesses' word kills.
#[track_caller]
fn check_restored(witnesses: &Witnesses, house: &mut House, then: &str, kept: &[(&Kept, &[&str])]) {
    restore(house, then);
    let before = house.count("session-opened");
    house.start_daemon();
    house.await_status("the account", |view| view.reconciliation == Reconciliation::Agreed);
    for (of, bare) in kept {
        let burned = portcullis_control::SignedBytes {
            burns: of.burns.clone(),
            ..signed_bytes(&of.approval)
        };
        let refused = house.refusal(&Request::Open(burned));
        assert_eq!(refused, "BURN_FOREIGN", "{then}");
        let refused = house.refusal(&Request::Open(signed_bytes(&of.approval)));
        assert!(bare.contains(&&*refused), "{then}: {refused}");
        // The witnesses have seen more of this journal, and say so to whoever asks.
        let said = witnesses.verb(house, &["open", &of.approval]);
        let told = ["WITNESS_AHEAD", "WITNESS_FORKED"].iter().any(|it| said.stderr.contains(it));
        assert!(said.code != 0 && told, "{then}: {said:?}");
    }
    house.await_status("the kill", |view| view.killed);
    assert_eq!(house.count("session-opened"), before, "{then}");
    house.crash();
}

/// A10, A11: restore points from before a draft to after a session, of a running and of a stopped
/// house, each with all that a thief can have kept of this session and of the next. 0 open.
#[test]
fn a11_a_home_that_was_set_back_opens_nothing() {
    let (witnesses, mut house) = ready();
    house.stop();
    copy(&house.path("home"), &house.path("before-the-draft"));
    house.start_daemon();
    house.await_agreed();
    let approval = house.approval("2", "s-1", "idle");
    copy(&house.path("home"), &house.path("drafted-and-running"));
    house.stop();
    copy(&house.path("home"), &house.path("drafted"));
    house.start_daemon();
    house.await_agreed();
    let first = opened(&witnesses, &house, approval);
    let burned = Note::parse(first.burns[0].as_bytes()).unwrap();
    assert_eq!(Burn::parse(burned.text()).unwrap().session.as_str(), "s-1");
    copy(&house.path("home"), &house.path("in-the-session"));
    closed(&mut house);
    copy(&house.path("home"), &house.path("after-the-session"));
    house.start_daemon();
    house.await_agreed();
    let approval = house.approval("2", "s-2", "idle");
    house.stop();
    copy(&house.path("home"), &house.path("drafted-again"));
    house.start_daemon();
    house.await_agreed();
    let second = opened(&witnesses, &house, approval);
    closed(&mut house);

    // Whoever is killed says so first; a house without the draft does not know the journal.
    let unknown: &[&str] = &["JOURNAL_MISMATCH", "KILL_ACTIVE"];
    let missing: &[&str] = &["BURN_MISSING", "KILL_ACTIVE"];
    let used: &[&str] = &["NONCE_BURNED", "JOURNAL_MISMATCH", "KILL_ACTIVE"];
    for (then, of_first, of_second) in [
        ("before-the-draft", unknown, unknown),
        ("drafted-and-running", missing, unknown),
        ("drafted", missing, unknown),
        ("in-the-session", used, unknown),
        ("after-the-session", used, unknown),
        ("drafted-again", used, missing),
    ] {
        let kept = [(&first, of_first), (&second, of_second)];
        check_restored(&witnesses, &mut house, then, &kept);
    }
}

/// A11: a journal that was cut at the end of a group, its log made anew, is whole to everybody but
/// the witnesses. Opening is refused, and a cosignature from before the cut is a kill.
#[test]
fn a11_a_cut_journal_is_found_by_those_who_saw_the_rest() {
    let (witnesses, mut house) = ready();
    house.stop();
    copy(&house.path("home"), &house.path("then"));
    house.start_daemon();
    house.await_agreed();
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert_eq!(said.code, 0, "{said:?}");
    let seen = house.journal().into_iter().rfind(|entry| entry.kind == "cosigned").unwrap();
    let Input::Cosigned { note, .. } = Input::decode(&seen).unwrap() else { panic!() };
    house.stop();
    let epoch = house.path("home/epochs/000001");
    for part in ["journal", "log"] {
        fs::remove_dir_all(epoch.join(part)).unwrap();
    }
    copy(&house.path("then/epochs/000001/journal"), &epoch.join("journal"));
    house.start_daemon();
    let view = house.await_agreed();
    assert!(!view.killed, "nobody in the house can see the cut: {view:?}");
    let approval = house.approval("2", "s-1", "idle");
    for verb in [&["open", &approval][..], &["witness", "carry"]] {
        let said = witnesses.verb(&house, verb);
        let told = ["WITNESS_AHEAD", "WITNESS_FORKED"].iter().any(|it| said.stderr.contains(it));
        assert!(said.code != 0 && told && said.stderr.contains("next: "), "{said:?}");
    }
    // Who asked them has brought what they saw: one word of a witness is enough.
    await_until("the kill", || (house.count("orders-clear") > 0).then_some(()));
    house.unkill();
    assert!(!house.status().unwrap().killed);
    // Altered on the way it is nothing; as it was signed it is a kill.
    let forged = note.replacen("\u{2014} near ", "\u{2014} mear ", 1);
    let forged = forged.replacen("\u{2014} far ", "\u{2014} fir ", 1);
    assert_eq!(house.refusal(&Request::Cosigned { note: forged }), "COSIGNATURE_FOREIGN");
    assert!(!house.status().unwrap().killed);
    let refused = house.refusal(&Request::Cosigned { note });
    assert!(["WITNESS_AHEAD", "WITNESS_FORKED"].contains(&&*refused), "{refused}");
    house.await_status("the kill", |view| view.killed);
    assert_eq!(house.count("session-opened"), 0);
}

/// A house that was rescued has a key that nobody announced: its witnesses follow it when the
/// people who run them say so, and then never go back.
#[test]
fn a_rescued_house_is_followed_again_by_a_persons_word() {
    let (mut witnesses, mut house) = ready();
    let first = first_key(&house);
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert_eq!(said.code, 0, "{said:?}");
    house.stop();
    copy(&house.path("home"), &house.path("then"));
    fs::remove_file(house.path("home/epochs/000001/key")).unwrap();
    assert!(house.daemon_command().arg("--rescue").output().unwrap().status.success());
    house.start_daemon();
    await_until("the new epoch is signed", || {
        house.path("home/epochs/000002/log/checkpoint").exists().then_some(())
    });
    let said = witnesses.verb(&house, &["witness", "carry"]);
    let told = said.stderr.contains("EPOCH_UNANNOUNCED") && said.stderr.contains("--after-rescue");
    assert!(said.code == 3 && told, "{said:?}");
    let text = fs::read_to_string(house.path("home/epochs/000002/key")).unwrap();
    let second = NoteSigner::parse(text.trim_end()).unwrap().verifier().clone();
    witnesses.served.clear();
    for name in NAMES {
        let state = witnesses.state(name);
        let trust = |key: &VerifierKey, more: &[&str]| {
            let key = key.to_string();
            house.call(&[&["witness", "trust", &state, &key], more].concat())
        };
        assert!(trust(&second, &[]).stderr.contains("WITNESS_TRUSTS"));
        assert!(trust(&first, &["--after-rescue"]).stderr.contains("WITNESS_EPOCH"));
        assert_eq!(trust(&second, &["--after-rescue"]).code, 0);
        assert!(trust(&first, &["--after-rescue"]).stderr.contains("WITNESS_EPOCH"));
    }
    witnesses.run();
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert_eq!(said.code, 0, "{said:?}");
    // The house of before the rescue, whole and with its key, is one that was set back.
    house.crash();
    restore(&house, "then");
    house.start_daemon();
    house.await_agreed();
    let said = witnesses.verb(&house, &["witness", "carry"]);
    assert!(said.code != 0 && said.stderr.contains("WITNESS_AHEAD"), "{said:?}");
    house.await_status("the kill", |view| view.killed);
}
