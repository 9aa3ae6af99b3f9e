//! Whose limit it was: account, venue, host or strategy. The strictest is named.

use portcullis_domain::Phase;
use portcullis_domain::policy::{LimitTable, ScopeLimits};
use portcullis_gate::Scope;

use crate::fixture::{Case, denial};
use crate::people::money;

type Limits = fn(&mut Case) -> &mut ScopeLimits;

/// The scopes in whose limits all strategies are counted together.
const SCOPES: [(Scope, Limits); 3] = [
    (Scope::Account, |c| &mut c.all_limits().account),
    (Scope::Venue, |c| &mut c.all_limits().venue),
    (Scope::Host, |c| &mut c.all_limits().host),
];

/// Narrows one key of each scope in turn, and compares code and scope of the denial.
#[track_caller]
fn check(narrow: fn(&mut ScopeLimits), setup: fn(&mut Case), expect: &str) {
    for (scope, limits) in SCOPES {
        let mut case = Case::new(Phase::Paper);
        setup(&mut case);
        assert_eq!(case.answer(), "APPROVE");
        narrow(limits(&mut case));
        let denial = denial(&case.verdict()).unwrap();
        let budget = expect == "MAX_MSG_RATE" && scope == Scope::Venue;
        let expect = if budget { "VENUE_RATE_BUDGET" } else { expect };
        assert_eq!((denial.code.code(), denial.scope), (expect, scope));
    }
}

#[test]
fn the_strictest_scope_is_named_where_a_limit_is_graded() {
    let half = |c: &mut Case| c.at.size_percent = 50;
    check(|s| s.activity.order_value_max = money("19"), half, "MAX_ORDER_NOTIONAL");
    check(|s| s.activity.gross_exposure_max = money("19"), half, "MAX_GROSS_EXPOSURE");
}

/// The throttle has two keys, a number and a window: the window is not mistaken for the number.
#[test]
fn the_strictest_scope_is_named_by_the_throttle() {
    let busy = |c: &mut Case| {
        c.at.whole.executions = 5;
        c.all_limits().account.activity.repeat_window_ms = 5;
    };
    check(|s| s.activity.repeat_executions_max = 5, busy, "REPEAT_EXEC_THROTTLE");
}

#[test]
fn the_strictest_scope_is_named_where_money_is_multiplied() {
    let geared = |c: &mut Case| c.at.whole.gross = Some(money("1001"));
    check(|s| s.standing.leverage_hundredths_max = 100, geared, "MAX_LEVERAGE");
}

#[test]
fn the_venues_budget_has_a_code_of_its_own() {
    let asked = |c: &mut Case| c.at.whole.messages = 8;
    check(|s| s.activity.messages_per_second_max = 10, asked, "MAX_MSG_RATE");
}

/// The rest of the keys are in `boundary`, scope by scope; these two tables have one row a code
/// but for the throttle.
#[test]
fn a_code_names_one_limit_of_a_scope() {
    fn codes<T: LimitTable>() -> Vec<&'static str> {
        T::ROWS.iter().map(|row| row.denies).collect()
    }
    let mut all = codes::<portcullis_domain::policy::ActivityLimits>();
    all.extend(codes::<portcullis_domain::policy::StandingLimits>());
    all.sort_unstable();
    let twice: Vec<_> = all.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert_eq!(twice, [["REPEAT_EXEC_THROTTLE", "REPEAT_EXEC_THROTTLE"]]);
}
