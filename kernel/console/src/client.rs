//! Talking to the daemon: one request, its answers, and a clear word when there are none.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use portcullis_control::{
    Answer, ControlError, Refused, Reply, Request, SignedBytes, read_frame, write_frame,
};
use portcullis_statement::SignedStatement;

use crate::files::shown;
use crate::{CliError, Exit};

/// How long to wait for what needs no more than the disk.
pub const SOON: Duration = Duration::from_secs(30);
/// How long to wait for what needs plugins, orders or a venue.
pub const LONG: Duration = Duration::from_mins(3);

/// Asks for one thing and waits for the one answer.
pub fn ask(socket: &Path, request: &Request, patience: Duration) -> Result<Reply, CliError> {
    let mut only = None;
    converse(socket, request, patience, |reply| {
        only = Some(reply);
        Ok(())
    })?;
    only.ok_or_else(|| foreign(socket, "it answered nothing"))
}

/// Asks for an act and gives the line that says what was done.
pub fn done(socket: &Path, request: &Request, patience: Duration) -> Result<String, CliError> {
    let Reply::Done { text } = ask(socket, request, patience)? else {
        return Err(unexpected(socket));
    };
    Ok(text)
}

/// Asks for one thing and hands on every answer as it comes.
pub fn converse(
    socket: &Path,
    request: &Request,
    patience: Duration,
    mut on_reply: impl FnMut(Reply) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let bytes = request.to_bytes().map_err(|error| {
        let next = "shorten or correct what you ask for";
        CliError::new(Exit::Usage, error.code(), "request", &error.to_string(), next)
    })?;
    let mut stream = UnixStream::connect(socket).map_err(|error| unreachable(socket, &error))?;
    for set in [UnixStream::set_read_timeout, UnixStream::set_write_timeout] {
        set(&stream, Some(patience)).map_err(|error| unreachable(socket, &error))?;
    }
    write_frame(&mut stream, &bytes).map_err(|error| broken(socket, &error))?;
    loop {
        let frame = read_frame(&mut stream).map_err(|error| broken(socket, &error))?;
        let frame = frame.ok_or_else(|| broken(socket, &ControlError::Truncated))?;
        let answer = Answer::from_bytes(&frame);
        let answer = answer.map_err(|error| foreign(socket, &error.to_string()))?;
        if !answer.fits(request) {
            return Err(foreign(socket, "it answered something else than was asked"));
        }
        match answer.result {
            Ok(reply) => on_reply(reply)?,
            Err(refused) => return Err(refusal(&refused)),
        }
        if answer.last {
            return Ok(());
        }
    }
}

/// A signed statement as it crosses the socket.
#[must_use]
pub fn signed_bytes(signed: &SignedStatement) -> SignedBytes {
    SignedBytes {
        bytes: signed.bytes.clone(),
        signatures: signed.signatures.clone(),
        burns: Vec::new(),
    }
}

/// A reply that `Answer::fits` let through and the verb has no use for.
#[must_use]
pub fn unexpected(socket: &Path) -> CliError {
    foreign(socket, "it answered something else than was asked")
}

fn unreachable(socket: &Path, error: &io::Error) -> CliError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system's list of kinds is open")]
    let (exit, next) = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            (Exit::NotPermitted, "ask as the user who owns the home")
        }
        io::ErrorKind::InvalidInput => (Exit::Usage, "choose a home with a shorter path"),
        _ => (Exit::Unreachable, "start it: portcullisd --home HOME --pin FILE --credential FILE"),
    };
    let (code, cause) = ("DAEMON_UNREACHABLE", format!("no daemon answers: {error}"));
    CliError::new(exit, code, &shown(socket), &cause, next)
}

/// The connection ended or stood still before the last answer.
fn broken(socket: &Path, error: &ControlError) -> CliError {
    let next = "portcullis status says what became of it";
    let (code, cause) = if error.is_timeout() {
        ("DAEMON_SLOW", "no answer in time".to_owned())
    } else {
        ("ANSWER_CUT", format!("the answer broke off: {error}"))
    };
    CliError::new(Exit::Temporary, code, &shown(socket), &cause, next)
}

fn foreign(socket: &Path, cause: &str) -> CliError {
    let next = "use the portcullis of the same release as the daemon";
    CliError::new(Exit::Internal, "ANSWER_FOREIGN", &shown(socket), cause, next)
}

