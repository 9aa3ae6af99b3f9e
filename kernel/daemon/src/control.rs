//! The two sockets of people: `control.sock` for requests, `kill.sock` for the kill alone.
//!
//! The kill has a socket, a thread and a lane of its own: nothing that is asked on the other can
//! make it wait.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crossbeam_channel::Receiver;
use portcullis_control::{
    Answer, DenialView, Refused, Reply, Request, SignedBytes, read_frame, write_frame,
};
use portcullis_core::{Answer as CoreAnswer, EpochCause, Input};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{BootNs, Name, StopMode};
use portcullis_statement::SignedStatement;

use crate::fault::{BAD_CONFIG, DaemonFault};
use crate::home::Home;
use crate::house::House;
use crate::{by_hand, clock, open, pack, status, threads, witness};

/// Most connections served at once on the control socket.
const CONTROLS_MAX: usize = 8;
/// Most on the kill socket: each waits there until all orders are gone.
const KILLS_MAX: usize = 256;
/// How long a whole request may take to arrive, in nanoseconds.
const READ_NS_MAX: i64 = 5 * NS_PER_S;
/// How long one write of an answer may take.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// After the operating system could not give a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// How long the core may take to answer; a close waits for its last order.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// What a connection on one socket is answered by.
type Serve = fn(&Arc<House>, Request, &Asker, &mut UnixStream);

/// Who asks, as the operating system says.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// The name under which it goes on record.
    pub(crate) name: String,
}

/// Both sockets, before anybody is heard: who connects waits.
#[derive(Debug)]
pub(crate) struct Sockets {
    control: UnixListener,
    kill: UnixListener,
}

pub(crate) const CONTROL: &str = "control.sock";
pub(crate) const KILL: &str = "kill.sock";

/// Takes both sockets. What can fail here fails before the journal knows of this run.
pub(crate) fn bind(home: &Home) -> Result<Sockets, DaemonFault> {
    Ok(Sockets { control: socket(&home.path(CONTROL))?, kill: socket(&home.path(KILL))? })
}

/// Hears whoever connects, from now on.
pub(crate) fn listen(house: &Arc<House>, sockets: Sockets) -> Result<(), DaemonFault> {
    serve(house, (CONTROL, sockets.control), (control, CONTROLS_MAX))?;
    serve(house, (KILL, sockets.kill), (kill, KILLS_MAX))
}

fn no_socket(path: &Path, error: &io::Error) -> DaemonFault {
    let next = "give the home a shorter path that this user can write";
    let subject = path.display().to_string();
    DaemonFault::new(BAD_CONFIG, "SOCKET", &subject, &error.to_string(), next)
}

fn socket(path: &Path) -> Result<UnixListener, DaemonFault> {
    let fault = |error: io::Error| no_socket(path, &error);
    // The home is locked, so whatever lies there is a leftover of a run that is over.
    if path.exists() {
        fs::remove_file(path).map_err(fault)?;
    }
    let listener = UnixListener::bind(path).map_err(fault)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(fault)?;
    Ok(listener)
}

fn serve(
    house: &Arc<House>,
    (name, listener): (&str, UnixListener),
    (serve, connections_max): (Serve, usize),
) -> Result<(), DaemonFault> {
    let path = house.home.path(name);
    let house = Arc::clone(house);
    let busy = Arc::new(AtomicUsize::new(0));
    let accept = move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else {
                // No descriptor is free, perhaps: one that is given back ends this.
                sleep(ACCEPT_PAUSE);
                continue;
            };
            if busy.load(Ordering::Acquire) >= connections_max {
                turn_away(&mut stream);
                continue;
            }
            hand_over(&house, stream, &busy, serve);
        }
    };
    threads::start(name, accept).map(drop).map_err(|error| no_socket(&path, &error))
}

/// Gives a connection a thread of its own; without one it is served here, one after the other.
fn hand_over(house: &Arc<House>, stream: UnixStream, busy: &Arc<AtomicUsize>, serve: Serve) {
    let spare = stream.try_clone();
    let (own_house, own_busy) = (Arc::clone(house), Arc::clone(busy));
    busy.fetch_add(1, Ordering::AcqRel);
    let served = threads::start("connection", move || {
        answer(&own_house, stream, serve);
        own_busy.fetch_sub(1, Ordering::AcqRel);
    });
    if served.is_err() {
        busy.fetch_sub(1, Ordering::AcqRel);
        if let Ok(spare) = spare {
            answer(house, spare, serve);
        }
    }
}

