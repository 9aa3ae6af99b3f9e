//! Requests of people that wait for an answer of the core.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use portcullis_core::Answer;

/// Most answers to one request: a kill has two from the core.
const ANSWERS_MAX: usize = 4;

/// Who waits for what.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: AtomicU64,
    waiting: Mutex<BTreeMap<u64, Sender<Answer>>>,
}

impl Requests {
    /// A new request and where its answers arrive.
    pub(crate) fn open(&self) -> (u64, Receiver<Answer>) {
        let request = self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let (give, take) = bounded(ANSWERS_MAX);
        self.with(|waiting| drop(waiting.insert(request, give)));
        (request, take)
    }

    /// Gives an answer. Nobody may be waiting any more; the entry stays in the journal.
    pub(crate) fn give(&self, request: u64, answer: Answer) {
        self.with(|waiting| {
            let latched = matches!(answer, Answer::Latched { .. });
            if let Some(give) = waiting.get(&request) {
                drop(give.try_send(answer));
            }
            if !latched {
                waiting.remove(&request);
            }
        });
    }

    /// Forgets a request whose asker has gone.
    pub(crate) fn forget(&self, request: u64) {
        self.with(|waiting| drop(waiting.remove(&request)));
    }

    fn with(&self, act: impl FnOnce(&mut BTreeMap<u64, Sender<Answer>>)) {
        // A holder that panicked left at most one answer ungiven.
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
