//! F11: positions, average prices and profit, for whatever kind of instrument.

use portcullis_domain::{InstrumentKind, Money, Position, Side};

use super::super::testing::{Seeded, instrument, px, qty};
use super::*;

const KINDS: [InstrumentKind; 2] = [InstrumentKind::Spot, InstrumentKind::Linear];

/// Prices and quantities without decimals, so that the tables below can be read.
fn plain(kind: InstrumentKind) -> Instrument {
    let mut instrument = instrument(0, "X", "USD", kind);
    (instrument.price_scale, instrument.qty_scale) = (0, 0);
    instrument
}

fn booked(fills: &[(Side, i64, i64)], fee: &str, instrument: &Instrument) -> Holding {
    let fee = Money::parse(fee).unwrap();
    fills.iter().fold(Holding::default(), |holding, (side, units, price)| {
        let fill = Fill { px: px(*price), qty: qty(*units), fee, instrument };
        holding.after(*side, fill).unwrap()
    })
}

/// Fills (side, qty, px), then position, average price, realised and total profit at `mark`.
#[track_caller]
fn check(fills: &[(Side, i64, i64)], mark: i64, expect: (i64, Option<i64>, &str, &str)) {
    for kind in KINDS {
        let instrument = plain(kind);
        let holding = booked(fills, "0", &instrument);
        let profit = holding.profit(Px::new(mark), &instrument).unwrap();
        let seen = (
            holding.position.0,
            holding.avg_px(&instrument).map(Px::units),
            holding.realised.text(),
            profit.text(),
        );
        assert_eq!(seen, (expect.0, expect.1, expect.2.to_owned(), expect.3.to_owned()));
    }
}

/// F11: long, short, partial cover and a flip through zero.
#[test]
fn f11_positions_and_profit_hold_for_long_short_cover_and_flip() {
    use Side::{Buy, Sell};
    check(&[(Buy, 1, 100)], 100, (1, Some(100), "0", "0"));
    check(&[(Buy, 2, 100), (Sell, 1, 110)], 110, (1, Some(100), "10", "20"));
    check(&[(Sell, 2, 100), (Buy, 1, 90)], 90, (-1, Some(100), "10", "20"));
    check(&[(Buy, 1, 100), (Sell, 3, 110)], 100, (-2, Some(110), "10", "30"));
    check(&[(Buy, 1, 100), (Buy, 1, 200)], 150, (2, Some(150), "0", "0"));
    check(&[(Buy, 1, 100), (Sell, 1, 90)], 1, (0, None, "-10", "-10"));
    check(&[(Sell, 1, 100), (Buy, 3, 90)], 100, (2, Some(90), "10", "30"));
    check(&[(Sell, 3, 100), (Buy, 1, 110), (Buy, 1, 120)], 100, (-1, Some(100), "-30", "-30"));
    check(&[(Buy, 1, 100), (Sell, 2, 90), (Buy, 1, 80)], 1, (0, None, "0", "0"));
    check(&[(Sell, 1, 100), (Sell, 1, 200)], 150, (-2, Some(150), "0", "0"));
}

/// F11: buying 1 at 100 with 1000 leaves 1000, not 900.
#[test]
fn f11_equity_is_right_after_a_buy_and_fees_are_the_only_loss() {
    let instrument = plain(InstrumentKind::Spot);
    let holding = booked(&[(Side::Buy, 1, 100)], "0.1", &instrument);
    let mark = Px::new(100);
    assert_eq!(holding.profit(mark, &instrument).map(Money::text), Some("-0.1".to_owned()));
    let rebate = booked(&[(Side::Sell, 1, 100)], "-0.1", &instrument);
    assert_eq!(rebate.profit(mark, &instrument).map(Money::text), Some("0.1".to_owned()));
}

