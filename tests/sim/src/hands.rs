//! The core loop's hands in the simulator, and the door to the venue.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use portcullis_core::{Core, Effect, EpochCause, Input};
use portcullis_domain::{Amendment, ClOrdId, Now, OrderIntent, Origin, PluginId, WallNs};
use portcullis_evidence::{Head, Recorded, Watermark};
use portcullis_gate::{Approved, CancelRequest, DenyCode};
use portcullis_path::{Authority, Lanes, OrderSink, SubmitFate, Wiring};

use crate::bug::Bug;
use crate::disk::Platter;
use crate::fault::Fault;
use crate::laws::{Moment, Wire};
use crate::line::{Line, Request, Sky};
use crate::stops::StopBook;
use crate::venue::Venue;

/// What a plugin's process has been asked and has not answered.
#[derive(Debug)]
pub(crate) enum Call {
    Init,
    Events(u32),
}

/// Carries effects out at once, as the daemon's wiring does.
#[derive(Debug)]
pub(crate) struct Hands {
    pub(crate) authority: Rc<Authority>,
    pub(crate) lanes: Lanes,
    pub(crate) now: Now,
    pub(crate) calls: BTreeMap<PluginId, Call>,
    /// The core wants the account to be read.
    pub(crate) wish: bool,
    /// The core wants a connection.
    pub(crate) connect: bool,
    /// A session's market data is wanted, and whether it has begun.
    pub(crate) stream: Option<bool>,
    /// `close_gate` has returned and nobody has lifted the kill since.
    pub(crate) gate_closed: bool,
    /// Every smaller stop, from the moment at which its call has returned.
    pub(crate) stops: StopBook,
    /// Orders of people to which the house has said yes.
    pub(crate) by_hand: BTreeSet<ClOrdId>,
}

impl Hands {
    /// Withdraws authority at once and tells the core why.
    pub(crate) fn raise(&mut self, cause: EpochCause) {
        let epoch = match cause {
            EpochCause::Kill { .. } => {
                let epoch = self.authority.close_gate();
                self.gate_closed = true;
                epoch
            }
            _ => self.authority.raise(),
        };
        if let EpochCause::Stop { stop, .. } = &cause {
            self.stops.raise(epoch, stop.clone());
        }
        self.control(Input::EpochRaised { epoch, cause });
    }

    /// Shuts the writer's latch for a kill that the core holds already, and tells it the number.
    pub(crate) fn latch_again(&mut self) {
        let epoch = self.authority.close_gate();
        self.gate_closed = true;
        self.control(Input::EpochRaised { epoch, cause: EpochCause::SessionEnd });
    }

    pub(crate) fn report(&self, input: Input) {
        self.lanes.report(input).expect("the report lane has room in a simulation");
    }

    pub(crate) fn control(&self, input: Input) {
        self.lanes.control(input).expect("the control lane has room in a simulation");
    }
}

impl Wiring for Hands {
    fn now(&self) -> Now {
        self.now
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::InitPlugin { plugin, .. } => {
                self.calls.insert(plugin, Call::Init);
            }
            Effect::Deliver { plugin, batch, .. } => {
                self.calls.insert(plugin, Call::Events(batch));
            }
            Effect::StopPlugin { plugin } => {
                self.calls.remove(&plugin);
            }
            Effect::ReadAccount => self.wish = true,
            Effect::Connect(_) => self.connect = true,
            Effect::SessionOpened { .. } => self.stream = Some(false),
            Effect::SessionClosed => {
                self.stream = None;
                self.calls.clear();
            }
            Effect::LiftKill => {
                self.authority.lift();
                self.gate_closed = false;
            }
            Effect::RaiseEpoch(cause) => self.raise(cause),
            // The loops take the others themselves, and phase 1 is not opened here.
            _ => {}
        }
    }

    fn tell(&mut self, report: Input) {
        self.report(report);
    }

    fn show(&mut self, core: &Core, _: Head, _: Watermark) {
        if core.is_killed() && !self.authority.is_killed() {
            self.latch_again();
        }
    }
}

