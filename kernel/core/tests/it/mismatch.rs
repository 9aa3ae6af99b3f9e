//! Every kind of difference between account and house, injected one by one.

use std::collections::BTreeSet;

use portcullis_core::{
    AccountSnapshot, DifferenceKind as K, Effect, FindingState, ReconColour, ReconOutcome,
    VenueOrder,
};
use portcullis_domain::{
    ClOrdId, ExecType, ExecutionReport, LedgerEntry, LedgerEntryId, LedgerKind, Money, Phase,
    Position, Side, WallNs,
};
use portcullis_gate::DenyCode;

use crate::people::{money, px, qty};
use crate::recon::foreign;
use crate::world::{ALPHA, BETA, Out, SECOND_NS, World, buy, folded, report, resting, trade};

const SYMBOL: &str = "BTC-USDT";

/// A house with one order that rests, one that is filled, one that never left, and one deposit;
/// and the account as its venue truly is.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) world: World,
    rests: ClOrdId,
    filled: ClOrdId,
    unsent: ClOrdId,
    truth: AccountSnapshot,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut world = World::open(Phase::Paper);
        let orders = vec![buy(1, 10_000, 10_000), buy(2, 6_000, 10_000), buy(3, 6_000, 10_000)];
        let ids = world.reply(ALPHA, orders).submits();
        let (rests, filled, unsent) = (ids[0], ids[1], ids[2]);
        world.report(rests, ExecType::New);
        world.report(filled, ExecType::New);
        let code = DenyCode::ReleaseRevoked;
        world.feed(portcullis_core::Input::NotSent { cl_ord_id: unsent, code });
        let fill = report(filled, trade("e1", 6_000, 10_000), world.now.wall);
        world.feed(portcullis_core::Input::Report(fill.clone()));
        let deposit = entry("d1", LedgerKind::Deposit, "10", world.now.wall);
        let order = VenueOrder {
            side: Some(Side::Buy),
            price: Some(px(10_000)),
            qty: Some(qty(10_000)),
            cum_qty: Some(qty(0)),
            ..resting(rests, 10_000)
        };
        let amount = |currency: &str, amount| (currency.to_owned(), money(amount));
        let truth = AccountSnapshot {
            asked_at: None,
            open_orders: vec![order],
            fills: vec![fill],
            fills_since: Some(WallNs(0)),
            balances: [amount("USDT", "1004"), amount("BTC", "5.06")].into(),
            positions: Some([(SYMBOL.to_owned(), Position(6_000))].into()),
            ledger: vec![deposit],
            ledger_since: Some(WallNs(0)),
        };
        let mut stage = Self { world, rests, filled, unsent, truth };
        let truth = stage.truth.clone();
        stage.read(&truth);
        stage.read(&truth);
        assert_eq!(stage.world.core.findings().iter().count(), 0);
        assert_eq!(stage.world.core.recon_colour(None), ReconColour::Green);
        assert!(!stage.world.core.recon_blocks(SYMBOL));
        stage
    }

    /// A second later the venue states this.
    fn read(&mut self, snapshot: &AccountSnapshot) -> Out {
        self.world.pass(SECOND_NS);
        let asked_at = Some(self.world.now);
        self.world.read(AccountSnapshot { asked_at, ..snapshot.clone() })
    }

    /// The account with one thing changed so that it differs in that way.
    fn changed(&self, kind: K) -> AccountSnapshot {
        let mut venue = self.truth.clone();
        if !self.change_order(kind, &mut venue) && !self.change_fill(kind, &mut venue) {
            change_amount(kind, &mut venue);
        }
        assert_ne!(venue, self.truth, "{kind:?}");
        venue
    }

    fn change_order(&self, kind: K, venue: &mut AccountSnapshot) -> bool {
        let listed = &mut venue.open_orders;
        match kind {
            K::OrderMissingHere => listed.push(resting(self.unsent, 6_000)),
            K::OrderMissingThere => listed.clear(),
            K::OrderState => listed.push(resting(self.filled, 1)),
            K::OrderPrice => listed[0].price = Some(px(10_010)),
            K::OrderQuantity => {
                (listed[0].qty, listed[0].leaves_qty) = (Some(qty(10_010)), qty(10_010));
            }
            K::OrderFilledQuantity => {
                (listed[0].cum_qty, listed[0].leaves_qty) = (Some(qty(10)), qty(9_990));
            }
            K::OrderSide => listed[0].side = Some(Side::Sell),
            K::OrderDuplicateId => {
                let order_id = portcullis_domain::OrderId("V-twin".to_owned());
                listed.push(VenueOrder { order_id, ..listed[0].clone() });
            }
            K::OrderNeverIssued => listed.push(resting(ClOrdId { epoch: 7, sequence: 1 }, 1)),
            K::OrderForeign => listed.push(foreign("V-other")),
            _ => return false,
        }
        true
    }

    fn change_fill(&self, kind: K, venue: &mut AccountSnapshot) -> bool {
        let fills = &mut venue.fills;
        let again = |at: WallNs, units, price| report(self.filled, trade("e1", units, price), at);
        let at = fills[0].transact_time;
        match kind {
            K::FillMissingHere => {
                fills.push(report(self.rests, trade("e2", 1_000, 10_000), at));
                let order = &mut venue.open_orders[0];
                (order.cum_qty, order.leaves_qty) = (Some(qty(1_000)), qty(9_000));
                venue.balances.insert("USDT".to_owned(), money("1003"));
                venue.balances.insert("BTC".to_owned(), money("5.07"));
                venue.positions = Some([(SYMBOL.to_owned(), Position(7_000))].into());
            }
            K::FillMissingThere => fills.clear(),
            K::FillPriceOrQuantity => fills[0] = again(at, 6_000, 10_010),
            K::FillFee => fills[0] = with_fee(again(at, 6_000, 10_000)),
            K::FillDuplicate => fills.push(fills[0].clone()),
            K::FillConflicting => fills[0].cl_ord_id = self.rests,
            _ => return false,
        }
        true
    }
}

