//! Every key of every table of limits: what it just admits, what it just denies, with which code,
//! and whose limit is named. The warning level likewise.

use std::collections::BTreeSet;

use portcullis_domain::policy::{
    ActivityLimits, Direction, InstrumentLimits, LimitRow, LimitTable, Rules, StandingLimits,
};
use portcullis_domain::{Money, Phase, Position, Side};
use portcullis_gate::{Scope, Until, Usage, Verdict};

use crate::fixture::{BOOT, Case, denial, word};
use crate::people::{HOUR_NS, NOW, money, px, qty};

/// How a number is held against its limit.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// Denied above the limit; warned of from the warning level on.
    Above(i128),
    /// Denied at the limit already; warned of likewise.
    At(i128),
    /// Denied beyond the limit, in its direction; there is no warning.
    Quiet(i128),
}
use Held::{Above, At, Quiet};

/// A key, the number that is held against it, and the circumstances in which it is that number.
type Edge = (&'static str, Held, fn(&mut Case));

/// A code, and what sets its limit to some percent of what the order needs.
type Size = (&'static str, fn(&mut Case, i128));

/// One unit of money.
const ONE: i128 = 1_000_000_000_000_000_000;
const HALF_SECOND_NS: i64 = 500_000_000;

const INSTRUMENT: &[Edge] = &[
    ("order_qty_max", Above(10_000), |_| {}),
    ("order_notional_max", Above(10 * ONE), |_| {}),
    ("position_qty_max", Above(16_000), |c| c.at.position = Some(Position(6_000))),
    ("short_qty_max", Above(10_000), |c| c.intent.side = Side::Sell),
    ("exposure_max", Above(12 * ONE), |c| c.at.exposure = Some(money("12"))),
    ("price_min", Quiet(10_000), |_| {}),
    ("price_max", Quiet(10_000), |_| {}),
    ("price_collar_bps", Quiet(50), |c| c.intent.price = Some(px(10_050))),
    ("price_collar_window_bps", Quiet(50), |c| c.intent.price = Some(px(10_050))),
    ("market_data_age_ms_max", Quiet(500), |c| c.quote().received = BOOT.plus_ns(-HALF_SECOND_NS)),
    ("metadata_age_ms_max", Quiet(1_000), |_| {}),
    ("duplicate_window_ms", Quiet(500), |c| {
        c.at.same_approved = Some(BOOT.plus_ns(-HALF_SECOND_NS));
    }),
    ("cooldown_ms", Quiet(500), |c| c.at.reduced = Some(BOOT.plus_ns(-HALF_SECOND_NS))),
];

const ACTIVITY: &[Edge] = &[
    ("order_value_max", Above(10 * ONE), |_| {}),
    ("gross_exposure_max", Above(12 * ONE), |c| used(c, |u| u.gross = Some(money("12")))),
    ("open_orders_max", Above(4), |c| used(c, |u| u.open_orders = 3)),
    ("open_positions_max", Above(4), |c| used(c, |u| u.positions = 4)),
    ("open_proposals_max", Quiet(4), |c| {
        *c = Case::new(Phase::ManualLive);
        used(c, |u| u.proposals = 3);
    }),
    ("orders_per_session_max", Above(4), |c| used(c, |u| u.orders = 3)),
    // A fifth of five is kept for cancels.
    ("messages_per_second_max", Quiet(5), |c| used(c, |u| u.messages = 3)),
    ("loss_session_max", At(4 * ONE), |c| used(c, |u| u.profit = Some(money("-4")))),
    ("drawdown_max", At(4 * ONE), |c| used(c, |u| u.drawdown = Some(money("4")))),
    ("adverse_fill_max", At(4 * ONE), |c| used(c, |u| u.adverse = Some(money("4")))),
    ("fees_max", At(4 * ONE), |c| used(c, |u| u.fees = Some(money("4")))),
    ("repeat_executions_max", At(4), |c| used(c, |u| u.executions = 4)),
];

const STANDING: &[Edge] = &[
    ("daily_notional_max", Above(20 * ONE), |c| c.at.across.notional = Some(money("10"))),
    ("loss_day_max", At(4 * ONE), |c| c.at.across.profit_day = Some(money("-4"))),
    ("loss_week_max", At(4 * ONE), |c| c.at.across.profit_week = Some(money("-4"))),
    ("leverage_hundredths_max", Above(400), |c| {
        c.at.whole.gross = Some(money("40"));
        c.at.across.equity = Some(money("10"));
    }),
];

const RULES: &[Edge] = &[
    ("account_age_ms_max", Quiet(500), |c| c.balance().read = BOOT.plus_ns(-HALF_SECOND_NS)),
    ("clock_skew_ms_max", Quiet(500), |c| c.at.clock_offset_ns = Some(-HALF_SECOND_NS)),
    ("conversion_age_ms_max", Quiet(1_000), |c| c.account_in_usd("1")),
    ("cancel_share_percent", Quiet(20), |c| {
        c.all_limits().account.activity.messages_per_second_max = 5;
        c.at.whole.messages = 3;
    }),
];

/// Keys that nothing is held against here, and what they are for.
const ELSEWHERE: [(&str, &str); 6] = [
    ("price_collar_window_ms", "the core measures the window; here it is the length of the pause"),
    ("repeat_window_ms", "the core counts the executions within it"),
    ("conversion_haircut_bps", "it measures what others judge"),
    ("warning_percent", "it denies nothing"),
    ("proposal_ttl_ms", "the release of a proposal"),
    ("price_drift_bps", "the release of a proposal"),
];

/// What the strategy and everybody has used.
fn used(case: &mut Case, change: fn(&mut Usage)) {
    change(case.strategy());
    change(&mut case.at.whole);
}

fn row<T: LimitTable>(key: &str) -> &'static LimitRow<T> {
    T::ROWS.iter().find(|row| row.name == key).unwrap()
}

/// The verdict with one key of one table at `number`.
fn asked<T: LimitTable>(edge: &Edge, table: fn(&mut Case) -> &mut T, number: i128) -> Verdict {
    let mut case = Case::new(Phase::Paper);
    (edge.2)(&mut case);
    (row::<T>(edge.0).put)(table(&mut case), number).unwrap();
    case.verdict()
}

/// One key of one scope: the last number that admits, and the first that denies.
fn check<T: LimitTable>(scope: Scope, table: fn(&mut Case) -> &mut T, edges: &[Edge]) {
    for edge in edges {
        let (what, row) = (format!("{} of {scope:?}", edge.0), row::<T>(edge.0));
        let last = match edge.1 {
            Above(seen) | Quiet(seen) => seen,
            At(seen) => seen + 1,
        };
        let first = match row.stricter {
            Direction::SmallerIsStricter => last - 1,
            Direction::LargerIsStricter => last + 1,
        };
        let yes = if edge.0 == "open_proposals_max" { "PROPOSE" } else { "APPROVE" };
        assert_eq!(word(&asked(edge, table, last)), yes, "{what} at {last}");
        let denial = denial(&asked(edge, table, first)).unwrap();
        let budget = (row.denies, scope) == ("MAX_MSG_RATE", Scope::Venue);
        let code = if budget { "VENUE_RATE_BUDGET" } else { row.denies };
        assert_eq!((denial.code.code(), denial.scope), (code, scope), "{what} at {first}");
        if let Above(seen) | At(seen) = edge.1 {
            check_warning(edge, table, seen, scope);
        }
    }
}

/// At 80 percent exactly there is a warning of that code and scope, and below there is none.
fn check_warning<T: LimitTable>(
    edge: &Edge,
    table: fn(&mut Case) -> &mut T,
    seen: i128,
    scope: Scope,
) {
    let warned = |limit: i128| {
        let Verdict::Approve(approved) = asked(edge, table, limit) else { panic!("{}", edge.0) };
        approved.warnings().iter().map(|w| (w.code.code(), w.scope)).collect::<Vec<_>>()
    };
    let level = seen * 5 / 4;
    assert_eq!(warned(level), [(row::<T>(edge.0).denies, scope)], "{} at {level}", edge.0);
    assert_eq!(warned(level + 1), [], "{} beyond {level}", edge.0);
}

#[test]
fn each_limit_of_an_instrument_at_its_edge() {
    check::<InstrumentLimits>(Scope::Instrument, Case::limits, INSTRUMENT);
}

#[test]
fn each_limit_of_activity_at_its_edge_in_each_scope() {
    fn of_strategy(case: &mut Case) -> &mut ActivityLimits {
        case.all_limits().strategies.values_mut().next().unwrap()
    }
    check::<ActivityLimits>(Scope::Account, |c| &mut c.all_limits().account.activity, ACTIVITY);
    check::<ActivityLimits>(Scope::Venue, |c| &mut c.all_limits().venue.activity, ACTIVITY);
    check::<ActivityLimits>(Scope::Host, |c| &mut c.all_limits().host.activity, ACTIVITY);
    check::<ActivityLimits>(Scope::Strategy, of_strategy, ACTIVITY);
}

#[test]
fn each_standing_limit_at_its_edge_in_each_scope() {
    check::<StandingLimits>(Scope::Account, |c| &mut c.all_limits().account.standing, STANDING);
    check::<StandingLimits>(Scope::Venue, |c| &mut c.all_limits().venue.standing, STANDING);
    check::<StandingLimits>(Scope::Host, |c| &mut c.all_limits().host.standing, STANDING);
}

#[test]
fn each_rule_at_its_edge() {
    for edge in RULES {
        let scope = match edge.0 {
            "clock_skew_ms_max" => Scope::Host,
            "conversion_age_ms_max" => Scope::Instrument,
            _ => Scope::Account,
        };
        check::<Rules>(scope, |c| &mut c.all_limits().rules, &[*edge]);
    }
}

/// A key that no row holds a number against is a hole in this file.
#[test]
fn every_key_has_an_edge_here_or_a_reason() {
    fn names<T: LimitTable>() -> Vec<&'static str> {
        T::ROWS.iter().map(|row| row.name).collect()
    }
    let edges = [INSTRUMENT, ACTIVITY, STANDING, RULES].concat();
    let here = edges.iter().map(|edge| edge.0).chain(ELSEWHERE.map(|(key, _)| key));
    let keys = [
        names::<InstrumentLimits>(),
        names::<ActivityLimits>(),
        names::<StandingLimits>(),
        names::<Rules>(),
    ];
    let keys = keys.concat();
    assert_eq!(here.clone().count(), keys.len());
    assert_eq!(here.collect::<BTreeSet<_>>(), keys.into_iter().collect());
}

