//! What a strategy is told, typed.

pub use crate::glue::world::Event as RawEvent;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// On its way.
    PendingNew,
    /// Working.
    New,
    /// Working, partly filled.
    PartiallyFilled,
    /// A cancel is on its way.
    PendingCancel,
    /// Done: filled.
    Filled,
    /// Done: canceled.
    Canceled,
    /// Done: the venue said no.
    Rejected,
    /// Done: its time ran out.
    Expired,
    /// Done: it never left.
    Unsent,
    /// Nobody knows; it may still fill.
    Unknown,
    /// A change is on its way; either terms may fill.
    PendingReplace,
}

impl OrderState {
    /// Whether nothing more will come of it.
    pub const fn is_done(self) -> bool {
        matches!(
            self,
            Self::Filled | Self::Canceled | Self::Rejected | Self::Expired | Self::Unsent
        )
    }

    const fn from_code(code: u16) -> Self {
        match code {
            1 => Self::PendingNew,
            2 => Self::New,
            3 => Self::PartiallyFilled,
            4 => Self::PendingCancel,
            5 => Self::Filled,
            6 => Self::Canceled,
            7 => Self::Rejected,
            8 => Self::Expired,
            9 => Self::Unsent,
            11 => Self::PendingReplace,
            _ => Self::Unknown,
        }
    }
}

/// How the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Open.
    Open,
    /// It will end soon; nothing new is taken.
    Closing,
    /// Only what makes a position smaller is taken.
    ReduceOnly,
}

/// Best bid and offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// When the kernel received it, nanoseconds since 1970.
    pub time: i64,
    /// Instrument number.
    pub instrument: u32,
    /// Best bid.
    pub bid: i64,
    /// Quantity at the bid.
    pub bid_qty: i64,
    /// Best offer.
    pub ask: i64,
    /// Quantity at the offer.
    pub ask_qty: i64,
}

/// A trade in the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// When the kernel received it, nanoseconds since 1970.
    pub time: i64,
    /// Instrument number.
    pub instrument: u32,
    /// The venue's number of the trade.
    pub id: u64,
    /// The side that took.
    pub aggressor: Option<Side>,
    /// Price.
    pub price: i64,
    /// Quantity.
    pub qty: i64,
}

/// A timer that was set has come due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Now, nanoseconds since 1970.
    pub time: i64,
    /// The number it was set with.
    pub number: u64,
}

/// An order changed state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderUpdate {
    /// When the kernel knew, nanoseconds since 1970.
    pub time: i64,
    /// Instrument number.
    pub instrument: u32,
    /// Order number.
    pub order: u64,
    /// Its state now.
    pub state: OrderState,
    /// Filled so far.
    pub filled_qty: i64,
    /// Still working.
    pub leaves_qty: i64,
}

/// An order was filled, wholly or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// When the kernel knew, nanoseconds since 1970.
    pub time: i64,
    /// Instrument number.
    pub instrument: u32,
    /// Order number.
    pub order: u64,
    /// Which way.
    pub side: Option<Side>,
    /// Price of this fill.
    pub price: i64,
    /// Quantity of this fill.
    pub qty: i64,
}

/// The gate refused an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// Instrument number.
    pub instrument: u32,
    /// Order number.
    pub order: u64,
    /// Number of the gate's code, as listed in `docs/reason-codes.md`.
    pub code: u16,
}

/// The position in an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// Instrument number.
    pub instrument: u32,
    /// Bought is positive, sold is negative.
    pub qty: i64,
    /// Average price; 0 if flat.
    pub avg_price: i64,
}

/// One thing that a strategy is told.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Best bid and offer.
    Quote(Quote),
    /// A trade in the market.
    Trade(Trade),
    /// A timer has come due.
    Timer(Timer),
    /// An order changed state.
    Order(OrderUpdate),
    /// An order was filled.
    Fill(Fill),
    /// The gate refused an intent.
    Denial(Denial),
    /// The position in an instrument.
    Position(Position),
    /// The session's state changed.
    Session(SessionState),
    /// Of a kind that this release does not know. To be ignored.
    Other(RawEvent),
}

impl From<RawEvent> for Event {
    fn from(raw: RawEvent) -> Self {
        let (time, instrument, order) = (raw.time, raw.instrument, raw.reference);
        match (raw.kind, raw.code) {
            (1, _) => Self::Quote(Quote {
                time,
                instrument,
                bid: raw.price,
                bid_qty: raw.qty,
                ask: raw.price2,
                ask_qty: raw.qty2,
            }),
            (2, _) => Self::Trade(Trade {
                time,
                instrument,
                id: raw.reference,
                aggressor: side(raw.side),
                price: raw.price,
                qty: raw.qty,
            }),
            (5, _) => Self::Timer(Timer { time, number: raw.reference }),
            (6, code) => Self::Order(OrderUpdate {
                time,
                instrument,
                order,
                state: OrderState::from_code(code),
                filled_qty: raw.qty,
                leaves_qty: raw.qty2,
            }),
            (7, _) => Self::Fill(Fill {
                time,
                instrument,
                order,
                side: side(raw.side),
                price: raw.price,
                qty: raw.qty,
            }),
            (8, code) => Self::Denial(Denial { time, instrument, order, code }),
            (10, _) => {
                Self::Position(Position { time, instrument, qty: raw.qty, avg_price: raw.price })
            }
            (13, 1) => Self::Session(SessionState::Open),
            (13, 2) => Self::Session(SessionState::Closing),
            (13, 3) => Self::Session(SessionState::ReduceOnly),
            _ => Self::Other(raw),
        }
    }
}

const fn side(code: u8) -> Option<Side> {
    match code {
        1 => Some(Side::Buy),
        2 => Some(Side::Sell),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(kind: u8, code: u16) -> RawEvent {
        RawEvent {
            time: 1,
            reference: 2,
            instrument: 3,
            kind,
            side: 2,
            code,
            price: 4,
            qty: 5,
            price2: 6,
            qty2: 7,
            extra: 0,
        }
    }

    #[test]
    fn each_kind_reads_its_own_fields() {
        assert!(matches!(
            Event::from(raw(1, 0)),
            Event::Quote(Quote { bid: 4, bid_qty: 5, ask: 6, ask_qty: 7, .. })
        ));
        assert!(matches!(
            Event::from(raw(2, 0)),
            Event::Trade(Trade { id: 2, aggressor: Some(Side::Sell), price: 4, qty: 5, .. })
        ));
        assert!(matches!(
            Event::from(raw(6, 5)),
            Event::Order(OrderUpdate { order: 2, state: OrderState::Filled, leaves_qty: 7, .. })
        ));
        assert!(matches!(Event::from(raw(8, 9)), Event::Denial(Denial { code: 9, .. })));
        assert!(matches!(Event::from(raw(13, 2)), Event::Session(SessionState::Closing)));
        assert!(matches!(Event::from(raw(99, 0)), Event::Other(_)));
        assert!(matches!(Event::from(raw(13, 9)), Event::Other(_)));
    }
}
