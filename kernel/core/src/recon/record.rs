//! What the journal keeps of findings and of the venue's ledger.

use portcullis_domain::{LedgerEntry, Money, Name};
use portcullis_statement::json::{self, Value};

use super::findings::Finding;
use crate::entry::int;
use crate::input_codec::{entry_value, finding_corr};

/// One recorded act of reconciliation.
#[derive(Clone, Debug)]
pub enum ReconRecord {
    /// An entry of the venue's ledger was booked.
    LedgerBooked(LedgerEntry),
    /// A finding begins, is back, or has another amount than before. What was said about it does
    /// not hold any more.
    Opened(Box<Finding>),
    /// The last reading does not show it any more.
    Gone {
        /// Which.
        finding: u64,
    },
    /// One person explained it.
    Explained {
        /// Which.
        finding: u64,
        /// Who.
        who: Name,
        /// What was behind it.
        reason: String,
    },
    /// Another person agrees.
    Confirmed {
        /// Which.
        finding: u64,
        /// Who.
        who: Name,
    },
    /// A balance was taken from the venue because two people explained the difference.
    BalanceAdjusted {
        /// The finding that they explained.
        finding: u64,
        /// Of which currency.
        currency: String,
        /// By how much.
        amount: Money,
    },
}

impl ReconRecord {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::LedgerBooked(_) => "ledger-booked",
            Self::Opened(_) => "finding-opened",
            Self::Gone { .. } => "finding-gone",
            Self::Explained { .. } => "finding-explained",
            Self::Confirmed { .. } => "finding-confirmed",
            Self::BalanceAdjusted { .. } => "balance-adjusted",
        }
    }

    pub(crate) fn correlation(&self) -> String {
        match self {
            // The venue's id is the venue's text, and stands in the body.
            Self::LedgerBooked(_) => "-".to_owned(),
            Self::Opened(finding) => finding_corr(finding.number),
            Self::Gone { finding }
            | Self::Explained { finding, .. }
            | Self::Confirmed { finding, .. }
            | Self::BalanceAdjusted { finding, .. } => finding_corr(*finding),
        }
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::LedgerBooked(entry) => entry.kind.name(),
            Self::Opened(finding) => finding.difference.kind.code(),
            Self::Gone { .. } => "NOT_SHOWN",
            Self::Explained { .. } => "EXPLAINED",
            Self::Confirmed { .. } => "CONFIRMED",
            Self::BalanceAdjusted { .. } => "EXPLAINED_BY_TWO",
        }
    }

    pub(crate) fn body(&self) -> Value {
        match self {
            Self::LedgerBooked(entry) => entry_value(entry),
            Self::Opened(finding) => finding.body(),
            Self::Gone { finding } => json::object([("finding", int(*finding))]),
            Self::Explained { finding, who, reason } => json::object([
                ("finding", int(*finding)),
                ("reason", reason.as_str().into()),
                ("who", who.as_str().into()),
            ]),
            Self::Confirmed { finding, who } => {
                json::object([("finding", int(*finding)), ("who", who.as_str().into())])
            }
            Self::BalanceAdjusted { finding, currency, amount } => json::object([
                ("amount", amount.text().into()),
                ("currency", currency.as_str().into()),
                ("finding", int(*finding)),
            ]),
        }
    }
}
