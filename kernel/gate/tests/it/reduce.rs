//! Failing closed must not lock the exit: which checks a provable reduction passes.

use std::collections::BTreeSet;

use portcullis_domain::{OrdType, Origin, Phase, PluginId, Position, Side};
use portcullis_gate::{DenyCode, Standing};

use crate::fixture::Case;
use crate::people::{HOUR_NS, NOW, money, px, qty};

type Change = fn(&mut Case);

/// One way to provoke each code that an assessment can give.
const PROVOKED: [(DenyCode, Change); 27] = [
    (DenyCode::KillActive, |c| c.at.killed = true),
    (DenyCode::ApprovalExpired, |c| c.at.now.wall = NOW.plus_ns(HOUR_NS * 48)),
    (DenyCode::OutsideSessionWindow, |c| c.at.closing = true),
    (DenyCode::LiveLocked, |c| {
        let (intent, at) = (c.intent.clone(), c.at.clone());
        *c = Case::new(Phase::PreLive);
        (c.intent, c.at) = (intent, at);
    }),
    (DenyCode::HashNotSigned, |c| c.intent.origin = Origin::Plugin(PluginId(1))),
    (DenyCode::PluginSuspended, |c| c.at.standing = Standing::Suspended),
    (DenyCode::InstrumentNotAllowed, |c| c.intent.instrument.0 = 9),
    (DenyCode::OrderTypeNotAllowed, |c| c.intent.price = None),
    (DenyCode::DuplicateIntent, |c| c.at.reference_used = true),
    (DenyCode::TickSize, |c| c.intent.price = Some(px(10_001))),
    (DenyCode::LotSize, |c| c.intent.qty = qty(10_001)),
    (DenyCode::MinNotional, |c| c.instrument().notional_min = money("11")),
    (DenyCode::MaxOrderQty, |c| c.limits().order_qty_max = qty(9_990)),
    (DenyCode::MaxOrderNotional, |c| c.limits().order_notional_max = money("9")),
    (DenyCode::MaxPosition, |c| c.limits().position_qty_max = qty(10)),
    (DenyCode::InsufficientBalance, |c| {
        let balance = c.at.balance.as_mut().unwrap();
        (balance.base, balance.quote) = (qty(0), money("0"));
    }),
    (DenyCode::StaleAccount, |c| c.at.balance = None),
    (DenyCode::NoReferencePrice, |c| {
        // At the market: a limit that nothing measures is the collar's.
        c.at.quote = None;
        (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
    }),
    (DenyCode::BookInvalid, |c| c.at.book_valid = false),
    (DenyCode::StaleMarketData, |c| c.at.quote.as_mut().unwrap().received.0 -= 3_000_000_000),
    (DenyCode::PriceCollar, |c| c.limits().price_collar_bps = 0),
    (DenyCode::MaxOpenOrders, |c| c.at.working.open_orders = 10),
    (DenyCode::MaxMsgRate, |c| c.at.submits_last_second = 20),
    (DenyCode::ReconUnresolved, |c| c.at.reconciled = false),
    (DenyCode::OrderUnknown, |c| c.at.working.any_unknown = true),
    (DenyCode::ReduceOnly, |c| c.at.reduce_only = true),
    (DenyCode::EvidenceUnwritable, |c| c.at.evidence_writable = false),
];

/// What no assessment answers: nothing is open, the phase cannot be opened, or the writer says it.
const ELSEWHERE: [DenyCode; 4] = [
    DenyCode::ApprovalMissing,
    DenyCode::PhaseForbids,
    DenyCode::ReleaseRevoked,
    DenyCode::ReleaseExpired,
];

/// D5: the whole table, code by code, for new exposure and for a provable reduction.
#[test]
fn d5_a_provable_reduction_passes_exactly_where_the_table_says() {
    for (code, change) in PROVOKED {
        let mut increase = Case::new(Phase::Paper);
        // Off the middle, so that a collar of zero is too narrow.
        increase.intent.price = Some(px(10_010));
        change(&mut increase);
        assert_eq!(increase.answer(), code.code(), "new exposure");
        let mut reduction = Case::reduction(Phase::Paper);
        reduction.intent.price = Some(px(10_010));
        change(&mut reduction);
        let expect = if code.denies_reduction() { code.code() } else { "APPROVE" };
        assert_eq!(reduction.answer(), expect, "reduction under {}", code.code());
    }
    let covered: BTreeSet<_> = PROVOKED.iter().map(|(code, _)| *code).chain(ELSEWHERE).collect();
    assert_eq!(covered, DenyCode::all().collect());
}

/// A limit far from anything would give the position away: without a quote it is outside of every
/// collar, for a reduction too.
#[test]
fn a_reduction_at_a_price_that_nothing_measures_is_denied() {
    let mut reduction = Case::reduction(Phase::Paper);
    reduction.intent.price = Some(px(10));
    reduction.at.quote = None;
    assert_eq!(reduction.answer(), "PRICE_COLLAR");
}

/// Whether an order passes under limits that only spare reductions.
#[track_caller]
fn check(change: Change, expect: &str) {
    let mut case = Case::reduction(Phase::Paper);
    case.at.submits_last_second = 1_000;
    change(&mut case);
    assert_eq!(case.answer(), expect);
}

#[test]
fn a_reduction_cannot_flip_through_zero() {
    check(|c| c.intent.qty = qty(50_000), "APPROVE");
    check(|c| c.intent.qty = qty(50_010), "MAX_MSG_RATE");
    // Sells that work already count as filled.
    check(|c| c.at.working.sell_qty = qty(40_000), "APPROVE");
    check(|c| c.at.working.sell_qty = qty(40_010), "MAX_MSG_RATE");
    // Buys that work make no room.
    check(
        |c| {
            c.at.working.buy_qty = qty(100_000);
            c.intent.qty = qty(50_010);
        },
        "MAX_MSG_RATE",
    );
    check(|c| c.at.position = Position::FLAT, "MAX_MSG_RATE");
    check(|c| c.at.position = Position(-50_000), "MAX_MSG_RATE");
    let short = |c: &mut Case| {
        c.intent.side = Side::Buy;
        c.at.position = Position(-50_000);
    };
    check(short, "APPROVE");
    check(
        |c| {
            c.intent.side = Side::Buy;
            c.at.position = Position(-9_990);
        },
        "MAX_MSG_RATE",
    );
}

/// What cannot be priced is no reduction of money: a purchase needs a price, even one that covers.
#[test]
fn f10_an_unpriced_purchase_is_denied_even_if_it_reduces() {
    let market = |c: &mut Case| {
        (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
        c.at.quote = None;
    };
    check(market, "APPROVE");
    check(
        |c| {
            (c.intent.ord_type, c.intent.price) = (OrdType::Market, None);
            c.at.quote = None;
            c.intent.side = Side::Buy;
            c.at.position = Position(-50_000);
        },
        "INSUFFICIENT_BALANCE",
    );
}
