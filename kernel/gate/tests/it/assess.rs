//! Each check of the gate, at its limit and one unit beyond.

use portcullis_domain::{InstrumentId, OrdType, Origin, Phase, PluginId, Position, Side, WallNs};
use portcullis_gate::{Quote, Standing, Verdict, reason_codes_markdown};
use portcullis_statement::Digest;

use crate::fixture::Case;
use crate::people::{HOUR_NS, NOW, money, px, qty};

/// Alters one thing of an order that is approved, and compares the answer.
#[track_caller]
fn check(change: impl FnOnce(&mut Case), expect: &str) {
    let mut case = Case::new(Phase::Paper);
    change(&mut case);
    assert_eq!(case.answer(), expect);
}

/// As [`check`], with the numbers of the denial.
#[track_caller]
fn check_figures(change: impl FnOnce(&mut Case), expect: (&str, &str, &str)) {
    let mut case = Case::new(Phase::Paper);
    change(&mut case);
    let Verdict::Deny(denial) = case.verdict() else { panic!("approved") };
    let text = |figure: Option<portcullis_gate::Figure>| figure.unwrap().text();
    let seen = (denial.code.code(), text(denial.observed), text(denial.limit));
    assert_eq!(seen, (expect.0, expect.1.to_owned(), expect.2.to_owned()));
}

#[test]
fn a_good_order_is_approved_with_what_it_reserves_and_under_whose_signatures() {
    let case = Case::new(Phase::Paper);
    let Verdict::Approve(approved) = case.verdict() else { panic!("denied") };
    assert_eq!(approved.item(), &case.intent);
    assert_eq!(approved.reserve_px(), px(10_000));
    assert_eq!(approved.at(), case.at.now);
    assert_eq!(approved.authority().genesis, case.house.trust.fingerprint());
    let mut market = Case::new(Phase::Paper);
    (market.intent.ord_type, market.intent.price) = (OrdType::Market, None);
    let Verdict::Approve(approved) = market.verdict() else { panic!("denied") };
    assert_eq!(approved.reserve_px(), px(10_010));
}

#[test]
fn phases_decide_what_becomes_of_a_good_order() {
    for (phase, expect) in [
        (Phase::Shadow, "WOULD_BE"),
        (Phase::Paper, "APPROVE"),
        (Phase::BoundedAuto, "APPROVE"),
        (Phase::PreLive, "LIVE_LOCKED"),
        (Phase::ManualLive, "LIVE_LOCKED"),
        (Phase::MonitoredAuto, "LIVE_LOCKED"),
        (Phase::Continuous, "LIVE_LOCKED"),
    ] {
        assert_eq!(Case::new(phase).answer(), expect, "{phase:?}");
    }
}

#[test]
fn tick_lot_and_smallest_sizes() {
    check(|c| c.intent.price = Some(px(9_990)), "APPROVE");
    check_figures(|c| c.intent.price = Some(px(9_991)), ("TICK_SIZE", "99.91", "0.1"));
    check(|c| c.intent.qty = qty(10_010), "APPROVE");
    check_figures(|c| c.intent.qty = qty(10_011), ("LOT_SIZE", "0.10011", "0.0001"));
    check(|c| c.intent.qty = qty(0), "LOT_SIZE");
    let small = |units: i64| {
        move |c: &mut Case| {
            c.instrument().notional_min = money("0");
            c.intent.qty = qty(units);
        }
    };
    check(small(100), "APPROVE");
    check_figures(small(90), ("LOT_SIZE", "0.0009", "0.001"));
    // 0.05 at 100.00 is worth 5.
    check(|c| c.intent.qty = qty(5_000), "APPROVE");
    check_figures(|c| c.intent.qty = qty(4_990), ("MIN_NOTIONAL", "4.99", "5"));
}

#[test]
fn order_size_and_value() {
    let wide = |units: i64| {
        move |c: &mut Case| {
            c.limits().order_notional_max = money("1000");
            c.intent.qty = qty(units);
        }
    };
    check(wide(100_000), "APPROVE");
    check_figures(wide(100_010), ("MAX_ORDER_QTY", "1.0001", "1"));
    check(|c| c.intent.qty = qty(80_000), "APPROVE");
    check_figures(|c| c.intent.qty = qty(80_010), ("MAX_ORDER_NOTIONAL", "80.01", "80"));
}

