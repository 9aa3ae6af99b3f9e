//! The writing half of a private socket: whole frames at once, or the end of the line.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::sockopt::{set_socket_linger, set_tcp_user_timeout};
use rustix::net::{SendFlags, send};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// How long the other side may leave bytes unacknowledged before the host's kernel drops them.
const UNACKNOWLEDGED_MS_MAX: u32 = 2_000;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// Every byte is with the host's kernel.
    Whole,
    /// The line was down before; no byte left.
    Nothing,
    /// The write would have blocked, was partial, or failed. The line is down now.
    Broken,
}

/// The one place that writes to the socket. Shared by the session and the reader, whose pongs
/// would otherwise cut into an order.
#[derive(Clone, Debug)]
pub(crate) struct Line(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    stream: Option<TcpStream>,
    mask: u32,
}

impl Line {
    /// Takes the writing half of `stream`. Nothing that is left in it outlives it: whoever drops
    /// it resets the connection, and bytes that were not acknowledged are forgotten (A3).
    pub(crate) fn new(stream: &TcpStream) -> io::Result<Self> {
        let stream = stream.try_clone()?;
        set_socket_linger(&stream, Some(Duration::ZERO))?;
        set_tcp_user_timeout(&stream, UNACKNOWLEDGED_MS_MAX)?;
        Ok(Self(Arc::new(Mutex::new(State { stream: Some(stream), mask: 0 }))))
    }

    /// One text frame in one write that does not block.
    pub(crate) fn send_text(&self, text: &[u8]) -> Wrote {
        let mut state = self.state();
        // The mask protects careless intermediaries from bytes that a third party chose. Here is
        // neither, so a counter will do; the protocol only asks that there is one.
        state.mask = state.mask.wrapping_add(0x9E37_79B9);
        let mut frame = Frame::message(text.to_vec(), OpCode::Data(Data::Text), true);
        frame.header_mut().mask = Some(state.mask.to_be_bytes());
        let mut bytes = Vec::with_capacity(frame.len());
        if frame.format(&mut bytes).is_err() {
            return Wrote::Nothing;
        }
        state.write(&bytes)
    }

    /// Whether it can still be written to, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.state().stream.is_some()
    }

    /// Ends it, both ways.
    pub(crate) fn abort(&self) {
        self.state().abort();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic between two writes leaves the stream whole; one within a write cannot be.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) -> Wrote {
        let Some(stream) = &self.stream else { return Wrote::Nothing };
        match send(stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(count) if count == bytes.len() => Wrote::Whole,
            Ok(_) | Err(_) => {
                self.abort();
                Wrote::Broken
            }
        }
    }

    fn abort(&mut self) {
        if let Some(stream) = self.stream.take() {
            // It may be down already; then there is nothing to shut.
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

/// The socket as the reader sees it: it reads by itself and writes through the [`Line`].
#[derive(Debug)]
pub(crate) struct ReadHalf {
    pub(crate) stream: TcpStream,
    pub(crate) line: Line,
}

impl Read for ReadHalf {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for ReadHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.line.state().write(bytes) {
            Wrote::Whole => Ok(bytes.len()),
            Wrote::Nothing | Wrote::Broken => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
