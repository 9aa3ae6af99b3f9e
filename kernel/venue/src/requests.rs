//! Which request of ours an answer is about: refusals name a request by its number alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_domain::ClOrdId;

/// Unanswered requests that are remembered. Beyond, the oldest is forgotten: by then its order is
/// found by reading the account.
const UNANSWERED_MAX: usize = 8_192;

/// What a request was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Executions,
    Order(ClOrdId),
    Change(ClOrdId),
    Cancel(ClOrdId),
    CancelAll,
}

/// The unanswered requests of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Arc<Mutex<Unanswered>>);

#[derive(Debug, Default)]
struct Unanswered {
    last: u64,
    asked: BTreeMap<u64, Asked>,
}

impl Requests {
    /// Remembers a request and gives its number.
    pub(crate) fn note(&self, asked: Asked) -> u64 {
        let mut unanswered = self.locked();
        unanswered.last = unanswered.last.saturating_add(1);
        let req_id = unanswered.last;
        unanswered.asked.insert(req_id, asked);
        if unanswered.asked.len() > UNANSWERED_MAX {
            unanswered.asked.pop_first();
        }
        req_id
    }

    /// What the answer with that number is about.
    pub(crate) fn answered(&self, req_id: Option<u64>) -> Option<Asked> {
        req_id.and_then(|req_id| self.locked().asked.remove(&req_id))
    }

    fn locked(&self) -> MutexGuard<'_, Unanswered> {
        // Each change is one call; a panic elsewhere leaves none half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_request_once() {
        let requests = Requests::default();
        let id = ClOrdId { epoch: 1, sequence: 1 };
        let one = requests.note(Asked::Order(id));
        let two = requests.note(Asked::Cancel(id));
        assert_eq!((one, two), (1, 2));
        assert_eq!(requests.answered(Some(one)), Some(Asked::Order(id)));
        assert_eq!(requests.answered(Some(one)), None);
        assert_eq!(requests.answered(None), None);
        for _ in 0..UNANSWERED_MAX {
            requests.note(Asked::CancelAll);
        }
        assert_eq!(requests.answered(Some(two)), None);
        assert_eq!(requests.answered(Some(3)), Some(Asked::CancelAll));
    }
}
