//! Holes of other risk engines (`reference/trading-systems.md` 2.1), and the faults of the runbook
//! that a gate answers: each is shut here, by its name.

use portcullis_domain::{InstrumentKind, OrdType, Origin, Phase, Position, Side};
use portcullis_gate::{Balance, DenyCode, Scope, Verdict};

use crate::fixture::{BOOT, Case, PLUGIN, check, check_exit, denial};
use crate::people::{money, narrow_limits, px, qty};

/// A short position that a purchase makes smaller.
fn cover(case: &mut Case) {
    (case.intent.side, case.at.position) = (Side::Buy, Some(Position(-50_000)));
}

#[test]
fn nt1_without_an_account_nothing_is_bought() {
    check(|c| c.at.balance = None, "STALE_ACCOUNT");
    check(|c| c.at.position = None, "STALE_ACCOUNT");
    check(|c| c.at.working = None, "ORDER_UNKNOWN");
    check(|c| c.at.across.equity = None, "STALE_ACCOUNT");
    check_exit(|c| c.at.position = None, "STALE_ACCOUNT");
}

#[test]
fn nt2_a_market_order_without_a_quote_is_denied() {
    check(Case::at_market, "APPROVE");
    let blind = |side: Side| {
        move |c: &mut Case| {
            c.at_market();
            (c.intent.side, c.at.quote) = (side, None);
        }
    };
    check(blind(Side::Buy), "NO_REFERENCE_PRICE");
    check(blind(Side::Sell), "NO_REFERENCE_PRICE");
    // It counts at the worst price it can have: here 101.11, a collar above the offer.
    let worth = |max: &'static str| {
        move |c: &mut Case| {
            c.at_market();
            c.limits().order_notional_max = money(max);
        }
    };
    check(worth("10.111"), "APPROVE");
    check(worth("10.11"), "MAX_ORDER_NOTIONAL");
}

/// What is approved claims its share at once, whatever the venue has said by then.
#[test]
fn nt5_orders_in_flight_are_reserved() {
    check(|c| c.working().reserved_quote = money("989.99"), "APPROVE");
    check(|c| c.working().reserved_quote = money("989.990001"), "INSUFFICIENT_BALANCE");
    let sell = |held: i64, claimed: i64| {
        move |c: &mut Case| {
            c.intent.side = Side::Sell;
            c.balance().base = qty(held);
            c.working().sell_qty = qty(claimed);
        }
    };
    check(sell(15_000, 5_000), "APPROVE");
    check(sell(15_000, 5_001), "INSUFFICIENT_BALANCE");
    let buy = |held: i64, claimed: i64| {
        move |c: &mut Case| {
            *c.all_limits() = narrow_limits(&[PLUGIN]);
            c.at.position = Some(Position(held));
            c.working().buy_qty = qty(claimed);
        }
    };
    check(buy(100_000, 90_000), "APPROVE");
    check(buy(100_000, 90_010), "MAX_POSITION");
    check(buy(-100_000, 290_000), "APPROVE");
    check(buy(-100_000, 290_010), "MAX_POSITION");
    check(buy(i64::MAX, i64::MAX), "MAX_POSITION");
    // Sales that work make no room: they may never fill.
    check(
        |c| {
            buy(190_010, 0)(c);
            c.working().sell_qty = qty(200_000);
        },
        "MAX_POSITION",
    );
}

/// It can only make the position smaller, whatever fills first; else it is new exposure.
#[test]
fn nt7_a_reduction_cannot_flip_through_zero() {
    let locked = |change: fn(&mut Case)| {
        move |c: &mut Case| {
            c.at.reduce_only = true;
            change(c);
        }
    };
    check_exit(locked(|c| c.intent.qty = qty(50_000)), "APPROVE");
    check_exit(locked(|c| c.intent.qty = qty(50_010)), "REDUCE_ONLY");
    // Sales that work already count as filled; purchases that work make no room.
    check_exit(locked(|c| c.working().sell_qty = qty(40_000)), "APPROVE");
    check_exit(locked(|c| c.working().sell_qty = qty(40_010)), "REDUCE_ONLY");
    check_exit(locked(|c| c.working().sell_qty = qty(i64::MAX)), "REDUCE_ONLY");
    check_exit(
        locked(|c| (c.working().buy_qty, c.intent.qty) = (qty(100_000), qty(50_010))),
        "REDUCE_ONLY",
    );
    check_exit(locked(|c| c.at.position = Some(Position::FLAT)), "REDUCE_ONLY");
    check_exit(locked(|c| c.at.position = Some(Position(-50_000))), "REDUCE_ONLY");
    check(locked(cover), "APPROVE");
    check(locked(|c| c.at.position = Some(Position(-9_990))), "REDUCE_ONLY");
    check(locked(|c| c.at.position = Some(Position(i64::MIN))), "APPROVE");
    // An order that says of itself that it only reduces is held to it, in any state.
    check(|c| c.intent.reduce_only = true, "REDUCE_ONLY");
    check_exit(|c| c.intent.reduce_only = true, "APPROVE");
    let mut case = Case::new(Phase::Paper);
    case.intent.reduce_only = true;
    assert_eq!(denial(&case.verdict()).map(|denial| denial.scope), Some(Scope::Order));
}

