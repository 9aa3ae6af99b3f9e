//! Missing input -> code. What is missing, stale, crossed or from the future is a denial of new
//! exposure with a code of its own, and never a zero or a yes.

use portcullis_domain::policy::Limits;
use portcullis_domain::{InstrumentId, Origin, Phase, PluginId, Position, Qty, Side, WallNs};
use portcullis_gate::{
    Circumstances, GuardState, Guards, Quote, Scope, Standing, StandingUsage, Usage, VenueStatus,
    Working,
};
use portcullis_statement::{Digest, EndpointKind};

use crate::fixture::{BOOT, Case, PLUGIN, denial, word};
use crate::people::{NOW, floors, money, px, qty};

/// What is taken away or made worthless, and the answer.
type Row = (&'static str, fn(&mut Case), &'static str, Scope);

const STALE: &str = "STALE_MARKET_DATA";
const UNPRICED: &str = "NO_REFERENCE_PRICE";

const MARKET: &[Row] = &[
    ("quote", |c| c.at.quote = None, UNPRICED, Scope::Instrument),
    ("quote: crossed", |c| c.quote().bid = px(10_020), UNPRICED, Scope::Instrument),
    ("quote: locked", |c| c.quote().bid = px(10_010), UNPRICED, Scope::Instrument),
    (
        "quote: a second and a bit too old",
        |c| c.quote().received = BOOT.plus_ns(-2_000_000_001),
        STALE,
        Scope::Instrument,
    ),
    ("quote: from the future", |c| c.quote().received = BOOT.plus_ns(1), STALE, Scope::Instrument),
    ("quote: from another life", |c| c.quote().received.0 = i64::MIN, STALE, Scope::Instrument),
    ("window", |c| c.at.window = None, UNPRICED, Scope::Instrument),
    ("book", |c| c.at.book_valid = false, "BOOK_INVALID", Scope::Instrument),
    ("feed", |c| c.at.feed = None, "SYNTHETIC_DATA", Scope::Instrument),
    (
        "feed: more real than was approved",
        |c| c.at.feed = Some(EndpointKind::Real),
        "SYNTHETIC_DATA",
        Scope::Instrument,
    ),
    ("venue status", |c| c.at.venue_status = None, "VENUE_STATUS", Scope::Venue),
    (
        "venue status: maintenance",
        |c| c.at.venue_status = Some(VenueStatus::Maintenance),
        "VENUE_STATUS",
        Scope::Venue,
    ),
    ("metadata", |c| c.at.metadata_read = None, "INSTRUMENT_STALE", Scope::Instrument),
    (
        "metadata: from the future",
        |c| c.at.metadata_read = Some(c.at.now.wall.plus_ns(1)),
        "INSTRUMENT_STALE",
        Scope::Instrument,
    ),
    (
        "metadata: a day and a bit too old",
        |c| c.at.metadata_read = Some(c.at.now.wall.plus_ns(-86_400_000_000_001)),
        "INSTRUMENT_STALE",
        Scope::Instrument,
    ),
    (
        "metadata: from another life",
        |c| c.at.metadata_read = Some(WallNs(i64::MIN)),
        "INSTRUMENT_STALE",
        Scope::Instrument,
    ),
    ("marks", |c| c.at.marks_fresh = false, STALE, Scope::Account),
];