/// The daemon's "no" with the exit code and the next act that belong to its code.
fn refusal(refused: &Refused) -> CliError {
    let (exit, next) = match refused.code.as_str() {
        "KILL_ACTIVE" => (Exit::KillEngaged, "portcullis request unkill; two people lift it"),
        "SESSION_UNKNOWN" | "NO_SESSION" | "NOT_KILLED" | "PACK_MISSING" | "SYMBOL_UNKNOWN"
        | "ORDER_NOT_FOUND" | "ORDER_ENDED" | "POSITION_FLAT" => {
            (Exit::NotFound, "portcullis status shows what there is")
        }
        "FINDING_UNKNOWN" => (Exit::NotFound, "portcullis recon list shows what there is"),
        "PROPOSAL_UNKNOWN" | "PROPOSAL_RELEASED" | "RELEASE_EXPIRED" | "RELEASE_REVOKED" => {
            (Exit::NotFound, "portcullis proposal list shows what waits")
        }
        "PROPOSAL_MISMATCH" => (Exit::Refused, "portcullis request release, and look again"),
        "BURN_MISSING" | "BURN_FOREIGN" | "BURN_STALE" | "BURN_MALFORMED" => (
            Exit::Refused,
            "draft anew, then portcullis open FILE --home HOME --witness NAME=PLACE",
        ),
        "WITNESS_AHEAD" | "WITNESS_FORKED" => {
            (Exit::KillEngaged, "put the journal back that the witness has seen")
        }
        "WITNESS_MISMATCH" => (Exit::Refused, "draft anew: the roster's witnesses are others"),
        "WITNESS_REQUIRED" => (Exit::Refused, "portcullis witness init, and a roster with it"),
        "TOUCH_REQUIRED" => (Exit::Refused, "sign with the hardware key of the roster"),
        "ROLE_FORBIDS" => (Exit::NotPermitted, "ask somebody who has the role"),
        "PERSON_AMBIGUOUS" => (Exit::Usage, "say who asks: --as PERSON"),
        "QTY_INVALID" | "PRICE_INVALID" => (Exit::Usage, "write it in the instrument's units"),
        "COMPONENT_MISSING" => (Exit::NotFound, "portcullis plugin install FILE --home HOME"),
        "NOT_PERMITTED" => (Exit::NotPermitted, "ask as the user who owns the home"),
        "ORDERS_NOT_CLEAR" | "NO_ANSWER" | "RECON_UNRESOLVED" => {
            (Exit::Temporary, "portcullis status, until it says otherwise")
        }
        _ => (Exit::Refused, "portcullis status shows how things stand"),
    };
    CliError::new(exit, &refused.code, "daemon", &refused.cause, next)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::double::{daemon, frame};
    use crate::scratch::Scratch;

    #[track_caller]
    fn check(frames: Vec<Vec<u8>>, code: &str, exit: Exit) {
        let scratch = Scratch::new("client");
        let socket = scratch.path().join("s");
        let daemon = daemon(socket.clone(), frames);
        let error = ask(&socket, &Request::Stop, SOON).unwrap_err();
        assert_eq!((error.code.as_str(), error.exit), (code, exit));
        assert_eq!(daemon.join().unwrap(), Request::Stop);
    }

    fn no(code: &str) -> Vec<Vec<u8>> {
        let refused = Refused { code: code.to_owned(), cause: "because".to_owned() };
        vec![frame(&Answer::refused(refused))]
    }

    #[test]
    fn each_answer_has_its_exit_code() {
        check(no("KILL_ACTIVE"), "KILL_ACTIVE", Exit::KillEngaged);
        check(no("NO_SESSION"), "NO_SESSION", Exit::NotFound);
        check(no("ORDER_NOT_FOUND"), "ORDER_NOT_FOUND", Exit::NotFound);
        check(no("FINDING_UNKNOWN"), "FINDING_UNKNOWN", Exit::NotFound);
        check(no("ROLE_FORBIDS"), "ROLE_FORBIDS", Exit::NotPermitted);
        check(no("PERSON_AMBIGUOUS"), "PERSON_AMBIGUOUS", Exit::Usage);
        check(no("QTY_INVALID"), "QTY_INVALID", Exit::Usage);
        check(no("PHASE_FORBIDS"), "PHASE_FORBIDS", Exit::Refused);
        check(no("NOT_PERMITTED"), "NOT_PERMITTED", Exit::NotPermitted);
        check(no("NO_ANSWER"), "NO_ANSWER", Exit::Temporary);
        check(no("NONCE_BURNED"), "NONCE_BURNED", Exit::Refused);
        check(vec![], "ANSWER_CUT", Exit::Temporary);
        check(vec![b"{}".to_vec()], "ANSWER_FOREIGN", Exit::Internal);
        let latched = frame(&Answer::last(Reply::Latched { kill_seq: 1 }));
        check(vec![latched], "ANSWER_FOREIGN", Exit::Internal);
        let more = frame(&Answer::more(Reply::Done { text: "half".to_owned() }));
        check(vec![more], "ANSWER_CUT", Exit::Temporary);
    }

    #[test]
    fn no_daemon_and_a_silent_one_are_told_apart() {
        let scratch = Scratch::new("client");
        let socket = scratch.path().join("s");
        let error = ask(&socket, &Request::Status, SOON).unwrap_err();
        assert_eq!(error.exit, Exit::Unreachable);
        let listener = UnixListener::bind(&socket).unwrap();
        let error = ask(&socket, &Request::Status, Duration::from_millis(20)).unwrap_err();
        assert_eq!((error.code.as_str(), error.exit), ("DAEMON_SLOW", Exit::Temporary));
        drop(listener);
        let error = ask(&socket, &Request::Status, SOON).unwrap_err();
        assert_eq!(error.exit, Exit::Unreachable);
        let long = scratch.path().join("x".repeat(200));
        assert_eq!(ask(&long, &Request::Status, SOON).unwrap_err().exit, Exit::Usage);
        let blank = Request::Close { reason: " ".to_owned() };
        assert_eq!(ask(&socket, &blank, SOON).unwrap_err().exit, Exit::Usage);
    }
}
