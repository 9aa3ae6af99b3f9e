//! Balances and equity, with numbers that can be reckoned by hand.

use portcullis_domain::order::OrderChange;
use portcullis_domain::{
    ClOrdId, ExecId, ExecType, ExecutionReport, Instrument, InstrumentId, InstrumentKind,
    LedgerEntry, LedgerEntryId, LedgerKind, Money, OrdStatus, OrdType, Order, OrderIntent, Origin,
    Px, Qty, Rate, Side, TimeInForce, WallNs,
};

use super::{EntryChange, EntryFault, Ledger};

fn instrument(kind: InstrumentKind) -> Instrument {
    Instrument {
        id: InstrumentId(0),
        symbol: "X-USD".into(),
        venue_symbol: "XUSD".into(),
        base: "X".into(),
        quote: "USD".into(),
        kind,
        price_scale: 0,
        qty_scale: 0,
        tick: Px::new(1).unwrap(),
        lot: Qty::new(1).unwrap(),
        qty_min: Qty::new(1).unwrap(),
        notional_min: Money::ZERO,
        maker_fee: Rate(0),
        taker_fee: Rate(0),
    }
}

fn usd(amount: &str) -> Money {
    Money::parse(amount).unwrap()
}

fn stocked(balances: &[(&str, &str)]) -> Ledger {
    let pairs = balances.iter().map(|(currency, amount)| ((*currency).to_owned(), usd(amount)));
    Ledger::with_balances(pairs.collect())
}

/// Issues an order and fills it whole, at a fee.
fn fill(ledger: &mut Ledger, of: &Instrument, (side, qty, px): (Side, i64, i64), fee: &str) {
    let sequence = u32::try_from(ledger.orders.iter().count()).unwrap();
    let cl_ord_id = ClOrdId { epoch: 1, sequence };
    let (qty, px) = (Qty::new(qty).unwrap(), Px::new(px).unwrap());
    let intent = OrderIntent {
        origin: Origin::House,
        reference: 1,
        instrument: of.id,
        side,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty,
        price: Some(px),
        reduce_only: false,
        bracket: None,
    };
    let order = Order { status: OrdStatus::New, ..Order::new(cl_ord_id, intent, px) };
    ledger.issue(order, of).unwrap();
    let exec_type = ExecType::Trade {
        exec_id: ExecId(format!("x{sequence}")),
        last_px: px,
        last_qty: qty,
        fee: usd(fee),
        maker: true,
    };
    let (transact_time, text) = (WallNs(1), String::new());
    let report = ExecutionReport { cl_ord_id, order_id: None, exec_type, transact_time, text };
    assert!(matches!(ledger.book(&report), Ok(OrderChange::Filled { .. })));
}

fn equity(ledger: &Ledger, of: &Instrument, mark: i64) -> String {
    let equity = ledger.equity("USD", &[(of, Px::new(mark))]);
    equity.map_or_else(|| "none".to_owned(), Money::text)
}

fn balance(ledger: &Ledger, currency: &str) -> String {
    ledger.balances().unwrap().get(currency).map_or_else(String::new, |amount| amount.text())
}

/// F11: buying moves money into the thing that was bought, and no equity is lost by it.
#[test]
fn f11_equity_is_right_after_a_spot_buy_and_a_partial_sale() {
    let of = instrument(InstrumentKind::Spot);
    let mut ledger = stocked(&[("USD", "1000")]);
    fill(&mut ledger, &of, (Side::Buy, 1, 100), "0");
    assert_eq!((balance(&ledger, "USD"), balance(&ledger, "X")), ("900".into(), "1".into()));
    assert_eq!(equity(&ledger, &of, 100), "1000");
    assert_eq!(equity(&ledger, &of, 110), "1010");
    fill(&mut ledger, &of, (Side::Buy, 2, 110), "1");
    fill(&mut ledger, &of, (Side::Sell, 1, 120), "0");
    // 1000 - 100 - 220 - 1 + 120, and two pieces at 120.
    assert_eq!(equity(&ledger, &of, 120), "1039");
}

/// F11: a linear derivative moves profit and fees in the quote currency, and no base at all.
#[test]
fn f11_equity_is_right_after_a_linear_short_a_partial_cover_and_a_flip() {
    let of = instrument(InstrumentKind::Linear);
    let mut ledger = stocked(&[("USD", "1000")]);
    fill(&mut ledger, &of, (Side::Sell, 2, 100), "1");
    assert_eq!((balance(&ledger, "USD"), balance(&ledger, "X")), ("999".into(), String::new()));
    assert_eq!(equity(&ledger, &of, 100), "999");
    assert_eq!(equity(&ledger, &of, 110), "979");
    // Half of it is bought back ten lower: ten are earned, ten are still open.
    fill(&mut ledger, &of, (Side::Buy, 1, 90), "1");
    assert_eq!(ledger.holding("X-USD").avg_px(&of), Px::new(100));
    assert_eq!((balance(&ledger, "USD"), equity(&ledger, &of, 90)), ("1008".into(), "1018".into()));
    // Through zero: the short is closed at a loss of five, and one is held from there.
    fill(&mut ledger, &of, (Side::Buy, 2, 105), "0");
    assert_eq!((balance(&ledger, "USD"), balance(&ledger, "X")), ("1003".into(), String::new()));
    assert_eq!(equity(&ledger, &of, 107), "1005");
}

