//! The wall-clock backstop: a thread that ends a call which neither returns nor runs out of fuel.
//!
//! It ticks only while there is something to watch, so an idle sandbox costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::engine::SandboxEngine;
use crate::fault::{FaultCode, PluginFault};
use crate::limits::TICK_MS;

/// Ticks without a call after which the thread sleeps until the next one.
const IDLE_TICKS_MAX: u32 = 200;

/// Whoever calls into a plugin says so here.
#[derive(Debug)]
pub struct Watchdog {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    /// Calls begun.
    calls: AtomicU64,
    asleep: AtomicBool,
    /// Whether a call is under way.
    in_call: AtomicBool,
    ended: AtomicBool,
}

impl Watchdog {
    /// Starts the thread.
    pub fn start(engine: &SandboxEngine) -> Result<Self, PluginFault> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let engine = engine.inner().clone();
        let handle = thread::Builder::new()
            .name("watchdog".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                watch(&watched, || engine.increment_epoch());
            })
            .map_err(|error| PluginFault::new(FaultCode::Admission, format!("thread: {error}")))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    /// Runs a call under the watch.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        self.shared.in_call.store(true, Ordering::SeqCst);
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        let result = call();
        self.shared.in_call.store(false, Ordering::SeqCst);
        result
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn watch(shared: &Shared, tick: impl Fn()) {
    let mut calls_seen = 0;
    let mut idle_ticks: u32 = 0;
    while !shared.ended.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(TICK_MS));
        tick();
        let calls = shared.calls.load(Ordering::Relaxed);
        let busy = calls != calls_seen || shared.in_call.load(Ordering::SeqCst);
        calls_seen = calls;
        idle_ticks = if busy { 0 } else { idle_ticks.saturating_add(1) };
        if idle_ticks > IDLE_TICKS_MAX {
            shared.asleep.store(true, Ordering::SeqCst);
            // A call that began before it could see the mark is seen here.
            if !shared.in_call.load(Ordering::SeqCst) && !shared.ended.load(Ordering::SeqCst) {
                thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            idle_ticks = 0;
        }
    }
}
