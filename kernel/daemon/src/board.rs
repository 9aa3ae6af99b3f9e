//! The core as people see it, shown only when somebody asks: making a view costs more than a step.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use portcullis_core::{Core, EpochName, View};
use portcullis_domain::Money;
use portcullis_evidence::{Head, Watermark};
use portcullis_statement::{Digest, EndpointSet, PluginRelease};

/// How long an asker waits for the core.
const WAIT: Duration = Duration::from_secs(5);

/// What is shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) view: View,
    pub(crate) head: Head,
    /// What is shown lies below this in the journal.
    pub(crate) end: Watermark,
    pub(crate) releases: Vec<(Digest, PluginRelease)>,
    pub(crate) endpoints: Vec<(Digest, EndpointSet)>,
    /// Name of the epoch whose head this is.
    pub(crate) epoch: Option<EpochName>,
    /// Origin of the journal that the open session's approval is bound to.
    pub(crate) session_origin: Option<String>,
    pub(crate) balances: Option<BTreeMap<String, Money>>,
}

/// Where the core loop shows and people look.
#[derive(Debug, Default)]
pub(crate) struct Board {
    wanted: AtomicBool,
    shown: Mutex<Option<Shown>>,
    changed: Condvar,
}

impl Board {
    /// Called by the core loop after each event.
    pub(crate) fn show(&self, core: &Core, (head, end): (Head, Watermark)) {
        if !self.wanted.swap(false, Ordering::AcqRel) {
            return;
        }
        let shown = Shown {
            view: core.view(),
            head,
            end,
            releases: core.releases().map(|(digest, item)| (*digest, item.clone())).collect(),
            endpoints: core.endpoints().map(|(digest, item)| (*digest, item.clone())).collect(),
            epoch: core.epoch().map(|(_, name)| name.clone()),
            session_origin: core.session_origin().map(str::to_owned),
            balances: core.account().balances().cloned(),
        };
        let mut slot = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(shown);
        drop(slot);
        self.changed.notify_all();
    }

    /// Waits for the present view; `None` if the core loop does not show one.
    pub(crate) fn look(&self) -> Option<Shown> {
        let mut slot = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = None;
        self.wanted.store(true, Ordering::Release);
        let waited = self.changed.wait_timeout_while(slot, WAIT, |shown| shown.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}
