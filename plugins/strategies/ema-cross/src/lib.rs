//! Follows the crossing of two moving averages of the mid price, long or flat.
//!
//! An example of the interface, not of an edge. All arithmetic is on integers, so that the same
//! quotes give the same orders everywhere.

use portcullis_strategy_sdk::{
    Declaration, Event, OrderState, Orders, Quote, Session, SessionState, Side, Strategy, export,
};

/// Parts of a price unit that the averages keep.
const PARTS: i64 = 1 << 10;
/// How much too much a greedy order asks for.
const GREED: i64 = 1_000;

/// An exponential moving average over `length` values, in [`PARTS`] of a price unit.
struct Ema {
    value: i64,
    length: i64,
}

impl Ema {
    fn update(&mut self, price: i64) {
        let price = price * PARTS;
        let step = (price - self.value) * 2 / (self.length + 1);
        self.value = if self.value == 0 { price } else { self.value + step };
    }
}

/// The strategy: its settings, its averages, and the one order under way.
pub struct EmaCross {
    instrument: u32,
    tick: i64,
    qty: i64,
    greedy: i64,
    rest: bool,
    offset: i64,
    fast: Ema,
    slow: Ema,
    quotes_seen: i64,
    fast_above: Option<bool>,
    open: bool,
    position: i64,
    target: i64,
    pending: Option<u64>,
    orders_placed: i64,
}

export!(EmaCross);

impl Strategy for EmaCross {
    fn describe() -> Declaration {
        Declaration::new("Long while the fast average of the mid price is above the slow one.")
            .quotes()
            .integer("fast", 1..=100_000, 20, "length of the fast average, in quotes")
            .integer("slow", 2..=100_000, 100, "length of the slow average, in quotes")
            .integer("qty", 1..=1_000_000_000, 1_000, "size of the position, in lots")
            .flag("rest", false, "1: rest limit orders; 0: take at the market")
            .integer("offset", 0..=100_000, 1, "how far from the quote a limit rests, in ticks")
            .integer(
                "greedy",
                0..=1_000_000,
                0,
                "every n-th order asks for 1000 times as much, to show that a limit denies it; 0: \
                 none does",
            )
            .fuel_per_event(20_000)
    }

    fn init(session: &Session) -> Result<Self, String> {
        let instrument = session.only_instrument()?;
        let length = |name| session.integer(name).map(|length| Ema { value: 0, length });
        let (fast, slow) = (length("fast")?, length("slow")?);
        let qty = session.integer("qty")? * instrument.lot;
        if fast.length >= slow.length {
            return Err("fast must be shorter than slow".to_owned());
        }
        if qty < instrument.qty_min {
            return Err("qty is less than the venue's least order".to_owned());
        }
        Ok(Self {
            instrument: instrument.id,
            tick: instrument.tick,
            qty,
            greedy: session.integer("greedy")?,
            rest: session.flag("rest")?,
            offset: session.integer("offset")?,
            fast,
            slow,
            quotes_seen: 0,
            fast_above: None,
            open: true,
            position: 0,
            target: 0,
            pending: None,
            orders_placed: 0,
        })
    }

    fn on_event(&mut self, event: Event, orders: &mut Orders) {
        match event {
            Event::Quote(quote) => self.on_quote(quote, orders),
            Event::Position(position) => self.position = position.qty,
            Event::Fill(fill) => match fill.side {
                Some(Side::Buy) => self.position += fill.qty,
                Some(Side::Sell) => self.position -= fill.qty,
                None => {}
            },
            Event::Order(update)
                if self.pending == Some(update.order) && update.state.is_done() =>
            {
                self.pending = None;
                // Only what was taken back by ourselves is tried again.
                if update.state != OrderState::Canceled {
                    self.target = self.position;
                }
            }
            Event::Denial(denial) if self.pending == Some(denial.order) => {
                self.pending = None;
                self.target = self.position;
            }
            Event::Session(state) => self.open = state == SessionState::Open,
            _ => {}
        }
    }
}

impl EmaCross {
    fn on_quote(&mut self, quote: Quote, orders: &mut Orders) {
        let mid = i64::midpoint(quote.bid, quote.ask);
        self.fast.update(mid);
        self.slow.update(mid);
        self.quotes_seen += 1;
        if self.quotes_seen < self.slow.length || !self.open {
            return;
        }
        let above = self.fast.value > self.slow.value;
        let crossed = self.fast_above.replace(above).is_some_and(|before| before != above);
        if crossed {
            self.target = if above { self.qty } else { 0 };
        }
        match self.pending {
            Some(order) if crossed => orders.cancel(self.instrument, order),
            Some(_) => {}
            None => self.approach_target(quote, orders),
        }
    }

    /// Places the one order that would reach the target.
    fn approach_target(&mut self, quote: Quote, orders: &mut Orders) {
        let missing = self.target - self.position;
        if missing == 0 {
            return;
        }
        self.orders_placed += 1;
        let is_greedy = self.greedy > 0 && self.orders_placed % self.greedy == 0;
        let qty = missing.abs() * if is_greedy { GREED } else { 1 };
        let away = self.offset * self.tick;
        self.pending = Some(match (missing > 0, self.rest) {
            (true, false) => orders.buy_market(self.instrument, qty),
            (false, false) => orders.sell_market(self.instrument, qty),
            (true, true) => orders.buy_limit(self.instrument, qty, quote.bid - away),
            (false, true) => orders.sell_limit(self.instrument, qty, quote.ask + away),
        });
    }
}
