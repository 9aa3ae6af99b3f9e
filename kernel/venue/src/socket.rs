//! Opening a WebSocket and reading text from it, with bounds on everything.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use portcullis_lifeline::VenueFault;
use tungstenite::client::client_with_config;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

/// How long one read waits: the longest that a reader takes to notice that it should end.
pub(crate) const READ_SLICE: Duration = Duration::from_secs(1);
/// Reads without a frame after which the line counts as dead. The venue beats once a second.
const SILENT_READS_MAX: u32 = 10;
/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// What one read gave.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A text frame.
    Text(Vec<u8>),
    /// A ping or a pong; the answer is on its way.
    Sign,
    /// Nothing within [`READ_SLICE`].
    Nothing,
}

/// How long a line has been silent.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    reads: u32,
}

impl Silence {
    /// Something was said, were it only a sign of life.
    pub(crate) const fn broken(&mut self) {
        self.reads = 0;
    }

    /// Another [`READ_SLICE`] without a sign; a fault once it has been too many.
    pub(crate) fn lasts(&mut self) -> Result<(), VenueFault> {
        self.reads = self.reads.saturating_add(1);
        if self.reads < SILENT_READS_MAX {
            Ok(())
        } else {
            Err(VenueFault::Unreachable(format!("silent for {SILENT_READS_MAX} s")))
        }
    }
}

/// The upgrade on a fresh connection. Any other answer than the upgrade is a fault, redirects too.
pub(crate) fn open<S: Read + Write>(
    address: SocketAddr,
    stream: S,
) -> Result<WebSocket<S>, VenueFault> {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1_024)
        .write_buffer_size(0)
        .max_write_buffer_size(MESSAGE_BYTES_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    match client_with_config(format!("ws://{address}/v2"), stream, Some(config)) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Interrupted(_)) => {
            Err(VenueFault::Unreachable("no handshake in time".to_owned()))
        }
        Err(HandshakeError::Failure(error)) => Err(fault(&error)),
    }
}

/// Reads one frame.
pub(crate) fn hear<S: Read + Write>(socket: &mut WebSocket<S>) -> Result<Heard, VenueFault> {
    match socket.read() {
        Ok(Message::Text(text)) => Ok(Heard::Text(text.as_bytes().to_vec())),
        Ok(Message::Ping(_) | Message::Pong(_)) => Ok(Heard::Sign),
        Ok(Message::Close(_)) => Err(VenueFault::Unreachable("the venue said goodbye".to_owned())),
        Ok(Message::Binary(_) | Message::Frame(_)) => {
            Err(VenueFault::Protocol("a frame that is no text".to_owned()))
        }
        Err(Error::Io(error))
            if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
        {
            Ok(Heard::Nothing)
        }
        Err(error) => Err(fault(&error)),
    }
}

/// What the library says, in our words.
pub(crate) fn fault(error: &Error) -> VenueFault {
    let gone = matches!(
        error,
        Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::WriteBufferFull(_)
            | Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete
            )
    );
    if gone {
        VenueFault::Unreachable(error.to_string())
    } else {
        VenueFault::Protocol(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unbroken_silence_is_a_fault() {
        let mut silence = Silence::default();
        for _ in 0..5 {
            for _ in 1..SILENT_READS_MAX {
                assert_eq!(silence.lasts(), Ok(()));
            }
            silence.broken();
        }
        let last = (0..SILENT_READS_MAX).map(|_| silence.lasts()).last();
        assert_eq!(last, Some(Err(VenueFault::Unreachable("silent for 10 s".to_owned()))));
    }
}
