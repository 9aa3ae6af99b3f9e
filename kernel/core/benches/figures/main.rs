//! What the core costs with a large house: market data, a wish to trade, and readings of an account
//! with ten thousand open orders.
//!
//! `cargo bench -p portcullis-core`; `-- --test` only runs it briefly.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a measurement reads a clock, prints, and stops at the first surprise"
)]

#[path = "../../tests/it/burned.rs"]
mod burned;
mod crowd;
#[path = "../../tests/it/large.rs"]
mod large;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/out.rs"]
mod out;
#[path = "../../../gate/tests/it/people.rs"]
mod people;
#[path = "../../tests/it/wide_safety.rs"]
mod wide_safety;
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/it/world.rs"]
mod world;

use std::time::{Duration, Instant};

use portcullis_core::{Effect, Event, Input, VenueOrder};
use portcullis_domain::{ExecType, PluginId};

use crowd::{Market, crowded};
use large::listed;
use world::{ALPHA, SECOND_NS, World};

/// Market events between two replies of a strategy that answers.
const EVENTS_PER_REPLY: usize = 64;

fn main() {
    let brief = std::env::args().any(|argument| argument == "--test");
    let (runs, events, wishes) = if brief { (1, 1_000, 10) } else { (5, 400_000, 5_000) };
    market("no session", (runs, events), World::started, false);
    market("10 strategies, 50 instruments", (runs, events), crowded, false);
    market("the same, and each answers", (runs, events), crowded, true);
    wishes_to_trade(wishes);
    reconciliation(runs);
}

fn market(what: &str, (runs, count): (u32, u32), world: fn() -> World, answers: bool) {
    let run = |_| {
        let mut world = world();
        let events = Market::default().events(&mut world, count);
        fed(&mut world, events, answers)
    };
    let times = sorted((0..runs).map(run));
    let rate = |time: Duration| u128::from(count) * 1_000_000_000 / time.as_nanos().max(1);
    let (median, least) = (rate(times[times.len() / 2]), rate(times[0]));
    println!("market, {what:30} {median:>9} events/s   best of {runs} {least:>9}");
}

/// How long the core takes over all of them. Strategies that answer ask for nothing.
fn fed(world: &mut World, events: Vec<Event>, answers: bool) -> Duration {
    let core = &mut world.core;
    let mut out: Vec<(PluginId, u32)> = std::mem::take(&mut world.out).into_iter().collect();
    let begin = Instant::now();
    for (number, event) in (1..).zip(events) {
        let now = event.now;
        delivered(&mut out, core.step(event).effects);
        if answers && number % EVENTS_PER_REPLY == 0 {
            for (plugin, batch) in std::mem::take(&mut out) {
                let (fuel, intents, log) = (1_000, Vec::new(), String::new());
                let input = Input::PluginReply { plugin, batch, fuel, intents, log };
                delivered(&mut out, core.step(Event { now, input }).effects);
            }
        }
    }
    begin.elapsed()
}

fn delivered(out: &mut Vec<(PluginId, u32)>, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Deliver { plugin, batch, .. } = effect {
            out.push((plugin, batch));
        }
    }
}

/// From a strategy's reply to the order and its entries, with a thousand orders open.
fn wishes_to_trade(count: u32) {
    let mut world = crowded();
    let mut time = |number: u32| {
        if !world.out.contains_key(&ALPHA) {
            world.quote(9_990, 10_010);
        }
        world.pass(SECOND_NS / 100);
        let intents = vec![world::buy(1_000 + u64::from(number), 5_100, 9_960)];
        let (plugin, fuel, log) = (ALPHA, 1_000, String::new());
        let batch = world.out.remove(&plugin).unwrap();
        let input = Input::PluginReply { plugin, batch, fuel, intents, log };
        let event = Event { now: world.now, input };
        let begin = Instant::now();
        let step = world.core.step(event);
        let time = begin.elapsed();
        let mut out = Vec::new();
        let submits = out::Out { effects: step.effects, ..Default::default() };
        for exec_type in [ExecType::New, ExecType::Canceled] {
            world.report(submits.submits()[0], exec_type);
        }
        delivered(&mut out, submits.effects);
        world.out.extend(out);
        time
    };
    let times = sorted((0..count).map(&mut time));
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_nanos();
    println!("a wish, its order and its entries      p50 {:>6} ns   p99 {:>6} ns", at(50), at(99));
}

/// What is read, and what the venue lists then.
type Reading = (&'static str, fn() -> Vec<VenueOrder>);

/// Readings one after the other: the first of a run, one in which all agree, some in which all
/// differ, and some in which all are gone.
fn reconciliation(runs: u32) {
    let steps: [Reading; 7] = [
        ("first of a run", || listed(10_000)),
        ("all agree", || listed(10_000)),
        ("all differ, seen once", || listed(10_010)),
        ("all differ, findings begin", || listed(10_010)),
        ("all differ, as before", || listed(10_010)),
        ("all gone, seen once", Vec::new),
        ("all gone, buried", Vec::new),
    ];
    let run = |_| {
        let mut world = large::large();
        steps.map(|(_, orders)| read(&mut world, orders()))
    };
    let times: Vec<[Duration; 7]> = (0..runs).map(run).collect();
    for (place, (what, _)) in steps.into_iter().enumerate() {
        let times = sorted(times.iter().map(|run| run[place]));
        let (median, least) = (times[times.len() / 2].as_micros(), times[0].as_micros());
        println!("10 000 orders, {what:26} {median:>7} us   best of {runs} {least:>7} us");
    }
}

fn read(world: &mut World, orders: Vec<VenueOrder>) -> Duration {
    world.pass(10 * SECOND_NS);
    let event = Event { now: world.now, input: Input::Account(large::reading(world, orders)) };
    let begin = Instant::now();
    let step = world.core.step(event);
    let time = begin.elapsed();
    drop(step);
    time
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times
}
