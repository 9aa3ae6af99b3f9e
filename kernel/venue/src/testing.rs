//! What several tests of this crate need.

use portcullis_domain::{Instrument, InstrumentId, InstrumentKind, Money, Px, Qty, Rate};

pub(crate) fn instrument(price_scale: u8, qty_scale: u8) -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "BTC-USD".to_owned(),
        venue_symbol: "BTC/USD".to_owned(),
        base: "BTC".to_owned(),
        quote: "USD".to_owned(),
        kind: InstrumentKind::Spot,
        price_scale,
        qty_scale,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(1).unwrap(),
        notional_min: Money::ZERO,
        maker_fee: Rate(0),
        taker_fee: Rate(0),
    }
}
