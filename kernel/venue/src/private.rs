//! What the private socket says, as events.

use std::collections::VecDeque;

use portcullis_domain::{ClOrdId, ExecutionReport, Instrument};
use portcullis_gate::VenueStatus;
use portcullis_lifeline::VenueFault;
use portcullis_wire::kraken::{
    Answer, ForeignOrder, PrivateFrame, PrivateStreams, Refused, SystemStatus, VenueRefusal,
};
use tungstenite::WebSocket;

use crate::line::{Line, ReadHalf};
use crate::requests::{Asked, Requests};
use crate::socket::{Heard, READ_SLICE, Silence, hear};

/// Frames that may come before the answer to the subscription.
const EARLY_FRAMES_MAX: u32 = 10;

/// Something that happened to our orders, or to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrivateEvent {
    /// The venue reports about an order of ours.
    Report(ExecutionReport),
    /// The venue refused an order of ours: it never was in the book.
    OrderRefused {
        /// FIX 11.
        cl_ord_id: ClOrdId,
        /// What it means.
        refusal: VenueRefusal,
        /// The venue's own words.
        text: String,
    },
    /// The venue refused to change an order of ours: it stands as it was.
    ChangeRefused {
        /// FIX 41.
        cl_ord_id: ClOrdId,
        /// What it means.
        refusal: VenueRefusal,
        /// The venue's own words.
        text: String,
    },
    /// The venue gave up over an order of ours, or over a change of one, and does not say how far
    /// it came. Never sent again.
    OrderUnknown {
        /// FIX 11.
        cl_ord_id: ClOrdId,
        /// The venue's own words.
        text: String,
    },
    /// The venue refused to take back.
    CancelRefused {
        /// FIX 41; `None` if all orders were meant.
        cl_ord_id: Option<ClOrdId>,
        /// What it means. `UnknownOrder` says that there is nothing to take back any more.
        refusal: VenueRefusal,
        /// The venue's own words.
        text: String,
    },
    /// Something happened to an order at the account that does not carry an id of ours.
    Foreign(ForeignOrder),
    /// What the venue says about itself.
    Status(VenueStatus),
    /// The line is gone, and nothing more comes from this reader. What was said meanwhile is lost:
    /// connect anew and read the account.
    Down(VenueFault),
}

/// The reading half of a private socket. One thread calls [`PrivateReader::next`] until `Down`.
#[derive(Debug)]
pub struct PrivateReader {
    socket: Option<WebSocket<ReadHalf>>,
    line: Line,
    requests: Requests,
    streams: PrivateStreams,
    silence: Silence,
    /// The venue's answer to our subscription.
    subscribed: Option<Result<(), Refused>>,
    /// Heard while the subscription was awaited.
    early: VecDeque<PrivateEvent>,
}

impl PrivateReader {
    pub(crate) fn new(
        socket: WebSocket<ReadHalf>,
        (line, requests): (Line, Requests),
        instruments: Vec<Instrument>,
    ) -> Self {
        Self {
            socket: Some(socket),
            line,
            requests,
            streams: PrivateStreams::new(instruments),
            silence: Silence::default(),
            subscribed: None,
            early: VecDeque::new(),
        }
    }

    /// The next events, in the venue's order. Empty after a second in which nothing was said, and
    /// for ever after `Down`.
    #[must_use]
    pub fn next_events(&mut self) -> Vec<PrivateEvent> {
        if !self.early.is_empty() {
            return self.early.drain(..).collect();
        }
        match self.step() {
            Ok(events) => events,
            Err(fault) => self.end(fault),
        }
    }

