//! What people say about findings, as entries and back.

use portcullis_statement::json::{self, Fields};

use super::{Parts, Read};
use crate::entry::int;
use crate::input::Input;

/// What belongs to a finding of reconciliation carries its number.
pub(crate) fn finding_corr(finding: u64) -> String {
    format!("finding-{finding}")
}

impl Input {
    pub(super) fn finding_content(&self) -> Option<Parts> {
        if let Self::ExplainFinding { request, finding, who, reason } = self {
            let body = json::object([
                ("finding", int(*finding)),
                ("reason", reason.as_str().into()),
                ("request", int(*request)),
                ("who", who.as_str().into()),
            ]);
            return Some(("explain-finding", finding_corr(*finding), body));
        }
        if let Self::ConfirmFinding { request, finding, who } = self {
            let body = json::object([
                ("finding", int(*finding)),
                ("request", int(*request)),
                ("who", who.as_str().into()),
            ]);
            return Some(("confirm-finding", finding_corr(*finding), body));
        }
        None
    }

    pub(super) fn explain_finding(body: &mut Fields<'_>) -> Read<Self> {
        Ok(Self::ExplainFinding {
            request: body.uint("request")?,
            finding: body.uint("finding")?,
            who: body.name("who")?,
            reason: body.text("reason")?.to_owned(),
        })
    }

    pub(super) fn confirm_finding(body: &mut Fields<'_>) -> Read<Self> {
        Ok(Self::ConfirmFinding {
            request: body.uint("request")?,
            finding: body.uint("finding")?,
            who: body.name("who")?,
        })
    }
}
