//! The venue's clock, read over a public socket.

use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use portcullis_domain::{BootNs, Now};
use portcullis_venue::{ClockReader, SimulatedEndpoint};
use portcullis_wire::server::request::SocketRequest;
use portcullis_wire::server::{Stamp, socket};
use tungstenite::Message;

use crate::minted::wall;

/// One clock does for both here: it is not set while the test runs.
pub(crate) fn now() -> Now {
    Now { wall: wall(), boot: BootNs(wall().0) }
}

/// What a venue does with a ping.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// Its clock is ahead by so many seconds.
    Ahead(i64),
    /// It takes its time.
    Late,
    /// It hangs up.
    Gone,
}

/// A public door: one list of answers for each connection.
fn venue(connections: &'static [&'static [Answer]]) -> (SimulatedEndpoint, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        for answers in connections {
            let (stream, _) = listener.accept().unwrap();
            let mut line = tungstenite::accept(stream).unwrap();
            line.send(Message::text(socket::status(1))).unwrap();
            for answer in *answers {
                let Ok(Message::Text(ping)) = line.read() else { break };
                let ping = SocketRequest::read(ping.as_bytes()).unwrap();
                let received = match answer {
                    Answer::Ahead(seconds) => wall().plus_ns(seconds.saturating_mul(1_000_000_000)),
                    Answer::Late => {
                        std::thread::sleep(Duration::from_millis(250));
                        wall()
                    }
                    Answer::Gone => break,
                };
                let told = socket::pong(ping.req_id, Stamp { received, sent: received });
                line.send(Message::text(told)).unwrap();
            }
        }
    });
    (SimulatedEndpoint::new("127.0.0.1", port).unwrap(), thread)
}

/// A15: an offset is measured to far less than the limit that it is judged by, and a line that
/// broke between two readings is no reason to have none.
#[test]
fn a15_the_offset_is_read_whatever_became_of_the_line_before() {
    const AHEAD: Answer = Answer::Ahead(5);
    const BEHIND: Answer = Answer::Ahead(-5);
    let (endpoint, thread) = venue(&[
        // One slow answer of three does no harm.
        &[Answer::Late, AHEAD, AHEAD, Answer::Gone],
        &[BEHIND, BEHIND, BEHIND],
    ]);
    let mut reader = ClockReader::new(endpoint, now);
    for ahead_ns in [5_000_000_000_i64, -5_000_000_000] {
        let reading = reader.read().unwrap();
        assert!(
            reading.offset_ns.saturating_sub(ahead_ns).abs() <= reading.doubt_ns,
            "{reading:?}"
        );
        assert!((0..=100_000_000).contains(&reading.doubt_ns), "{reading:?}");
    }
    thread.join().unwrap();
    assert_eq!(reader.read().unwrap_err().code(), "VENUE_UNREACHABLE");
}

#[test]
fn answers_that_take_too_long_say_nothing() {
    let (endpoint, thread) = venue(&[&[Answer::Late, Answer::Late, Answer::Late]]);
    let fault = ClockReader::new(endpoint, now).read().unwrap_err();
    assert_eq!(fault.code(), "VENUE_UNREACHABLE");
    assert!(fault.cause().contains("ms to answer"), "{fault}");
    thread.join().unwrap();
}
