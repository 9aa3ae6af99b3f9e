//! The rules of the model, one by one.

use portcullis_domain::market::Level;
use portcullis_domain::{
    Amendment, ClOrdId, ExecType, ExecutionReport, InstrumentId, MarketEvent, MarketFrame, OrdType,
    Px, Side, StreamId, TimeInForce, WallNs,
};

use super::{ShadowOrder, ShadowVenue};
use crate::testing::{instrument, px, qty};

pub(super) const LATENCY_NS: u64 = 100;

pub(super) fn id(sequence: u32) -> ClOrdId {
    ClOrdId { epoch: 1, sequence }
}

pub(super) fn limit(sequence: u32, side: Side, price: i64, units: i64) -> ShadowOrder {
    ShadowOrder {
        cl_ord_id: id(sequence),
        side,
        ord_type: OrdType::Limit,
        time_in_force: TimeInForce::Gtc,
        qty: qty(units),
        price: Px::new(price),
    }
}

pub(super) fn ioc(sequence: u32, side: Side, price: i64, units: i64) -> ShadowOrder {
    ShadowOrder { time_in_force: TimeInForce::Ioc, ..limit(sequence, side, price, units) }
}

pub(super) fn market(sequence: u32, side: Side, units: i64) -> ShadowOrder {
    ShadowOrder { ord_type: OrdType::Market, price: None, ..ioc(sequence, side, 1, units) }
}

fn frame(stream: u16, event: MarketEvent) -> MarketFrame {
    let instrument = InstrumentId(0);
    MarketFrame { stream: StreamId(stream), sequence: 1, instrument, venue_time: None, event }
}

