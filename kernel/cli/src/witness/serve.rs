//! `portcullis witness serve`: one book, one lock, one question at a time.

use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use portcullis_domain::time::NS_PER_S;

use super::book::{Answer, Book};
use super::http::{Stream, answer, read_request};
use super::peers::Peers;
use crate::files::shown;
use crate::{CliError, Exit, clock, out};

/// Most connections at once.
const CONNECTIONS_MAX: usize = 16;
/// After the operating system could not give a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Serves until the process ends.
pub(crate) fn serve(book: Book, listen: &str) -> Result<(), CliError> {
    let door =
        Door { book: Arc::new(Mutex::new(book)), busy: Arc::default(), peers: Arc::default() };
    if let Some(path) = listen.strip_prefix("unix:") {
        let path = Path::new(path);
        let listener = unix(path).map_err(|error| taken(listen, &error.to_string()))?;
        told(&format!("unix:{}", shown(path)))?;
        loop {
            door.hear(listener.accept().map(|(stream, _)| (user(&stream), stream)));
        }
    }
    let address: Option<SocketAddr> = listen.parse().ok();
    let address = address.filter(|address| address.ip().is_loopback()).ok_or_else(|| {
        let (cause, next) =
            ("a witness listens on loopback or a socket", "--listen 127.0.0.1:0, or unix:PATH");
        CliError::new(Exit::Usage, "LISTEN_FORM", listen, cause, next)
    })?;
    let listener = TcpListener::bind(address).map_err(|error| taken(listen, &error.to_string()))?;
    let local = listener.local_addr().map_err(|error| taken(listen, &error.to_string()))?;
    told(&format!("http://{local}"))?;
    loop {
        door.hear(listener.accept().map(|(stream, from)| (from.ip().to_string(), stream)));
    }
}

/// The first line of the output is where it listens, for whoever started it.
fn told(place: &str) -> Result<(), CliError> {
    out::result(&out::field("listens", place))?;
    // With stdout gone nobody waits for the line.
    drop(io::stdout().flush());
    Ok(())
}

fn unix(path: &Path) -> io::Result<UnixListener> {
    // The folder of the state is locked, so what lies there is a leftover.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// The user at the other end of a socket.
fn user(stream: &UnixStream) -> String {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.map_or_else(|_| "unknown".to_owned(), |peer| format!("uid-{}", peer.uid.as_raw()))
}

fn taken(listen: &str, cause: &str) -> CliError {
    CliError::new(Exit::Temporary, "LISTEN", listen, cause, "choose another place")
}

#[derive(Clone, Debug)]
struct Door {
    book: Arc<Mutex<Book>>,
    busy: Arc<AtomicUsize>,
    peers: Arc<Mutex<Peers>>,
}

impl Door {
    fn hear<S: Stream + Send + 'static>(&self, from: io::Result<(String, S)>) {
        let Ok((peer, mut stream)) = from else { return thread::sleep(ACCEPT_PAUSE) };
        if self.busy.load(Ordering::Acquire) >= CONNECTIONS_MAX {
            return answer(&mut stream, 503, "too many at once; try again\n");
        }
        if !now_s().is_some_and(|now_s| self.peers().enter(&peer, now_s)) {
            return answer(&mut stream, 429, "you ask too much; try again in a minute\n");
        }
        self.busy.fetch_add(1, Ordering::AcqRel);
        let (door, gone) = (self.clone(), peer.clone());
        let started = thread::Builder::new().name("connection".to_owned()).spawn(move || {
            door.serve(&mut stream);
            door.leave(&gone);
        });
        if started.is_err() {
            self.leave(&peer);
        }
    }

    fn leave(&self, peer: &str) {
        self.peers().leave(peer);
        self.busy.fetch_sub(1, Ordering::AcqRel);
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &mut dyn Stream) {
        let said = match read_request(stream) {
            Ok(asked) => self.answer_to(&asked.start, &asked.body),
            Err(status) => Answer { status, body: "not a request that is spoken here\n".into() },
        };
        answer(stream, said.status, &said.body);
    }

    fn answer_to(&self, start: &str, body: &[u8]) -> Answer {
        let Some(now_s) = now_s() else {
            return Answer { status: 500, body: "the clock is impossible\n".to_owned() };
        };
        // A holder that panicked left either the old state or the new one, both of them whole.
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        match start {
            "POST /add-checkpoint" => book.add_checkpoint(body, now_s),
            "POST /next-epoch" => book.next_epoch(body),
            "POST /burn" => book.burn(body, now_s),
            other => match other.strip_prefix("GET /last/") {
                Some(of) => book.last(of, now_s),
                None => Answer { status: 404, body: "no such path\n".to_owned() },
            },
        }
    }
}

fn now_s() -> Option<u64> {
    u64::try_from(clock::now().ok()?.0.div_euclid(NS_PER_S)).ok()
}
