//! The venue's clock against ours.
//!
//! The venue's `Time` is in whole seconds, which says too little where half a second is the limit.
//! Its answer to a ping is stamped to the microsecond, so the clock is read by pings, over a public
//! socket of its own that nothing else uses.

use std::net::TcpStream;
use std::time::Duration;

use portcullis_domain::{Now, WallNs};
use portcullis_lifeline::{SimulatedEndpoint, VenueFault};
use portcullis_wire::kraken::pong;
use portcullis_wire::kraken::request::ping;
use tungstenite::{Message, WebSocket};

use crate::socket::{Heard, fault, hear, open};

/// Pings of one reading: the one that was answered soonest says most.
const PINGS: u32 = 3;
/// Frames that may come before the pong.
const EARLY_FRAMES_MAX: u32 = 10;
/// A longer way there and back says nothing: the offset would be in doubt by half of it.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(200);

/// How far the venue's clock is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// In nanoseconds; below zero where it is behind.
    pub offset_ns: i64,
    /// By how much that may be wrong: half of the way there and back, in nanoseconds.
    pub doubt_ns: i64,
}

/// Asks the venue for its time.
#[derive(Debug)]
pub struct ClockReader {
    endpoint: SimulatedEndpoint,
    now: fn() -> Now,
    socket: Option<WebSocket<TcpStream>>,
    pings: u64,
}

impl ClockReader {
    /// A reader that compares with `now`; it connects when it is asked.
    #[must_use]
    pub const fn new(endpoint: SimulatedEndpoint, now: fn() -> Now) -> Self {
        Self { endpoint, now, socket: None, pings: 0 }
    }

    /// Reads the venue's clock. A line that broke since the last time is made anew.
    ///
    /// # Errors
    /// Any [`VenueFault`]; nothing is known then. [`VenueFault::Unreachable`] also where every
    /// answer took too long to say anything.
    pub fn read(&mut self) -> Result<ClockReading, VenueFault> {
        let kept = self.socket.take().map(|socket| self.ask(socket));
        if let Some(Ok(reading)) = kept {
            return Ok(reading);
        }
        let socket = open(self.endpoint.address(), self.endpoint.dial()?)?;
        self.ask(socket)
    }

    /// The best of some pings. The socket is kept only if it answered them all.
    fn ask(&mut self, mut socket: WebSocket<TcpStream>) -> Result<ClockReading, VenueFault> {
        let mut best = self.ping(&mut socket)?;
        for _ in 1..PINGS {
            let next = self.ping(&mut socket)?;
            best = if next.doubt_ns < best.doubt_ns { next } else { best };
        }
        self.socket = Some(socket);
        let round_trip = Duration::from_nanos(best.doubt_ns.unsigned_abs().saturating_mul(2));
        if round_trip > ROUND_TRIP_MAX {
            let cause = format!("a clock that takes {} ms to answer", round_trip.as_millis());
            return Err(VenueFault::Unreachable(cause));
        }
        Ok(best)
    }

    fn ping(&mut self, socket: &mut WebSocket<TcpStream>) -> Result<ClockReading, VenueFault> {
        self.pings = self.pings.saturating_add(1);
        let asked = (self.now)();
        socket.send(Message::text(ping(self.pings))).map_err(|error| fault(&error))?;
        for _ in 0..EARLY_FRAMES_MAX {
            let heard = hear(socket)?;
            let answered = (self.now)();
            match heard {
                Heard::Text(text) => match pong(&text)? {
                    Some(pong) if pong.req_id == Some(self.pings) => {
                        return Ok(reading(asked, pong.time_in, answered));
                    }
                    Some(_) | None => {}
                },
                Heard::Sign => {}
                Heard::Nothing => {
                    return Err(VenueFault::Unreachable("no answer to a ping".to_owned()));
                }
            }
        }
        Err(VenueFault::Protocol("no answer to a ping among other frames".to_owned()))
    }
}

/// The venue read its clock at some moment of the way: its middle is the best guess, and half of
/// the way the doubt. The way is measured by the boot clock, which nobody sets.
fn reading(asked: Now, venue: WallNs, answered: Now) -> ClockReading {
    let doubt_ns = answered.boot.since_ns(asked.boot) / 2;
    let middle = answered.wall.plus_ns(doubt_ns.saturating_neg());
    ClockReading { offset_ns: venue.0.saturating_sub(middle.0), doubt_ns }
}

#[cfg(test)]
mod tests {
    use portcullis_domain::BootNs;

    use super::*;

    #[test]
    fn half_of_the_way_is_taken_off_and_is_the_doubt() {
        let check = |(asked, answered): (i64, i64), venue: i64, expect: (i64, i64)| {
            // The wall of this host is set by a day on the way, which changes nothing.
            let at = |wall: i64, boot: i64| Now { wall: WallNs(wall), boot: BootNs(boot) };
            let (asked, answered) = (at(-86_400, asked), at(1_000, answered));
            let ClockReading { offset_ns, doubt_ns } = reading(asked, WallNs(venue), answered);
            assert_eq!((offset_ns, doubt_ns), expect);
        };
        check((0, 0), 1_000, (0, 0));
        check((500, 700), 900, (0, 100));
        check((500, 700), 1_400, (500, 100));
        check((500, 700), 400, (-500, 100));
        check((500, 703), 900, (1, 101));
        check((0, 0), i64::MIN, (i64::MIN, 0));
    }
}
