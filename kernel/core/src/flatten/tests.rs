//! The price of a slice, to the tick.

use portcullis_domain::{BootNs, InstrumentKind, Money, Rate};

use super::*;

fn instrument(tick: i64, lot: i64) -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "X-USD".into(),
        venue_symbol: "XUSD".into(),
        base: "X".into(),
        quote: "USD".into(),
        kind: InstrumentKind::Spot,
        price_scale: 0,
        qty_scale: 0,
        tick: Px::new(tick).unwrap(),
        lot: Qty::new(lot).unwrap(),
        qty_min: Qty::new(lot).unwrap(),
        notional_min: Money::ZERO,
        maker_fee: Rate(0),
        taker_fee: Rate(0),
    }
}

#[track_caller]
fn check(side: Side, (bid, ask): (i64, i64), bps: u32, tick: i64, expect: Option<i64>) {
    let px = |units| Px::new(units).unwrap();
    let quote = Quote { bid: px(bid), ask: px(ask), received: BootNs(0) };
    assert_eq!(worsened(side, quote, bps, &instrument(tick, 1)).map(Px::units), expect);
}

/// Never a tick beyond the cap, and on the cap where that is one.
#[test]
fn a_slice_is_worse_than_the_touch_by_at_most_its_cap() {
    use Side::{Buy, Sell};
    check(Sell, (10_000, 10_010), 0, 10, Some(10_000));
    check(Sell, (10_000, 10_010), 50, 10, Some(9_950));
    check(Sell, (10_000, 10_010), 51, 10, Some(9_950));
    check(Sell, (10_000, 10_010), 59, 10, Some(9_950));
    check(Sell, (10_000, 10_010), 60, 10, Some(9_940));
    check(Buy, (9_990, 10_000), 50, 10, Some(10_050));
    check(Buy, (9_990, 10_000), 59, 10, Some(10_050));
    check(Buy, (9_990, 10_000), 60, 10, Some(10_060));
    // At the ends of the range nothing wraps: no price is no slice.
    check(Sell, (1, 2), 1_000, 1, Some(1));
    check(Buy, (i64::MAX - 1, i64::MAX), 1_000, 1, None);
}

#[test]
fn quantities_are_whole_lots_and_never_more() {
    let lots = |units, lot| on_lots(Qty::new(units).unwrap(), &instrument(1, lot)).units();
    assert_eq!([lots(19, 10), lots(20, 10), lots(9, 10), lots(0, 10)], [10, 20, 0, 0]);
}