fn turn_away(stream: &mut UnixStream) {
    // The answer fits into the socket's buffer, so nobody can make this wait.
    if stream.set_nonblocking(true).is_ok() {
        say(stream, &refused("BUSY", "too many connections at once; try again"));
    }
}

/// Reads until a moment, however slowly the bytes come.
struct Until<'a> {
    stream: &'a UnixStream,
    deadline: BootNs,
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.since_ns(clock::now().boot);
        let left = u64::try_from(left).ok().filter(|left| *left > 0);
        let left = left.ok_or(io::ErrorKind::TimedOut)?;
        self.stream.set_read_timeout(Some(Duration::from_nanos(left)))?;
        let mut stream = self.stream;
        stream.read(buffer)
    }
}

fn answer(house: &Arc<House>, mut stream: UnixStream, serve: Serve) {
    if stream.set_write_timeout(Some(WRITE_MAX)).is_err() {
        return;
    }
    let Some(asker) = asker(&stream) else {
        return say(&mut stream, &refused("NOT_PERMITTED", "this user may not ask this daemon"));
    };
    let deadline = clock::now().boot.plus_ns(READ_NS_MAX);
    let frame = read_frame(&mut Until { stream: &stream, deadline });
    let request = frame.and_then(|frame| match frame {
        Some(bytes) => Request::from_bytes(&bytes).map(Some),
        None => Ok(None),
    });
    match request {
        Ok(Some(request)) => serve(house, request, &asker, &mut stream),
        Ok(None) => {}
        Err(error) => say(&mut stream, &Answer::refused(Refused::unreadable(&error))),
    }
}

/// The sockets belong to one user; only that user and root get here, and this says which.
fn asker(stream: &UnixStream) -> Option<Asker> {
    let peer = rustix::net::sockopt::socket_peercred(stream).ok()?;
    let own = rustix::process::geteuid();
    let allowed = peer.uid == own || peer.uid.is_root();
    allowed.then(|| Asker { name: format!("uid-{}", peer.uid.as_raw()) })
}

/// Everything but the kill.
fn control(house: &Arc<House>, request: Request, asker: &Asker, stream: &mut UnixStream) {
    let answer = match request {
        Request::Status => status::status(house),
        Request::Draft { session } => open::draft(house, session),
        Request::Statement(signed) => pack::keep_seal(house, signed_statement(signed)),
        Request::Open(mut signed) => {
            let burns = std::mem::take(&mut signed.burns);
            open::open(house, (&signed_statement(signed), &burns))
        }
        Request::Cosigned { note } => witness::cosigned(house, note),
        Request::Copied { unreplicated_bytes } => {
            ask(house, |request| Input::Copied { request, unreplicated_bytes })
        }
        Request::Burn { burn } => witness::ask_burn(house, &burn),
        Request::Close { reason } => {
            let who = asker.name.clone();
            ask(house, |request| Input::CloseSession { request, who, reason })
        }
        Request::Tighten { limits } => tighten(house, asker, &limits),
        Request::Note(note) => by_hand::note(house, note),
        Request::Pack { session } => pack::pack(house, &session),
        Request::OrderSubmit(order) => by_hand::submit(house, order),
        Request::OrderAmend(change) => by_hand::amend(house, change),
        Request::OrderCancel(which) => by_hand::cancel(house, which),
        Request::PositionClose(close) => by_hand::close(house, close),
        Request::Proposals => by_hand::proposals(house),
        Request::Findings { number } => by_hand::findings(house, number),
        Request::FindingExplain(said) => by_hand::explain(house, said),
        Request::FindingConfirm(said) => by_hand::confirm(house, said),
        Request::Stop => match open::stop(house, asker, stream) {
            Some(refusal) => refusal,
            None => return,
        },
        Request::Kill { .. } => refused("WRONG_SOCKET", "the kill has a socket of its own"),
    };
    say(stream, &answer);
}

