//! Running a model to the end, or to the first order of events in which it fails.

use loom::model::Builder;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More switches than any model here has: a model that grows beyond says so instead of hanging.
const BRANCHES_MAX: usize = 1_000;

/// Runs `model` once for each order of events. `Err` is the first panic, in words.
fn explore(model: impl Fn() + Send + Sync + 'static) -> Result<usize, String> {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let mut builder = Builder::new();
    // No word in the environment makes the search a smaller one.
    builder.max_branches = BRANCHES_MAX;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            model();
        });
    }));
    let said = |panic: Box<dyn std::any::Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => {
            panic.downcast::<&str>().map_or_else(|_| "a panic".to_owned(), |text| text.to_string())
        }
    };
    outcome.map(|()| runs.load(Ordering::Relaxed)).map_err(said)
}

/// The claim holds in every order of events, and there was more than one.
#[track_caller]
pub(crate) fn holds(claim: &str, model: impl Fn() + Send + Sync + 'static) {
    match explore(model) {
        Ok(runs) => {
            assert!(runs > 1, "{claim}: there is only one order of events, so nothing was tried");
            println!("loom: {claim}: {runs} orders of events");
        }
        Err(panic) => panic!("{claim}: {panic}"),
    }
}

/// The fault that is built into the model is found, and no other.
#[track_caller]
pub(crate) fn finds(fault: &str, model: impl Fn() + Send + Sync + 'static) {
    match explore(model) {
        Ok(runs) => panic!("{fault}: not found in {runs} orders of events"),
        Err(panic) => assert!(panic.contains(fault), "{fault}: another one was found: {panic}"),
    }
}