/// F11: fees change neither cost nor average price, and stay when the position is gone.
#[test]
fn f11_fees_are_kept_apart_from_cost() {
    for kind in KINDS {
        let instrument = plain(kind);
        let covered = [(Side::Sell, 2, 100), (Side::Buy, 1, 90)];
        let holding = booked(&covered, "0.25", &instrument);
        assert_eq!(holding.avg_px(&instrument), Px::new(100));
        assert_eq!((holding.realised.text(), holding.fees.text()), ("10".into(), "0.5".into()));
        let flat = booked(&[covered[0], covered[1], (Side::Buy, 1, 100)], "0.25", &instrument);
        assert_eq!((flat.position, flat.cost), (Position::FLAT, Money::ZERO));
        assert_eq!(flat.profit(None, &instrument).map(Money::text), Some("9.25".to_owned()));
    }
}

#[test]
fn a_held_position_without_a_mark_has_no_profit() {
    let instrument = plain(InstrumentKind::Spot);
    assert_eq!(booked(&[(Side::Buy, 1, 100)], "0", &instrument).profit(None, &instrument), None);
}

/// F11: whatever was traded, equity is the cash that came and went plus what is held at the mark.
/// For a derivative the cash is the profit that was settled, which comes to the same.
#[test]
fn f11_profit_is_cash_plus_value_in_every_world() {
    for seed in 0..2_000 {
        let mut random = Seeded(seed);
        let instrument = instrument(0, "X", "USD", random.pick(&KINDS));
        let (mut holding, mut cash, mut position) = (Holding::default(), Money::ZERO, 0_i64);
        for _ in 0..20 {
            let (side, units) = (random.side(), random.between(1, 2_000));
            let fee = Money(i128::from(random.between(-1_000, 100_000)));
            let fill = Fill {
                px: px(random.between(1, 20_000)),
                qty: qty(units),
                fee,
                instrument: &instrument,
            };
            holding = holding.after(side, fill).unwrap();
            let moved = Position(side.signed(fill.qty));
            position = position.saturating_add(moved.0);
            let paid = Money::value(fill.px, moved, &instrument).unwrap().plus(fee).unwrap();
            cash = cash.minus(paid).unwrap();
            let mark = px(random.between(1, 20_000));
            let value = Money::value(mark, Position(position), &instrument).unwrap();
            assert_eq!(holding.position.0, position, "seed {seed}");
            assert_eq!(holding.profit(Some(mark), &instrument), cash.plus(value), "seed {seed}");
            assert_eq!(holding.cost.0.signum(), i128::from(position.signum()), "seed {seed}");
        }
    }
}

/// The product of cost and quantity is beyond 128 bits here; the share of the cost is not.
#[test]
fn f11_a_large_position_is_covered_exactly() {
    let mut instrument = instrument(0, "BTC", "USD", InstrumentKind::Spot);
    (instrument.price_scale, instrument.qty_scale) = (2, 8);
    let fill = |units, price| Fill {
        px: px(price),
        qty: qty(units),
        fee: Money::ZERO,
        instrument: &instrument,
    };
    let whole = 10_000_000_000_000;
    let long = Holding::default().after(Side::Buy, fill(whole, 10_000_000)).unwrap();
    let rest = long.after(Side::Sell, fill(whole / 4, 10_000_100)).unwrap();
    assert_eq!(rest.avg_px(&instrument), Px::new(10_000_000));
    assert_eq!(rest.realised.text(), "25000");
}

#[test]
fn f11_what_does_not_fit_is_none() {
    let instrument = plain(InstrumentKind::Spot);
    let fill = |units, price, fee| Fill {
        px: px(price),
        qty: qty(units),
        fee: Money(fee),
        instrument: &instrument,
    };
    let highest = Holding { position: Position(i64::MAX), ..Holding::default() };
    assert_eq!(highest.after(Side::Buy, fill(1, 1, 0)), None);
    let lowest = Holding { position: Position(i64::MIN), ..Holding::default() };
    assert_eq!(lowest.after(Side::Buy, fill(1, 1, 0)), None);
    let paid = Holding { fees: Money(i128::MAX), ..Holding::default() };
    assert_eq!(paid.after(Side::Buy, fill(1, 1, 1)), None);
    assert_eq!(Holding::default().after(Side::Buy, fill(i64::MAX, i64::MAX, 0)), None);
}