/// Alters one thing of an order that is approved; compares answer and the codes of the warnings.
#[track_caller]
fn check_one(change: impl FnOnce(&mut Case), expect: &str, warned: &[&str]) {
    let mut case = Case::new(Phase::Paper);
    change(&mut case);
    let verdict = case.verdict();
    assert_eq!(word(&verdict), expect);
    if let Verdict::Approve(approved) = verdict {
        let codes: Vec<_> = approved.warnings().iter().map(|w| w.code.code()).collect();
        assert_eq!(codes, warned);
    }
}

#[test]
fn the_level_of_warnings_is_a_rule() {
    let percent = |percent: u32| {
        move |c: &mut Case| {
            c.limits().order_qty_max = qty(12_500);
            c.all_limits().rules.warning_percent = percent;
        }
    };
    check_one(percent(80), "APPROVE", &["MAX_ORDER_QTY"]);
    check_one(percent(81), "APPROVE", &[]);
    // The venue's budget of 7 leaves 5, of which 4 are 80 percent; of 8 it leaves 6.
    let budget = |budget: u32| {
        move |c: &mut Case| {
            c.at.whole.messages = 3;
            c.all_limits().venue.activity.messages_per_second_max = budget;
        }
    };
    check_one(budget(7), "APPROVE", &["VENUE_RATE_BUDGET"]);
    check_one(budget(8), "APPROVE", &[]);
    // A fifth of 125 is kept for cancels, and not one more.
    for (messages, expect) in [(99, "APPROVE"), (100, "MAX_MSG_RATE")] {
        let mut case = Case::new(Phase::Paper);
        case.all_limits().account.activity.messages_per_second_max = 125;
        case.at.whole.messages = messages;
        assert_eq!(case.answer(), expect);
    }
    // Nothing used is nothing to warn of, whatever the limit.
    check_one(|c| c.at.whole.fees = Some(Money::ZERO), "APPROVE", &[]);
    let flat = |c: &mut Case| {
        (c.intent.side, c.at.position) = (Side::Sell, Some(Position(10_000)));
        c.limits().short_qty_max = qty(0);
    };
    check_one(flat, "APPROVE", &[]);
}

