//! What the public market shows at this moment, less what shadow orders already took of it.

use std::collections::BTreeMap;
use std::iter;

use portcullis_domain::market::Level;
use portcullis_domain::{Book, MarketEvent, MarketFrame, Px, Qty, Side, StreamId};

use crate::{is_better, within_limit};

/// Best bid and offer, each with its quantity.
#[derive(Clone, Copy, Debug)]
struct Quote {
    bid: (Px, Qty),
    ask: (Px, Qty),
}

impl Quote {
    fn best(&self, side: Side) -> (Px, Qty) {
        match side {
            Side::Buy => self.bid,
            Side::Sell => self.ask,
        }
    }
}

/// What was taken of a level, and what it showed then.
#[derive(Clone, Copy, Debug)]
struct Taken {
    shown: Qty,
    qty: Qty,
}

/// The market's book as it is known: the level-two book, with the best level of a newer quote.
#[derive(Debug, Default)]
pub(super) struct Displayed {
    book: Book,
    book_stream: Option<StreamId>,
    quote: Option<Quote>,
    quote_stream: Option<StreamId>,
    quote_is_newer: bool,
    /// By the side of the level. An entry lives until the level shows another quantity.
    taken: BTreeMap<(Side, Px), Taken>,
}

impl Displayed {
    /// Takes in what happened, except trades, which change no display by themselves.
    pub(super) fn apply(&mut self, frame: &MarketFrame) {
        match &frame.event {
            MarketEvent::Snapshot { levels } => {
                self.book.reset(levels);
                self.book_stream = Some(frame.stream);
                self.quote_is_newer = false;
                let book = &self.book;
                self.taken.retain(|(side, px), taken| {
                    book.levels(*side).any(|level| level == (*px, taken.shown))
                });
            }
            MarketEvent::Levels { levels } => {
                self.book.apply(levels);
                self.quote_is_newer = false;
                for level in levels {
                    self.refresh(level);
                }
            }
            MarketEvent::Quote { bid, bid_qty, ask, ask_qty } => {
                let quote = Quote { bid: (*bid, *bid_qty), ask: (*ask, *ask_qty) };
                self.quote_stream = Some(frame.stream);
                self.quote = Some(quote);
                self.quote_is_newer = true;
                self.refresh_best(Side::Buy, quote.bid);
                self.refresh_best(Side::Sell, quote.ask);
            }
            MarketEvent::Gap { .. } => self.distrust(frame.stream),
            MarketEvent::Trade { .. } => {}
        }
    }

    /// Quantity shown at a price of a side, whoever took of it; `None` if that price lies deeper
    /// than what is known.
    pub(super) fn qty_at(&self, side: Side, px: Px) -> Option<Qty> {
        let (level_px, qty) = self.levels(side).find(|level| !is_better(side, level.0, px))?;
        Some(if level_px == px { qty } else { Qty::ZERO })
    }

    /// Takes up to `qty` for an order of `side` from the other side's levels, best first, and
    /// returns what was taken at which price.
    pub(super) fn take(&mut self, side: Side, limit: Option<Px>, qty: Qty) -> Vec<(Px, Qty)> {
        let other = side.opposite();
        let (mut rest, mut fills, mut marks) = (qty, Vec::new(), Vec::new());
        for (px, shown) in self.levels(other).take_while(|(px, _)| within_limit(side, limit, *px)) {
            if rest.is_zero() {
                break;
            }
            let before = self.taken.get(&(other, px)).map_or(Qty::ZERO, |taken| taken.qty);
            let part = shown.minus(before).unwrap_or(Qty::ZERO).min(rest);
            let (Some(after), Some(left)) = (before.plus(part), rest.minus(part)) else { break };
            if !part.is_zero() {
                fills.push((px, part));
                marks.push(((other, px), Taken { shown, qty: after }));
                rest = left;
            }
        }
        self.taken.extend(marks);
        fills
    }

    /// Levels from the best outwards. A newer quote is the best level: what the book has at its
    /// price or better is older than it.
    fn levels(&self, side: Side) -> impl Iterator<Item = (Px, Qty)> + '_ {
        let book_prices = self.book.is_valid() && !self.book.is_crossed();
        let quote = self.quote.filter(|_| self.quote_is_newer || !book_prices);
        let top = quote.map(|quote| quote.best(side));
        let behind = move |px: Px| top.is_none_or(|(best, _)| is_better(side, best, px));
        let book = iter::once(&self.book).filter(move |_| book_prices);
        let book = book.flat_map(move |book| book.levels(side));
        top.into_iter().chain(book.filter(move |(px, _)| behind(*px)))
    }

    /// Forgets what was taken of a level that now shows another quantity.
    fn refresh(&mut self, level: &Level) {
        let key = (level.side, level.px);
        if self.taken.get(&key).is_some_and(|taken| taken.shown != level.qty) {
            self.taken.remove(&key);
        }
    }

    /// The same for a quote, which also says that nothing better is left.
    fn refresh_best(&mut self, side: Side, (best, qty): (Px, Qty)) {
        self.refresh(&Level { side, px: best, qty });
        self.taken.retain(|(of, px), _| *of != side || !is_better(side, *px, best));
    }

    /// A stream broke: what it told is not believed until it tells again.
    fn distrust(&mut self, stream: StreamId) {
        if self.book_stream == Some(stream) {
            self.book.invalidate();
        }
        if self.quote_stream == Some(stream) {
            self.quote = None;
        }
    }
}
