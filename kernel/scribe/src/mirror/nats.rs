//! As much of the NATS protocol as one publisher needs: request, answer, acknowledged publication.
//!
//! The connection is plain, so it goes to this host and nowhere else; a leaf node carries it on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::{CliError, Exit};

/// How long an answer may take.
const WAIT: Duration = Duration::from_secs(5);
/// Longest line and longest message that a server may send.
const LINE_BYTES_MAX: u64 = 64 * 1024;
const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Where answers are sent to; one is waited for at a time.
const INBOX: &str = "_INBOX.portcullis";

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Connection {
    address: SocketAddr,
    reader: BufReader<TcpStream>,
    inbox: String,
}

impl Connection {
    /// Connects. `MIRROR_ADDRESS`: not an address of this host.
    pub(super) fn open(address: SocketAddr) -> Result<Self, CliError> {
        if !address.ip().is_loopback() {
            let cause = "the connection is not encrypted, so it goes to this host only";
            let (subject, next) = (address.to_string(), "run a NATS leaf node here and name it");
            return Err(CliError::new(Exit::Usage, "MIRROR_ADDRESS", &subject, cause, next));
        }
        let stream = TcpStream::connect_timeout(&address, WAIT).and_then(|stream| {
            stream.set_read_timeout(Some(WAIT))?;
            stream.set_write_timeout(Some(WAIT))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        });
        let stream = stream.map_err(|error| unreachable_at(address, &error.to_string()))?;
        // Of this connection alone: another one of this process has another port.
        let own =
            stream.local_addr().map_err(|error| unreachable_at(address, &error.to_string()))?;
        let inbox = format!("{INBOX}.{}.{}", std::process::id(), own.port());
        let mut connection = Self { address, reader: BufReader::new(stream), inbox };
        if !connection.line()?.starts_with("INFO ") {
            return Err(unreachable_at(address, "whoever answers there is no NATS server"));
        }
        let about = json!({"verbose": false, "pedantic": false, "headers": true,
            "no_responders": true, "name": "portcullis-scribe", "lang": "rust",
            "version": env!("CARGO_PKG_VERSION"), "protocol": 1});
        let hello = format!("CONNECT {about}\r\nSUB {} 1\r\nPING\r\n", connection.inbox);
        connection.write(hello.as_bytes())?;
        while connection.line()? != "PONG" {}
        Ok(connection)
    }

    /// Sends a message with headers and waits for its answer, which is JSON.
    pub(super) fn ask(
        &mut self,
        subject: &str,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> Result<Value, CliError> {
        let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let head = format!("NATS/1.0\r\n{}\r\n", lines.collect::<String>());
        let whole = head.len().saturating_add(payload.len());
        let verb = format!("HPUB {subject} {} {} {whole}\r\n", self.inbox, head.len());
        self.write(&[verb.as_bytes(), head.as_bytes(), payload, b"\r\n"].concat())?;
        let answer = self.message()?;
        serde_json::from_slice(&answer).map_err(|error| {
            let cause = format!("nobody takes {subject}, or the answer is not JSON: {error}");
            refused(self.address, "MIRROR_NO_STREAM", &cause)
        })
    }

    /// The payload of the next message.
    fn message(&mut self) -> Result<Vec<u8>, CliError> {
        loop {
            let line = self.line()?;
            let mut words = line.split(' ');
            let verb = words.next().unwrap_or_default();
            let mut numbers = words.rev().map_while(|word| word.parse::<usize>().ok());
            let whole = numbers.next();
            let head = if verb == "HMSG" { numbers.next() } else { Some(0) };
            match (verb, whole, head) {
                ("MSG" | "HMSG", Some(whole), Some(head)) if whole <= MESSAGE_BYTES_MAX => {
                    let mut bytes = vec![0; whole.saturating_add(2)];
                    let read = self.reader.read_exact(&mut bytes);
                    read.map_err(|error| unreachable_at(self.address, &error.to_string()))?;
                    return Ok(bytes.get(head..whole).unwrap_or_default().to_vec());
                }
                ("PING", ..) => self.write(b"PONG\r\n")?,
                ("PONG" | "INFO" | "+OK", ..) => {}
                _ => return Err(refused(self.address, "MIRROR_REFUSED", &line)),
            }
        }
    }

    fn line(&mut self) -> Result<String, CliError> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        read.map_err(|error| unreachable_at(self.address, &error.to_string()))?;
        if bytes.pop() != Some(b'\n') {
            return Err(unreachable_at(self.address, "the connection ended"));
        }
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let written = self.reader.get_mut().write_all(bytes);
        written.map_err(|error| unreachable_at(self.address, &error.to_string()))
    }
}

fn unreachable_at(address: SocketAddr, cause: &str) -> CliError {
    let next = "start nats-server -js there, or name another address with --nats";
    CliError::new(Exit::Unreachable, "MIRROR_UNREACHABLE", &address.to_string(), cause, next)
}

/// The server said no.
pub(super) fn refused(address: SocketAddr, code: &str, cause: &str) -> CliError {
    let next = "look at the stream with the server's own tools; one mirror may write to it";
    CliError::new(Exit::Refused, code, &address.to_string(), cause, next)
}