/// The haircut is on top of what is converted: ten at par and one percent.
#[test]
fn a_converted_value_carries_the_haircut() {
    let haircut = |bps: u32| {
        move |c: &mut Case| {
            c.account_in_usd("1");
            c.all_limits().rules.conversion_haircut_bps = bps;
            c.all_limits().account.activity.order_value_max = money("10.1");
            c.all_limits().rules.warning_percent = 100;
        }
    };
    check_one(haircut(100), "APPROVE", &["MAX_ORDER_NOTIONAL"]);
    check_one(haircut(101), "MAX_ORDER_NOTIONAL", &[]);
}

/// After a kill was lifted the sizes come back in steps; more than all of them there is not.
#[test]
fn sizes_come_back_in_steps() {
    let sizes: [Size; 6] = [
        ("MAX_ORDER_QTY", |c, n| c.limits().order_qty_max = qty(scaled(10_000, n))),
        ("MAX_ORDER_NOTIONAL", |c, n| c.limits().order_notional_max = Money(10 * ONE * n / 100)),
        ("MAX_POSITION", |c, n| c.limits().position_qty_max = qty(scaled(10_000, n))),
        ("MAX_SYMBOL_EXPOSURE", |c, n| c.limits().exposure_max = Money(10 * ONE * n / 100)),
        ("MAX_ORDER_NOTIONAL", |c, n| {
            c.all_limits().host.activity.order_value_max = Money(10 * ONE * n / 100);
        }),
        ("MAX_GROSS_EXPOSURE", |c, n| {
            c.all_limits().host.activity.gross_exposure_max = Money(10 * ONE * n / 100);
        }),
    ];
    for (code, narrow) in sizes {
        for (percent, enough, short) in
            [(50, 200, 199), (75, 134, 133), (99, 102, 101), (100, 100, 99), (200, 100, 99)]
        {
            let graded = |number: i128| {
                let mut case = Case::new(Phase::Paper);
                case.at.size_percent = percent;
                narrow(&mut case, number);
                case.answer()
            };
            assert_eq!((graded(enough), graded(short)), ("APPROVE", code), "{percent} %");
        }
    }
    check_one(|c| c.at.size_percent = 0, "MAX_ORDER_QTY", &[]);
}

