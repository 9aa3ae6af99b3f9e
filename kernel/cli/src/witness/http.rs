//! As much HTTP/1.1 as a witness needs: one request and one answer a connection, bodies counted.
//!
//! Nothing here is trusted: what is asked is checked by the book, and what is answered is signed.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::{CliError, Exit};

/// Longest head in bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Longest body in bytes: a proof of an entry with its leaf.
const BODY_BYTES_MAX: usize = 160 * 1024;
/// Most lines of a head.
const HEADERS_MAX: usize = 32;
/// How long a whole exchange may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that gives up in time, however slowly the bytes come.
pub(crate) trait Stream: Read + Write {
    /// How long the next read or write may take.
    fn patience(&self, left: Duration) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn patience(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left)).and_then(|()| self.set_write_timeout(Some(left)))
    }
}

impl Stream for UnixStream {
    fn patience(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left)).and_then(|()| self.set_write_timeout(Some(left)))
    }
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// `POST /add-checkpoint`, or the number of the status.
    pub(crate) start: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// Reads a request; what is none gives the status to answer with.
pub(crate) fn read_request(stream: &mut dyn Stream) -> Result<Message, u16> {
    let (head, body) = read_head(stream)?;
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let whole = request.parse(&head).is_ok_and(|status| status.is_complete());
    let (Some(method), Some(path), true) = (request.method, request.path, whole) else {
        return Err(400);
    };
    let start = format!("{method} {path}");
    // Without a count there is no body; a GET has none.
    let length = body_length(request.headers, method == "GET")?;
    Ok(Message { start, body: read_body(stream, body, length)? })
}

/// Reads the bytes up to the end of the head, and what came after it.
fn read_head(stream: &mut dyn Stream) -> Result<(Vec<u8>, Vec<u8>), u16> {
    let deadline = Deadline::start();
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(at.saturating_add(4));
            return Ok((bytes, body));
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(431);
        }
        receive(stream, &mut bytes, deadline)?;
    }
}

fn read_body(stream: &mut dyn Stream, mut body: Vec<u8>, length: usize) -> Result<Vec<u8>, u16> {
    let deadline = Deadline::start();
    while body.len() < length {
        receive(stream, &mut body, deadline)?;
    }
    if body.len() == length { Ok(body) } else { Err(400) }
}

fn receive(stream: &mut dyn Stream, bytes: &mut Vec<u8>, by: Deadline) -> Result<(), u16> {
    stream.patience(by.left().ok_or(408_u16)?).map_err(|_error| 408_u16)?;
    let mut part = [0_u8; 4_096];
    match stream.read(&mut part) {
        Ok(0) => Err(400),
        Ok(count) => {
            bytes.extend_from_slice(part.get(..count).unwrap_or_default());
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(_late_or_gone) => Err(408),
    }
}

fn body_length(headers: &[httparse::Header<'_>], may_lack: bool) -> Result<usize, u16> {
    let mut length = None;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(411);
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            let digits = str::from_utf8(header.value).unwrap_or_default();
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let count = digits.parse::<usize>().ok().filter(|_| plain && length.is_none());
            length = Some(count.ok_or(400_u16)?);
        }
    }
    match length {
        Some(length) if length > BODY_BYTES_MAX => Err(413),
        Some(length) => Ok(length),
        None if may_lack => Ok(0),
        None => Err(411),
    }
}

/// Answers. Whoever hung up has nobody to tell.
pub(crate) fn answer(stream: &mut dyn Stream, status: u16, body: &str) {
    // A conflict tells the size that the witness knows, under the type that its specification says.
    let kind = if status == 409 { "text/x.tlog.size" } else { "text/plain; charset=utf-8" };
    let text = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        if status == 200 { "OK" } else { "No" },
        body.len()
    );
    if stream.patience(PATIENCE).is_ok() {
        drop(stream.write_all(text.as_bytes()));
    }
}

/// Where a witness serves: `http://HOST:PORT[/PREFIX]`, or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Over TCP.
    Tcp {
        /// Host and port.
        address: String,
        /// What stands before every path.
        prefix: String,
    },
    /// Over a Unix socket.
    Unix(PathBuf),
}

impl Place {
    /// Reads a place.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(PathBuf::from(path)));
        }
        let rest = text.strip_prefix("http://")?;
        let (address, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("/{prefix}") };
        let (host, port) = address.rsplit_once(':')?;
        let plain = prefix.bytes().chain(address.bytes()).all(|byte| byte.is_ascii_graphic());
        let whole = plain && !host.is_empty() && port.parse::<u16>().is_ok();
        whole.then(|| Self::Tcp { address: address.to_owned(), prefix })
    }

    /// Asks for `start`, such as `POST /burn`, and gives status and body of the answer.
    pub(crate) fn ask(&self, start: &str, body: &str) -> Result<(u16, String), CliError> {
        let lost = |cause: &str| {
            let next =
                "start it: portcullis witness serve; or leave it to the others of the quorum";
            let subject = self.to_string();
            CliError::new(Exit::Unreachable, "WITNESS_UNREACHABLE", &subject, cause, next)
        };
        let (method, path) = start.split_once(' ').unwrap_or(("GET", start));
        let (mut stream, host, prefix): (Box<dyn Stream>, _, _) = match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(|error| lost(&error.to_string()))?;
                (Box::new(stream), "localhost", "")
            }
            Self::Tcp { address, prefix } => {
                let stream = dial(address).map_err(|error| lost(&error.to_string()))?;
                (Box::new(stream), &**address, &**prefix)
            }
        };
        let text = format!(
            "{method} {prefix}{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: portcullis\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = stream.patience(PATIENCE).and_then(|()| stream.write_all(text.as_bytes()));
        sent.map_err(|error| lost(&error.to_string()))?;
        let read = read_answer(&mut *stream);
        read.map_err(|status| lost(&format!("no answer of a witness ({status})")))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { address, prefix } => write!(f, "http://{address}{prefix}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn dial(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn read_answer(stream: &mut dyn Stream) -> Result<(u16, String), u16> {
    let (head, body) = read_head(stream)?;
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let whole = response.parse(&head).is_ok_and(|status| status.is_complete());
    let status = response.code.filter(|_| whole).ok_or(400_u16)?;
    let length = body_length(response.headers, false)?;
    let body = String::from_utf8(read_body(stream, body, length)?).map_err(|_error| 400_u16)?;
    Ok((status, body))
}

/// The moment at which an exchange has lasted long enough.
#[derive(Clone, Copy, Debug)]
struct Deadline(Option<Instant>);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "bounds a wait; no decision depends on it")]
    fn start() -> Self {
        Self(Instant::now().checked_add(PATIENCE))
    }

    #[expect(clippy::disallowed_methods, reason = "bounds a wait; no decision depends on it")]
    fn left(self) -> Option<Duration> {
        let left = self.0?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests;
