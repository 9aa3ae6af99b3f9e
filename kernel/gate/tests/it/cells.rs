//! The table code x {increase, reduce, cancel, cancel-all, flatten}, cell by cell. What each cell
//! says is written here a second time, by hand: the table of the gate is held against it.

use std::collections::BTreeSet;

use portcullis_domain::{InstrumentId, Origin, Phase, Side};
use portcullis_gate::{
    Act, Denial, DenyCode as C, GuardState, Scope, Spares, Standing, VenueStatus,
    reason_codes_markdown,
};
use portcullis_statement::EndpointKind;

use crate::fixture::{BOOT, Case, denial, word};
use crate::people::{HOUR_NS, NOW, money, px, qty};

/// What one cell of the table says.
#[derive(Clone, Copy, Debug)]
enum Cell {
    /// The code holds.
    D,
    /// The code is there and lets the order pass.
    S,
    /// The code cannot arise for such an order, and why. The order passes.
    Never(&'static str),
    /// Another code holds first, and why.
    First(C, &'static str),
}
use Cell::{D, First, Never, S};

/// Whether the denial carries what was seen and what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    /// A fact.
    Fact,
    /// A number.
    Number,
}
use Judged::{Fact, Number};

/// Code, scope and kind of the denial; the cells of a plugin's increase, a plugin's reduction, a
/// person's reduction and a slice of a signed plan; and what provokes it.
type Row = (C, Scope, Judged, [Cell; 4], fn(&mut Case));

const DENIED: [Cell; 4] = [D, D, D, D];
const EXITS: [Cell; 4] = [D, D, S, S];
const REDUCES: [Cell; 4] = [D, S, S, S];
const NO_PLUGIN: Cell = Never("no component stands behind it");
const NO_STRATEGY: Cell = Never("it has no strategy");
const NOT_BY_HAND: Cell = Never("it is not asked for by hand");
const NOT_PROPOSED: Cell = Never("it is not proposed");
const OF_PLUGINS: [Cell; 4] = [D, D, NO_PLUGIN, NO_PLUGIN];
const OF_PROPOSALS: [Cell; 4] = [D, S, NOT_PROPOSED, NOT_PROPOSED];
const OF_STRATEGIES: [Cell; 4] = [D, D, NO_STRATEGY, NO_STRATEGY];
const BY_HAND: Cell = First(C::PhaseForbids, "nobody trades by hand in pre-live");

const UNPRICED: Cell = First(C::PriceCollar, "whoever leaves without a market names a price");

const ROWS: &[Row] = &[
    (C::KillActive, Scope::Session, Fact, EXITS, |c| c.at.killed = true),
    (C::ApprovalMissing, Scope::Strategy, Fact, OF_STRATEGIES, |c| c.at.strategy = None),
    (C::ApprovalExpired, Scope::Session, Fact, EXITS, |c| {
        c.at.now.wall = NOW.plus_ns(HOUR_NS * 48);
    }),
    (C::OutsideSessionWindow, Scope::Session, Fact, EXITS, |c| c.at.closing = true),
    (C::PhaseForbids, Scope::Session, Fact, [NOT_BY_HAND, NOT_BY_HAND, D, NOT_BY_HAND], |c| {
        c.house.approval.phase = Phase::Shadow;
    }),
    (C::LiveLocked, Scope::Session, Fact, [D, D, BY_HAND, D], |c| in_phase(c, Phase::PreLive)),
    (C::HashNotSigned, Scope::Strategy, Fact, OF_PLUGINS, |c| c.at.component = None),
    (C::PluginSuspended, Scope::Strategy, Fact, OF_PLUGINS, |c| {
        c.at.standing = Standing::Suspended;
    }),
    (C::InstrumentNotAllowed, Scope::Instrument, Fact, DENIED, |c| {
        c.intent.instrument = InstrumentId(9);
    }),
    (C::OrderTypeNotAllowed, Scope::Order, Fact, DENIED, |c| c.intent.price = None),
    (C::DuplicateIntent, Scope::Order, Fact, DENIED, |c| c.at.reference_used = true),
    (C::TickSize, Scope::Order, Number, DENIED, |c| c.intent.price = Some(px(10_011))),
    (C::LotSize, Scope::Order, Number, DENIED, |c| c.intent.qty = qty(10_001)),
    (C::MinNotional, Scope::Instrument, Number, DENIED, |c| {
        c.instrument().notional_min = money("11");
    }),
    (C::MaxOrderQty, Scope::Instrument, Number, DENIED, |c| c.limits().order_qty_max = qty(9_990)),
    (C::MaxOrderNotional, Scope::Instrument, Number, DENIED, |c| {
        c.limits().order_notional_max = money("10");
    }),
    (C::MaxPosition, Scope::Instrument, Number, REDUCES, |c| {
        c.limits().position_qty_max = qty(9_990);
    }),
    (C::InsufficientBalance, Scope::Account, Number, DENIED, |c| {
        (c.balance().base, c.balance().quote) = (qty(0), money("0"));
    }),
    (C::StaleAccount, Scope::Account, Fact, REDUCES, |c| c.at.balance = None),
    (C::NoReferencePrice, Scope::Instrument, Fact, [D, S, UNPRICED, UNPRICED], |c| {
        c.at_market();
        c.at.quote = None;
    }),
    (C::BookInvalid, Scope::Instrument, Fact, REDUCES, |c| c.at.book_valid = false),
    (C::StaleMarketData, Scope::Instrument, Number, REDUCES, |c| {
        c.quote().received.0 -= 3_000_000_000;
    }),
    (C::PriceCollar, Scope::Instrument, Number, DENIED, |c| c.limits().price_collar_bps = 9),
    (C::MaxOpenOrders, Scope::Account, Number, REDUCES, |c| c.at.whole.open_orders = 1_000),
    (C::MaxMsgRate, Scope::Account, Number, REDUCES, |c| c.at.whole.messages = 1_000),
    (C::ReconUnresolved, Scope::Account, Fact, REDUCES, |c| {
        (c.at.reconciled, c.at.reducible) = (false, Some(qty(10_000)));
    }),
    (C::OrderUnknown, Scope::Instrument, Fact, REDUCES, |c| c.working().any_unknown = true),
    (C::ReduceOnly, Scope::Session, Fact, REDUCES, |c| c.at.reduce_only = true),
    (C::EvidenceUnwritable, Scope::Host, Fact, DENIED, |c| c.at.evidence_writable = false),
    (C::PriceCollarWindow, Scope::Instrument, Number, REDUCES, |c| shifted_window(c)),
    (C::PriceBound, Scope::Instrument, Number, REDUCES, |c| c.limits().price_max = px(10_000)),
    (C::MaxSymbolExposure, Scope::Instrument, Number, REDUCES, |c| {
        c.limits().exposure_max = money("9");
    }),
    (C::MaxGrossExposure, Scope::Account, Number, REDUCES, |c| {
        c.all_limits().account.activity.gross_exposure_max = money("9");
    }),
    (C::MaxLeverage, Scope::Account, Number, REDUCES, |c| c.at.across.equity = Some(money("0"))),
    (C::MaxOpenPositions, Scope::Account, Number, REDUCES, |c| c.at.whole.positions = 1_001),
    (C::MaxOpenProposals, Scope::Account, Number, OF_PROPOSALS, |c| {
        in_phase(c, Phase::ManualLive);
        c.at.whole.proposals = 1_000;
    }),
    (C::MaxOrdersPerSession, Scope::Account, Number, REDUCES, |c| c.at.whole.orders = 1_000),
    (C::MaxDailyNotional, Scope::Account, Number, REDUCES, |c| {
        c.at.across.notional = Some(money("1000000"));
    }),
    (C::VenueRateBudget, Scope::Venue, Number, REDUCES, |c| {
        c.all_limits().venue.activity.messages_per_second_max = 10;
        c.at.whole.messages = 8;
    }),
    (C::Cooldown, Scope::Instrument, Fact, REDUCES, |c| {
        c.limits().cooldown_ms = 5;
        c.at.reduced = Some(BOOT);
    }),
    (C::RepeatExecThrottle, Scope::Strategy, Fact, REDUCES, |c| c.at.disabled = true),
    (C::MaxLossSession, Scope::Account, Number, REDUCES, |c| {
        c.at.whole.profit = Some(money("-1000000"));
    }),
    (C::MaxLossDay, Scope::Account, Number, REDUCES, |c| {
        c.at.across.profit_day = Some(money("-1000000"));
    }),
    (C::MaxLossWeek, Scope::Account, Number, REDUCES, |c| {
        c.at.across.profit_week = Some(money("-1000000"));
    }),
    (C::MaxDrawdown, Scope::Account, Number, REDUCES, |c| {
        c.at.whole.drawdown = Some(money("1000000"));
    }),
    (C::MaxAdverseFill, Scope::Account, Number, REDUCES, |c| {
        c.at.whole.adverse = Some(money("1000000"));
    }),
    (C::MaxFees, Scope::Account, Number, REDUCES, |c| c.at.whole.fees = Some(money("1000000"))),
    (C::ShortNotAllowed, Scope::Instrument, Number, REDUCES, |c| {
        c.intent.side = Side::Sell;
        c.limits().short_qty_max = qty(0);
    }),
    (C::SelfCross, Scope::Account, Fact, DENIED, |c| c.at.crosses_own = true),
    (C::SyntheticData, Scope::Instrument, Fact, REDUCES, |c| {
        c.at.feed = Some(EndpointKind::Recorded);
    }),
    (C::NoConversionPrice, Scope::Instrument, Fact, REDUCES, |c| {
        c.account_in_usd("1");
        c.at.now.wall = NOW.plus_ns(2_000_000);
        c.all_limits().rules.conversion_age_ms_max = 1;
    }),
    (C::InstrumentStale, Scope::Instrument, Number, REDUCES, |c| {
        c.limits().metadata_age_ms_max = 999;
    }),
    (C::VenueStatus, Scope::Venue, Fact, REDUCES, |c| {
        c.at.venue_status = Some(VenueStatus::CancelOnly);
    }),
    (C::ClockSkew, Scope::Host, Number, REDUCES, |c| {
        c.all_limits().rules.clock_skew_ms_max = 5;
        c.at.clock_offset_ns = Some(-5_000_001);
    }),
    (C::DeadmanStale, Scope::Host, Fact, REDUCES, |c| c.at.guards.dead_man = GuardState::Missing),
    (C::GuardianDown, Scope::Host, Fact, REDUCES, |c| c.at.guards.guardian = GuardState::Missing),
    (C::WitnessBehind, Scope::Host, Fact, REDUCES, |c| c.at.guards.witness = GuardState::Missing),
    (C::WarmingUp, Scope::Strategy, Fact, OF_STRATEGIES, |c| c.at.warming_up = true),
    (C::PresenceLapsed, Scope::Host, Fact, REDUCES, |c| c.at.guards.presence = GuardState::Missing),
    (C::ReplicationBehind, Scope::Host, Fact, REDUCES, |c| {
        c.at.guards.scribe = GuardState::Missing;
    }),
];

/// What no assessment answers, who does, and what it spares.
const ELSEWHERE: [(C, &str, Spares); 3] = [
    (C::ReleaseRevoked, "the writer, between approval and wire", Spares::Nothing),
    (C::ReleaseExpired, "the writer and the release of a proposal", Spares::Nothing),
    (C::PriceDrift, "the release of a proposal", Spares::Nothing),
];

fn in_phase(case: &mut Case, phase: Phase) {
    let (intent, at) = (case.intent.clone(), case.at.clone());
    *case = Case { intent, at, ..Case::new(phase) };
}

/// The market stood far away, on the side that is worse for the order.
fn shifted_window(case: &mut Case) {
    let window = case.at.window.as_mut().unwrap();
    (window.low_twice, window.high_twice) = (10_000, 30_000);
}

/// The four orders of a row, each at 100.10: a sale that can only make a position smaller, by who
/// asks for it, and a purchase that opens one.
fn orders() -> [(&'static str, Act, Case); 4] {
    let (mut increase, mut reduce) = (Case::new(Phase::Paper), Case::reduction(Phase::Paper));
    increase.intent.price = Some(px(10_010));
    reduce.intent.price = Some(px(10_010));
    reduce.intent.reduce_only = true;
    let by = |origin: Origin, flatten: bool| {
        let mut case = Case::reduction(Phase::Paper);
        (case.intent.price, case.intent.origin) = (Some(px(10_010)), origin);
        case.at.flatten = flatten;
        case
    };
    [
        ("increase", Act::Increase, increase),
        ("reduce", Act::Reduce, reduce),
        ("flatten by a person", Act::Flatten, by(Origin::Person, false)),
        ("flatten by a plan", Act::Flatten, by(Origin::House, true)),
    ]
}

/// One row: its four cells, and what the denial carries.
fn check((code, scope, judged, cells, provoke): &Row) {
    for ((name, act, mut case), cell) in orders().into_iter().zip(cells) {
        provoke(&mut case);
        let what = format!("{} on {name}", code.code());
        let verdict = case.verdict();
        let (holds, expect) = match cell {
            D => (Some(true), code.code()),
            S => (Some(false), "APPROVE"),
            Never(reason) | First(_, reason) if reason.is_empty() => panic!("{what}: no reason"),
            Never(_) if case.house.approval.phase == Phase::Shadow => (None, "WOULD_BE"),
            Never(_) => (None, "APPROVE"),
            First(code, _) => (None, code.code()),
        };
        assert_eq!(word(&verdict), expect, "{what}");
        assert!(holds.is_none_or(|holds| holds == code.denies(act)), "{what}: the gate's table");
        if matches!(cell, D) {
            let denial = denial(&verdict).unwrap();
            assert_eq!((denial.code, denial.scope), (*code, *scope), "{what}");
            assert_eq!(carried(&denial), *judged, "{what}");
        }
    }
}

/// A number has what was seen and what is allowed, and the cure names the latter.
fn carried(denial: &Denial) -> Judged {
    assert!(!denial.code.cure().is_empty() && denial.cure().starts_with(denial.code.cure()));
    match (denial.observed, denial.limit) {
        (Some(_), Some(limit)) => {
            assert!(denial.cure().contains(&limit.text()), "{denial:?}");
            Number
        }
        (None, None) => Fact,
        (Some(_), None) | (None, Some(_)) => panic!("half a number: {denial:?}"),
    }
}

/// D5: each cell of the table.
#[test]
fn d5_each_cell_of_the_table_of_codes_is_what_the_gate_does() {
    ROWS.iter().for_each(check);
}

/// A code that nobody provokes and that nobody answers for is a hole in this file.
#[test]
fn every_code_is_provoked_here_or_answered_for_elsewhere() {
    let provoked: Vec<C> = ROWS.iter().map(|row| row.0).collect();
    let elsewhere = ELSEWHERE.map(|(code, ..)| code);
    let listed: BTreeSet<C> = provoked.iter().copied().chain(elsewhere).collect();
    assert_eq!(listed, C::all().collect());
    assert_eq!(provoked.len() + elsewhere.len(), listed.len(), "one row a code");
    for (code, who, spares) in ELSEWHERE {
        assert_eq!((code.spares(), who.is_empty()), (spares, false));
    }
}

/// The document says of each cell what this file says.
#[test]
fn the_document_says_of_each_cell_what_is_written_here() {
    let text = reason_codes_markdown();
    for (code, _, _, cells, _) in ROWS {
        let line = text.lines().find(|line| line.contains(&format!("`{}`", code.code()))).unwrap();
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let word = |cell: &Cell| match cell {
            D => Some("denied"),
            S => Some("spared"),
            Never(_) | First(..) => None,
        };
        let [increase, reduce, cancel, all, flatten] = columns[5..10] else { panic!("{line}") };
        let cells = cells.map(|cell| word(&cell));
        for (cell, written) in cells.into_iter().zip([increase, reduce, flatten, flatten]) {
            assert!(cell.is_none_or(|cell| cell == written), "{line}");
        }
        let own = [(C::MaxMsgRate, "a repetition"), (C::OrderTypeNotAllowed, "not one's own")];
        let expect = own.iter().find(|(of, _)| of == code).map_or("spared", |(_, word)| word);
        assert_eq!((cancel, all), (expect, "spared"), "{line}");
    }
}
