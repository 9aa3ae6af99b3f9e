//! The core's inbox: three lanes, each bounded, always emptied in the same order.

use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender, TrySendError, bounded};
use portcullis_core::{EpochCause, Input};

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
    market: Sender<Input>,
}

/// Where the core loop takes them out.
#[derive(Debug)]
pub struct Inbox {
    control: Receiver<Input>,
    reports: Receiver<Input>,
    market: Receiver<Input>,
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

fn put(lane: &Sender<Input>, input: Input) -> Result<(), NotTaken> {
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

    /// Market data.
    pub fn market(&self, input: Input) -> Result<(), NotTaken> {
        put(&self.market, input)
    }
}

impl Inbox {
    /// The next input: control before reports before market data. `None` when `wait` is over.
    #[must_use]
    pub fn recv(&self, wait: Duration) -> Option<Input> {
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
    fn take(&self) -> Option<Input> {
        [&self.control, &self.reports, &self.market]
            .into_iter()
            .find_map(|lane| lane.try_recv().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_goes_before_reports_and_a_full_lane_says_so() {
        let (lanes, inbox) = inbox();
        let up = |cause: &str| Input::VenueLink { up: true, cause: cause.to_owned() };
        for number in 0..MARKET_ROOM {
            assert_eq!(lanes.market(up(&number.to_string())), Ok(()));
        }
        assert_eq!(lanes.market(Input::Tick), Err(NotTaken::Full));
        lanes.report(up("report")).unwrap();
        lanes.control(up("control")).unwrap();
        let next = || match inbox.recv(Duration::ZERO) {
            Some(Input::VenueLink { cause, .. }) => cause,
            other => panic!("{other:?}"),
        };
        assert_eq!([next(), next(), next()], ["control", "report", "0"]);
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