/// The door to the venue: everything that leaves is written down by the laws' own book.
pub(crate) struct Door<'a> {
    pub(crate) wire: &'a mut Wire,
    pub(crate) line: &'a mut Line,
    pub(crate) venue: &'a Venue,
    pub(crate) platter: &'a Platter,
    pub(crate) sky: Sky<'a>,
    /// What the laws know of this turn, whichever order is about to leave.
    pub(crate) moment: Moment,
    pub(crate) bug: Option<Bug>,
    /// The socket was aborted under a write.
    pub(crate) broken: bool,
}

impl OrderSink for Door<'_> {
    fn submit(
        &mut self,
        order: Recorded<Approved<OrderIntent>>,
        venue_deadline: WallNs,
    ) -> SubmitFate {
        if !self.line.up || self.broken {
            return SubmitFate::NotSent(DenyCode::ReconUnresolved);
        }
        let (id, mut intent) = (order.item().cl_ord_id(), order.item().item().clone());
        if self.bug == Some(Bug::SliceTooLarge) && intent.origin == Origin::House {
            intent.qty = intent.qty.plus(intent.qty).expect("small quantities");
        }
        self.moment.durable = usize::from(self.platter.has_ordered(id));
        self.wire.left(id, &intent, &self.moment);
        let Sky { draw, weather, .. } = &mut self.sky;
        let lost = weather.strikes(Fault::SubmitLost, draw);
        let half = !lost && weather.strikes(Fault::HalfOpen, draw);
        let request = Request::Submit(id, intent, venue_deadline);
        if self.bug == Some(Bug::ResendsUnknown) && (lost || half) {
            self.wire.again.push(request.clone());
        }
        if !lost {
            self.line.send(request, &mut self.sky);
        }
        self.broken = lost || half;
        if self.broken { SubmitFate::Lost } else { SubmitFate::Sent }
    }

    fn amend(
        &mut self,
        change: Recorded<Approved<Amendment>>,
        venue_deadline: WallNs,
    ) -> SubmitFate {
        if !self.line.up || self.broken {
            return SubmitFate::NotSent(DenyCode::ReconUnresolved);
        }
        let change = *change.item().item();
        self.moment.durable = self.platter.amends_of(change.cl_ord_id);
        let added = self.venue.added_by(change);
        self.wire.change_left(change, added.buy + added.sell, &self.moment);
        let Sky { draw, weather, .. } = &mut self.sky;
        let lost = weather.strikes(Fault::SubmitLost, draw);
        self.broken = lost || weather.strikes(Fault::HalfOpen, draw);
        if !lost {
            let number = self.wire.changes();
            self.line.send(Request::Amend(number, change, venue_deadline), &mut self.sky);
        }
        if self.broken { SubmitFate::Lost } else { SubmitFate::Sent }
    }

    fn cancel(&mut self, request: &CancelRequest) {
        self.wire.taken_back(Some(request.cl_ord_id));
        self.take_back(Request::Cancel(request.cl_ord_id));
    }

    fn cancel_all(&mut self) {
        self.wire.taken_back(None);
        self.take_back(Request::CancelAll);
    }
}

impl Door<'_> {
    fn take_back(&mut self, request: Request) {
        if self.bug != Some(Bug::DropsCancels) {
            self.line.send(request, &mut self.sky);
        }
    }
}

/// What the outbox says about an order, as the house hears it.
pub(crate) fn fate_told(input: Input, forgets: bool) -> Input {
    match input {
        Input::Sent { cl_ord_id } if forgets => not_sent(cl_ord_id),
        other => other,
    }
}

fn not_sent(cl_ord_id: ClOrdId) -> Input {
    Input::NotSent { cl_ord_id, code: DenyCode::ReleaseRevoked }
}
