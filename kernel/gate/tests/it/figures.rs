//! What a denial tells besides its code: the number that was seen, and the one that is allowed.

use portcullis_domain::{Phase, Position, Side};
use portcullis_gate::{Scope, is_reduction};

use crate::fixture::{BOOT, Case, denial};
use crate::people::{money, px, qty};

/// Alters one thing; the code, what was seen and what is allowed, as people read it.
#[track_caller]
fn check(change: impl FnOnce(&mut Case), expect: (&str, &str, &str)) {
    let mut case = Case::new(Phase::Paper);
    change(&mut case);
    let denial = denial(&case.verdict()).unwrap();
    let [observed, limit] = [denial.observed, denial.limit].map(|figure| figure.unwrap().text());
    assert_eq!((denial.code.code(), observed.as_str(), limit.as_str()), expect);
}

#[test]
fn an_age_and_an_offset_are_told_in_milliseconds() {
    let late = |ns: i64| move |c: &mut Case| c.quote().received = BOOT.plus_ns(ns);
    check(late(-2_500_999_999), ("STALE_MARKET_DATA", "2500", "2000"));
    check(late(3_000_000), ("STALE_MARKET_DATA", "-3", "2000"));
    let off = |ns: i64| {
        move |c: &mut Case| {
            c.all_limits().rules.clock_skew_ms_max = 5;
            c.at.clock_offset_ns = Some(ns);
        }
    };
    check(off(-7_999_999), ("CLOCK_SKEW", "7", "5"));
    check(off(5_000_001), ("CLOCK_SKEW", "5", "5"));
}

#[test]
fn a_price_is_told_by_its_distance_in_basis_points() {
    check(|c| c.intent.price = Some(px(10_110)), ("PRICE_COLLAR", "110", "100"));
    check(|c| c.intent.price = Some(px(9_890)), ("PRICE_COLLAR", "110", "100"));
    // The lowest middle of the window was at 50: 100 is twice that, which is 10000 too much.
    let fell = |c: &mut Case| c.at.window.as_mut().unwrap().low_twice = 10_000;
    check(fell, ("PRICE_COLLAR_WINDOW", "10000", "300"));
    let rose = |c: &mut Case| {
        c.intent.side = Side::Sell;
        c.at.window.as_mut().unwrap().high_twice = 40_000;
    };
    check(rose, ("PRICE_COLLAR_WINDOW", "5000", "300"));
    check(|c| c.limits().price_min = px(10_010), ("PRICE_BOUND", "100", "100.1"));
    check(|c| c.limits().price_max = px(9_990), ("PRICE_BOUND", "100", "99.9"));
    check(|c| c.intent.price = Some(px(10_001)), ("TICK_SIZE", "100.01", "0.1"));
}

#[test]
fn a_quantity_and_an_amount_are_told_in_their_own_decimals() {
    check(|c| c.intent.qty = qty(10_001), ("LOT_SIZE", "0.10001", "0.0001"));
    check(|c| c.intent.qty = qty(0), ("LOT_SIZE", "0", "0.0001"));
    check(|c| c.intent.qty = qty(90), ("LOT_SIZE", "0.0009", "0.001"));
    check(|c| c.intent.qty = qty(4_990), ("MIN_NOTIONAL", "4.99", "5"));
    check(|c| c.limits().order_qty_max = qty(9_990), ("MAX_ORDER_QTY", "0.1", "0.0999"));
    let crowded = |c: &mut Case| {
        c.at.position = Some(Position(6_000));
        c.working().buy_qty = qty(1_000);
        c.limits().position_qty_max = qty(16_999);
    };
    check(crowded, ("MAX_POSITION", "0.17", "0.16999"));
    let short = |c: &mut Case| {
        c.intent.side = Side::Sell;
        c.at.position = Some(Position(4_000));
        c.limits().short_qty_max = qty(5_990);
    };
    check(short, ("SHORT_NOT_ALLOWED", "0.06", "0.0599"));
    check(|c| c.balance().quote = money("10"), ("INSUFFICIENT_BALANCE", "10.01", "10"));
    let leveraged = |c: &mut Case| {
        c.at.whole.gross = Some(money("41"));
        c.at.across.equity = Some(money("10"));
        c.all_limits().account.standing.leverage_hundredths_max = 405;
    };
    check(leveraged, ("MAX_LEVERAGE", "41", "40.5"));
    let many = |c: &mut Case| c.at.whole.messages = 800;
    check(many, ("MAX_MSG_RATE", "801", "800"));
}

/// An order of nothing makes nothing smaller, and a position that is closed already is none.
#[test]
fn nothing_is_no_reduction() {
    let mut case = Case::reduction(Phase::Paper);
    assert!(is_reduction(&case.intent, &case.at));
    case.at.position = Some(Position(10_000));
    assert!(is_reduction(&case.intent, &case.at));
    case.at.position = Some(Position(9_999));
    assert!(!is_reduction(&case.intent, &case.at));
    case.intent.qty = qty(0);
    case.at.position = Some(Position::FLAT);
    assert!(!is_reduction(&case.intent, &case.at));
}

/// Whose it was, where no scope of limits decides it.
#[test]
fn a_plain_denial_names_what_it_is_about() {
    let scope = |change: fn(&mut Case)| {
        let mut case = Case::new(Phase::Paper);
        change(&mut case);
        denial(&case.verdict()).unwrap().scope
    };
    assert_eq!(scope(|c| c.intent.instrument.0 = 9), Scope::Instrument);
    assert_eq!(scope(|c| c.at.strategy = None), Scope::Strategy);
    assert_eq!(scope(|c| c.at.whole.profit = None), Scope::Account);
    assert_eq!(scope(|c| c.intent.reduce_only = true), Scope::Order);
}
