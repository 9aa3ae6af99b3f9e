//! What holds in every seeded world.

use std::collections::BTreeMap;

use portcullis_domain::{ClOrdId, ExecType, ExecutionReport, InstrumentId, Qty, Side, WallNs};

use super::tests::{id, ioc, limit, line, market, snapshot, trade, update};
use super::{ShadowOrder, ShadowVenue};
use crate::testing::{Seeded, instrument};

/// Price and quantity of each fill, in order.
fn fills(reports: &[ExecutionReport]) -> Vec<(ClOrdId, i64, i64)> {
    let fill = |report: &ExecutionReport| match report.exec_type {
        ExecType::Trade { last_px, last_qty, .. } => {
            Some((report.cl_ord_id, last_px.units(), last_qty.units()))
        }
        ExecType::New
        | ExecType::Canceled
        | ExecType::Rejected
        | ExecType::Expired
        | ExecType::CancelRejected
        | ExecType::Replaced { .. }
        | ExecType::ReplaceRejected => None,
    };
    reports.iter().filter_map(fill).collect()
}

/// Offers of a market that moves against buyers only: at each step the quantity offered at or
/// below any price stays or falls.
fn rising_offers(seed: u64) -> Vec<Vec<(i64, i64)>> {
    let mut random = Seeded(seed);
    let mut offers: BTreeMap<i64, i64> =
        (101..121).map(|price| (price, random.between(1, 9))).collect();
    let mut steps = vec![offers.clone().into_iter().collect()];
    for _ in 0..60 {
        let mut changed = Vec::new();
        let price = random.between(101, 120);
        let qty = offers.get(&price).copied().unwrap_or(0);
        let moved = random.between(0, qty);
        // What leaves a level goes away, or to a worse price: never to a better one.
        offers.insert(price, qty.saturating_sub(moved));
        changed.push((price, qty.saturating_sub(moved)));
        if random.one_in(2) {
            let worse = random.between(price.saturating_add(1), 125);
            let there = offers.get(&worse).copied().unwrap_or(0).saturating_add(moved);
            offers.insert(worse, there);
            changed.push((worse, there));
        }
        steps.push(changed);
    }
    steps
}

/// The unit costs of a marketable buy order that is given at 0 and needs `latency_ns`, cheapest
/// first, while the offers change every 10 ns.
fn unit_costs(offers: &[Vec<(i64, i64)>], order: ShadowOrder, latency_ns: u64) -> Vec<i64> {
    let mut venue = ShadowVenue::new(instrument(), latency_ns);
    let (first, rest) = offers.split_first().unwrap();
    venue.on_market(&snapshot(&[(99, 5)], first), WallNs(0));
    venue.submit(order, WallNs(0));
    for (at, changed) in (1..).zip(rest) {
        venue.on_market(&update(&[], changed), WallNs(0).plus_ns(10_i64.saturating_mul(at)));
    }
    let reports = venue.take_due(WallNs(i64::MAX));
    let unit = |(_, price, count): (ClOrdId, i64, i64)| (0..count).map(move |_| price);
    fills(&reports).into_iter().flat_map(unit).collect()
}

/// Where the market only moves against an order, more latency neither fills more of it nor fills
/// any unit of it cheaper. (Where it moves in favour, waiting may pay: that is no property.)
#[test]
fn more_latency_never_improves_an_order_that_the_market_runs_from() {
    let mut hurt = 0_u32;
    for seed in 0..60 {
        let offers = rising_offers(seed);
        for order in [market(1, Side::Buy, 40), ioc(1, Side::Buy, 108, 40)] {
            let mut faster = unit_costs(&offers, order, 0);
            for latency_ns in [5, 50, 155, 300, 590] {
                let slower = unit_costs(&offers, order, latency_ns);
                assert!(slower.len() <= faster.len(), "seed {seed}, {latency_ns} ns");
                assert!(slower.iter().zip(&faster).all(|(s, f)| s >= f), "seed {seed}");
                hurt = hurt.saturating_add(u32::from(slower != faster));
                faster = slower;
            }
        }
    }
    assert!(hurt > 100, "latency changed only {hurt} outcomes: the test would show nothing");
}

/// One random world: what was ordered, what came back, and how much of others' trades there was.
struct World {
    orders: BTreeMap<ClOrdId, ShadowOrder>,
    reports: Vec<ExecutionReport>,
    traded: i64,
    offered: i64,
}