fn with_fee(mut report: ExecutionReport) -> ExecutionReport {
    if let ExecType::Trade { fee, .. } = &mut report.exec_type {
        *fee = Money(1);
    }
    report
}

fn change_amount(kind: K, venue: &mut AccountSnapshot) {
    let position = |units| Some([(SYMBOL.to_owned(), Position(units))].into());
    match kind {
        K::PositionSize => venue.positions = position(5_999),
        K::PositionSign => venue.positions = position(-6_000),
        K::BalanceAmount => {
            venue.balances.insert("USDT".to_owned(), money("1004.000000000000000001"));
        }
        K::LedgerUnbooked => {
            let at = venue.ledger[0].at;
            venue.ledger.push(entry("f1", LedgerKind::Funding, "-1", at));
            venue.balances.insert("USDT".to_owned(), money("1003"));
        }
        K::LedgerVenueLacks => venue.ledger.clear(),
        other => panic!("{other:?} is not injected"),
    }
}

pub(crate) fn entry(id: &str, kind: LedgerKind, amount: &str, at: WallNs) -> LedgerEntry {
    let (id, currency) = (LedgerEntryId(id.to_owned()), "USDT".to_owned());
    LedgerEntry { id, kind, currency, amount: money(amount), at }
}

/// Injects one difference, and returns what was found and what came of it.
fn injected(kind: K) -> (Stage, Out) {
    let mut stage = Stage::new();
    let venue = stage.changed(kind);
    let first = stage.read(&venue);
    let at_once = stage.world.core.findings().iter().count();
    assert_eq!(at_once, usize::from(kind.counts_at_once()), "{kind:?} after one reading");
    let second = stage.read(&venue);
    (stage, if kind.counts_at_once() { first } else { second })
}

