//! The stops that stand, as whoever raised them and the journal tell it. The laws' own book: what
//! the core believes is not asked.

use std::collections::BTreeMap;

use portcullis_core::entry::decode;
use portcullis_domain::stop::Asking;
use portcullis_domain::{Origin, Stop, StopMode, StopScope};
use portcullis_statement::json::Fields;

use crate::approvals::{PLUGINS, bounds};
use crate::people::name;

/// Every stop that stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopBook {
    /// Raised, and not consumed by the core yet: by the number that was raised with it.
    raised: BTreeMap<u64, Stop>,
    /// On record and not lifted, by its number.
    standing: BTreeMap<u64, Stop>,
}

impl StopBook {
    /// The book as a journal tells it.
    pub(crate) fn of(entries: &[Vec<u8>]) -> Self {
        let mut book = Self::default();
        for entry in entries {
            book.read(entry);
        }
        book
    }

    /// Somebody's call to stop has returned.
    pub(crate) fn raise(&mut self, epoch: u64, stop: Stop) {
        self.raised.insert(epoch, stop);
    }

    /// The core has consumed that number: from here on the record tells.
    pub(crate) fn consumed(&mut self, epoch: u64) {
        self.raised.remove(&epoch);
    }

    /// Takes an entry of the journal in.
    pub(crate) fn read(&mut self, entry: &[u8]) {
        let is = |kind: &[u8]| entry.windows(kind.len()).any(|window| window == kind);
        let (stops, lifts) = (is(b"\"kind\":\"stopped\""), is(b"\"kind\":\"stop-lifted\""));
        if !stops && !lifts {
            return;
        }
        let decoded = decode(entry).expect("an entry of the core's");
        let mut body = Fields::new(&decoded.body).expect("a body with fields");
        let seq = body.uint("stop_seq").expect("a number");
        if stops {
            let mode = StopMode::from_name(body.text("mode").expect("a mode")).expect("a mode");
            let scope = StopScope::parse(body.text("scope").expect("a scope")).expect("a scope");
            self.standing.insert(seq, Stop { mode, scope });
        } else {
            self.standing.remove(&seq);
        }
    }

    /// The strictest stop over what `origin` asks for.
    pub(crate) fn over(&self, origin: Origin) -> Option<StopMode> {
        let plugin = origin.plugin().map(|plugin| name(PLUGINS[usize::from(plugin.0)]));
        let asking = plugin.as_ref().map_or(Asking::NoStrategy, Asking::Strategy);
        let symbol = bounds().instrument.symbol;
        let all = self.raised.values().chain(self.standing.values());
        all.filter(|stop| stop.scope.covers(asking, &symbol)).map(|stop| stop.mode).max()
    }
}
