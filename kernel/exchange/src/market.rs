//! One market: its book, its agents, and what the public sees of the day.

use std::collections::VecDeque;

use portcullis_domain::{Instrument, Money, Px, Qty, Side};
use portcullis_paper::Matching;
use portcullis_wire::server::socket::{Print, Ticker};

use crate::agents::Agents;

/// Trades kept for those who subscribe later.
const PRINTS_KEPT: usize = 50;

/// Best bid and best offer.
type Bbo = ((Px, Qty), (Px, Qty));

/// A market.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) instrument: Instrument,
    pub(crate) matching: Matching,
    pub(crate) agents: Agents,
    pub(crate) prints: VecDeque<Print>,
    day: Day,
    published: Option<Bbo>,
}

/// The trades since the start.
#[derive(Debug)]
struct Day {
    first: Px,
    last: Px,
    low: Px,
    high: Px,
    volume: Qty,
    value: Money,
}

impl Market {
    pub(crate) fn new(instrument: Instrument, start: Px, seed: u64) -> Self {
        let (first, last, low, high) = (start, start, start, start);
        let (volume, value) = (Qty::ZERO, Money::ZERO);
        Self {
            matching: Matching::new(instrument.clone()),
            agents: Agents::new(&instrument, start, seed),
            prints: VecDeque::new(),
            day: Day { first, last, low, high, volume, value },
            published: None,
            instrument,
        }
    }

    /// Notes a trade.
    pub(crate) fn print(&mut self, print: Print) {
        let day = &mut self.day;
        day.last = print.px;
        day.low = day.low.min(print.px);
        day.high = day.high.max(print.px);
        day.volume = day.volume.plus(print.qty).unwrap_or(day.volume);
        let value = Money::notional(print.px, print.qty, &self.instrument);
        day.value = value.and_then(|value| day.value.plus(value)).unwrap_or(day.value);
        self.prints.push_back(print);
        if self.prints.len() > PRINTS_KEPT {
            self.prints.pop_front();
        }
    }

    /// The ticker as it stands; `None` while a side of the book is empty.
    pub(crate) fn ticker(&self) -> Option<Ticker> {
        let (bid, ask) = self.bbo()?;
        let Day { first, last, low, high, volume, value } = self.day;
        Some(Ticker { bid, ask, last, low, high, first, volume, value })
    }

    /// The ticker if best bid or offer changed since the last time this was asked.
    pub(crate) fn changed_ticker(&mut self) -> Option<Ticker> {
        let now = self.bbo();
        if now == self.published {
            return None;
        }
        self.published = now;
        self.ticker()
    }

    fn bbo(&self) -> Option<Bbo> {
        let best = self.matching.levels(1);
        let side = |side: Side| best.iter().find(|level| level.side == side);
        let (bid, ask) = (side(Side::Buy)?, side(Side::Sell)?);
        Some(((bid.px, bid.qty), (ask.px, ask.qty)))
    }
}