/// Per strategy, per day, by loss: limits that others do not have at all.
#[test]
fn nt8_limits_of_a_strategy_a_day_and_a_loss() {
    check(|c| c.strategy().orders = 1_000, "MAX_ORDERS_PER_SESSION");
    check(|c| c.strategy().profit = Some(money("-1000000")), "MAX_LOSS_SESSION");
    check(|c| c.at.across.profit_day = Some(money("-1000000")), "MAX_LOSS_DAY");
    check(|c| c.at.across.profit_week = Some(money("-1000000")), "MAX_LOSS_WEEK");
    check(|c| c.at.across.notional = Some(money("999990")), "APPROVE");
    check(|c| c.at.across.notional = Some(money("999990.01")), "MAX_DAILY_NOTIONAL");
    // A person's order has no strategy: what the strategy has lost does not hold it up.
    check(
        |c| {
            c.strategy().profit = Some(money("-1000000"));
            c.intent.origin = Origin::Person;
        },
        "APPROVE",
    );
}

/// F9: a profit trips no loss limit, however large; a loss trips its own at the limit.
#[test]
fn f9_a_profit_never_trips_a_loss_limit() {
    let tight = |c: &mut Case| {
        c.all_limits().account.activity.loss_session_max = money("25");
        c.all_limits().account.standing.loss_day_max = money("25");
        c.all_limits().account.standing.loss_week_max = money("25");
    };
    let profit = |session: &'static str, day: &'static str| {
        move |c: &mut Case| {
            tight(c);
            c.at.whole.profit = Some(money(session));
            (c.at.across.profit_day, c.at.across.profit_week) =
                (Some(money(day)), Some(money(day)));
        }
    };
    check(profit("30", "30"), "APPROVE");
    check(profit("1000000000", "1000000000"), "APPROVE");
    check(profit("-24.999999999999999999", "-24.999999999999999999"), "APPROVE");
    check(profit("-25", "0"), "MAX_LOSS_SESSION");
    check(profit("0", "-25"), "MAX_LOSS_DAY");
}

/// F10: an order that cannot be priced or is worth nothing is none.
#[test]
fn f10_an_order_without_a_price_or_a_value_is_denied() {
    check(|c| c.intent.price = None, "ORDER_TYPE_NOT_ALLOWED");
    check(|c| c.intent.ord_type = OrdType::Market, "ORDER_TYPE_NOT_ALLOWED");
    check(|c| c.intent.qty = qty(0), "LOT_SIZE");
    check_exit(|c| c.intent.qty = qty(0), "LOT_SIZE");
    check(|c| c.intent.qty = qty(4_990), "MIN_NOTIONAL");
    // A purchase needs a price, even one that covers: what it costs is not known.
    check(
        |c| {
            cover(c);
            c.at_market();
            c.at.quote = None;
        },
        "INSUFFICIENT_BALANCE",
    );
    // A sale of what is held needs none.
    check_exit(
        |c| {
            c.at_market();
            c.at.quote = None;
        },
        "APPROVE",
    );
}

/// F10: a hundred small orders are one large one.
#[test]
fn f10_exposure_counts_positions_and_working_orders_and_not_the_batch() {
    let exposed = |text: &'static str| {
        move |c: &mut Case| {
            c.limits().exposure_max = money("500");
            c.at.exposure = Some(money(text));
        }
    };
    check(exposed("500"), "APPROVE");
    check(exposed("500.000000000000000001"), "MAX_SYMBOL_EXPOSURE");
    let positions = |n: u32| {
        move |c: &mut Case| {
            c.all_limits().account.activity.open_positions_max = 3;
            c.at.whole.positions = n;
        }
    };
    check(positions(3), "APPROVE");
    check(positions(4), "MAX_OPEN_POSITIONS");
}

/// D8: while account and house disagree, what both agree on can be left, and no more.
#[test]
fn d8_what_both_sides_agree_on_can_be_reduced() {
    let disagree = |agreed: Option<i64>| {
        move |c: &mut Case| (c.at.reconciled, c.at.reducible) = (false, agreed.map(qty))
    };
    check_exit(disagree(Some(10_000)), "APPROVE");
    check_exit(disagree(Some(9_999)), "RECON_UNRESOLVED");
    check_exit(disagree(None), "RECON_UNRESOLVED");
    // The venue holding more than we do makes no room either.
    check_exit(
        |c| {
            disagree(Some(100_000))(c);
            c.intent.qty = qty(50_010);
        },
        "RECON_UNRESOLVED",
    );
    check(disagree(Some(10_000)), "RECON_UNRESOLVED");
}

