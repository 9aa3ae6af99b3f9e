//! Exits that come with an entry: where they may stand.

use portcullis_domain::{Bracket, OrdType, Phase, Position, Px, Side};
use portcullis_gate::Quote;

use crate::fixture::{BOOT, Case};
use crate::people::px;

/// A purchase at 100.00 in a market of 99.90 to 100.10, with these exits; 0 is none.
#[track_caller]
fn check((stop, target): (i64, i64), change: impl Fn(&mut Case), expect: &str) {
    let leg = |units: i64| (units != 0).then(|| px(units));
    let mut case = Case::new(Phase::Paper);
    case.intent.price = Some(px(10_000));
    case.at.quote = Some(Quote { bid: px(9_990), ask: px(10_010), received: BOOT });
    case.intent.bracket = Some(Bracket { stop_px: leg(stop), target_px: leg(target) });
    change(&mut case);
    assert_eq!(case.answer(), expect, "{stop} {target}");
}

const NO: &str = "ORDER_TYPE_NOT_ALLOWED";

fn sells(case: &mut Case) {
    case.intent.side = Side::Sell;
    case.at.position = Some(Position::FLAT);
}

fn at_the_market(case: &mut Case) {
    (case.intent.ord_type, case.intent.price) = (OrdType::Market, None);
}

#[test]
fn exits_stand_around_their_entry() {
    for (legs, buy, sell) in [
        ((9_990, 10_010), "APPROVE", NO),
        ((10_010, 9_990), NO, "APPROVE"),
        ((9_990, 0), "APPROVE", NO),
        ((0, 10_010), "APPROVE", NO),
        ((10_010, 0), NO, "APPROVE"),
        ((0, 9_990), NO, "APPROVE"),
        ((10_000, 0), NO, NO),
        ((0, 10_000), NO, NO),
        ((0, 0), NO, NO),
    ] {
        check(legs, |_| {}, buy);
        check(legs, sells, sell);
    }
}

/// At the market the touch counts at which the position could be left again.
#[test]
fn at_the_market_exits_stand_around_the_touch() {
    check((9_980, 10_000), at_the_market, "APPROVE");
    check((9_990, 0), at_the_market, NO);
    check((0, 9_990), at_the_market, NO);
    let short = |case: &mut Case| {
        sells(case);
        at_the_market(case);
    };
    check((10_020, 10_000), short, "APPROVE");
    check((10_010, 0), short, NO);
    let unseen = |case: &mut Case| {
        at_the_market(case);
        case.at.quote = None;
    };
    check((9_980, 0), unseen, "NO_REFERENCE_PRICE");
}

#[test]
fn exits_stand_within_the_signed_band_and_on_the_tick() {
    let band = |min: i64, max: i64| {
        move |case: &mut Case| {
            let limits = case.limits();
            (limits.price_min, limits.price_max) = (px(min), px(max));
        }
    };
    let legs: (i64, i64) = (9_000, 11_000);
    check(legs, band(9_000, 11_000), "APPROVE");
    check(legs, band(9_001, 11_000), NO);
    check(legs, band(9_000, 10_999), NO);
    check((9_001, 0), |_| {}, "TICK_SIZE");
    check((0, 10_999), |_| {}, "TICK_SIZE");
    let most: Px = px(i64::MAX);
    check((0, most.units()), |_| {}, NO);
}

/// Exits of an exit would open anew.
#[test]
fn an_exit_has_no_exits() {
    let leaves = |case: &mut Case| {
        sells(case);
        case.at.position = Some(Position(50_000));
    };
    check((10_010, 9_990), leaves, NO);
}
