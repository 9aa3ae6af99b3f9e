//! The kill of a running daemon: first, whatever else is going on, and for good.

use crate::house::{House, await_until, signal, signed_bytes};
use crate::venue_side::{Mode, Wire};
use portcullis_control::{
    Answer, Reconciliation, Reply, Request, SignedBytes, StatusView, read_frame,
};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

fn is_trading(view: &StatusView) -> bool {
    let resting = view.orders.iter().any(|order| order.status == "new");
    resting && view.positions.iter().any(|position| position.fees != "0")
}

fn kill(reason: &str) -> Request {
    Request::kill(reason)
}

/// The steps of a kill in their order, and its number.
#[track_caller]
fn check_steps(answers: &[Answer]) -> u64 {
    let replies: Vec<&Reply> = answers.iter().filter_map(|it| it.result.as_ref().ok()).collect();
    let [
        Reply::GateClosed { .. },
        Reply::Latched { kill_seq },
        Reply::OrdersClear { kill_seq: cleared },
    ] = replies[..]
    else {
        panic!("{answers:?}")
    };
    assert_eq!(kill_seq, cleared);
    *kill_seq
}

/// E7: nothing that is asked on the one socket makes the other wait.
#[test]
fn e7_the_kill_is_heard_while_both_sockets_are_flooded() {
    let mut house = House::ready();
    house.perform("both", is_trading);
    let crowd = |socket: &str, count: usize, bytes: &[u8]| -> Vec<UnixStream> {
        let connect = |_| {
            let mut stream = UnixStream::connect(house.path("home").join(socket)).unwrap();
            // Whoever was turned away already cannot be written to.
            drop(stream.write_all(bytes));
            stream
        };
        (0..count).map(connect).collect()
    };
    // Two bytes of a length, and then nothing more.
    let mut idle = crowd("control.sock", 200, &[0, 0]);
    idle.extend(crowd("kill.sock", 100, &[0, 0]));
    let first = house.ask("kill.sock", &kill("flooded")).expect("an answer");
    assert_eq!(check_steps(&first), 1);
    let at_kill = house.orders_at_exchange();
    assert_eq!(house.outsider().open_orders(), 0);
    drop(idle);

    // The crowd is gone: people are heard again, and the kill is what they see.
    let view = house.await_status("an answer", |_| true);
    assert!(view.killed && view.kill_seq == 1 && !view.may_trade, "{view:?}");
    house.await_status("the end of the session", |view| view.session.is_none());

    // Two more kills at once are the same kill.
    let both = std::thread::scope(|scope| {
        let ask = || house.ask("kill.sock", &kill("again")).expect("an answer");
        let threads = [scope.spawn(ask), scope.spawn(ask)];
        threads.map(|thread| check_steps(&thread.join().unwrap()))
    });
    assert_eq!(both, [1, 1]);
    assert_eq!(house.count("killed"), 1);

    // It survives a restart, and no order left after it.
    house.stop();
    house.start_daemon();
    let view = house.await_agreed();
    assert!(view.killed && view.kill_seq == 1, "{view:?}");
    assert_eq!(house.orders_at_exchange(), at_kill);
}

/// A slow speaker has five seconds for a whole request, not for each byte.
#[test]
fn e7_a_request_that_comes_byte_by_byte_is_not_waited_for() {
    let mut house = House::empty("");
    house.start_daemon();
    let mut stream = UnixStream::connect(house.path("home/control.sock")).unwrap();
    let mut other = stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        // Far more than may be read, and never a pause as long as the time for all of it.
        for _ in 0..600 {
            if other.write_all(&[0]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    });
    stream.set_read_timeout(Some(Duration::from_secs(55))).unwrap();
    let mut said = Vec::new();
    // The daemon answers or not; it ends the connection.
    drop(stream.read_to_end(&mut said));
    drop(stream);
    assert!(dripping.join().unwrap(), "still listening");
    assert!(house.status().is_some());
}