fn levels(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Vec<Level> {
    let of = |side: Side, list: &[(i64, i64)]| {
        let level = |(p, q): &(i64, i64)| Level { side, px: px(*p), qty: qty(*q) };
        list.iter().map(level).collect::<Vec<_>>()
    };
    [of(Side::Buy, bids), of(Side::Sell, asks)].concat()
}

pub(super) fn snapshot(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> MarketFrame {
    frame(0, MarketEvent::Snapshot { levels: levels(bids, asks) })
}

pub(super) fn update(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> MarketFrame {
    frame(0, MarketEvent::Levels { levels: levels(bids, asks) })
}

fn quote(bid: (i64, i64), ask: (i64, i64)) -> MarketFrame {
    let (bid, bid_qty, ask, ask_qty) = (px(bid.0), qty(bid.1), px(ask.0), qty(ask.1));
    frame(1, MarketEvent::Quote { bid, bid_qty, ask, ask_qty })
}

pub(super) fn trade(aggressor: Side, price: i64, units: i64) -> MarketFrame {
    let event = MarketEvent::Trade { aggressor, px: px(price), qty: qty(units), trade_id: 1 };
    frame(2, event)
}

fn gap(stream: u16) -> MarketFrame {
    frame(stream, MarketEvent::Gap { expected: 1, found: 2 })
}

/// One report in a line: `1 new`, `1 fill 5@100 maker`, with the text where there is one.
pub(super) fn line(report: &ExecutionReport) -> String {
    let number = report.cl_ord_id.sequence;
    match &report.exec_type {
        ExecType::Trade { last_px, last_qty, maker, .. } => {
            let role = if *maker { "maker" } else { "taker" };
            format!("{number} fill {}@{} {role}", last_qty.units(), last_px.units())
        }
        ExecType::Replaced { qty, price } => {
            format!("{number} replaced {}@{}", qty.units(), price.units())
        }
        ExecType::New
        | ExecType::Canceled
        | ExecType::Rejected
        | ExecType::Expired
        | ExecType::CancelRejected
        | ExecType::ReplaceRejected => {
            let name = report.exec_type.name();
            format!("{number} {name} {}", report.text).trim_end().to_owned()
        }
    }
}

enum Step {
    Market(MarketFrame),
    Order(ShadowOrder),
    Amend(u32, i64, i64),
    Cancel(u32),
}
use Step::{Amend, Cancel, Market, Order};

/// Runs the steps far apart in time and compares all reports.
#[track_caller]
fn check(steps: Vec<Step>, expect: &[&str]) {
    let mut venue = ShadowVenue::new(instrument(), LATENCY_NS);
    let mut now = WallNs(0);
    for step in steps {
        now = now.plus_ns(1_000);
        match step {
            Market(frame) => venue.on_market(&frame, now),
            Order(order) => venue.submit(order, now),
            Amend(number, units, price) => {
                let (cl_ord_id, qty, price) = (id(number), qty(units), px(price));
                venue.amend(Amendment { cl_ord_id, qty, price }, now);
            }
            Cancel(number) => venue.cancel(id(number), now),
        }
    }
    let reports = venue.take_due(WallNs(i64::MAX));
    assert_eq!(reports.iter().map(line).collect::<Vec<_>>(), expect);
    assert_eq!(venue.next_due(), None);
}

fn book() -> Step {
    Market(snapshot(&[(99, 5), (98, 7)], &[(101, 5), (102, 7)]))
}

#[test]
fn a_marketable_order_takes_what_is_displayed_and_no_more() {
    check(
        vec![book(), Order(market(1, Side::Buy, 20))],
        &["1 new", "1 fill 5@101 taker", "1 fill 7@102 taker", "1 expired NOTHING_DISPLAYED"],
    );
    check(
        vec![book(), Order(ioc(1, Side::Sell, 99, 6))],
        &["1 new", "1 fill 5@99 taker", "1 expired NOTHING_DISPLAYED"],
    );
    check(
        vec![book(), Order(limit(1, Side::Buy, 101, 6)), Cancel(1)],
        &["1 new", "1 fill 5@101 taker", "1 canceled"],
    );
    check(vec![Order(market(1, Side::Buy, 1))], &["1 new", "1 expired NOTHING_DISPLAYED"]);
}

#[test]
fn displayed_quantity_is_taken_once_until_the_level_changes() {
    let buy = |number| Order(ioc(number, Side::Buy, 101, 3));
    let none = "expired NOTHING_DISPLAYED";
    let expect = |tail: &[&str]| {
        let start = ["1 new", "1 fill 3@101 taker", "2 new", "2 fill 2@101 taker"];
        let all = [start.as_slice(), tail].concat();
        all.into_iter().map(|text| text.replace("none", none)).collect::<Vec<_>>()
    };
    let run = |between: MarketFrame, tail: &[&str]| {
        let expect = expect(tail);
        let expect: Vec<_> = expect.iter().map(String::as_str).collect();
        check(vec![book(), buy(1), buy(2), Market(between), buy(3)], &expect);
    };
    run(update(&[(99, 6)], &[]), &["2 none", "3 new", "3 none"]);
    run(update(&[], &[(101, 5)]), &["2 none", "3 new", "3 none"]);
    run(quote((99, 1), (101, 5)), &["2 none", "3 new", "3 none"]);
    run(snapshot(&[(99, 5)], &[(101, 5)]), &["2 none", "3 new", "3 none"]);
    run(update(&[], &[(101, 4)]), &["2 none", "3 new", "3 fill 3@101 taker"]);
    run(quote((99, 1), (101, 2)), &["2 none", "3 new", "3 fill 2@101 taker", "3 none"]);
}

#[test]
fn the_freshest_word_on_the_best_level_counts() {
    let buy = || Order(market(1, Side::Buy, 9));
    let moved = Market(quote((100, 1), (102, 2)));
    let ends = "1 expired NOTHING_DISPLAYED";
    check(vec![book(), moved, buy()], &["1 new", "1 fill 2@102 taker", ends]);
    let better = Market(quote((99, 1), (100, 2)));
    check(
        vec![book(), better, buy()],
        &["1 new", "1 fill 2@100 taker", "1 fill 5@101 taker", "1 fill 2@102 taker"],
    );
    let older = Market(quote((99, 1), (100, 2)));
    let newer = Market(update(&[], &[(103, 1)]));
    check(
        vec![book(), older, newer, buy()],
        &["1 new", "1 fill 5@101 taker", "1 fill 4@102 taker"],
    );
}

#[test]
fn a_broken_stream_is_not_believed() {
    let buy = || Order(market(1, Side::Buy, 9));
    let none = ["1 new", "1 expired NOTHING_DISPLAYED"];
    check(vec![book(), Market(gap(0)), buy()], &none);
    check(vec![Market(quote((99, 1), (100, 2))), Market(gap(1)), buy()], &none);
    let only_quote = ["1 new", "1 fill 2@100 taker", "1 expired NOTHING_DISPLAYED"];
    check(vec![book(), Market(quote((99, 1), (100, 2))), Market(gap(0)), buy()], &only_quote);
    let crossed = Market(update(&[(101, 1)], &[]));
    check(vec![book(), crossed, buy()], &none);
}

#[test]
fn a_resting_order_waits_for_the_queue_before_it() {
    let sells = |price, units| Market(trade(Side::Sell, price, units));
    let rest = || Order(limit(1, Side::Buy, 99, 4));
    check(vec![book(), rest(), sells(99, 5), sells(99, 3)], &["1 new", "1 fill 3@99 maker"]);
    check(
        vec![book(), rest(), sells(99, 7), sells(99, 3)],
        &["1 new", "1 fill 2@99 maker", "1 fill 2@99 maker"],
    );
    check(vec![book(), rest(), Market(trade(Side::Buy, 99, 50))], &["1 new"]);
    check(vec![book(), rest(), Market(trade(Side::Sell, 100, 50))], &["1 new"]);
    check(vec![book(), rest(), Market(update(&[(99, 0)], &[])), sells(99, 5)], &["1 new"]);
    check(
        vec![book(), rest(), sells(98, 3), sells(98, 3)],
        &["1 new", "1 fill 3@99 maker", "1 fill 1@99 maker"],
    );
}

#[test]
fn an_unseen_queue_is_long() {
    let sells = |price, units| Market(trade(Side::Sell, price, units));
    let rest = || Order(limit(1, Side::Buy, 97, 4));
    check(vec![book(), rest(), sells(97, 50)], &["1 new"]);
    check(vec![book(), rest(), sells(96, 50)], &["1 new", "1 fill 4@97 maker"]);
    let shows = Market(update(&[(97, 10)], &[]));
    check(vec![book(), rest(), shows, sells(97, 13)], &["1 new", "1 fill 3@97 maker"]);
}

#[test]
fn one_trade_fills_us_once_over_all_orders() {
    let both =
        || vec![book(), Order(limit(1, Side::Buy, 99, 4)), Order(limit(2, Side::Buy, 100, 4))];
    let with = |last: MarketFrame| both().into_iter().chain([Market(last)]).collect::<Vec<_>>();
    let new = ["1 new", "2 new"];
    let expect = |tail: &[&'static str]| [new.as_slice(), tail].concat();
    check(with(trade(Side::Sell, 98, 6)), &expect(&["2 fill 4@100 maker", "1 fill 2@99 maker"]));
    check(with(trade(Side::Sell, 99, 6)), &expect(&["2 fill 4@100 maker"]));
    check(with(trade(Side::Sell, 99, 11)), &expect(&["2 fill 4@100 maker", "1 fill 2@99 maker"]));
}

#[test]
fn a_shape_that_no_venue_takes_is_rejected() {
    let order = limit(1, Side::Buy, 99, 4);
    let priced_market = ShadowOrder { ord_type: OrdType::Market, ..order };
    check(vec![Order(priced_market)], &["1 rejected PRICE_PRESENCE"]);
    check(vec![Order(ShadowOrder { price: None, ..order })], &["1 rejected PRICE_PRESENCE"]);
    check(vec![Order(ShadowOrder { qty: qty(0), ..order })], &["1 rejected LOT_SIZE"]);
    let huge = ShadowOrder { price: Px::new(i64::MAX), qty: qty(i64::MAX), ..order };
    check(vec![Order(huge)], &["1 rejected MIN_NOTIONAL"]);
    check(vec![Order(order), Order(order)], &["1 new", "1 rejected DUPLICATE_CL_ORD_ID"]);
    check(vec![Cancel(7)], &["7 cancel-rejected ORDER_NOT_WORKING"]);
}

#[test]
fn latency_is_paid_each_way() {
    let mut venue = ShadowVenue::new(instrument(), LATENCY_NS);
    venue.on_market(&snapshot(&[(99, 5)], &[(101, 5)]), WallNs(0));
    venue.submit(market(1, Side::Buy, 2), WallNs(10));
    assert_eq!(venue.next_due(), Some(WallNs(210)));
    // At 110 the order is there before the market moves; it trades at the old price.
    venue.on_market(&update(&[], &[(101, 0), (105, 5)]), WallNs(110));
    assert_eq!(venue.take_due(WallNs(209)), []);
    let reports = venue.take_due(WallNs(210));
    assert_eq!(reports.iter().map(line).collect::<Vec<_>>(), ["1 new", "1 fill 2@101 taker"]);
    assert!(reports.iter().all(|report| report.transact_time == WallNs(110)));
    // A moment later it would not have been.
    venue.submit(market(2, Side::Buy, 2), WallNs(300));
    venue.on_market(&update(&[], &[(105, 0), (109, 5)]), WallNs(399));
    let reports = venue.take_due(WallNs(500));
    assert_eq!(reports.iter().map(line).collect::<Vec<_>>(), ["2 new", "2 fill 2@109 taker"]);
}

#[test]
fn fees_and_ids_are_exact() {
    let mut venue = ShadowVenue::new(instrument(), 0);
    venue.on_market(&snapshot(&[(99, 5)], &[(101, 5)]), WallNs(0));
    venue.submit(limit(1, Side::Buy, 101, 8), WallNs(1));
    venue.on_market(&trade(Side::Sell, 100, 3), WallNs(2));
    let reports = venue.take_due(WallNs(2));
    let fees: Vec<_> = reports
        .iter()
        .filter_map(|report| match &report.exec_type {
            ExecType::Trade { exec_id, fee, .. } => Some((exec_id.0.as_str(), fee.text())),
            ExecType::New
            | ExecType::Canceled
            | ExecType::Rejected
            | ExecType::Expired
            | ExecType::CancelRejected
            | ExecType::Replaced { .. }
            | ExecType::ReplaceRejected => None,
        })
        .collect();
    // 1.01 x 0.005 x 20 bps, then 1.01 x 0.003 x 10 bps.
    assert_eq!(fees, [("S-1", "0.0000101".to_owned()), ("S-2", "0.00000303".to_owned())]);
    let order_ids: Vec<_> = reports.iter().map(|r| r.order_id.clone().unwrap().0).collect();
    assert_eq!(order_ids, ["SO-1"; 3]);
}

#[test]
fn a_change_keeps_its_place_or_comes_anew() {
    let sold = |units| Market(trade(Side::Sell, 99, units));
    let rest = |steps: Vec<Step>| {
        let mut all = vec![book(), Order(limit(1, Side::Buy, 99, 4))];
        all.extend(steps);
        all
    };
    // Five are ahead of it. Less at the same price keeps the place, more loses it.
    check(
        rest(vec![sold(5), Amend(1, 3, 99), sold(9)]),
        &["1 new", "1 replaced 3@99", "1 fill 3@99 maker"],
    );
    check(
        rest(vec![sold(5), Amend(1, 6, 99), sold(4), sold(9)]),
        &["1 new", "1 replaced 6@99", "1 fill 6@99 maker"],
    );
    // Into the other side it takes what is displayed, and rests with what is left.
    check(rest(vec![Amend(1, 7, 101)]), &["1 new", "1 replaced 7@101", "1 fill 5@101 taker"]);
    // Down to what is filled its rest is canceled.
    check(
        rest(vec![sold(6), Amend(1, 1, 99)]),
        &["1 new", "1 fill 1@99 maker", "1 canceled AMENDED_TO_FILLED"],
    );
    check(
        rest(vec![sold(9), Amend(1, 9, 99)]),
        &["1 new", "1 fill 4@99 maker", "1 replace-rejected ORDER_NOT_WORKING"],
    );
}
