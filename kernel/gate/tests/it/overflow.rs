//! What an order is worth, and what becomes of an order whose worth no number can hold.

use portcullis_domain::{Instrument, Money, Phase, Position, Side};
use portcullis_gate::{Scope, is_reduction};

use crate::fixture::{Case, check, check_exit, denial};
use crate::people::{money, px, qty};

/// Makes price and quantity the largest that there are.
fn huge(case: &mut Case) {
    let most = i64::MAX - i64::MAX % 10;
    (case.instrument().price_scale, case.instrument().qty_scale) = (0, 0);
    (case.intent.qty, case.intent.price) = (qty(most), Some(px(most)));
    let quote = case.at.quote.as_mut().unwrap();
    (quote.bid, quote.ask) = (px(most - 10), px(most));
    let window = case.at.window.as_mut().unwrap();
    (window.low_twice, window.high_twice) = (i64::MAX, i64::MAX);
    let limits = case.limits();
    (limits.price_max, limits.price_collar_window_bps) = (px(i64::MAX), 1_000_000);
    limits.order_qty_max = qty(i64::MAX);
    limits.position_qty_max = qty(i64::MAX);
    limits.short_qty_max = qty(i64::MAX);
}

/// A value that does not fit is above every limit: it is never taken for nothing, and never for a
/// price that is only missing.
#[test]
fn nt3_a_value_that_overflows_is_denied() {
    check(huge, "MAX_ORDER_NOTIONAL");
    let mut case = Case::new(Phase::Paper);
    huge(&mut case);
    let denial = denial(&case.verdict()).unwrap();
    assert_eq!((denial.scope, denial.observed), (Scope::Instrument, None));
    let exit = |c: &mut Case| {
        huge(c);
        c.at.position = Some(Position(i64::MAX));
    };
    check_exit(exit, "MAX_ORDER_NOTIONAL");
    // At the market, even the price does not fit.
    check(
        |c| {
            huge(c);
            c.at_market();
        },
        "NO_REFERENCE_PRICE",
    );
    check_exit(
        |c| {
            exit(c);
            c.at_market();
        },
        "MAX_ORDER_NOTIONAL",
    );
    // Converted, the value of 10 does not fit any more; neither does what a day has seen with it.
    check(
        |c| {
            c.account_in_usd("90000000000");
            c.intent.qty = qty(1_000_000_000_000_000);
        },
        "MAX_ORDER_NOTIONAL",
    );
    let day = |c: &mut Case| c.at.across.notional = Some(Money(i128::MAX));
    check(day, "MAX_DAILY_NOTIONAL");
    // Working sales that cannot be added up leave nothing to sell.
    check(
        |c| {
            (c.intent.side, c.at.position) = (Side::Sell, Some(Position(i64::MAX)));
            c.working().sell_qty = qty(i64::MAX);
        },
        "INSUFFICIENT_BALANCE",
    );
    check(|c| c.working().reserved_quote.0 = i128::MAX, "INSUFFICIENT_BALANCE");
    check(|c| c.at.whole.profit = Some(Money(i128::MIN)), "NO_REFERENCE_PRICE");
}

/// A price of which even the fee cannot be reckoned is more than the account holds.
#[test]
fn nt3_a_fee_that_overflows_is_denied() {
    let dear = |c: &mut Case| {
        (c.instrument().price_scale, c.instrument().qty_scale) = (0, 0);
        (c.intent.qty, c.intent.price) = (qty(1_000_000_000), Some(px(1_000_000_000)));
        (c.quote().bid, c.quote().ask) = (px(999_999_990), px(1_000_000_010));
        let window = c.at.window.as_mut().unwrap();
        (window.low_twice, window.high_twice) = (2_000_000_000, 2_000_000_000);
        c.limits().order_notional_max.0 = i128::MAX;
        let limits = c.all_limits();
        limits.strategies.values_mut().for_each(|own| own.order_value_max.0 = i128::MAX);
        for scope in [&mut limits.account, &mut limits.venue, &mut limits.host] {
            scope.activity.order_value_max.0 = i128::MAX;
            scope.standing.daily_notional_max.0 = i128::MAX;
        }
    };
    check(dear, "INSUFFICIENT_BALANCE");
    // The same sale costs nothing that is not held.
    check(
        |c| {
            dear(c);
            c.intent.side = Side::Sell;
            c.balance().base = qty(1_000_000_000);
        },
        "APPROVE",
    );
}