const ACCOUNT: &[Row] = &[
    ("position", |c| c.at.position = None, "STALE_ACCOUNT", Scope::Account),
    ("working orders", |c| c.at.working = None, "ORDER_UNKNOWN", Scope::Instrument),
    (
        "the fate of a working order",
        |c| c.working().any_unknown = true,
        "ORDER_UNKNOWN",
        Scope::Instrument,
    ),
    ("balance", |c| c.at.balance = None, "STALE_ACCOUNT", Scope::Account),
    (
        "balance: from the future",
        |c| c.balance().read = BOOT.plus_ns(1),
        "STALE_ACCOUNT",
        Scope::Account,
    ),
    (
        "balance: from another life",
        |c| c.balance().read.0 = i64::MIN,
        "STALE_ACCOUNT",
        Scope::Account,
    ),
    ("reconciliation", |c| c.at.reconciled = false, "RECON_UNRESOLVED", Scope::Account),
    ("component", |c| c.at.component = None, "HASH_NOT_SIGNED", Scope::Strategy),
    (
        "component: another one",
        |c| c.at.component = Some(Digest::of(b"another")),
        "HASH_NOT_SIGNED",
        Scope::Strategy,
    ),
    (
        "component: of a plugin that nobody approved",
        |c| c.intent.origin = Origin::Plugin(PluginId(1)),
        "HASH_NOT_SIGNED",
        Scope::Strategy,
    ),
    ("standing", |c| c.at.standing = Standing::Suspended, "PLUGIN_SUSPENDED", Scope::Strategy),
    ("evidence", |c| c.at.evidence_writable = false, "EVIDENCE_UNWRITABLE", Scope::Host),
    ("guardian", |c| c.at.guards.guardian = GuardState::Missing, "GUARDIAN_DOWN", Scope::Host),
    ("witness", |c| c.at.guards.witness = GuardState::Missing, "WITNESS_BEHIND", Scope::Host),
    (
        "dead-man switch",
        |c| c.at.guards.dead_man = GuardState::Missing,
        "DEADMAN_STALE",
        Scope::Host,
    ),
    ("presence", |c| c.at.guards.presence = GuardState::Missing, "PRESENCE_LAPSED", Scope::Host),
    (
        "distance to the last reduction: from the future",
        |c| c.at.reduced = Some(BOOT.plus_ns(1)),
        "COOLDOWN",
        Scope::Instrument,
    ),
    (
        "distance to the same order: from the future",
        |c| c.at.same_approved = Some(BOOT.plus_ns(1)),
        "DUPLICATE_INTENT",
        Scope::Instrument,
    ),
    (
        "clock: as far off as can be",
        |c| c.at.clock_offset_ns = Some(i64::MIN),
        "CLOCK_SKEW",
        Scope::Host,
    ),
];

const MONEY: &[Row] = &[
    ("exposure", |c| c.at.exposure = None, UNPRICED, Scope::Instrument),
    ("gross exposure", |c| c.at.whole.gross = None, UNPRICED, Scope::Account),
    ("profit", |c| c.at.whole.profit = None, UNPRICED, Scope::Account),
    ("drawdown", |c| c.at.whole.drawdown = None, UNPRICED, Scope::Account),
    ("adverse fills", |c| c.at.whole.adverse = None, UNPRICED, Scope::Account),
    ("fees", |c| c.at.whole.fees = None, UNPRICED, Scope::Account),
    ("strategy", |c| c.at.strategy = None, "APPROVAL_MISSING", Scope::Strategy),
    ("strategy's gross exposure", |c| c.strategy().gross = None, UNPRICED, Scope::Account),
    ("strategy's profit", |c| c.strategy().profit = None, UNPRICED, Scope::Account),
    ("strategy's drawdown", |c| c.strategy().drawdown = None, UNPRICED, Scope::Account),
    ("strategy's adverse fills", |c| c.strategy().adverse = None, UNPRICED, Scope::Account),
    ("strategy's fees", |c| c.strategy().fees = None, UNPRICED, Scope::Account),
    (
        "value of the day's orders",
        |c| c.at.across.notional = None,
        "NO_CONVERSION_PRICE",
        Scope::Account,
    ),
    ("profit of the day", |c| c.at.across.profit_day = None, UNPRICED, Scope::Account),
    ("profit of the week", |c| c.at.across.profit_week = None, UNPRICED, Scope::Account),
    ("equity", |c| c.at.across.equity = None, "STALE_ACCOUNT", Scope::Account),
    (
        "equity: below zero",
        |c| c.at.across.equity = Some(money("-1")),
        "MAX_LEVERAGE",
        Scope::Account,
    ),
    (
        "conversion: a day and a bit too old",
        |c| {
            c.account_in_usd("1");
            conversion(c, -86_399_000_000_001);
        },
        "NO_CONVERSION_PRICE",
        Scope::Instrument,
    ),
    (
        "conversion: from the future",
        |c| {
            c.account_in_usd("1");
            conversion(c, 1_000_000_001);
        },
        "NO_CONVERSION_PRICE",
        Scope::Instrument,
    ),
    (
        "everything that a strategy has used",
        |c| c.at.strategy = Some(Usage::default()),
        UNPRICED,
        Scope::Account,
    ),
    ("everything that all have used", |c| c.at.whole = Usage::default(), UNPRICED, Scope::Account),
    (
        "everything that the account has used",
        |c| c.at.across = StandingUsage::default(),
        "STALE_ACCOUNT",
        Scope::Account,
    ),
];