    /// Whether `Down` was given.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.socket.is_none()
    }

    /// Waits for the answer to the subscription.
    pub(crate) fn await_subscription(&mut self) -> Result<(), VenueFault> {
        for _ in 0..EARLY_FRAMES_MAX {
            let events = self.step()?;
            self.early.extend(events);
            match self.subscribed.take() {
                Some(Ok(())) => return self.limit_reads(),
                Some(Err(refused)) => return Err(refused.into()),
                None => {}
            }
        }
        Err(VenueFault::Protocol("no answer to the subscription".to_owned()))
    }

    fn limit_reads(&mut self) -> Result<(), VenueFault> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let limited = socket.get_ref().stream.set_read_timeout(Some(READ_SLICE));
        limited.map_err(|error| VenueFault::Unreachable(error.to_string()))
    }

    /// Reads one frame.
    fn step(&mut self) -> Result<Vec<PrivateEvent>, VenueFault> {
        let Some(socket) = &mut self.socket else {
            // Nothing will come any more: no busy loop for a caller who does not look.
            std::thread::sleep(READ_SLICE);
            return Ok(Vec::new());
        };
        match hear(socket)? {
            Heard::Text(text) => {
                self.silence.broken();
                let frame = self.streams.decode(&text)?;
                Ok(self.events(frame))
            }
            Heard::Sign => {
                self.silence.broken();
                Ok(Vec::new())
            }
            Heard::Nothing => self.silence.lasts().map(|()| Vec::new()),
        }
    }

    fn events(&mut self, frame: PrivateFrame) -> Vec<PrivateEvent> {
        match frame {
            PrivateFrame::Heartbeat | PrivateFrame::Pong { .. } | PrivateFrame::Balances => {
                Vec::new()
            }
            PrivateFrame::Status(status) => vec![PrivateEvent::Status(venue_status(status))],
            PrivateFrame::Subscription { req_id, refused } => {
                if self.requests.answered(req_id) == Some(Asked::Executions) {
                    self.subscribed = Some(refused.map_or(Ok(()), Err));
                }
                Vec::new()
            }
            PrivateFrame::Executions(executions) => {
                let reports = executions.reports.into_iter().map(PrivateEvent::Report);
                reports.chain(executions.foreign.into_iter().map(PrivateEvent::Foreign)).collect()
            }
            PrivateFrame::Answer(answer) => self.refusal(answer).into_iter().collect(),
        }
    }

    /// Only refusals are news: what the venue took comes back as reports.
    fn refusal(&self, answer: Answer) -> Option<PrivateEvent> {
        let asked = self.requests.answered(answer.req_id);
        let Refused { refusal, text } = answer.outcome.err()?;
        match asked? {
            Asked::Order(cl_ord_id) | Asked::Change(cl_ord_id) if refusal.is_outcome_unknown() => {
                Some(PrivateEvent::OrderUnknown { cl_ord_id, text })
            }
            Asked::Change(cl_ord_id) => {
                Some(PrivateEvent::ChangeRefused { cl_ord_id, refusal, text })
            }
            Asked::Order(cl_ord_id) => {
                Some(PrivateEvent::OrderRefused { cl_ord_id, refusal, text })
            }
            Asked::Cancel(id) => {
                Some(PrivateEvent::CancelRefused { cl_ord_id: Some(id), refusal, text })
            }
            Asked::CancelAll => {
                Some(PrivateEvent::CancelRefused { cl_ord_id: None, refusal, text })
            }
            Asked::Executions => None,
        }
    }

    /// Gives the line up for both halves.
    fn end(&mut self, fault: VenueFault) -> Vec<PrivateEvent> {
        self.line.abort();
        self.socket = None;
        vec![PrivateEvent::Down(fault)]
    }
}

impl Drop for PrivateReader {
    fn drop(&mut self) {
        // Nobody would hear what becomes of an order that is written from now on.
        self.line.abort();
    }
}

/// The venue's word, as the gate asks for it. A venue that takes some orders and not others takes
/// none that we would have to guess about.
const fn venue_status(status: SystemStatus) -> VenueStatus {
    match status {
        SystemStatus::Online => VenueStatus::Online,
        SystemStatus::CancelOnly | SystemStatus::PostOnly => VenueStatus::CancelOnly,
        SystemStatus::Maintenance => VenueStatus::Maintenance,
    }
}