fn scaled(number: i64, percent: i128) -> i64 {
    i64::try_from(i128::from(number) * percent / 100).unwrap()
}

/// The order's own numbers, a tick or a lot at a time.
#[test]
fn a_tick_or_a_lot_decides() {
    check_one(|c| c.intent.price = Some(px(9_990)), "APPROVE", &[]);
    check_one(|c| c.intent.price = Some(px(9_991)), "TICK_SIZE", &[]);
    check_one(|c| c.intent.qty = qty(10_010), "APPROVE", &[]);
    check_one(|c| c.intent.qty = qty(10_011), "LOT_SIZE", &[]);
    let small = |units: i64| {
        move |c: &mut Case| {
            c.instrument().notional_min = money("0");
            c.intent.qty = qty(units);
        }
    };
    check_one(small(100), "APPROVE", &[]);
    check_one(small(90), "LOT_SIZE", &[]);
    // 0.05 at 100.00 is worth 5.
    check_one(|c| c.intent.qty = qty(5_000), "APPROVE", &[]);
    check_one(|c| c.intent.qty = qty(4_990), "MIN_NOTIONAL", &[]);
    // The middle is 100.00, the collar one percent, both ways.
    for (price, expect) in
        [(10_100, "APPROVE"), (10_110, "PRICE_COLLAR"), (9_900, "APPROVE"), (9_890, "PRICE_COLLAR")]
    {
        check_one(|c| c.intent.price = Some(px(price)), expect, &[]);
    }
    // A fraction of a basis point above is above: the middle is 100.005 here, its collar 101.00505.
    for (price, expect) in [(10_100, "APPROVE"), (10_101, "PRICE_COLLAR")] {
        check_one(
            |c| {
                c.instrument().tick = px(1);
                c.quote().ask = px(10_011);
                c.intent.price = Some(px(price));
            },
            expect,
            &[],
        );
    }
}