/// Dates the price of the instrument's currency, from the opening of the window.
fn conversion(case: &mut Case, from_now_ns: i64) {
    let conversion = case.all_limits().conversions.get_mut("USDT").unwrap();
    conversion.as_of = NOW.plus_ns(from_now_ns);
}

#[track_caller]
fn check(rows: &[Row]) {
    for (what, take_away, expect, scope) in rows {
        let mut case = Case::new(Phase::Paper);
        take_away(&mut case);
        let denial = denial(&case.verdict()).map(|denial| (denial.code.code(), denial.scope));
        assert_eq!(denial, Some((*expect, *scope)), "without {what}");
    }
}

/// F5: an absent price, feed, status or date is unhealthy.
#[test]
fn f5_a_market_that_is_not_known_denies() {
    check(MARKET);
}

/// F5: an absent reading of the account, of a watcher or of the clock is unhealthy.
#[test]
fn f5_a_house_that_does_not_know_itself_denies() {
    check(ACCOUNT);
}

/// F10: a figure that nobody knows is above its limit, not zero.
#[test]
fn f10_a_figure_that_nobody_knows_denies() {
    check(MONEY);
}

/// What may be absent: nothing was reduced, nothing was asked for before, no watcher is required,
/// and a simulated venue has no clock of its own. Endpoints outside open no gate yet.
#[test]
fn what_is_absent_by_nature_denies_nothing() {
    let free = GuardState::NotRequired;
    let guards =
        Guards { guardian: free, witness: free, dead_man: free, presence: free, scribe: free };
    let absent: [fn(&mut Case); 4] = [
        |c| c.at.reduced = None,
        |c| c.at.same_approved = None,
        |c| c.at.reducible = None,
        |c| c.at.clock_offset_ns = None,
    ];
    for take_away in absent {
        let mut case = Case::new(Phase::Paper);
        take_away(&mut case);
        case.at.guards = guards;
        assert_eq!(case.answer(), "APPROVE");
    }
    assert!(!EndpointKind::Simulated.is_outside() && EndpointKind::Real.is_outside());
}

/// Takes limits away from a gate that is open, which is a tightening.
#[track_caller]
fn check_taken(change: fn(&mut Limits), expect: &str) {
    let case = Case::new(Phase::Paper);
    let mut gate = case.house.open().unwrap();
    let mut limits = gate.limits().clone();
    change(&mut limits);
    gate.tighten(limits).unwrap();
    assert_eq!(word(&case.ask(&gate)), expect);
}