/// The largest limit that can be written down does not admit the largest exposure.
#[test]
fn nt3_an_exposure_that_overflows_is_denied() {
    check(
        |c| {
            let limits = c.all_limits();
            for scope in [&mut limits.account, &mut limits.venue, &mut limits.host] {
                scope.activity.gross_exposure_max.0 = i128::MAX;
            }
            c.at.across.equity.as_mut().unwrap().0 = i128::MAX;
            c.at.whole.gross.as_mut().unwrap().0 = i128::MAX;
        },
        "MAX_LEVERAGE",
    );
}

/// A worse price is rounded up to a whole unit, and what only reduces moves something.
#[test]
fn what_is_reserved_is_never_rounded_down() {
    let mut case = Case::new(Phase::Paper);
    case.at_market();
    case.limits().price_collar_bps = 1;
    let gate = case.house.open().unwrap();
    for (ask, reserved) in [(10_000, 10_001), (10_001, 10_003), (20_000, 20_002)] {
        case.quote().ask = px(ask);
        let reserve = gate.reserve(&case.intent, case.at.quote).unwrap();
        assert_eq!(reserve.px, px(reserved));
    }
    case.intent.qty = qty(0);
    assert!(!is_reduction(&case.intent, &case.at));
}

/// What an order reserves can be asked for without asking for the order.
#[test]
fn an_order_reserves_its_value_at_the_worst_price() {
    let mut case = Case::new(Phase::Paper);
    case.account_in_usd("2");
    case.all_limits().rules.conversion_haircut_bps = 100;
    let gate = case.house.open().unwrap();
    let reserve = |case: &Case| gate.reserve(&case.intent, case.at.quote);
    let text = |case: &Case| reserve(case).map(|held| (held.px.units(), held.notional.text()));
    assert_eq!(text(&case), Some((10_000, "10".to_owned())));
    case.at_market();
    assert_eq!(text(&case), Some((10_111, "10.111".to_owned())));
    case.intent.side = Side::Sell;
    assert_eq!(text(&case), Some((9_990, "9.99".to_owned())));
    case.at.quote = None;
    assert_eq!(text(&case), None);
    case.intent.price = Some(px(i64::MAX));
    case.intent.qty = qty(i64::MAX);
    assert_eq!(text(&case), None);
    case.intent.instrument.0 = 9;
    assert_eq!(text(&case), None);
    // At 2 a piece, and one percent on top.
    let instrument = &gate.instruments()[0];
    let cost = |amount, of: &Instrument| gate.converter(of)?.cost(amount);
    assert_eq!(cost(money("10"), instrument), Some(money("20.2")));
    let most = Money(i128::MAX);
    assert_eq!(cost(most, instrument), None);
    let other = Instrument { quote: "EUR".to_owned(), ..instrument.clone() };
    assert_eq!(cost(money("10"), &other), None);
}

/// An account that is worth less than nothing carries nothing, and is not told of a limit below it.
#[test]
fn debts_allow_no_exposure() {
    let mut case = Case::new(Phase::Paper);
    case.at.across.equity = Some(money("-1"));
    let denial = denial(&case.verdict()).unwrap();
    let limit = denial.limit.map(portcullis_gate::Figure::text);
    assert_eq!((denial.code.code(), limit), ("MAX_LEVERAGE", Some("0".to_owned())));
}