/// What is denied for a time says until when, and what a person has to end says that.
#[test]
fn a_pause_says_until_when() {
    let until = |change: fn(&mut Case)| {
        let mut case = Case::new(Phase::Paper);
        change(&mut case);
        let Verdict::Pause(pause) = case.verdict() else { panic!("{}", case.answer()) };
        assert!(!pause.denial.cure().is_empty());
        (pause.denial.code.code(), pause.denial.scope, pause.until)
    };
    let cooldown = until(|c| {
        c.limits().cooldown_ms = 700;
        c.at.reduced = Some(BOOT.plus_ns(-HALF_SECOND_NS));
    });
    let end = Until::Boot(BOOT.plus_ns(200_000_000));
    assert_eq!(cooldown, ("COOLDOWN", Scope::Instrument, end));
    let window = until(|c| {
        c.limits().price_collar_window_ms = 300;
        c.at.window.as_mut().unwrap().low_twice = 10_000;
    });
    let end = Until::Boot(BOOT.plus_ns(300_000_000));
    assert_eq!(window, ("PRICE_COLLAR_WINDOW", Scope::Instrument, end));
    let repeats = until(|c| c.at.whole.executions = 1_000);
    assert_eq!(repeats, ("REPEAT_EXEC_THROTTLE", Scope::Account, Until::Person));
    let disabled = until(|c| c.at.disabled = true);
    assert_eq!(disabled, ("REPEAT_EXEC_THROTTLE", Scope::Strategy, Until::Person));
}

/// The window of a session and the life of its approval end before their last moment.
#[test]
fn windows_are_half_open() {
    for (wall, expect) in [
        (-1, "OUTSIDE_SESSION_WINDOW"),
        (0, "APPROVE"),
        (HOUR_NS - 1, "APPROVE"),
        (HOUR_NS, "OUTSIDE_SESSION_WINDOW"),
    ] {
        check_one(
            |c| (c.at.now.wall, c.at.metadata_read) = (NOW.plus_ns(wall), Some(NOW.plus_ns(-1))),
            expect,
            &[],
        );
    }
    for (wall, expect) in [(9, "APPROVE"), (10, "APPROVAL_EXPIRED")] {
        check_one(
            |c| {
                c.house.paper.expires = NOW.plus_ns(10);
                c.at.now.wall = NOW.plus_ns(wall);
            },
            expect,
            &[],
        );
    }
}
