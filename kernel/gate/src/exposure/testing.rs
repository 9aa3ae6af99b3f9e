//! What the tests of the book share: instruments, orders and a seeded generator.

use portcullis_domain::policy::Converter;
use portcullis_domain::{
    ClOrdId, Instrument, InstrumentId, InstrumentKind, Money, OrdType, Order, OrderIntent, Origin,
    Px, Qty, Rate, Side, TimeInForce,
};

pub(super) use super::seeded::Seeded;

/// Prices in cents, quantities in thousandths, fees of 10 and 20 basis points.
pub(super) fn instrument(id: u32, base: &str, quote: &str, kind: InstrumentKind) -> Instrument {
    Instrument {
        id: InstrumentId(id),
        symbol: format!("{base}-{quote}"),
        venue_symbol: format!("{base}/{quote}"),
        base: base.to_owned(),
        quote: quote.to_owned(),
        kind,
        price_scale: 2,
        qty_scale: 3,
        tick: px(1),
        lot: qty(1),
        qty_min: qty(1),
        notional_min: Money::ZERO,
        maker_fee: Rate::from_bps(10),
        taker_fee: Rate::from_bps(20),
    }
}

/// Four instruments of an account in USD. The euro is mistrusted by 50 basis points, and nobody
/// knows what the last one's currency is worth. The base of the second is the quote of the third.
pub(super) fn instruments() -> (Vec<Instrument>, Vec<Option<Converter>>) {
    use InstrumentKind::{Linear, Spot};
    let instruments = vec![
        instrument(0, "BTC", "USD", Spot),
        instrument(1, "ETH", "EUR", Spot),
        instrument(2, "BTC", "ETH", Linear),
        instrument(3, "ETH", "XXX", Spot),
    ];
    let euro = Converter::new(Rate(108_370_001), 50);
    let ether = Converter::new(Rate(310_712_345_679), 300);
    (instruments, vec![Some(Converter::SAME), euro, ether, None])
}

pub(super) fn px(units: i64) -> Px {
    Px::new(units).unwrap()
}

pub(super) fn qty(units: i64) -> Qty {
    Qty::new(units).unwrap()
}

/// A limit order that the venue has not answered yet, reserved at its own price.
pub(super) fn limit(sequence: u32, origin: Origin, side: Side, units: i64, price: i64) -> Order {
    let intent = OrderIntent {
        origin,
        reference: u64::from(sequence),
        instrument: InstrumentId(0),
        side,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty: qty(units),
        price: Some(px(price)),
        reduce_only: false,
        bracket: None,
    };
    Order::new(ClOrdId { epoch: 1, sequence }, intent, px(price))
}

/// The same without a price of its own.
pub(super) fn market(sequence: u32, origin: Origin, side: Side, units: i64, price: i64) -> Order {
    let mut order = limit(sequence, origin, side, units, price);
    (order.intent.ord_type, order.intent.price) = (OrdType::Market, None);
    order
}

impl Seeded {
    /// One of `items`.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let last = i64::try_from(items.len()).unwrap().saturating_sub(1);
        items[usize::try_from(self.between(0, last)).unwrap()]
    }

    pub(super) fn side(&mut self) -> Side {
        self.pick(&[Side::Buy, Side::Sell])
    }
}
