//! One HTTP/1.1 request on one connection, and its answer, within one span of time.
//!
//! A request to a venue must never be sent twice, sent elsewhere or sent through something. A
//! general client does all three unless it is told not to; this one cannot: there is no pool, no
//! redirect, no retry, no proxy, no environment and no encoding but a counted body.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::endpoint::{SimulatedEndpoint, TIMEOUT};
use crate::fault::VenueFault;

/// Longest body of an answer, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// The moment at which a call has lasted long enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// [`TIMEOUT`] from now.
    #[expect(clippy::disallowed_methods, reason = "bounds a wait; no decision depends on it")]
    pub(crate) fn start() -> Self {
        Self(Instant::now().checked_add(TIMEOUT))
    }

    /// What is left of it; `None` when nothing is.
    #[expect(clippy::disallowed_methods, reason = "bounds a wait; no decision depends on it")]
    fn left(self) -> Option<Duration> {
        let left = self.0?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }
}

/// Sends a form to `path` and gives the body of the answer.
pub(crate) fn post(
    endpoint: SimulatedEndpoint,
    (path, headers, form): (&str, &[(&str, &str)], &str),
    deadline: Deadline,
) -> Result<Vec<u8>, VenueFault> {
    let mut stream = endpoint.dial()?;
    let headers: String =
        headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: portcullis\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         {headers}\r\n{form}",
        endpoint.address(),
        form.len()
    );
    stream.write_all(request.as_bytes()).map_err(|error| unreachable(&error.to_string()))?;
    answer(&mut stream, deadline)
}

fn answer(stream: &mut TcpStream, deadline: Deadline) -> Result<Vec<u8>, VenueFault> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(start) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break start;
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(protocol("the head of the answer is too long"));
        }
        if receive(stream, &mut bytes, deadline)? == 0 {
            return Err(unreachable("the connection ended before the answer"));
        }
    };
    let body = bytes.split_off(head_end.saturating_add(4));
    bytes.truncate(head_end);
    let head = String::from_utf8(bytes).map_err(|_not_text| protocol("a head that is no text"))?;
    let length = body_length(&head)?;
    let mut body = body;
    while body.len() < length {
        if receive(stream, &mut body, deadline)? == 0 {
            return Err(unreachable("the connection ended within the answer"));
        }
    }
    if body.len() > length {
        return Err(protocol("more bytes than the answer announced"));
    }
    Ok(body)
}

/// Appends what is there, waiting for it until the deadline.
fn receive(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
    deadline: Deadline,
) -> Result<usize, VenueFault> {
    let late = || unreachable("no whole answer in time");
    let left = deadline.left().ok_or_else(late)?;
    stream.set_read_timeout(Some(left)).map_err(|error| unreachable(&error.to_string()))?;
    let mut part = [0_u8; 4_096];
    match stream.read(&mut part) {
        Ok(count) => {
            bytes.extend_from_slice(part.get(..count).unwrap_or_default());
            Ok(count)
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => receive(stream, bytes, deadline),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(late())
        }
        Err(error) => Err(unreachable(&error.to_string())),
    }
}

/// How long the body of a good answer is. Every other answer is a fault.
fn body_length(head: &str) -> Result<usize, VenueFault> {
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|rest| rest.get(..3)).unwrap_or("(none)");
    match status {
        "200" => {}
        "429" => return Err(VenueFault::Rate("HTTP status 429".to_owned())),
        "502" | "503" | "504" => return Err(unreachable(&format!("HTTP status {status}"))),
        other => return Err(protocol(&format!("HTTP status {other}"))),
    }
    let mut length = None;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| protocol("a line of no header"))?;
        if name.eq_ignore_ascii_case("transfer-encoding")
            || name.eq_ignore_ascii_case("content-encoding")
        {
            return Err(protocol(&format!("{name} is not spoken here")));
        }
        if name.eq_ignore_ascii_case("content-length") {
            let digits = value.trim_matches([' ', '\t']);
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            let count = digits.parse::<usize>().ok().filter(|_| plain);
            let count = count.filter(|count| *count <= BODY_BYTES_MAX && length.is_none());
            length = Some(count.ok_or_else(|| protocol("content-length"))?);
        }
    }
    length.ok_or_else(|| protocol("an answer without content-length"))
}

fn unreachable(cause: &str) -> VenueFault {
    VenueFault::Unreachable(cause.to_owned())
}

fn protocol(cause: &str) -> VenueFault {
    VenueFault::Protocol(cause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_strictly() {
        let check = |head: &str, expect: Result<usize, &str>| {
            let read = body_length(head);
            assert_eq!(read.as_ref().map_err(VenueFault::code).copied(), expect, "{head}");
        };
        check("HTTP/1.1 200 OK\r\nContent-Length: 12", Ok(12));
        check("HTTP/1.1 200 OK\r\ncontent-type: x\r\ncontent-length:0", Ok(0));
        check("HTTP/1.1 200 OK\r\ncontent-length: 1048577", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 200 OK\r\ncontent-length: +1", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 200 OK\r\ncontent-encoding: gzip", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 200 OK", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 302 Found\r\ncontent-length: 0", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 307 x\r\ncontent-length: 0", Err("VENUE_PROTOCOL"));
        check("HTTP/1.1 429 x\r\ncontent-length: 0", Err("VENUE_RATE"));
        check("HTTP/1.1 503 x\r\ncontent-length: 0", Err("VENUE_UNREACHABLE"));
        check("HTTP/2 200\r\ncontent-length: 0", Err("VENUE_PROTOCOL"));
        check("nonsense", Err("VENUE_PROTOCOL"));
    }
}
