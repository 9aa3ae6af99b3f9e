//! How long a batch takes to the plugin and back: through the process, and the call alone.
//!
//! Prints medians and 99th percentiles in microseconds. `cargo bench -p portcullis-sandbox`;
//! `-- --test` only runs it briefly, as the test command does.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads a clock, prints, and stops at the first surprise"
)]

#[expect(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/hostile/kernel_side.rs"]
mod kernel_side;

use std::time::{Duration, Instant};

use kernel_side::{Kernel, component, quote, session_start};
use portcullis_sandbox::{Plugin, SandboxEngine, SessionStart};

const FUEL: u64 = 10_000_000;
const MEMORY: u64 = 64 * 1024 * 1024;

fn main() {
    let Some(bytes) = component("ema-cross") else { return };
    let brief = std::env::args().any(|argument| argument == "--test");
    let rounds = if brief { 100 } else { 20_000 };
    for batch_len in [1, 64] {
        through_the_process(&bytes, batch_len, rounds);
        the_call_alone(&bytes, batch_len, rounds);
    }
}

fn through_the_process(bytes: &[u8], batch_len: usize, rounds: u32) {
    let mut kernel = Kernel::start();
    kernel.load(bytes, MEMORY).unwrap();
    kernel.init("{}", FUEL).unwrap();
    let events = vec![quote(1, 10_000, 10_001); batch_len];
    report("process", batch_len, rounds, |round| {
        kernel.events(round, &events, FUEL).unwrap();
    });
}

fn the_call_alone(bytes: &[u8], batch_len: usize, rounds: u32) {
    let engine = SandboxEngine::new().unwrap();
    let mut plugin = Plugin::load(&engine, bytes, MEMORY).unwrap();
    let start: SessionStart = serde_json::from_str(&session_start("{}")).unwrap();
    plugin.init(&start, FUEL).unwrap();
    let events = vec![quote(1, 10_000, 10_001); batch_len];
    let mut intents = Vec::new();
    let fuel = plugin.on_events(events.iter().copied(), FUEL, &mut intents).unwrap();
    println!("fuel       batch {batch_len:2}: {fuel}");
    report("call alone", batch_len, rounds, |_| {
        plugin.on_events(events.iter().copied(), FUEL, &mut intents).unwrap();
    });
}

fn report(what: &str, batch_len: usize, rounds: u32, mut once: impl FnMut(u32)) {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|round| {
            let begin = Instant::now();
            once(round);
            begin.elapsed()
        })
        .collect();
    times.sort();
    let at = |percent: usize| {
        let place = times.len().saturating_mul(percent).checked_div(100).unwrap();
        times.get(place).unwrap().as_nanos()
    };
    println!("{what:10} batch {batch_len:2}: p50 {:7} ns, p99 {:7} ns", at(50), at(99));
}
