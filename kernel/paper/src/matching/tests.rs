//! The engine against a naive model, and its rules one by one.

use portcullis_domain::{OrdType, Px, Qty, Side, TimeInForce, WallNs};

use super::{MatchEvent, Matching, NewOrder};
use crate::testing::{Seeded, instrument, px, qty};

fn limit(owner: u32, id: u64, side: Side, price: i64, units: i64) -> NewOrder {
    NewOrder {
        owner,
        id,
        side,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        qty: qty(units),
        price: Px::new(price),
    }
}

fn line(event: &MatchEvent) -> String {
    match event {
        MatchEvent::Accepted { id } => format!("+{id}"),
        MatchEvent::Rejected { id, reason } => format!("!{id} {}", reason.code()),
        MatchEvent::Trade { maker, taker, px, qty, .. } => {
            format!("{taker}x{maker} {}@{}", qty.units(), px.units())
        }
        MatchEvent::Amended { id, qty, px } => format!("~{id} {}@{}", qty.units(), px.units()),
        MatchEvent::Canceled { id, leaves, reason } => {
            format!("-{id} {} {}", leaves.units(), reason.code())
        }
    }
}

/// Submits `order` to a book with two offers at 101 and one at 102, and compares.
#[track_caller]
fn check(order: NewOrder, expect: &[&str]) {
    let mut engine = Matching::new(instrument());
    engine.submit(limit(1, 1, Side::Sell, 101, 3), WallNs(0));
    engine.submit(limit(2, 2, Side::Sell, 101, 4), WallNs(1));
    engine.submit(limit(3, 3, Side::Sell, 102, 5), WallNs(2));
    let events = engine.submit(order, WallNs(3));
    assert_eq!(events.iter().map(line).collect::<Vec<_>>(), expect);
}

#[test]
fn orders_trade_by_price_then_time_at_the_resting_price() {
    let buy = limit(9, 9, Side::Buy, 102, 8);
    check(buy, &["+9", "9x1 3@101", "9x2 4@101", "9x3 1@102"]);
    check(NewOrder { price: Px::new(101), ..buy }, &["+9", "9x1 3@101", "9x2 4@101"]);
    check(NewOrder { price: Px::new(100), ..buy }, &["+9"]);
    let market = NewOrder { ord_type: OrdType::Market, price: None, qty: qty(20), ..buy };
    let all = ["+9", "9x1 3@101", "9x2 4@101", "9x3 5@102", "-9 8 TIME_IN_FORCE"];
    check(market, &all);
    let ioc = NewOrder { time_in_force: TimeInForce::Ioc, price: Px::new(101), ..buy };
    check(ioc, &["+9", "9x1 3@101", "9x2 4@101", "-9 1 TIME_IN_FORCE"]);
    check(NewOrder { owner: 2, ..buy }, &["+9", "9x1 3@101", "-9 5 SELF_MATCH"]);
}

#[test]
fn what_cannot_be_is_rejected() {
    let buy = limit(9, 9, Side::Buy, 100, 8);
    let post = NewOrder { post_only: true, ..buy };
    check(post, &["+9"]);
    check(NewOrder { price: Px::new(101), ..post }, &["!9 POST_ONLY_WOULD_TAKE"]);
    let ioc = NewOrder { time_in_force: TimeInForce::Ioc, ..post };
    check(ioc, &["!9 POST_ONLY_CANNOT_REST"]);
    check(NewOrder { id: 3, ..buy }, &["!3 DUPLICATE_ID"]);
    check(NewOrder { qty: Qty::ZERO, ..buy }, &["!9 LOT_SIZE"]);
    check(NewOrder { price: None, ..buy }, &["!9 PRICE_PRESENCE"]);
    let mut coarse = instrument();
    coarse.tick = px(10);
    let events = Matching::new(coarse).submit(limit(1, 1, Side::Buy, 105, 1), WallNs(0));
    assert_eq!(events.iter().map(line).collect::<Vec<_>>(), ["!1 TICK_SIZE"]);
}

