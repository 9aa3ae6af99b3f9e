//! What does not fit, part by part: nothing wraps, and nothing that is unknown looks like a number.

use portcullis_domain::policy::Converter;
use portcullis_domain::{
    BootNs, Instrument, InstrumentId, InstrumentKind, Money, OrdStatus, Order, Origin, Position,
    Px, Qty, Rate, Side,
};

use super::cell::{Cell, Leaves};
use super::claim::{Claim, base_amount};
use super::line::Line;
use super::testing::{instrument, limit, px, qty};
use super::totals::Sums;
use super::{ExposureBook, Fill, Holding, Owner};

const MOST: Money = Money(i128::MAX);
const LEAST: Money = Money(i128::MIN);
const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);

/// Prices and quantities whose product is an amount of money without any zeros behind it.
fn fine(kind: InstrumentKind) -> Instrument {
    let mut instrument = instrument(0, "X", "USD", kind);
    (instrument.price_scale, instrument.qty_scale) = (9, 9);
    instrument
}

fn held(units: i64, cost: Money) -> Holding {
    Holding { position: Position(units), cost, ..Holding::default() }
}

#[test]
fn a_claim_that_does_not_fit_or_was_never_there_is_none() {
    let claim = |units: i64, value: i128| Claim::new(Side::Buy, qty(units), Money(value));
    let one = Cell::EMPTY.with(&claim(2, 7)).unwrap();
    assert_eq!(one.with(&claim(i64::MAX, 1)), None);
    assert_eq!(one.with(&claim(1, i128::MAX)), None);
    assert_eq!(one.without(&claim(3, 7)), None);
    assert_eq!(one.without(&claim(2, 8)), None);
    assert_eq!(one.without(&claim(2, 7)), Some(Cell::EMPTY));
    // A claim of nothing is an order all the same.
    let unknown = Claim { unknown: 1, ..claim(0, 0) };
    let full = Cell { open_orders: u32::MAX, ..Cell::EMPTY };
    assert_eq!(full.with(&claim(0, 0)), None);
    assert_eq!(Cell { unknown_orders: u32::MAX, ..Cell::EMPTY }.with(&unknown), None);
    assert_eq!(Cell::EMPTY.without(&claim(0, 0)), None);
    assert_eq!(one.without(&Claim { unknown: 1, ..claim(2, 7) }), None);
}

/// The exposure of what is held next to these claims.
fn exposure(units: i64, mark: i64, buys: Money, sells: Money) -> Option<Money> {
    let instrument = fine(InstrumentKind::Linear);
    let mut line = Line::new(&instrument, Some(Converter::SAME), &mut Vec::new());
    line.mark = Some((px(mark), BootNs(0)));
    let leaves = |value| Leaves { qty: Qty::ZERO, value };
    let cell = Cell { holding: held(units, Money::ZERO), ..Cell::EMPTY };
    Cell { buys: leaves(buys), sells: leaves(sells), ..cell }.valued(&line).exposure
}

#[test]
fn an_exposure_that_does_not_fit_is_unknown() {
    assert_eq!(exposure(-3, 5, Money(4), Money(1)), Some(Money(16)));
    assert_eq!(exposure(3, 5, Money(4), Money(40)), Some(Money(25)));
    assert_eq!(exposure(3, 5, MOST, Money::ZERO), None);
    assert_eq!(exposure(-2, 1, Money::ZERO, MOST), None);
    // One unit below the largest number there is no number without the sign.
    assert_eq!(exposure(-1, 1, Money::ZERO, MOST), None);
    assert_eq!(exposure(0, 1, Money::ZERO, MOST), Some(MOST));
    let coarse = instrument(0, "X", "USD", InstrumentKind::Linear);
    let mut line = Line::new(&coarse, Some(Converter::SAME), &mut Vec::new());
    line.mark = Some((px(i64::MAX), BootNs(0)));
    let cell = Cell { holding: held(i64::MAX, Money::ZERO), ..Cell::EMPTY }.valued(&line);
    assert_eq!((cell.exposure, cell.pnl, cell.fees), (None, None, Some(Money::ZERO)));
}

#[test]
fn f11_a_fill_whose_money_does_not_fit_is_none() {
    use Side::{Buy, Sell};
    let instrument = instrument(0, "X", "USD", InstrumentKind::Linear);
    let fill = |units: i64, price: i64| Fill {
        px: px(price),
        qty: qty(units),
        fee: Money::ZERO,
        instrument: &instrument,
    };
    // More of the same: the cost.
    assert_eq!(held(1, MOST).after(Buy, fill(1, 1)), None);
    // What is closed, at a price that makes it too large.
    assert_eq!(held(i64::MAX, Money(1)).after(Sell, fill(i64::MAX, i64::MAX)), None);
    // What was earned, and what was earned in all.
    assert_eq!(held(1, LEAST).after(Sell, fill(1, 1)), None);
    let earned = Holding { realised: MOST, ..held(1, Money::ZERO) };
    assert_eq!(earned.after(Sell, fill(1, 1)), None);
    // What is opened beyond zero.
    assert_eq!(held(1, Money(1)).after(Sell, fill(i64::MAX, i64::MAX)), None);
    assert!(held(1, Money(1)).after(Sell, fill(2, 1)).is_some());
}

