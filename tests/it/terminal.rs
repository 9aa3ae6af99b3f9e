//! What the command line prints at a terminal: the very bytes that it prints into a pipe, and
//! nothing in them that moves the cursor or the eye, whatever people and files are called.

use crate::house::House;
use portcullis_evidence::text::escape_terminal;
use std::fs;
use std::process::{Command, Stdio};

/// Runs a program under a terminal of its own and keeps every byte that it writes there.
const AT_A_TERMINAL: &str = "import os, pty, sys\n\
    kept = open(sys.argv[1], 'wb')\n\
    def read(fd):\n    \
        data = os.read(fd, 65536)\n    \
        kept.write(data)\n    \
        return data\n\
    sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[2:], read)))";

/// Clears the screen, writes to the clipboard, turns the reading round, hides itself.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]52;c;aGk=\u{7}\u{9b}31m\u{202e}gnp.\u{200b}\r\n## Go";

fn at_a_terminal(house: &House, arguments: &[&str]) -> String {
    let kept = house.path("terminal.bytes");
    let program = portcullis_tests::program("portcullis").unwrap();
    let mut command = Command::new("python3");
    command.args(["-c", AT_A_TERMINAL]).arg(&kept).arg(program).args(arguments);
    command.current_dir(house.path("keys")).stdin(Stdio::null()).stdout(Stdio::null());
    command.status().unwrap();
    String::from_utf8(fs::read(&kept).unwrap()).unwrap().replace("\r\n", "\n")
}

#[track_caller]
fn check(house: &House, arguments: &[&str]) -> String {
    let shown = at_a_terminal(house, arguments);
    let moves = |letter: &char| {
        let text = letter.to_string();
        !['\n', '\\'].contains(letter) && escape_terminal(&text) != text
    };
    assert_eq!(shown.chars().find(moves), None, "{arguments:?}: {shown:?}");
    let said = house.call(arguments);
    let piped = [said.stdout.clone() + &said.stderr, said.stderr + &said.stdout];
    assert!(piped.contains(&shown), "{arguments:?}: {shown:?} and {piped:?}");
    shown
}

/// C13: every verb that shows something, with hostile words in all that a person can name.
#[test]
fn c13_a_terminal_gets_the_bytes_of_a_pipe_and_no_command() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: python3 is not installed: sudo apt-get install python3");
        return;
    }
    let mut house = House::ready();
    let view = house.perform("both", |view| !view.orders.is_empty());
    let session = view.session.unwrap();
    let home = house.text("home");
    let at = ["--home", home.as_str()];
    let note = [&["session", "note", &session, HOSTILE][..], &at].concat();
    house.must(&note);
    house.must(&[&["close", "--reason", HOSTILE][..], &at].concat());
    let approval = house.approval("2", "another", "both");
    house.must(&[&["kill", "--reason", HOSTILE][..], &at].concat());
    let status = check(&house, &[&["status"][..], &at].concat());
    assert!(status.contains("x\\u{1b}[2J"), "the reason of the kill is shown: {status}");
    for verb in [
        &["order", "list"][..],
        &["position", "list"],
        &["proposal", "list"],
        &["recon", "list"],
        &["limits", "show"],
        &["pack", &session],
        &["pack", HOSTILE],
        &["recon", "explain", "7", "--reason", HOSTILE],
        &["session", "note", HOSTILE, HOSTILE],
        &["session", "note", &session, HOSTILE, "--gap", HOSTILE],
        &["session", "note", &session, HOSTILE, "--gap", "x"],
        &["order", "submit", HOSTILE, "buy", "1"],
        &["submit", HOSTILE],
    ] {
        check(&house, &[verb, &at].concat());
    }
    for verb in [
        &["session", "asks"][..],
        &["session", "runlog", &approval],
        &["review", &approval],
        &["review", HOSTILE],
        &["explain", HOSTILE],
        &["evidence", "verify", HOSTILE],
        &["status", "--home", HOSTILE],
        &[HOSTILE],
        &["--help"],
    ] {
        check(&house, verb);
    }
    let lesson = ["--lesson", HOSTILE];
    let said = house.must(&[&["pack", &session, "--home", &home], &lesson[..]].concat());
    let pack = said.stdout.lines().find_map(|line| line.strip_prefix("pack"));
    let pack = pack.unwrap().trim().to_owned();
    fs::write(format!("{pack}/\u{1b}]0;x\u{7}.md"), "x").unwrap();
    let shown = check(&house, &["evidence", "verify", &pack]);
    assert!(shown.contains("\\u{1b}]0;x\\u{7}"), "{shown}");
    house.stop();
}