/// A1, B1: two people lift this kill, once.
#[test]
fn b1_an_unkill_lifts_the_kill_that_it_names_and_only_once() {
    let mut house = House::connected();
    let first = house.ask("kill.sock", &kill("one")).expect("an answer");
    assert_eq!(check_steps(&first), 1);
    let stale = house.signed(&["unkill", "--reason", "never handed in"]);
    let used = house.unkill();
    house.await_status("lifted", |view| !view.killed);
    let hand_in = |file: &str| house.refusal(&Request::Statement(signed_bytes(file)));
    assert_eq!(hand_in(&used), "NONCE_BURNED");
    assert_eq!(hand_in(&stale), "NOT_KILLED");
    let second = house.ask("kill.sock", &kill("two")).expect("an answer");
    assert_eq!(check_steps(&second), 2);
    assert_eq!(hand_in(&used), "NONCE_BURNED");
    assert_eq!(hand_in(&stale), "KILL_ENTRY_MISMATCH");
    assert!(house.status().unwrap().killed);
    house.stop();
    house.start_daemon();
    let hand_in = |file: &str| house.refusal(&Request::Statement(signed_bytes(file)));
    assert_eq!(hand_in(&used), "NONCE_BURNED");
    assert_eq!(house.status().unwrap().kill_seq, 2);
}

/// A signal kills although an end in order waits for a venue that says nothing.
#[test]
fn a_kill_by_signal_does_not_wait_behind_an_end_in_order() {
    let mut house = House::empty("");
    house.start_exchange();
    house.start_daemon();
    let wire = Wire::to(house.ports.1);
    house.connect(wire.port);
    house.release_actor("2");
    house.perform("rest", |view| !view.orders.is_empty());
    wire.set(Mode::Swallow);
    let process = house.daemon.as_ref().unwrap().id();
    signal("TERM", process);
    house.await_status("closing", |view| view.sessions.values().any(|it| it == "closing"));
    signal("USR1", process);
    let view = house.await_status("killed", |view| view.killed);
    assert!(view.session.is_some(), "{view:?}");
    let answers = UnixStream::connect(house.path("home/kill.sock")).map(|mut stream| {
        let request = kill("by socket").to_bytes().unwrap();
        portcullis_control::write_frame(&mut stream, &request).unwrap();
        let mut answer = || Answer::from_bytes(&read_frame(&mut stream).unwrap().unwrap()).unwrap();
        [answer(), answer()]
    });
    let [Answer { result: Ok(Reply::GateClosed { .. }), .. }, latched] = answers.unwrap() else {
        panic!("the gate is not reported shut")
    };
    assert_eq!(latched.result, Ok(Reply::Latched { kill_seq: 1 }));
    wire.set(Mode::Open);
    wire.cut();
    // With the venue back the end comes, in order.
    assert_eq!(house.daemon.as_mut().unwrap().exit_code(), 0);
    assert_eq!(house.outsider().open_orders(), 0);
}

/// A line of the limits, wide enough for the orders of a crowd.
fn for_a_crowd(line: &str) -> String {
    let wide = ["open_orders_max", "messages_per_second_max"];
    let key = line.split(' ').next().unwrap();
    if wide.contains(&key) { format!("{key} = 1000") } else { line.to_owned() }
}

/// D2: a disk that does not take the journal any more shuts the gate, takes the orders back, two
/// hundred of them, and ends the daemon.
#[test]
fn d2_a_journal_that_cannot_be_written_ends_everything() {
    let mut house = House::ready();
    house.stop();
    let limits = house.path("home/policies/limits.toml");
    let text = std::fs::read_to_string(&limits).unwrap();
    let wider: Vec<String> = text.lines().map(for_a_crowd).collect();
    std::fs::write(&limits, wider.join("\n")).unwrap();
    let daemon = house.daemon_command();
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    command.args(["-c", script]).arg(daemon.get_program()).args(daemon.get_args());
    house.start_daemon_by(command);
    house.await_agreed();
    let approval = house.approval("2", "full", "crowd");
    house.must(&["open", &approval, "--home", &house.text("home")]);
    await_until("many orders", || (house.outsider().open_orders() >= 200).then_some(()));
    // From here on this process may write no file beyond its first bytes.
    let daemon = house.daemon.as_mut().unwrap();
    let pid = daemon.id().to_string();
    let limited = Command::new("prlimit").args(["--pid", &pid, "--fsize=4096"]).status();
    assert!(limited.unwrap().success());
    assert_eq!(daemon.exit_code(), 75);
    let said = std::fs::read_to_string(house.path("daemon.err")).unwrap();
    assert!(said.contains("error[EVIDENCE_UNWRITABLE] "), "{said}");
    assert!(said.contains("orders canceled"), "{said}");
    let sent = house.orders_at_exchange();
    assert!(!sent.is_empty());
    await_until("no order left", || (house.outsider().open_orders() == 0).then_some(()));
    assert_eq!(house.orders_at_exchange(), sent);
    // Nothing left the house that is not on record.
    house.daemon = None;
    house.start_daemon();
    let recorded: Vec<String> = house
        .journal()
        .into_iter()
        .filter(|entry| entry.kind == "ordered")
        .map(|entry| entry.corr)
        .collect();
    assert!(sent.iter().all(|id| recorded.contains(id)), "{sent:?} {recorded:?}");
    let view = house.await_status("the account compared", |view| {
        view.reconciliation != Reconciliation::NotCompared
    });
    assert!(view.killed && !view.may_trade, "{view:?}");
    assert_eq!(house.orders_at_exchange(), sent);
}

