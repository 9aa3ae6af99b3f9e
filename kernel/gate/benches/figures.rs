//! What one order costs in the gate of a large house: 10 strategies, 50 instruments, 1 000 open
//! orders.
//!
//! `cargo bench -p portcullis-gate`; `-- --test` only runs it briefly, as the test command does.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads a clock, prints, and stops at the first surprise"
)]

#[path = "../tests/it/crowd.rs"]
mod crowd;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/it/fixture.rs"]
mod fixture;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/it/people.rs"]
mod people;

use std::time::{Duration, Instant};

use portcullis_domain::{ClOrdId, OrdStatus, Order, OrderIntent};
use portcullis_gate::{Circumstances, Verdict};

use crowd::Crowd;
use fixture::word;

fn main() {
    let brief = std::env::args().any(|argument| argument == "--test");
    let count = if brief { 100 } else { 200_000 };
    report("the measurement itself", times(count, |_| Instant::now().elapsed()));
    let mut crowd = Crowd::new();
    let accepted = times(count, |number| accepted(&mut crowd, number));
    report("accepted, looked up to counted", accepted);
    for (answer, alter) in CASES {
        let intent = crowd.wish(7);
        let at = crowd.circumstances(&intent);
        report(answer, times(count, |_| assessed(&crowd, (&intent, &at), (answer, *alter))));
    }
}

/// One order from its wish to its place in every limit: the book is asked, every check runs, and
/// the order is reserved. Then it ends, so that a thousand stay open.
fn accepted(crowd: &mut Crowd, number: u32) -> Duration {
    let intent = crowd.wish(number);
    let begin = Instant::now();
    let Verdict::Approve(approved) = crowd.ask(intent) else { panic!("order {number} is denied") };
    let order = crowd.count(&approved);
    let time = begin.elapsed();
    let over = Order { status: OrdStatus::Canceled, ..order.clone() };
    crowd.book.order_changed(Some(&order), &over).unwrap();
    time
}

type Alter = fn(&mut OrderIntent, &mut Circumstances);

/// An order that every check lets pass, and orders that one check each denies: the first, some in
/// the middle, and one of the last.
const CASES: &[(&str, Alter)] = &[
    ("APPROVE", |_, _| {}),
    ("KILL_ACTIVE", |_, at| at.killed = true),
    ("STALE_MARKET_DATA", |_, at| at.now.boot = at.now.boot.plus_ns(3_600_000_000_000)),
    ("PRICE_COLLAR", |intent, _| intent.price = Some(people::px(9_000))),
    ("MAX_MSG_RATE", |_, at| at.whole.messages = u32::MAX),
];

/// The checks alone, on circumstances that are known already.
fn assessed(
    crowd: &Crowd,
    (intent, at): (&OrderIntent, &Circumstances),
    (answer, alter): (&str, Alter),
) -> Duration {
    let (mut intent, mut at) = (intent.clone(), at.clone());
    alter(&mut intent, &mut at);
    let id = ClOrdId { epoch: 7, sequence: 2_000 };
    let begin = Instant::now();
    let verdict = std::hint::black_box(crowd.gate.assess(intent, id, &at));
    let time = begin.elapsed();
    assert_eq!(word(&verdict), answer);
    time
}

fn times(count: u32, once: impl FnMut(u32) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..count).map(once).collect();
    times.sort_unstable();
    times
}

fn report(what: &str, times: Vec<Duration>) {
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_nanos();
    println!("{what:30} p50 {:>6} ns   p99 {:>6} ns   max {:>8} ns", at(50), at(99), at(100));
}