#[test]
fn f11_a_profit_or_a_price_that_does_not_fit_is_none() {
    let coarse = instrument(0, "X", "USD", InstrumentKind::Linear);
    let lost = Holding { realised: LEAST, fees: Money(1), ..Holding::default() };
    assert_eq!(lost.profit(None, &coarse), None);
    let large = held(i64::MAX, Money::ZERO);
    assert_eq!(large.profit(Px::new(i64::MAX), &coarse), None);
    assert_eq!(held(1, LEAST).profit(Px::new(1), &coarse), None);
    let both = Holding { realised: MOST, ..held(1, Money::ZERO) };
    assert_eq!(both.profit(Px::new(1), &coarse), None);
    // Decimals that no amount of money holds, and a price beyond every price.
    let mut finer = coarse.clone();
    (finer.price_scale, finer.qty_scale) = (10, 9);
    assert_eq!(held(1, Money(1)).avg_px(&finer), None);
    assert_eq!(held(1, MOST).avg_px(&fine(InstrumentKind::Linear)), None);
    assert_eq!(base_amount(qty(1), &Instrument { qty_scale: 19, ..finer.clone() }), None);
    assert_eq!(base_amount(qty(2), &Instrument { qty_scale: 18, ..finer }), Some(Money(2)));
}

/// `old` is taken off nothing and `new` is added.
#[track_caller]
fn check_sums(old: Cell, new: Cell) {
    assert_eq!(Sums::default().replace(&old, &new), None);
}

#[test]
fn totals_that_do_not_fit_or_lose_more_than_they_have_are_none() {
    let none = Cell::EMPTY;
    check_sums(Cell { exposure: Some(LEAST), ..none }, none);
    check_sums(Cell { pnl: Some(Money(-1)), ..none }, Cell { pnl: Some(MOST), ..none });
    check_sums(Cell { fees: Some(Money(2)), ..none }, Cell { fees: Some(LEAST), ..none });
    check_sums(Cell { exposure: None, ..none }, none);
    check_sums(Cell { open_orders: 1, ..none }, Cell { open_orders: 1, ..none });
    check_sums(Cell { unknown_orders: 1, ..none }, none);
    check_sums(Cell { holding: held(1, Money::ZERO), ..none }, none);
    let full = Cell { unknown_orders: u32::MAX, ..none };
    let sums = Sums::default().replace(&none, &full).unwrap();
    assert_eq!(sums.replace(&none, &Cell { unknown_orders: 1, ..none }), None);
}

/// Two instruments of the account's currency, with that fee.
fn book(kind: InstrumentKind, fee: Rate) -> ExposureBook {
    let listed = [instrument(0, "X", "USD", kind), instrument(1, "Y", "USD", kind)];
    let listed = listed.map(|one| Instrument { taker_fee: fee, ..one });
    ExposureBook::new(&listed, 1, &[Some(Converter::SAME); 2])
}

/// An order of a person, reserved at another price than the one at which it stands.
fn order(side: Side, (units, reserve): (i64, i64)) -> Order {
    let order = limit(1, Origin::Person, side, units, 1);
    Order { reserve_px: px(reserve), ..order }
}

#[track_caller]
fn check_broken(mut book: ExposureBook, before: Option<&Order>, after: &Order) {
    assert!(!book.is_broken());
    assert_eq!(book.order_changed(before, after), None);
    assert!(book.is_broken());
}

/// Beyond a half of what fits.
const LARGE: (i64, i64) = (1_300_000_000_000_000_000, 10_000_000);
const SMALL: (i64, i64) = (1, 1);

#[test]
fn what_an_order_claims_fits_or_breaks_the_book() {
    let large = order(Side::Buy, LARGE);
    let mut second = large.clone();
    second.cl_ord_id.sequence = 2;
    let mut known = book(InstrumentKind::Spot, Rate(0));
    known.order_changed(None, &large).unwrap();
    check_broken(known.clone(), None, &second);
    // A value that does not fit at all: the old state as the new one.
    let endless = order(Side::Buy, (i64::MAX, i64::MAX));
    check_broken(known.clone(), Some(&endless), &large);
    check_broken(known.clone(), None, &endless);
    // The same quantity at a higher price was never counted.
    let ended = Order { status: OrdStatus::Canceled, ..large.clone() };
    check_broken(known.clone(), Some(&order(Side::Buy, (LARGE.0, 10_000_001))), &ended);
    known.order_changed(Some(&large), &ended).unwrap();
    assert_eq!(known, book(InstrumentKind::Spot, Rate(0)));
}

#[test]
fn a_fee_that_does_not_fit_breaks_the_book() {
    let (large, small) = (order(Side::Buy, LARGE), order(Side::Buy, SMALL));
    let mut known = book(InstrumentKind::Spot, Rate(1_000));
    check_broken(known.clone(), None, &large);
    known.order_changed(None, &small).unwrap();
    check_broken(known.clone(), Some(&large), &small);
    known.order_changed(Some(&small), &small).unwrap();
}

/// What one more order would do is not known where it does not fit.
#[test]
fn a_worst_case_that_does_not_fit_is_unknown() {
    let mut book = book(InstrumentKind::Linear, Rate(0));
    let mut other = order(Side::Buy, LARGE);
    other.intent.instrument = ETH;
    book.order_changed(None, &other).unwrap();
    let worst = |units: i64, value: Money| {
        book.exposure_with(Owner::Whole, BTC, &Claim::new(Side::Buy, qty(units), value))
    };
    assert!(worst(1, Money(1)).is_some());
    // The instrument's own fits, and all of them together do not.
    assert_eq!(worst(1, MOST), None);
    let twice = Claim::new(Side::Buy, qty(i64::MAX), Money(1));
    assert_eq!(book.exposure_with(Owner::Whole, ETH, &twice), None);
}