fn world(seed: u64, poll_often: bool) -> World {
    let mut random = Seeded(seed);
    let mut venue = ShadowVenue::new(instrument(), 30);
    let (mut orders, mut reports) = (BTreeMap::new(), Vec::new());
    let (mut traded, mut offered) = (0_i64, 0_i64);
    venue.on_market(&snapshot(&[(99, 5)], &[(101, 5)]), WallNs(0));
    offered = offered.saturating_add(10);
    for step in 1..400_u32 {
        let now = WallNs(i64::from(step).saturating_mul(7));
        let (price, units) = (random.between(95, 99), random.between(0, 6));
        let side = if random.one_in(2) { Side::Buy } else { Side::Sell };
        let own =
            |price: i64| if side == Side::Buy { price } else { 200_i64.saturating_sub(price) };
        match random.between(1, 6) {
            1 | 2 => {
                let level = [(own(price), units)];
                let (bids, asks): (&[_], &[_]) =
                    if side == Side::Buy { (&level, &[]) } else { (&[], &level) };
                venue.on_market(&update(bids, asks), now);
                offered = offered.saturating_add(units);
            }
            3 => {
                venue.on_market(&trade(side, own(random.between(95, 105)), units.max(1)), now);
                traded = traded.saturating_add(units.max(1));
            }
            4 => venue.cancel(id(step.saturating_sub(9)), now),
            kind => {
                let price = own(random.between(94, 103));
                let order = match kind {
                    5 => limit(step, side, price, units.max(1)),
                    _ => ioc(step, side, price, units.max(1)),
                };
                orders.insert(order.cl_ord_id, order);
                venue.submit(order, now);
            }
        }
        if poll_often {
            reports.extend(venue.take_due(now));
        }
    }
    reports.extend(venue.take_due(WallNs(i64::MAX)));
    World { orders, reports, traded, offered }
}

#[test]
fn no_order_is_overfilled_or_filled_beyond_its_limit_or_from_nothing() {
    let mut total = 0_i64;
    for seed in 0..200 {
        let world = world(seed, true);
        let (mut filled, mut taken, mut made) = (BTreeMap::<ClOrdId, Qty>::new(), 0_i64, 0_i64);
        for report in &world.reports {
            let ExecType::Trade { last_px, last_qty, maker, .. } = report.exec_type else {
                continue;
            };
            let order = &world.orders[&report.cl_ord_id];
            let limit = order.price.unwrap();
            assert!(if order.side == Side::Buy { last_px <= limit } else { last_px >= limit });
            let cum = filled.entry(report.cl_ord_id).or_default();
            *cum = cum.plus(last_qty).unwrap();
            assert!(*cum <= order.qty, "seed {seed}: {}", line(report));
            let sum = if maker { &mut made } else { &mut taken };
            *sum = sum.saturating_add(last_qty.units());
        }
        assert!(made <= world.traded, "seed {seed}: more made than was traded");
        assert!(taken <= world.offered, "seed {seed}: more taken than was ever offered");
        total = total.saturating_add(made).saturating_add(taken);
    }
    assert!(total > 1_000, "{total}");
}

#[test]
fn one_order_fills_at_most_what_is_displayed_within_its_limit() {
    for seed in 0..200 {
        let mut random = Seeded(seed);
        let offers: Vec<_> = (101..111).map(|price| (price, random.between(0, 5))).collect();
        let limit = random.between(100, 112);
        let asked = random.between(1, 60);
        let mut venue = ShadowVenue::new(instrument(), 1);
        venue.on_market(&snapshot(&[(99, 1)], &offers), WallNs(0));
        venue.submit(ioc(1, Side::Buy, limit, asked), WallNs(0));
        let seen = fills(&venue.take_due(WallNs(9)));
        let within = offers.iter().filter(|(price, _)| *price <= limit);
        let displayed = within.fold(0_i64, |sum, (_, units)| sum.saturating_add(*units));
        let filled = seen.iter().fold(0_i64, |sum, (_, _, units)| sum.saturating_add(*units));
        assert_eq!(filled, displayed.min(asked), "seed {seed}");
    }
}

#[test]
fn the_same_world_gives_the_same_reports_however_often_they_are_asked_for() {
    for seed in 0..50 {
        let reports = world(seed, true).reports;
        assert_eq!(reports, world(seed, true).reports);
        assert_eq!(reports, world(seed, false).reports);
    }
}

#[test]
fn frames_of_another_instrument_change_nothing() {
    let mut venue = ShadowVenue::new(instrument(), 0);
    let mut frame = snapshot(&[(99, 1)], &[(101, 1)]);
    frame.instrument = InstrumentId(9);
    venue.on_market(&frame, WallNs(0));
    venue.submit(market(1, Side::Buy, 1), WallNs(1));
    assert_eq!(fills(&venue.take_due(WallNs(1))), []);
}
