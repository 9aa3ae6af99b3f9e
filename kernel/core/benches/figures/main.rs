//! What the core costs with a large house: market data, one wish to trade, and a reading of the
//! account.
//!
//! `cargo bench -p portcullis-core`; `-- --test` only runs it briefly, as the test command does.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a measurement reads a clock, prints, and stops at the first surprise"
)]

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

use portcullis_core::{Effect, Event, Input};
use portcullis_domain::PluginId;

use crowd::{Market, crowded};
use world::World;

/// Runs of each measurement; their median is told.
const RUNS: usize = 5;
/// Market events between two replies of a strategy that answers.
const EVENTS_PER_REPLY: usize = 64;

fn main() {
    let brief = std::env::args().any(|argument| argument == "--test");
    reconciliation();
    let events = if brief { 1_000 } else { 400_000 };
    market("no session", events, || World::started(), false);
    market("10 strategies, 50 instruments", events, crowded, false);
    market("and each of them answers", events, crowded, true);
}

/// One reading of an account with ten thousand open orders after the other: the first of a run,
/// one in which all agree, and readings in which all differ, then all are gone.
fn reconciliation() {
    let runs: Vec<Vec<Duration>> = (0..RUNS)
        .map(|_| {
            let mut world = large::large();
            let agrees = || large::listed(10_000);
            let differs = || large::listed(10_010);
            let lists = [agrees(), agrees(), differs(), differs(), differs(), vec![], vec![]];
            lists.into_iter().map(|list| read(&mut world, list)).collect()
        })
        .collect();
    let whats = [
        "first of a run",
        "all agree",
        "all differ, seen once",
        "all differ, findings begin",
        "all differ, as before",
        "all gone, seen once",
        "all gone, buried",
    ];
    for (place, what) in whats.into_iter().enumerate() {
        let mut times: Vec<Duration> = runs.iter().map(|run| run[place]).collect();
        times.sort_unstable();
        let ms = |time: Duration| f64::from(u32::try_from(time.as_micros()).unwrap()) / 1_000.0;
        println!(
            "10 000 orders, {what:27} {:>7.1} ms (median of {RUNS} runs)",
            ms(times[RUNS / 2])
        );
    }
}

fn read(world: &mut World, orders: Vec<portcullis_core::VenueOrder>) -> Duration {
    world.pass(10_000_000_000);
    let event = Event { now: world.now, input: Input::Account(large::reading(world, orders)) };
    let begin = Instant::now();
    let step = world.core.step(event);
    let time = begin.elapsed();
    drop(step);
    time
}

fn market(what: &str, count: u32, world: fn() -> World, answers: bool) {
    let mut rates: Vec<u128> = (0..RUNS)
        .map(|_| {
            let mut world = world();
            let events = Market::default().events(&mut world, count);
            let time = fed(&mut world, events, answers);
            u128::from(count) * 1_000_000_000 / time.as_nanos().max(1)
        })
        .collect();
    rates.sort_unstable();
    println!("market, {what:30} {:>9} events/s (median of {RUNS} runs)", rates[RUNS / 2]);
}

/// How long the core takes over all of them. Strategies that answer ask for nothing.
fn fed(world: &mut World, events: Vec<Event>, answers: bool) -> Duration {
    let core = &mut world.core;
    let mut out: Vec<(PluginId, u32)> = std::mem::take(&mut world.out).into_iter().collect();
    let begin = Instant::now();
    for (number, event) in (1..).zip(events) {
        let now = event.now;
        take(&mut out, core.step(event).effects);
        if answers && number % EVENTS_PER_REPLY == 0 {
            for (plugin, batch) in std::mem::take(&mut out) {
                let (fuel, intents, log) = (1_000, Vec::new(), String::new());
                let input = Input::PluginReply { plugin, batch, fuel, intents, log };
                take(&mut out, core.step(Event { now, input }).effects);
            }
        }
    }
    begin.elapsed()
}

fn take(out: &mut Vec<(PluginId, u32)>, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Deliver { plugin, batch, .. } = effect {
            out.push((plugin, batch));
        }
    }
}