#[test]
fn the_worst_case_of_position_and_working_orders_counts() {
    let buy = |held: i64, working: i64| {
        move |c: &mut Case| {
            c.at.position = Position(held);
            c.at.working.buy_qty = qty(working);
        }
    };
    check(buy(100_000, 90_000), "APPROVE");
    check_figures(buy(100_000, 90_010), ("MAX_POSITION", "2.0001", "2"));
    check(buy(-100_000, 290_000), "APPROVE");
    check(buy(-100_000, 290_010), "MAX_POSITION");
    // Sells that work do not make room: they may never fill.
    check(
        |c| {
            buy(190_010, 0)(c);
            c.at.working.sell_qty = qty(200_000);
        },
        "MAX_POSITION",
    );
    let sell = |held: i64, working: i64| {
        move |c: &mut Case| {
            c.intent.side = Side::Sell;
            c.at.position = Position(held);
            c.at.working.sell_qty = qty(working);
        }
    };
    check(sell(-100_000, 90_000), "APPROVE");
    check(sell(-100_000, 90_010), "MAX_POSITION");
    check(buy(i64::MAX, i64::MAX), "MAX_POSITION");
}

#[test]
fn the_account_holds_the_value_the_fee_and_what_is_reserved() {
    let quote =
        |held: &'static str| move |c: &mut Case| c.at.balance.as_mut().unwrap().quote = money(held);
    // 10 for the order and 0.01 for the fee.
    check(quote("10.01"), "APPROVE");
    check_figures(quote("10.009999"), ("INSUFFICIENT_BALANCE", "10.01", "10.009999"));
    let reserved =
        |text: &'static str| move |c: &mut Case| c.at.working.reserved_quote = money(text);
    check(reserved("989.99"), "APPROVE");
    check(reserved("989.990001"), "INSUFFICIENT_BALANCE");
    let base = |held: i64, working: i64| {
        move |c: &mut Case| {
            c.intent.side = Side::Sell;
            c.at.balance.as_mut().unwrap().base = qty(held);
            c.at.working.sell_qty = qty(working);
        }
    };
    check(base(15_000, 5_000), "APPROVE");
    check(base(15_000, 5_001), "INSUFFICIENT_BALANCE");
    check(|c| c.at.balance = None, "STALE_ACCOUNT");
}