/// Whoever reaches this socket may tighten: it is proved that nothing is allowed which was not.
fn tighten(house: &House, asker: &Asker, limits: &str) -> Answer {
    let Some(who) = Name::new(&asker.name) else {
        return refused("NOT_PERMITTED", "whoever asks has no name");
    };
    match portcullis_statement::json::parse_canonical(limits.as_bytes()) {
        Ok(limits) => ask(house, |request| Input::Tighten { request, who, limits }),
        Err(error) => refused("LIMITS_MALFORMED", &error.to_string()),
    }
}

/// The kill: the gate is shut before the first answer is written, whatever else is going on.
fn kill(house: &Arc<House>, request: Request, asker: &Asker, stream: &mut UnixStream) {
    let Request::Kill { reason, mode, scope } = request else {
        return say(stream, &refused("WRONG_SOCKET", "this socket takes the kill alone"));
    };
    let Some(stop) = Request::stop(mode.as_deref(), scope.as_deref()) else {
        return say(stream, &refused("CONTROL_MALFORMED", "no such mode or scope of a stop"));
    };
    let clears = stop.mode == StopMode::CancelAll;
    let (request, answers) = house.requests.open();
    let who = asker.name.clone();
    let epoch = house.raise(EpochCause::stop(stop, (&who, &reason), Some(request)));
    say(stream, &Answer::more(Reply::GateClosed { epoch }));
    follow_kill(&answers, clears, stream);
    house.requests.forget(request);
}

/// A stop below cancel-all takes nothing back that the venue would have to confirm: for it the
/// latch is the last word.
fn follow_kill(answers: &Receiver<CoreAnswer>, clears: bool, stream: &mut UnixStream) {
    loop {
        match answers.recv_timeout(ANSWER_MAX) {
            Ok(CoreAnswer::Latched { kill_seq }) if !clears => {
                return say(stream, &Answer::last(Reply::Latched { kill_seq }));
            }
            Ok(CoreAnswer::Latched { kill_seq }) => {
                say(stream, &Answer::more(Reply::Latched { kill_seq }));
            }
            Ok(CoreAnswer::OrdersClear { kill_seq }) => {
                return say(stream, &Answer::last(Reply::OrdersClear { kill_seq }));
            }
            Ok(CoreAnswer::Refused { code, cause }) => {
                return say(stream, &Answer::refused(Refused { code, cause }));
            }
            Ok(CoreAnswer::Done(_) | CoreAnswer::Ordered { .. } | CoreAnswer::Denied(_)) => {}
            Err(_) => {
                let cause = "the venue has not confirmed yet; the gate stays shut";
                return say(stream, &refused("ORDERS_NOT_CLEAR", cause));
            }
        }
    }
}

/// Puts a request to the core and waits for its answer.
pub(crate) fn ask(house: &House, input: impl FnOnce(u64) -> Input) -> Answer {
    let (request, answers) = house.requests.open();
    let answer =
        if house.tell(input(request)) { answers.recv_timeout(ANSWER_MAX).ok() } else { None };
    house.requests.forget(request);
    match answer {
        Some(CoreAnswer::Done(text)) => Answer::last(Reply::Done { text }),
        Some(CoreAnswer::Refused { code, cause }) => Answer::refused(Refused { code, cause }),
        Some(CoreAnswer::Ordered { cl_ord_id }) => {
            Answer::last(Reply::Ordered { cl_ord_id: cl_ord_id.to_string() })
        }
        Some(CoreAnswer::Denied(denial)) => Answer::last(Reply::Denied(DenialView::from(&denial))),
        Some(CoreAnswer::Latched { .. } | CoreAnswer::OrdersClear { .. }) | None => {
            refused("NO_ANSWER", "the core did not answer in time; status shows where it stands")
        }
    }
}

pub(crate) fn refused(code: &str, cause: &str) -> Answer {
    Answer::refused(Refused { code: code.to_owned(), cause: cause.to_owned() })
}

fn signed_statement(signed: SignedBytes) -> SignedStatement {
    SignedStatement { bytes: signed.bytes, signatures: signed.signatures }
}

pub(crate) fn say(stream: &mut UnixStream, answer: &Answer) {
    // Whoever hung up has nobody to tell; what was done is in the journal.
    if let Ok(bytes) = answer.to_bytes() {
        drop(write_frame(stream, &bytes));
    }
}
