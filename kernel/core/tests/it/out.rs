//! What one event led to, and what tests ask of it.

use portcullis_core::entry::Decoded;
use portcullis_core::{Answer, Effect};
use portcullis_domain::frame::EventRecord;
use portcullis_domain::{ClOrdId, PluginId};

/// What one event led to.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) entries: Vec<Decoded>,
    pub(crate) effects: Vec<Effect>,
}

impl Out {
    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.kind.as_str()).collect()
    }

    pub(crate) fn entry(&self, kind: &str) -> Option<&Decoded> {
        self.entries.iter().find(|entry| entry.kind == kind)
    }

    /// Reasons of all entries of a kind.
    pub(crate) fn reasons(&self, kind: &str) -> Vec<&str> {
        let of_kind = self.entries.iter().filter(|entry| entry.kind == kind);
        of_kind.map(|entry| entry.reason.as_str()).collect()
    }

    pub(crate) fn submits(&self) -> Vec<ClOrdId> {
        let id = |effect: &Effect| match effect {
            Effect::Submit(submit) => Some(submit.order.cl_ord_id()),
            Effect::ShadowSubmit(shadow) => Some(shadow.cl_ord_id()),
            _ => None,
        };
        self.effects.iter().filter_map(id).collect()
    }

    /// Orders for which a change leaves, or would leave in phase 1.
    pub(crate) fn amends(&self) -> Vec<ClOrdId> {
        let id = |effect: &Effect| match effect {
            Effect::Amend(amend) => Some(amend.order.cl_ord_id()),
            Effect::ShadowAmend(shadow) => Some(shadow.item().cl_ord_id),
            _ => None,
        };
        self.effects.iter().filter_map(id).collect()
    }

    pub(crate) fn cancels(&self) -> Vec<ClOrdId> {
        let id = |effect: &Effect| match effect {
            Effect::Cancel(request) => Some(request.cl_ord_id),
            Effect::ShadowCancel(id) => Some(*id),
            _ => None,
        };
        self.effects.iter().filter_map(id).collect()
    }

    pub(crate) fn has(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.effects.iter().any(wanted)
    }

    pub(crate) fn reads(&self) -> bool {
        self.has(|effect| matches!(effect, Effect::ReadAccount))
    }

    /// `DONE`, `LATCHED`, `CLEAR` or the code of the refusal, for every answer.
    pub(crate) fn answers(&self) -> Vec<&str> {
        let answer = |effect: &'_ Effect| match effect {
            Effect::Answer { answer: Answer::Done(_), .. } => Some("DONE".to_owned()),
            Effect::Answer { answer: Answer::Latched { .. }, .. } => Some("LATCHED".to_owned()),
            Effect::Answer { answer: Answer::OrdersClear { .. }, .. } => Some("CLEAR".to_owned()),
            Effect::Answer { answer: Answer::Refused { code, .. }, .. } => Some(code.clone()),
            Effect::Answer { answer: Answer::Ordered { .. }, .. } => Some("ORDERED".to_owned()),
            Effect::Answer { answer: Answer::Denied(denial), .. } => {
                Some(denial.code.code().to_owned())
            }
            _ => None,
        };
        let known = self.effects.iter().filter_map(answer);
        known.map(|text| &*Box::leak(text.into_boxed_str())).collect()
    }

    /// Events delivered to a plugin.
    pub(crate) fn delivered(&self, to: PluginId) -> Vec<EventRecord> {
        let records = |effect: &Effect| match effect {
            Effect::Deliver { plugin, records, .. } if *plugin == to => Some(records.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(records).flatten().collect()
    }
}