/// F10, F12: no limits mean no orders. An approval without them is none, and taking them away
/// from an open gate forbids what they allowed.
#[test]
fn f12_limits_that_nobody_wrote_down_admit_nothing() {
    check_taken(|_| {}, "APPROVE");
    check_taken(|limits| limits.strategies.clear(), "APPROVAL_MISSING");
    check_taken(|limits| limits.instruments.clear(), "INSTRUMENT_NOT_ALLOWED");
    let unsigned: [fn(&mut Limits); 3] = [
        |limits| limits.strategies.clear(),
        |limits| limits.instruments.clear(),
        // A currency without a price in the account's.
        |limits| limits.currency = "USD".to_owned(),
    ];
    for take_away in unsigned {
        let mut case = Case::new(Phase::Paper);
        take_away(case.all_limits());
        assert!(case.house.open_under(&floors()).is_err());
    }
    let mut case = Case::new(Phase::Paper);
    case.intent.instrument = InstrumentId(1);
    assert_eq!(case.answer(), "INSTRUMENT_NOT_ALLOWED");
    assert_eq!(case.house.open().unwrap().strategy_limits(PluginId(7)), None);
}

/// F5: where nothing is known but the time, nothing passes, whoever asks for it.
#[test]
fn f5_where_nothing_is_known_nothing_passes() {
    let plugin = Origin::Plugin(PluginId(0));
    for by in [plugin, Origin::Person, Origin::House] {
        for mut case in [Case::new(Phase::Paper), Case::reduction(Phase::Paper)] {
            case.intent.origin = by;
            case.at = Circumstances::unknown(case.at.now);
            assert_eq!(case.answer(), "OUTSIDE_SESSION_WINDOW", "{by:?}");
            // What is held and what works is known as well: still nothing is on record.
            (case.at.position, case.at.reducible) = (Some(Position(50_000)), Some(qty(50_000)));
            (case.at.working, case.intent.side) = (Some(Working::default()), Side::Sell);
            let leaves = by == Origin::Person;
            let expect = if leaves { "EVIDENCE_UNWRITABLE" } else { "OUTSIDE_SESSION_WINDOW" };
            assert_eq!(case.answer(), expect, "{by:?}");
        }
    }
}

/// A status that nobody has a name for is none.
#[test]
fn a_status_is_read_back_by_its_name() {
    for status in VenueStatus::ALL {
        assert_eq!(VenueStatus::from_name(status.name()), Some(status));
    }
    assert_eq!(VenueStatus::from_name("open"), None);
}

/// An input that is added has to be looked at here: this does not compile before it is.
#[test]
fn every_input_is_in_a_table_of_this_file() {
    let Circumstances {
        // Facts that deny by being so: `cells`.
        killed: _,
        closing: _,
        reduce_only: _,
        flatten: _,
        size_percent: _,
        warming_up: _,
        disabled: _,
        reference_used: _,
        crosses_own: _,
        // The time: `boundary`.
        now: _,
        // Here.
        evidence_writable,
        clock_offset_ns,
        guards: Guards { guardian, witness, dead_man, presence, scribe },
        standing,
        component,
        same_approved,
        quote: Some(Quote { bid, ask, received }),
        window: Some(_),
        book_valid,
        feed,
        venue_status,
        metadata_read,
        reduced,
        position,
        reducible,
        working: Some(Working { buy_qty, sell_qty, reserved_quote, any_unknown }),
        balance: Some(_),
        reconciled,
        marks_fresh,
        exposure,
        whole: _,
        strategy: Some(_),
        across: StandingUsage { notional, profit_day, profit_week, equity },
    } = crate::fixture::calm()
    else {
        panic!("the good order misses something");
    };
    assert!(evidence_writable && book_valid && reconciled && marks_fresh && !any_unknown);
    assert!(bid < ask && received < BOOT && standing == Standing::Running);
    assert_eq!([guardian, witness, dead_man, presence, scribe], [GuardState::Alive; 5]);
    assert_eq!((component, clock_offset_ns), (Some(Digest::of(PLUGIN.as_bytes())), Some(0)));
    assert!(feed.is_some() && venue_status.is_some() && metadata_read.is_some());
    assert!(position.is_some() && exposure.is_some() && equity.is_some() && notional.is_some());
    assert!(profit_day.is_some() && profit_week.is_some());
    assert_eq!((same_approved, reduced, reducible), (None, None, None));
    assert_eq!((buy_qty, sell_qty, reserved_quote), (Qty::ZERO, Qty::ZERO, money("0")));
}