#[test]
fn the_price_collar_is_exact() {
    // The middle is 100.00 and the collar 50 basis points.
    check(|c| c.intent.price = Some(px(10_050)), "APPROVE");
    check_figures(|c| c.intent.price = Some(px(10_060)), ("PRICE_COLLAR", "60", "50"));
    check(|c| c.intent.price = Some(px(9_950)), "APPROVE");
    check(|c| c.intent.price = Some(px(9_940)), "PRICE_COLLAR");
    // A fraction of a basis point above is above: the middle is 100.005 here.
    let fraction = |units: i64| {
        move |c: &mut Case| {
            c.instrument().tick = px(1);
            c.at.quote.as_mut().unwrap().ask = px(10_011);
            c.intent.price = Some(px(units));
        }
    };
    check(fraction(10_050), "APPROVE");
    check(fraction(10_051), "PRICE_COLLAR");
    // A market order is judged by the side of the quote that it takes.
    check(
        |c| {
            (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
            c.at.quote.as_mut().unwrap().ask = px(10_090);
        },
        "APPROVE",
    );
    check(
        |c| {
            (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
            c.at.quote.as_mut().unwrap().ask = px(10_100);
        },
        "PRICE_COLLAR",
    );
}

/// F5, F10, F12: what is missing, crossed, stale or contradictory is a denial, never a zero.
#[test]
fn f5_f12_market_data_that_is_missing_stale_or_contradictory_denies() {
    let received = |age_ns: i64| {
        move |c: &mut Case| {
            let boot = c.at.now.boot;
            c.at.quote.as_mut().unwrap().received = boot.plus_ns(-age_ns);
        }
    };
    check(received(2_000_000_000), "APPROVE");
    check(received(2_000_000_001), "STALE_MARKET_DATA");
    check_figures(received(2_001_000_000), ("STALE_MARKET_DATA", "2001", "2000"));
    check(received(0), "APPROVE");
    check(received(-1), "STALE_MARKET_DATA");
    check(|c| c.at.quote = None, "NO_REFERENCE_PRICE");
    check(|c| c.at.book_valid = false, "BOOK_INVALID");
    let crossed = |bid: i64| {
        move |c: &mut Case| c.at.quote = Some(Quote { bid: px(bid), ..c.at.quote.unwrap() })
    };
    check(crossed(10_000), "APPROVE");
    check(crossed(10_010), "NO_REFERENCE_PRICE");
    check(crossed(10_020), "NO_REFERENCE_PRICE");
}

#[test]
fn counts_and_rates() {
    check(|c| c.at.working.open_orders = 9, "APPROVE");
    check_figures(|c| c.at.working.open_orders = 10, ("MAX_OPEN_ORDERS", "10", "10"));
    check(|c| c.at.submits_last_second = 19, "APPROVE");
    check_figures(|c| c.at.submits_last_second = 20, ("MAX_MSG_RATE", "20", "20"));
    // A limit of zero admits nothing; there is no "unlimited".
    check(|c| c.account_limits().open_orders_max = 0, "MAX_OPEN_ORDERS");
    check(|c| c.account_limits().messages_per_second_max = 0, "MAX_MSG_RATE");
}

#[test]
fn time_and_the_state_of_the_house() {
    let wall = |at: WallNs| move |c: &mut Case| c.at.now.wall = at;
    check(wall(NOW), "APPROVE");
    check(wall(WallNs(NOW.0 - 1)), "OUTSIDE_SESSION_WINDOW");
    check(wall(NOW.plus_ns(HOUR_NS - 1)), "APPROVE");
    check(wall(NOW.plus_ns(HOUR_NS)), "OUTSIDE_SESSION_WINDOW");
    let expires = |at: WallNs| {
        move |c: &mut Case| {
            c.house.paper.expires = NOW.plus_ns(10);
            c.at.now.wall = at;
        }
    };
    check(expires(NOW.plus_ns(9)), "APPROVE");
    check(expires(NOW.plus_ns(10)), "APPROVAL_EXPIRED");
    check(|c| c.at.killed = true, "KILL_ACTIVE");
    check(|c| c.at.closing = true, "OUTSIDE_SESSION_WINDOW");
    check(|c| c.at.reduce_only = true, "REDUCE_ONLY");
    check(|c| c.at.reconciled = false, "RECON_UNRESOLVED");
    check(|c| c.at.working.any_unknown = true, "ORDER_UNKNOWN");
    check(|c| c.at.evidence_writable = false, "EVIDENCE_UNWRITABLE");
}

#[test]
fn who_asks_for_what() {
    check(|c| c.at.standing = Standing::Suspended, "PLUGIN_SUSPENDED");
    check(|c| c.at.component = Some(Digest::of(b"another")), "HASH_NOT_SIGNED");
    check(|c| c.at.component = None, "HASH_NOT_SIGNED");
    check(|c| c.intent.origin = Origin::Plugin(PluginId(1)), "HASH_NOT_SIGNED");
    check(|c| c.intent.instrument = InstrumentId(1), "INSTRUMENT_NOT_ALLOWED");
    check(|c| c.at.reference_used = true, "DUPLICATE_INTENT");
    check(|c| c.intent.ord_type = OrdType::Market, "ORDER_TYPE_NOT_ALLOWED");
    check(|c| c.intent.price = None, "ORDER_TYPE_NOT_ALLOWED");
}

#[test]
fn the_table_of_reason_codes_in_the_docs_is_this_one() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let written = std::fs::read_to_string(root.join("docs/reason-codes.md")).unwrap();
    assert_eq!(written, reason_codes_markdown());
}
