//! What a strategy asks for.

use crate::glue::world::Intent;

const SUBMIT: u8 = 1;
const AMEND: u8 = 2;
const CANCEL: u8 = 3;
const SET_TIMER: u8 = 4;
const BUY: u8 = 1;
const SELL: u8 = 2;
const MARKET: u8 = 1;
const LIMIT: u8 = 2;
const GOOD_TILL_CANCELED: u8 = 1;
const IMMEDIATE_OR_CANCEL: u8 = 3;

const NOTHING: Intent = Intent {
    reference: 0,
    instrument: 0,
    kind: 0,
    side: 0,
    ord_type: 0,
    time_in_force: 0,
    price: 0,
    qty: 0,
    stop_price: 0,
    target_price: 0,
    time: 0,
    flags: 0,
};

/// Collects what a strategy asks for during one batch. Each order gets a number, never used
/// twice; events about it carry that number.
#[derive(Debug)]
pub struct Orders {
    next: u64,
    intents: Vec<Intent>,
}

impl Orders {
    pub(crate) const fn new() -> Self {
        Self { next: 1, intents: Vec::new() }
    }

    /// Buys at the market, at once or not at all. Returns the order's number.
    pub fn buy_market(&mut self, instrument: u32, qty: i64) -> u64 {
        self.market(instrument, BUY, qty)
    }

    /// Sells at the market, at once or not at all. Returns the order's number.
    pub fn sell_market(&mut self, instrument: u32, qty: i64) -> u64 {
        self.market(instrument, SELL, qty)
    }

    /// Buys at `price` or better and waits for it. Returns the order's number.
    pub fn buy_limit(&mut self, instrument: u32, qty: i64, price: i64) -> u64 {
        self.limit(instrument, BUY, qty, price)
    }

    /// Sells at `price` or better and waits for it. Returns the order's number.
    pub fn sell_limit(&mut self, instrument: u32, qty: i64, price: i64) -> u64 {
        self.limit(instrument, SELL, qty, price)
    }

    /// Changes a working limit order to a whole quantity of `qty`, what is filled included, at
    /// `price`. One change at a time.
    pub fn amend(&mut self, instrument: u32, order: u64, qty: i64, price: i64) {
        let change = Intent { reference: order, instrument, kind: AMEND, ..NOTHING };
        self.intents.push(Intent { qty, price, ..change });
    }

    /// Takes a working order back.
    pub fn cancel(&mut self, instrument: u32, order: u64) {
        self.intents.push(Intent { reference: order, instrument, kind: CANCEL, ..NOTHING });
    }

    /// Asks for a timer event with this number at `time`, nanoseconds since 1970.
    pub fn set_timer(&mut self, number: u64, time: i64) {
        self.intents.push(Intent { reference: number, kind: SET_TIMER, time, ..NOTHING });
    }

    /// Asks for anything that the record can say.
    pub fn push_raw(&mut self, intent: Intent) {
        self.intents.push(intent);
    }

    pub(crate) fn take(&mut self) -> Vec<Intent> {
        std::mem::take(&mut self.intents)
    }

    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn continue_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    fn market(&mut self, instrument: u32, side: u8, qty: i64) -> u64 {
        let time_in_force = IMMEDIATE_OR_CANCEL;
        let order = Intent { instrument, side, ord_type: MARKET, time_in_force, qty, ..NOTHING };
        self.submit(order)
    }

    fn limit(&mut self, instrument: u32, side: u8, qty: i64, price: i64) -> u64 {
        let time_in_force = GOOD_TILL_CANCELED;
        let order = Intent { side, ord_type: LIMIT, time_in_force, qty, price, ..NOTHING };
        self.submit(Intent { instrument, ..order })
    }

    fn submit(&mut self, order: Intent) -> u64 {
        let reference = self.next;
        self.next += 1;
        self.intents.push(Intent { reference, kind: SUBMIT, ..order });
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_numbered_and_carry_what_was_asked() {
        let mut orders = Orders::new();
        assert_eq!(orders.buy_market(3, 10), 1);
        assert_eq!(orders.sell_limit(3, 10, 99), 2);
        orders.amend(3, 2, 20, 98);
        orders.cancel(3, 2);
        orders.set_timer(7, 1_000);
        let intents = orders.take();
        let kinds: Vec<_> = intents.iter().map(|it| (it.kind, it.side, it.reference)).collect();
        assert_eq!(kinds, [(1, 1, 1), (1, 2, 2), (2, 0, 2), (3, 0, 2), (4, 0, 7)]);
        assert_eq!((intents[1].price, intents[1].ord_type, intents[1].time_in_force), (99, 2, 1));
        assert_eq!((intents[2].price, intents[2].qty, intents[2].ord_type), (98, 20, 0));
        assert!(orders.take().is_empty());
        assert_eq!(orders.buy_market(3, 10), 3);
    }
}
