//! The numbers in force: the runbook's, or a policy's where that asks for more.

use std::collections::BTreeMap;

use super::criteria::{Bound, CRITERIA};
use crate::PolicyError;

/// The bound of each criterion, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands(BTreeMap<&'static str, Bound>);

impl Demands {
    /// The runbook's numbers, with those of a policy in their place.
    ///
    /// # Errors
    /// [`PolicyError::UnknownName`] for an id that is none, [`PolicyError::Unfit`] for a number
    /// that asks for less than the runbook does.
    pub fn new(policy: &BTreeMap<String, i64>) -> Result<Self, PolicyError> {
        let mut bounds: BTreeMap<_, _> = CRITERIA.iter().map(|it| (it.id, it.bound)).collect();
        for (id, number) in policy {
            let bound = bounds.get_mut(id.as_str());
            let bound = bound.ok_or_else(|| PolicyError::UnknownName(format!("criterion {id}")))?;
            *bound = bound.tightened(*number).ok_or_else(|| PolicyError::Unfit {
                key: format!("criteria.{id}"),
                cause: format!("asks for less than the runbook: {}", said(*bound)),
            })?;
        }
        Ok(Self(bounds))
    }

    /// The bound of the criterion of that id.
    #[must_use]
    pub fn bound(&self, id: &str) -> Option<Bound> {
        self.0.get(id).copied()
    }
}

/// A bound in words.
pub(super) fn said(bound: Bound) -> String {
    match bound {
        Bound::AtLeast(least) => format!("at least {least}"),
        Bound::AtMost(most) => format!("at most {most}"),
    }
}
