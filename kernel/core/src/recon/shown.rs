//! Findings as people see them.

use super::findings::{Finding, FindingState};
use crate::state::Core;
use crate::view::FindingView;

/// Findings that nobody has to look at any more, and that are shown all the same.
const SETTLED_SHOWN: usize = 32;

impl Core {
    pub(crate) fn finding_views(&self) -> Vec<FindingView> {
        let mut settled = 0_usize;
        let mut wanted = |finding: &&Finding| {
            if finding.shown || !finding.state.is_settled() {
                return true;
            }
            settled = settled.saturating_add(1);
            settled <= SETTLED_SHOWN
        };
        let newest = self.findings().iter().rev().filter(|finding| wanted(finding));
        let mut views: Vec<FindingView> = newest.map(view).collect();
        views.reverse();
        views
    }
}

fn view(finding: &Finding) -> FindingView {
    let (explained, confirmed) = match &finding.state {
        FindingState::Adopted | FindingState::Open => (None, None),
        FindingState::Explained { who, reason } => (Some((who, reason)), None),
        FindingState::Confirmed { who, reason, by } => (Some((who, reason)), Some(by)),
    };
    let kind = finding.difference.kind;
    FindingView {
        number: finding.number,
        code: kind.code(),
        outcome: kind.outcome().name(),
        state: finding.state.name(),
        shown: finding.shown,
        text: finding.difference.text(),
        subject: finding.difference.subject.clone(),
        ours: finding.difference.ours.clone(),
        venue: finding.difference.venue.clone(),
        explained: explained.map(|(who, reason)| (who.to_string(), reason.clone())),
        confirmed: confirmed.map(ToString::to_string),
    }
}