#[test]
fn cancels_take_back_and_leave_no_trace() {
    let mut engine = Matching::new(instrument());
    for (owner, id, price) in [(1, 1, 99), (2, 2, 99), (1, 3, 98)] {
        engine.submit(limit(owner, id, Side::Buy, price, 5), WallNs(0));
    }
    assert_eq!(engine.open(1).map(|resting| resting.order.id).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(engine.cancel(1).as_ref().map(line), Some("-1 5 REQUESTED".to_owned()));
    assert_eq!(engine.cancel(1), None);
    let all = engine.cancel_all(1);
    assert_eq!(all.iter().map(line).collect::<Vec<_>>(), ["-3 5 REQUESTED"]);
    assert_eq!(engine.cancel_all(1), []);
    let levels = engine.levels(10);
    assert_eq!(levels.iter().map(|l| (l.px.units(), l.qty.units())).collect::<Vec<_>>(), [(99, 5)]);
    assert_eq!(engine.order(2).map(|resting| resting.leaves), Some(qty(5)));
}

/// The same rules with nothing but a list, scanned whole for each trade.
#[derive(Default)]
struct Naive {
    /// Oldest first: owner, id, side, price, leaves.
    open: Vec<(u32, u64, Side, i64, i64)>,
}

impl Naive {
    fn submit(&mut self, order: &NewOrder) -> Vec<String> {
        let mut out = vec![format!("+{}", order.id)];
        let (mut leaves, limit) = (order.qty.units(), order.price.map(Px::units));
        while leaves > 0 {
            let fits = |price: i64| match (order.side, limit) {
                (_, None) => true,
                (Side::Buy, Some(limit)) => price <= limit,
                (Side::Sell, Some(limit)) => price >= limit,
            };
            let cost =
                |price: i64| if order.side == Side::Buy { price } else { price.saturating_neg() };
            let others = self.open.iter_mut().filter(|o| o.2 != order.side && fits(o.3));
            let Some(best) = others.min_by_key(|o| cost(o.3)) else { break };
            if best.0 == order.owner {
                out.push(format!("-{} {leaves} SELF_MATCH", order.id));
                return out;
            }
            let part = leaves.min(best.4);
            out.push(format!("{}x{} {part}@{}", order.id, best.1, best.3));
            leaves = leaves.saturating_sub(part);
            best.4 = best.4.saturating_sub(part);
            self.open.retain(|o| o.4 > 0);
        }
        match limit {
            _ if leaves == 0 => {}
            Some(limit) if order.time_in_force == TimeInForce::Gtc => {
                self.open.push((order.owner, order.id, order.side, limit, leaves));
            }
            Some(_) | None => out.push(format!("-{} {leaves} TIME_IN_FORCE", order.id)),
        }
        out
    }

    fn cancel(&mut self, id: u64) -> Option<String> {
        let index = self.open.iter().position(|o| o.1 == id)?;
        let gone = self.open.remove(index);
        Some(format!("-{id} {} REQUESTED", gone.4))
    }
}

fn random_order(random: &mut Seeded, id: u64) -> NewOrder {
    let side = if random.one_in(2) { Side::Buy } else { Side::Sell };
    let owner = u32::try_from(random.between(1, 4)).unwrap();
    let base = limit(owner, id, side, random.between(95, 105), random.between(1, 9));
    match random.between(1, 8) {
        1 => NewOrder { ord_type: OrdType::Market, price: None, ..base },
        2 => NewOrder { time_in_force: TimeInForce::Ioc, ..base },
        _ => base,
    }
}

#[test]
fn the_engine_does_what_the_naive_model_does() {
    let mut trades = 0_usize;
    for seed in 0..100 {
        let mut random = Seeded(seed);
        let (mut engine, mut naive) = (Matching::new(instrument()), Naive::default());
        for id in 1..300_u64 {
            let (seen, expect) = if random.one_in(5) {
                let old = id.saturating_sub(u64::try_from(random.between(1, 30)).unwrap());
                let seen = engine.cancel(old);
                (seen.iter().map(line).collect(), naive.cancel(old).into_iter().collect())
            } else {
                let order = random_order(&mut random, id);
                let seen = engine.submit(order, WallNs(0));
                (seen.iter().map(line).collect::<Vec<_>>(), naive.submit(&order))
            };
            assert_eq!(seen, expect, "seed {seed}, order {id}");
            trades = trades.saturating_add(seen.iter().filter(|l| l.contains('x')).count());
        }
    }
    assert!(trades > 5_000, "{trades}");
}

#[test]
fn nothing_is_lost_and_the_book_never_crosses() {
    for seed in 100..200 {
        let mut random = Seeded(seed);
        let mut engine = Matching::new(instrument());
        let (mut submitted, mut traded, mut canceled, mut last_trade) = (0_i64, 0_i64, 0_i64, 0);
        for id in 1..300_u64 {
            let order = random_order(&mut random, id);
            submitted = submitted.saturating_add(order.qty.units());
            let mut events = engine.submit(order, WallNs(0));
            if random.one_in(20) {
                events.extend(engine.cancel_all(order.owner));
            }
            if random.one_in(4) {
                let old = id.saturating_sub(u64::try_from(random.between(1, 30)).unwrap());
                let (before, to) = (engine.order(old).copied(), random.between(1, 12));
                let terms = (qty(to), px(random.between(90, 110)));
                if let (Some(before), Ok(changed)) = (before, engine.amend(old, terms, WallNs(0))) {
                    // A change to what is filled cancels; any other moves what was asked for.
                    if matches!(changed.first(), Some(MatchEvent::Amended { .. })) {
                        submitted = submitted.saturating_add(to - before.order.qty.units());
                    }
                    events.extend(changed);
                }
            }
            for event in events {
                match event {
                    MatchEvent::Trade { qty, trade_id, .. } => {
                        traded = traded.saturating_add(qty.units());
                        assert_eq!(trade_id, last_trade + 1);
                        last_trade = trade_id;
                    }
                    MatchEvent::Canceled { leaves, .. } => {
                        canceled = canceled.saturating_add(leaves.units());
                    }
                    MatchEvent::Accepted { .. }
                    | MatchEvent::Rejected { .. }
                    | MatchEvent::Amended { .. } => {}
                }
            }
            let levels = engine.levels(usize::MAX);
            assert!(levels.iter().all(|level| !level.qty.is_zero()));
            let open = levels.iter().fold(0_i64, |sum, l| sum.saturating_add(l.qty.units()));
            // Each trade takes its quantity from two orders.
            let accounted = open.saturating_add(canceled).saturating_add(traded.saturating_mul(2));
            assert_eq!(submitted, accounted, "seed {seed}, order {id}");
            let (bid, ask) = (engine.best(Side::Buy), engine.best(Side::Sell));
            assert!(bid.zip(ask).is_none_or(|(bid, ask)| bid < ask), "seed {seed}, order {id}");
        }
    }
}

/// Two bids at 99 and one at 98 against an offer at 101; the first is changed, then 99 is sold.
#[track_caller]
fn check_amend(to: (i64, i64), expect: &[&str]) {
    let mut engine = Matching::new(instrument());
    engine.submit(limit(1, 1, Side::Buy, 99, 5), WallNs(0));
    engine.submit(limit(2, 2, Side::Buy, 99, 5), WallNs(1));
    engine.submit(limit(3, 3, Side::Sell, 101, 4), WallNs(2));
    engine.submit(limit(4, 4, Side::Sell, 99, 2), WallNs(3));
    let events = match engine.amend(1, (Qty::new(to.0).unwrap(), px(to.1)), WallNs(4)) {
        Ok(events) => events,
        Err(refusal) => {
            assert_eq!(expect, [format!("{refusal:?}")]);
            return;
        }
    };
    let sold = engine.submit(limit(5, 5, Side::Sell, 99, 1), WallNs(5));
    let lines: Vec<String> = events.iter().chain(&sold).map(line).collect();
    assert_eq!(lines, expect);
}

#[test]
fn a_change_keeps_its_place_only_if_it_asks_for_no_more_at_the_same_price() {
    check_amend((4, 99), &["~1 4@99", "+5", "5x1 1@99"]);
    check_amend((5, 99), &["~1 5@99", "+5", "5x1 1@99"]);
    check_amend((6, 99), &["~1 6@99", "+5", "5x2 1@99"]);
    check_amend((5, 98), &["~1 5@98", "+5", "5x2 1@99"]);
    check_amend((5, 100), &["~1 5@100", "+5", "5x1 1@100"]);
    // Into the other side: it takes what is there, and rests with what is left.
    check_amend((8, 101), &["~1 8@101", "1x3 4@101", "+5", "5x1 1@101"]);
    // Down to the two that are filled, or below: the rest is canceled.
    check_amend((2, 99), &["-1 3 REQUESTED", "+5", "5x2 1@99"]);
    check_amend((1, 99), &["-1 3 REQUESTED", "+5", "5x2 1@99"]);
}

#[test]
fn a_change_against_the_rules_changes_nothing() {
    let mut engine = Matching::new(instrument());
    let post = NewOrder { post_only: true, ..limit(1, 1, Side::Buy, 99, 5) };
    engine.submit(post, WallNs(0));
    engine.submit(limit(2, 2, Side::Sell, 101, 4), WallNs(1));
    let before = engine.levels(9);
    let refused = |engine: &mut Matching, id: u64, price: i64| {
        engine.amend(id, (qty(6), px(price)), WallNs(2)).unwrap_err()
    };
    let would_take = super::RejectReason::PostOnlyWouldTake;
    assert_eq!(refused(&mut engine, 1, 101), super::AmendRefusal::Terms(would_take));
    assert_eq!(refused(&mut engine, 9, 99), super::AmendRefusal::NotOpen);
    assert_eq!(engine.levels(9), before);
}
