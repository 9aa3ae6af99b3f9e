//! What the daemon answers: one frame or several, each a reply or a refusal.

use portcullis_gate::DenyCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::by_hand::{DenialView, FindingView, ProposalView};
use crate::codec::{encode, open, same, typed};
use crate::view::{DraftView, StatusView};
use crate::{ControlError, Request};

/// A pack that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackView {
    /// The session.
    pub session: String,
    /// The folder.
    pub path: String,
    /// Digest of its manifest, in hex.
    pub manifest: String,
    /// Root over the journal's entries in the pack, in hex.
    pub head: String,
    /// Entries up to there.
    pub size: u64,
    /// Origin of the journal.
    pub origin: String,
}

/// One positive answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", deny_unknown_fields)]
pub enum Reply {
    /// Done and on record; one line says what.
    #[serde(rename = "done")]
    Done {
        /// What was done.
        text: String,
    },
    /// Answers `burn`.
    #[serde(rename = "signed")]
    Signed {
        /// What was asked for as a note, signed by the key of the epoch.
        note: String,
    },
    /// Answers `status`.
    #[serde(rename = "status")]
    Status(StatusView),
    /// Answers `draft`.
    #[serde(rename = "draft")]
    Draft(DraftView),
    /// Answers `pack`.
    #[serde(rename = "pack")]
    Pack(PackView),
    /// A person's order is approved and on record, or changed as asked.
    #[serde(rename = "ordered")]
    Ordered {
        /// FIX 11.
        cl_ord_id: String,
    },
    /// The gate said no to a person; that is on record too.
    #[serde(rename = "denied")]
    Denied(DenialView),
    /// Answers `findings`.
    #[serde(rename = "findings")]
    Findings {
        /// The newest first.
        findings: Vec<FindingView>,
        /// How many older ones are not shown.
        left_out: u64,
    },
    /// Answers `proposals`.
    #[serde(rename = "proposals")]
    Proposals {
        /// Origin of the journal in which they are recorded.
        origin: String,
        /// The oldest first.
        proposals: Vec<ProposalView>,
        /// How many newer ones are not shown.
        left_out: u64,
    },
    /// First answer to `kill`: no writer lets an order out any more.
    #[serde(rename = "GATE_CLOSED")]
    GateClosed {
        /// The authority epoch that was reached.
        epoch: u64,
    },
    /// Second answer to `kill`: it is durable and survives a restart.
    #[serde(rename = "LATCHED")]
    Latched {
        /// Which kill this is.
        kill_seq: u64,
    },
    /// Last answer to `kill`: the venue has confirmed that no order of ours is left.
    #[serde(rename = "ORDERS_CLEAR")]
    OrdersClear {
        /// Which kill this is.
        kill_seq: u64,
    },
}

/// One negative answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// Why, in one line.
    pub cause: String,
}

impl Refused {
    /// A refusal for a reason that the gate has a code for.
    #[must_use]
    pub fn denied(code: DenyCode) -> Self {
        Self { code: code.code().to_owned(), cause: code.meaning().to_owned() }
    }

    /// A refusal of a frame that could not be read.
    #[must_use]
    pub fn unreadable(error: &ControlError) -> Self {
        Self { code: error.code().to_owned(), cause: error.to_string() }
    }
}

/// One frame of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether no other frame follows.
    pub last: bool,
    /// What it says.
    pub result: Result<Reply, Refused>,
}

impl Answer {
    /// The only or last frame of a positive answer.
    #[must_use]
    pub const fn last(reply: Reply) -> Self {
        Self { last: true, result: Ok(reply) }
    }

    /// A frame after which others follow.
    #[must_use]
    pub const fn more(reply: Reply) -> Self {
        Self { last: false, result: Ok(reply) }
    }

    /// A refusal; nothing follows it.
    #[must_use]
    pub const fn refused(refused: Refused) -> Self {
        Self { last: true, result: Err(refused) }
    }

    /// The canonical bytes of one frame.
    ///
    /// # Errors
    /// Whatever [`Answer::from_bytes`] would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ControlError> {
        self.check()?;
        let marks = [("last", Value::from(self.last)), ("ok", Value::from(self.result.is_ok()))];
        match &self.result {
            Ok(reply) => encode(reply, &marks),
            Err(refused) => encode(refused, &marks),
        }
    }

    /// Reads what [`Answer::to_bytes`] writes and nothing else.
    ///
    /// # Errors
    /// Another version, and everything that is not an answer of ours.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ControlError> {
        let mut entries = open(bytes)?;
        let mut mark = |key: &str| match entries.remove(key) {
            Some(Value::Bool(mark)) => Ok(mark),
            Some(_) | None => Err(ControlError::malformed(format!("`{key}` is no mark"))),
        };
        let (last, ok) = (mark("last")?, mark("ok")?);
        let result = if ok { Ok(typed(entries)?) } else { Err(typed(entries)?) };
        let answer = Self { last, result };
        same(bytes, &answer.to_bytes()?)?;
        Ok(answer)
    }

    /// Whether this can be an answer to `request`: the client trusts nobody's bookkeeping.
    #[must_use]
    pub const fn fits(&self, request: &Request) -> bool {
        let Ok(reply) = &self.result else { return true };
        match reply {
            Reply::Done { .. } => matches!(
                request,
                Request::Statement(_)
                    | Request::Open(_)
                    | Request::Copied { .. }
                    | Request::Cosigned { .. }
                    | Request::Close { .. }
                    | Request::OrderSubmit(_)
                    | Request::OrderCancel(_)
                    | Request::FindingExplain(_)
                    | Request::FindingConfirm(_)
                    | Request::Note(_)
                    | Request::Tighten { .. }
                    | Request::Stop
            ),
            Reply::Ordered { .. } | Reply::Denied(_) => matches!(
                request,
                Request::OrderSubmit(_)
                    | Request::OrderAmend(_)
                    | Request::PositionClose(_)
                    | Request::Statement(_)
            ),
            Reply::Findings { .. } => matches!(request, Request::Findings { .. }),
            Reply::Proposals { .. } => matches!(request, Request::Proposals),
            Reply::Signed { .. } => matches!(request, Request::Burn { .. }),
            Reply::Status(_) => matches!(request, Request::Status),
            Reply::Draft(_) => matches!(request, Request::Draft { .. }),
            Reply::Pack(_) => matches!(request, Request::Pack { .. }),
            Reply::GateClosed { .. } | Reply::Latched { .. } | Reply::OrdersClear { .. } => {
                matches!(request, Request::Kill { .. })
            }
        }
    }

    fn check(&self) -> Result<(), ControlError> {
        match &self.result {
            Ok(Reply::Status(view)) => view.check().map_err(ControlError::malformed),
            Ok(_) => Ok(()),
            Err(refused) if !self.last || refused.code.is_empty() => {
                Err(ControlError::malformed("a refusal has a code, and nothing follows it"))
            }
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