/// D5: failing closed must not lock the exit, but a limit that nothing measures would give the
/// position away: without a quote it is outside of every collar.
#[test]
fn d5_an_exit_at_a_price_that_nothing_measures_is_a_persons_alone() {
    let blind = |c: &mut Case| (c.intent.price, c.at.quote) = (Some(px(6_000)), None);
    check_exit(blind, "PRICE_COLLAR");
    check_exit(
        |c| {
            blind(c);
            c.intent.origin = Origin::Person;
        },
        "APPROVE",
    );
    // A person names a price, and the band that people signed holds to its last tick.
    let by_hand = |price: Option<i64>| {
        let mut case = Case::reduction(Phase::Paper);
        (case.intent.origin, case.at.quote) = (Origin::Person, None);
        (case.limits().price_min, case.limits().price_max) = (px(6_000), px(7_000));
        case.intent.price = price.map(px);
        if price.is_none() {
            case.at_market();
        }
        denial(&case.verdict()).map(|denial| (denial.code, denial.scope))
    };
    let collar = Some((DenyCode::PriceCollar, Scope::Instrument));
    assert_eq!([by_hand(Some(6_000)), by_hand(Some(7_000))], [None, None]);
    assert_eq!([by_hand(Some(5_990)), by_hand(Some(7_010)), by_hand(None)], [collar; 3]);
    // A slice of a plan that is not signed is an order like any other.
    let house = |c: &mut Case| (c.intent.origin, c.at.killed) = (Origin::House, true);
    check_exit(house, "KILL_ACTIVE");
    check_exit(
        |c| {
            house(c);
            c.at.flatten = true;
        },
        "APPROVE",
    );
}

/// A19: the book may be the attacker's own. The signed band and the window hold beside the collar.
#[test]
fn a19_the_band_and_the_window_hold_whatever_the_book_says() {
    let pushed = |c: &mut Case| {
        // The book jumps up by half, and the order follows it.
        let quote = c.at.quote.as_mut().unwrap();
        (quote.bid, quote.ask) = (px(14_990), px(15_010));
        c.intent.price = Some(px(15_000));
    };
    check(pushed, "PRICE_COLLAR_WINDOW");
    check(
        |c| {
            pushed(c);
            c.limits().price_max = px(14_990);
        },
        "PRICE_BOUND",
    );
    // The same sale is good for us, and a sale after a fall is not.
    let sell = |px_units: i64| {
        move |c: &mut Case| {
            c.intent.side = Side::Sell;
            let quote = c.at.quote.as_mut().unwrap();
            (quote.bid, quote.ask) = (px(px_units - 10), px(px_units + 10));
            c.intent.price = Some(px(px_units));
        }
    };
    check(sell(15_000), "APPROVE");
    check(sell(6_000), "PRICE_COLLAR_WINDOW");
    check(
        |c| {
            sell(6_000)(c);
            c.limits().price_min = px(6_010);
        },
        "PRICE_BOUND",
    );
    // A window that contradicts itself is none.
    let window = |low: i64, high: i64| {
        move |c: &mut Case| {
            let window = c.at.window.as_mut().unwrap();
            (window.low_twice, window.high_twice) = (low, high);
        }
    };
    check(window(20_001, 20_000), "NO_REFERENCE_PRICE");
    check(window(0, 20_000), "NO_REFERENCE_PRICE");
    check(window(-20_000, -10_000), "NO_REFERENCE_PRICE");
}

/// A20: trading at the edge with an accomplice, and bleeding by fees, are losses with limits of
/// their own.
#[test]
fn a20_adverse_fills_and_fees_have_limits() {
    let lost = |adverse: &'static str, fees: &'static str| {
        move |c: &mut Case| {
            c.all_limits().account.activity.adverse_fill_max = money("50");
            c.all_limits().account.activity.fees_max = money("20");
            (c.at.whole.adverse, c.at.whole.fees) = (Some(money(adverse)), Some(money(fees)));
        }
    };
    check(lost("49.999999999999999999", "19.999999999999999999"), "APPROVE");
    check(lost("50", "0"), "MAX_ADVERSE_FILL");
    check(lost("0", "20"), "MAX_FEES");
    // What fills gained against the middle is no loss.
    check(lost("-1000", "-1000"), "APPROVE");
}

/// A derivative is bounded by leverage and exposure; it needs no balance, but a fresh reading.
#[test]
fn a_derivative_needs_no_balance_but_a_fresh_reading() {
    let linear = |change: fn(&mut Case)| {
        move |c: &mut Case| {
            c.instrument().kind = InstrumentKind::Linear;
            c.at.balance = Some(Balance { base: qty(0), quote: money("0"), read: BOOT });
            change(c);
        }
    };
    check(linear(|_| {}), "APPROVE");
    check(linear(|c| c.intent.side = Side::Sell), "APPROVE");
    check(linear(|c| c.balance().read.0 += 1), "STALE_ACCOUNT");
    // Covering without a quote only takes off: it claims next to nothing.
    let mut case = Case::new(Phase::Paper);
    linear(|c| {
        cover(c);
        c.at_market();
        c.at.quote = None;
    })(&mut case);
    let Verdict::Approve(approved) = case.verdict() else { panic!("{}", case.answer()) };
    assert_eq!(approved.reserve_px(), px(10));
}