/// P2-R3: every kind is found, under its code, and leads to what its kind leads to.
#[test]
fn p2_r3_every_mismatch_kind_is_found() {
    for kind in K::ALL {
        let (stage, out) = injected(kind);
        let core = &stage.world.core;
        let found: Vec<_> = core.findings().iter().map(|finding| finding.difference.kind).collect();
        assert_eq!(found, [kind]);
        assert_eq!(out.reasons("finding-opened"), [kind.code()]);
        let body = out.entry("finding-opened").unwrap().body.canonical_text();
        assert!(body.contains(kind.outcome().name()), "{body}");
        let adopted = kind.outcome() == ReconOutcome::SafeAdoptExchangeTruth;
        assert_eq!(core.standing_differences().is_empty(), adopted, "{kind:?}");
        assert_eq!(core.recon_blocks(SYMBOL), !adopted, "{kind:?}");
        assert_eq!(core.is_killed(), kind.outcome() == ReconOutcome::HardStop, "{kind:?}");
        let cancels = out.cancels().into_iter().collect::<BTreeSet<_>>();
        let unknown = match kind {
            K::OrderMissingHere => vec![stage.unsent],
            K::OrderState => vec![stage.filled],
            // The kill takes back what is ours.
            _ if core.is_killed() => vec![stage.rests],
            _ => vec![],
        };
        assert_eq!(cancels, unknown.into_iter().collect(), "{kind:?}");
        let colour = if adopted { ReconColour::Yellow } else { ReconColour::Red };
        let session = stage.world.core.findings().iter().next().unwrap().session.clone();
        assert_eq!(core.recon_colour(session.as_ref()), colour);
        // What people see and what a restart brings back.
        assert_eq!(core.view().findings[0].code, kind.code());
        assert_eq!(folded(&stage.world.journal()).findings(), core.findings());
        let read = folded(&stage.world.journal());
        assert_eq!(read.account().durable(), core.account().durable());
        crate::replay::check_replay(&stage.world);
    }
}

/// F20: any difference blocks, whatever its label; what was adopted differs no more.
#[test]
fn f20_every_difference_that_stands_blocks_new_orders() {
    for kind in K::ALL {
        let (mut stage, _) = injected(kind);
        stage.world.quote(9_990, 10_010);
        let out = stage.world.reply(BETA, vec![buy(9, 10_000, 10_000)]);
        let denied = match kind.outcome() {
            ReconOutcome::Match | ReconOutcome::SafeAdoptExchangeTruth => vec![],
            ReconOutcome::CancelUnknownOrders | ReconOutcome::ReduceOnly => {
                vec!["RECON_UNRESOLVED"]
            }
            ReconOutcome::HardStop => vec!["KILL_ACTIVE"],
        };
        assert_eq!(out.reasons("denied"), denied, "{kind:?}");
    }
}

/// What is about one instrument leaves the others alone; what is about the account does not.
#[test]
fn a_difference_of_one_instrument_blocks_that_one_and_one_of_the_account_blocks_all() {
    for kind in K::ALL {
        let (stage, _) = injected(kind);
        let all = match kind {
            K::BalanceAmount | K::LedgerVenueLacks => true,
            other => other.outcome() == ReconOutcome::HardStop,
        };
        assert_eq!(stage.world.core.recon_blocks("ETH-USDT"), all, "{kind:?}");
    }
}

/// A difference that the next reading does not show is gone, and nothing else stays behind.
#[test]
fn what_is_not_shown_any_more_blocks_no_more() {
    for kind in K::ALL.into_iter().filter(|kind| kind.outcome() == ReconOutcome::ReduceOnly) {
        let (mut stage, _) = injected(kind);
        let truth = stage.truth.clone();
        let out = stage.read(&truth);
        assert_eq!(out.reasons("finding-gone"), ["NOT_SHOWN"], "{kind:?}");
        let core = &stage.world.core;
        assert!(!core.recon_blocks(SYMBOL) && !core.findings().get(1).unwrap().shown);
        // Nobody has said what it was: that is red until somebody does.
        assert_eq!(core.recon_colour(None), ReconColour::Red);
        assert_eq!(core.findings().get(1).unwrap().state, FindingState::Open);
        // The same thing again is the same finding.
        let venue = stage.changed(kind);
        stage.read(&venue);
        stage.read(&venue);
        let findings: Vec<_> = stage.world.core.findings().iter().map(|f| f.number).collect();
        assert_eq!(findings, [1]);
        assert!(stage.world.core.findings().get(1).unwrap().shown);
        assert_eq!(folded(&stage.world.journal()).findings(), stage.world.core.findings());
    }
}

/// D9: an order that ended here and works there is taken back at every reading that lists it.
#[test]
fn d9_an_order_that_nobody_counts_on_is_taken_back_until_it_is_gone() {
    for kind in [K::OrderState, K::OrderMissingHere] {
        let (mut stage, _) = injected(kind);
        let venue = stage.changed(kind);
        let out = stage.read(&venue);
        assert_eq!(out.cancels().len(), 1);
        assert!(out.has(|effect| matches!(effect, Effect::Cancel(_))));
        assert_eq!(out.reasons("cancel-requested"), [kind.code()]);
        let truth = stage.truth.clone();
        assert_eq!(stage.read(&truth).cancels(), []);
        assert!(!stage.world.core.recon_blocks(SYMBOL));
    }
}
