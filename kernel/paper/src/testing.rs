//! What the tests of this crate share: an instrument and a seeded generator.

use portcullis_domain::{Instrument, InstrumentId, InstrumentKind, Money, Px, Qty, Rate};

pub(crate) use crate::seeded::Seeded;

/// Prices in cents, quantities in thousandths, fees of 10 and 20 basis points.
pub(crate) fn instrument() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USD".to_owned(),
        venue_symbol: "BTC/USD".to_owned(),
        base: "BTC".to_owned(),
        quote: "USD".to_owned(),
        kind: InstrumentKind::Spot,
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

pub(crate) fn px(units: i64) -> Px {
    Px::new(units).unwrap()
}

pub(crate) fn qty(units: i64) -> Qty {
    Qty::new(units).unwrap()
}