/// Without room for the reserve the house stands killed; with room again the next start makes it.
#[test]
fn a_disk_without_room_for_the_reserve_stands_killed() {
    let mut house = House::empty("");
    let daemon = house.daemon_command();
    let mut command = Command::new("sh");
    // No file of more than 32 MiB: a segment fits, the reserve does not.
    let script = "trap '' XFSZ; ulimit -f 65536; exec \"$0\" \"$@\"";
    command.args(["-c", script]).arg(daemon.get_program()).args(daemon.get_args());
    house.start_daemon_by(command);
    let view = house.await_status("the kill", |view| view.killed);
    assert!(view.reasons[0].contains("EVIDENCE_FULL"), "{view:?}");
    let reserve = house.path("home/reserve");
    assert!(!reserve.exists() && !house.path("home/reserve.partial").exists());
    house.stop();
    house.start_daemon();
    await_until("the reserve", || reserve.exists().then_some(()));
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 64 * 1024 * 1024);
    assert!(house.status().unwrap().killed);
    house.stop();
}

/// What is not of the protocol is refused, and the daemon goes on.
#[test]
fn what_is_no_request_is_refused_with_its_code() {
    let mut house = House::empty("");
    house.start_daemon();
    let check = |socket: &str, bytes: &[u8], expect: &str| {
        let mut stream = UnixStream::connect(house.path("home").join(socket)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(55))).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = read_frame(&mut stream).unwrap();
        let answer = answer.map(|frame| Answer::from_bytes(&frame).unwrap());
        match answer.map(|answer| answer.result) {
            Some(Err(refused)) => assert_eq!(refused.code, expect),
            other => assert!(other.is_none() && expect.is_empty(), "{expect}: {other:?}"),
        }
    };
    let frame = |text: &str| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&length[..], text.as_bytes()].concat()
    };
    for socket in ["control.sock", "kill.sock"] {
        check(socket, &[0xff; 16], "CONTROL_TOO_LARGE");
        check(socket, &[0, 0, 0, 0], "CONTROL_EMPTY");
        check(socket, &[0, 0], "CONTROL_TRUNCATED");
        check(socket, &frame("{\"v\":1")[..8], "CONTROL_TRUNCATED");
        check(socket, &frame("no json"), "CONTROL_MALFORMED");
        check(socket, &frame(r#"{"v":2,"verb":"status"}"#), "CONTROL_VERSION");
        check(socket, &frame(r#"{"v":1,"verb":"trade"}"#), "CONTROL_VERB_UNKNOWN");
        check(socket, &frame(r#"{"v":1, "verb":"status"}"#), "CONTROL_MALFORMED");
        check(socket, &frame(r#"{"v":1,"verb":"kill"}"#), "CONTROL_MALFORMED");
        check(socket, &[], "");
    }
    let wrong = |socket: &str, request: &Request| {
        let answers = house.ask(socket, request).unwrap();
        answers[0].result.as_ref().unwrap_err().code.clone()
    };
    assert_eq!(wrong("control.sock", &kill("here")), "WRONG_SOCKET");
    assert_eq!(wrong("kill.sock", &Request::Status), "WRONG_SOCKET");
    let nonsense = SignedBytes { bytes: b"{}".to_vec(), signatures: Vec::new(), burns: Vec::new() };
    assert_eq!(wrong("control.sock", &Request::Open(nonsense.clone())), "STATEMENT_MALFORMED");
    assert_eq!(wrong("control.sock", &Request::Statement(nonsense)), "STATEMENT_MALFORMED");
    let view = house.status().unwrap();
    assert!(!view.killed && view.kill_seq == 0, "{view:?}");
    house.stop();
}