/// What is held and has no mark, or is of an instrument that nobody named, leaves no equity.
#[test]
fn f11_no_mark_and_no_instrument_mean_no_equity() {
    for kind in [InstrumentKind::Spot, InstrumentKind::Linear] {
        let of = instrument(kind);
        let mut ledger = stocked(&[("USD", "1000")]);
        assert_eq!(ledger.equity("USD", &[(&of, None)]), Some(usd("1000")));
        fill(&mut ledger, &of, (Side::Buy, 1, 100), "0");
        assert_eq!(ledger.equity("USD", &[(&of, None)]), None);
        assert_eq!(ledger.equity("USD", &[]), None);
    }
    assert_eq!(Ledger::default().equity("USD", &[]), None);
}

fn entry(id: &str, kind: LedgerKind, amount: &str) -> LedgerEntry {
    let (id, currency) = (LedgerEntryId(id.to_owned()), "USD".to_owned());
    LedgerEntry { id, kind, currency, amount: usd(amount), at: WallNs(5) }
}

/// D10: a deposit is no profit and hides no loss; what holding costs is told by itself.
#[test]
fn d10_transfers_move_the_balance_and_are_no_carry() {
    let mut ledger = stocked(&[("USD", "100")]);
    for (id, kind, amount) in [
        ("1", LedgerKind::Deposit, "50"),
        ("2", LedgerKind::Withdrawal, "-20"),
        ("3", LedgerKind::Dust, "0.000000000000000001"),
        ("4", LedgerKind::Funding, "-3"),
        ("5", LedgerKind::Interest, "-1"),
        ("6", LedgerKind::Rebate, "0.5"),
        ("7", LedgerKind::Fee, "-2"),
    ] {
        assert_eq!(ledger.book_entry(&entry(id, kind, amount)), Ok(EntryChange::Booked));
        assert_eq!(ledger.entry_sum(kind, "USD"), usd(amount));
    }
    assert_eq!(balance(&ledger, "USD"), "124.500000000000000001");
    assert_eq!(ledger.carry().get("USD"), Some(&usd("-5.5")));
}

#[test]
fn the_same_entry_counts_once_and_another_content_is_a_fault() {
    let mut ledger = stocked(&[("USD", "100")]);
    let deposit = entry("1", LedgerKind::Deposit, "50");
    assert_eq!(ledger.book_entry(&deposit), Ok(EntryChange::Booked));
    assert_eq!(ledger.book_entry(&deposit), Ok(EntryChange::Duplicate));
    let before = ledger.clone();
    for other in [
        LedgerEntry { amount: usd("51"), ..deposit.clone() },
        LedgerEntry { kind: LedgerKind::Rebate, ..deposit.clone() },
        LedgerEntry { at: WallNs(6), ..deposit.clone() },
        LedgerEntry { currency: "EUR".to_owned(), ..deposit.clone() },
    ] {
        assert_eq!(ledger.book_entry(&other), Err(EntryFault::Conflicting));
    }
    assert_eq!(ledger, before);
}

#[test]
fn an_entry_that_overflows_changes_nothing() {
    let mut ledger = stocked(&[("USD", "0")]);
    let most = LedgerEntry { amount: Money(i128::MAX), ..entry("1", LedgerKind::Funding, "0") };
    assert_eq!(ledger.book_entry(&most), Ok(EntryChange::Booked));
    let before = ledger.clone();
    let more = entry("2", LedgerKind::Funding, "1");
    assert_eq!(ledger.book_entry(&more), Err(EntryFault::Overflow));
    // The sum of one kind overflows even where the balance would not.
    let less = LedgerEntry { amount: Money(-1), ..entry("3", LedgerKind::Fee, "0") };
    assert_eq!((ledger.adopt_gap("USD", Money(1)), &ledger), (None, &before));
    assert_eq!(ledger.book_entry(&less), Ok(EntryChange::Booked));
    let more = LedgerEntry { amount: Money(1), ..entry("4", LedgerKind::Funding, "0") };
    assert_eq!(ledger.book_entry(&more), Err(EntryFault::Overflow));
}

/// What was there before the house knew any balance is part of the balance that it adopts.
#[test]
fn entries_from_before_the_first_balances_are_known_and_count_in_no_sum() {
    let mut ledger = Ledger::default();
    let old = entry("1", LedgerKind::Funding, "-3");
    assert_eq!(ledger.book_entry(&old), Ok(EntryChange::Opening));
    ledger.adopt_balances([("USD".to_owned(), usd("97"))].into());
    assert_eq!(ledger.book_entry(&old), Ok(EntryChange::Duplicate));
    assert_eq!((balance(&ledger, "USD"), ledger.carry().len()), ("97".to_owned(), 0));
    assert_eq!(ledger.adopt_gap("USD", usd("3")), Some(()));
    assert_eq!(balance(&ledger, "USD"), "100");
    assert_eq!(ledger.adopted().get("USD"), Some(&usd("3")));
}
