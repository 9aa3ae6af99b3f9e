//! The way between house and venue: it loses, doubles, delays and reorders what it carries.
//!
//! What is lost is decided when it is handed over, and counted then. Everything that is not lost
//! arrives, unless the link goes down first.

use portcullis_domain::{
    Amendment, BootNs, ClOrdId, ExecType, ExecutionReport, OrderIntent, Side, WallNs,
};

use crate::draw::Draw;
use crate::fault::{Fault, Weather};
use crate::venue::Open;

const MS: i64 = 1_000_000;

/// What the house says to the venue.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// A new order, and until when the venue may take it.
    Submit(ClOrdId, OrderIntent, WallNs),
    /// Change one, by the number of this message, and until when the venue may do it.
    Amend(usize, Amendment, WallNs),
    /// Take one back.
    Cancel(ClOrdId),
    /// Take all back.
    CancelAll,
}

/// Something on its way.
#[derive(Clone, Debug)]
struct Parcel<T> {
    due: BootNs,
    /// The connection it was handed over on.
    connection: u32,
    what: T,
}

/// Both directions.
#[derive(Debug, Default)]
pub(crate) struct Line {
    to_venue: Vec<Parcel<Request>>,
    to_house: Vec<Parcel<ExecutionReport>>,
    pub(crate) up: bool,
    connection: u32,
}

/// Chance and time of one call.
pub(crate) struct Sky<'a> {
    pub(crate) draw: &'a mut Draw,
    pub(crate) weather: &'a mut Weather,
    pub(crate) now: BootNs,
}

impl Sky<'_> {
    fn strikes(&mut self, fault: Fault) -> bool {
        self.weather.strikes(fault, self.draw)
    }

    /// When something that is handed over now arrives.
    fn due(&mut self) -> BootNs {
        let late = if self.strikes(Fault::Delayed) { self.draw.between(50, 2_500) } else { 0 };
        self.now.plus_ns((self.draw.between(1, 20) + late) * MS)
    }
}

impl Line {
    /// Hands a request over. A cancel may be lost; an order is lost only with the link.
    pub(crate) fn send(&mut self, what: Request, sky: &mut Sky<'_>) {
        let connection = self.connection;
        let cancel = matches!(what, Request::Cancel(_) | Request::CancelAll);
        if cancel && (!self.up || sky.strikes(Fault::CancelLost)) {
            return;
        }
        let mut due = sky.due();
        if !cancel && sky.strikes(Fault::LateAccept) {
            due = due.plus_ns(sky.draw.between(1_000, 4_500) * MS);
        }
        if sky.strikes(Fault::Doubled) {
            let due = sky.due();
            self.to_venue.push(Parcel { due, connection, what: what.clone() });
        }
        self.to_venue.push(Parcel { due, connection, what });
    }

    /// The venue says something about an order; `asked` is the connection of the request that it
    /// answers. A refused cancel is an answer to whoever asked, and to nobody else.
    pub(crate) fn tell(&mut self, what: ExecutionReport, asked: Option<u32>, sky: &mut Sky<'_>) {
        let connection = self.connection;
        let answer = matches!(what.exec_type, ExecType::CancelRejected | ExecType::ReplaceRejected);
        if answer && asked != Some(connection) {
            return;
        }
        let ack = what.exec_type == ExecType::New;
        let lost = if ack { Fault::AckLost } else { Fault::ReportLost };
        if !self.up || sky.strikes(lost) {
            return;
        }
        if sky.strikes(Fault::Doubled) {
            let due = sky.due();
            self.to_house.push(Parcel { due, connection, what: what.clone() });
        }
        let due = sky.due();
        self.to_house.push(Parcel { due, connection, what });
    }

    /// The next request that arrives at the venue by now.
    pub(crate) fn arrives(&mut self, sky: &mut Sky<'_>) -> Option<(Request, u32)> {
        take(&mut self.to_venue, sky).map(|parcel| (parcel.what, parcel.connection))
    }

    /// The next report that arrives at the house by now.
    pub(crate) fn heard(&mut self, sky: &mut Sky<'_>) -> Option<ExecutionReport> {
        take(&mut self.to_house, sky).map(|parcel| parcel.what)
    }

    /// The link goes down. Reports on their way are gone; a request may still be delivered.
    pub(crate) fn down(&mut self, sky: &mut Sky<'_>) {
        self.up = false;
        self.connection += 1;
        for _ in 0..self.to_house.len() {
            sky.weather.count(Fault::ReportLost);
        }
        self.to_house.clear();
        self.to_venue.retain(|parcel| {
            let kept = sky.draw.happens(500);
            let submit = matches!(parcel.what, Request::Submit(..));
            match (submit, kept) {
                (true, true) => sky.weather.count(Fault::HalfOpen),
                (true, false) => sky.weather.count(Fault::SubmitLost),
                (false, _) => {}
            }
            kept
        });
    }

    /// Orders that have left the house, have not arrived, and are not too late for the venue.
    /// `more` says what a change would add to the order that the venue has.
    pub(crate) fn in_flight(
        &self,
        venue: WallNs,
        arrived: impl Fn(ClOrdId) -> bool,
        more: impl Fn(Amendment) -> Open,
    ) -> Open {
        let mut counted: Vec<ClOrdId> = Vec::new();
        let mut changes: Vec<usize> = Vec::new();
        let mut sum = Open::default();
        for parcel in &self.to_venue {
            if let Request::Amend(number, change, deadline) = &parcel.what {
                // The same message may be on its way twice.
                if venue <= *deadline && !changes.contains(number) {
                    changes.push(*number);
                    sum.add(more(*change));
                }
                continue;
            }
            let Request::Submit(id, intent, deadline) = &parcel.what else { continue };
            if venue > *deadline || arrived(*id) || counted.contains(id) {
                continue;
            }
            counted.push(*id);
            sum.orders += 1;
            match intent.side {
                Side::Buy => sum.buy += intent.qty.units(),
                Side::Sell => sum.sell += intent.qty.units(),
            }
        }
        sum
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.to_venue.is_empty() && self.to_house.is_empty()
    }
}

/// Takes out what has arrived: the oldest, or in rough weather any.
fn take<T>(parcels: &mut Vec<Parcel<T>>, sky: &mut Sky<'_>) -> Option<Parcel<T>> {
    let now = sky.now;
    let mut due: Vec<usize> = (0..parcels.len()).filter(|at| parcels[*at].due <= now).collect();
    due.sort_by_key(|at| parcels[*at].due);
    let first = *due.first()?;
    let at = if due.len() > 1 && sky.strikes(Fault::Reordered) {
        due[1 + sky.draw.index(due.len() - 1)]
    } else {
        first
    };
    Some(parcels.remove(at))
}
