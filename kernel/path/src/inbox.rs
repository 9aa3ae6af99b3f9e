//! The core's inbox: three lanes, each bounded, always emptied in the same order.

use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender, TrySendError, bounded};
use portcullis_core::{EpochCause, Input};
use portcullis_domain::{MarketFrame, Now};

/// Room of the control lane.
const CONTROL_ROOM: usize = 256;
/// Room of the report lane. A full one is a fault: a report must not be lost.
const REPORT_ROOM: usize = 8_192;
/// Room of the market lane. A full one drops the stream, which then resynchronises.
const MARKET_ROOM: usize = 8_192;

/// Where inputs are put in. Clones feed the same inbox.
#[derive(Clone, Debug)]
pub struct Lanes {
    control: Sender<Input>,
    reports: Sender<Input>,
    market: Sender<Arrival>,
}

/// Where the core loop takes them out.
#[derive(Debug)]
pub struct Inbox {
    control: Receiver<Input>,
    reports: Receiver<Input>,
    market: Receiver<Arrival>,
}

/// An input as it is taken out.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What it is.
    pub input: Input,
    /// When it was received, where the moment is on record beside it: market data. Everything else
    /// happens when it is taken out.
    pub received: Option<Now>,
}

impl From<Input> for Arrival {
    fn from(input: Input) -> Self {
        Self { input, received: None }
    }
}

/// The moment of a market event: that of its reception, which lies in the chunk, so that whoever
/// replays the journal knows it too. A quote that waited is as old as it is. The boot clock does
/// not go back behind `last`, the moment of the event before.
#[must_use]
pub fn market_moment(received: Now, last: Now) -> Now {
    Now { boot: received.boot.max(last.boot), ..received }
}

/// An input that found no room, or nobody to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The lane is full.
    Full,
    /// The core loop has ended.
    Ended,
}

/// A new inbox.
#[must_use]
pub fn inbox() -> (Lanes, Inbox) {
    let (control_in, control) = bounded(CONTROL_ROOM);
    let (reports_in, reports) = bounded(REPORT_ROOM);
    let (market_in, market) = bounded(MARKET_ROOM);
    let lanes = Lanes { control: control_in, reports: reports_in, market: market_in };
    (lanes, Inbox { control, reports, market })
}

fn put<T>(lane: &Sender<T>, input: T) -> Result<(), NotTaken> {
    lane.try_send(input).map_err(|error| match error {
        TrySendError::Full(_) => NotTaken::Full,
        TrySendError::Disconnected(_) => NotTaken::Ended,
    })
}

impl Lanes {
    /// People, the kill thread, the house itself.
    pub fn control(&self, input: Input) -> Result<(), NotTaken> {
        put(&self.control, input)
    }

    /// The venue and the plugins.
    pub fn report(&self, input: Input) -> Result<(), NotTaken> {
        put(&self.reports, input)
    }

    /// Market data, and when it was received.
    pub fn market(&self, frame: MarketFrame, received: Now) -> Result<(), NotTaken> {
        put(&self.market, Arrival { input: Input::Market(frame), received: Some(received) })
    }
}

impl Inbox {
    /// The next input: control before reports before market data. `None` when `wait` is over.
    #[must_use]
    pub fn recv(&self, wait: Duration) -> Option<Arrival> {
        if let Some(input) = self.take() {
            return Some(input);
        }
        let mut ready = Select::new();
        ready.recv(&self.control);
        ready.recv(&self.reports);
        ready.recv(&self.market);
        // Which lane woke us does not matter: the order of the lanes does.
        let woken = ready.ready_timeout(wait);
        woken.ok().and_then(|_| self.take())
    }

    /// The next kill of those that are left in the control lane when the core loop ends. Whatever
    /// else is left there has nobody any more who could act on it.
    #[must_use]
    pub fn next_kill(&self) -> Option<Input> {
        let kill = |input: &Input| {
            matches!(input, Input::EpochRaised { cause: EpochCause::Kill { .. }, .. })
        };
        self.control.try_iter().find(kill)
    }

    /// What is already there, in the order of the lanes.
    fn take(&self) -> Option<Arrival> {
        let told = [&self.control, &self.reports].into_iter().find_map(|lane| lane.try_recv().ok());
        told.map(Arrival::from).or_else(|| self.market.try_recv().ok())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_domain::{BootNs, InstrumentId, MarketEvent, StreamId, WallNs};

    use super::*;

    fn frame(sequence: u64) -> MarketFrame {
        MarketFrame {
            stream: StreamId::QUOTES,
            sequence,
            instrument: InstrumentId(0),
            venue_time: None,
            event: MarketEvent::Gap { expected: 1, found: 2 },
        }
    }

    #[test]
    fn control_goes_before_reports_and_a_full_lane_says_so() {
        let (lanes, inbox) = inbox();
        let up = |cause: &str| Input::VenueLink { up: true, cause: cause.to_owned() };
        let at = Now { wall: WallNs(5), boot: BootNs(3) };
        for number in 0..u64::try_from(MARKET_ROOM).unwrap() {
            assert_eq!(lanes.market(frame(number), at), Ok(()));
        }
        assert_eq!(lanes.market(frame(9), at), Err(NotTaken::Full));
        lanes.report(up("report")).unwrap();
        lanes.control(up("control")).unwrap();
        let next = || match inbox.recv(Duration::ZERO) {
            Some(Arrival { input: Input::VenueLink { cause, .. }, received: None }) => cause,
            Some(Arrival { input: Input::Market(frame), received: Some(_) }) => {
                frame.sequence.to_string()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!([next(), next(), next()], ["control", "report", "0"]);
    }

    #[test]
    fn a_market_event_happens_when_it_was_received_and_never_before_its_elder() {
        let now = |wall, boot| Now { wall: WallNs(wall), boot: BootNs(boot) };
        assert_eq!(market_moment(now(50, 20), now(40, 10)), now(50, 20));
        assert_eq!(market_moment(now(50, 20), now(90, 30)), now(50, 30));
    }

    /// Seed 267 of the simulator: a kill behind a stop was read by nobody.
    #[test]
    fn kills_are_found_behind_whatever_else_is_left() {
        let (lanes, inbox) = inbox();
        let raised = |epoch, cause| Input::EpochRaised { epoch, cause };
        let (who, reason) = ("rita".to_owned(), "DRILL".to_owned());
        lanes.control(Input::Tick).unwrap();
        lanes.control(raised(1, EpochCause::SessionEnd)).unwrap();
        lanes.control(raised(2, EpochCause::Kill { who, reason, request: None })).unwrap();
        lanes.control(Input::Tick).unwrap();
        assert!(matches!(inbox.next_kill(), Some(Input::EpochRaised { epoch: 2, .. })));
        assert!(inbox.next_kill().is_none());
    }
}
