//! What can be asked of the daemon.

use portcullis_domain::{Name, Stop, StopMode, StopScope};
use serde::{Deserialize, Serialize};

use crate::ControlError;
use crate::by_hand::{
    FindingConfirm, FindingExplain, OrderAmend, OrderCancel, OrderSubmit, Plain as _,
    PositionClose, SessionNote,
};
use crate::codec::{self, encode, open, same, typed};

/// Longest statement in bytes.
pub const STATEMENT_BYTES_MAX: usize = 64 * 1024;
/// Most signatures of one statement.
pub const SIGNATURES_MAX: usize = 64;
/// Most burns of one approval.
const BURNS_MAX: usize = 16;
/// Longest reason in bytes.
pub const REASON_BYTES_MAX: usize = 512;

/// A statement as it was signed, opaque here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBytes {
    /// What was signed; text, because every statement is.
    #[serde(with = "codec::text_bytes")]
    pub bytes: Vec<u8>,
    /// One armoured SSHSIG per signer.
    pub signatures: Vec<String>,
    /// With an approval that is opened: the witnesses' burns of it, as signed notes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub burns: Vec<String>,
}

/// One request. `Kill` belongs to the kill socket, all others to the control socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// May I trade, why not, what is open, what next.
    Status,
    /// Draft a session against the journal as it stands.
    Draft {
        /// The new session's name.
        #[serde(with = "codec::name")]
        session: Name,
    },
    /// Hand in a statement of any kind but a session approval.
    Statement(SignedBytes),
    /// Open the session of this approval.
    Open(SignedBytes),
    /// Bring a checkpoint that witnesses have cosigned.
    Cosigned {
        /// The signed note.
        note: String,
    },
    /// Claim how much of the evidence has no copy: the scribe's word, and no more.
    Copied {
        /// Bytes that lie on the daemon's disk alone.
        unreplicated_bytes: u64,
    },
    /// Have the house ask, under its epoch's key, that the witnesses burn an approval.
    Burn {
        /// The text of the burn.
        burn: String,
    },
    /// Close the open session.
    Close {
        /// Why, for the record.
        reason: String,
    },
    /// Put stricter limits in force at once.
    Tighten {
        /// All limits as they are to be: canonical JSON in the form of statements, opaque here.
        limits: String,
    },
    /// Add to the evidence of a session.
    Note(SessionNote),
    /// Write the pack of an ended session.
    Pack {
        /// Which.
        #[serde(with = "codec::name")]
        session: Name,
    },
    /// An order of a person.
    #[serde(rename = "order-submit")]
    OrderSubmit(OrderSubmit),
    /// Change a working order.
    #[serde(rename = "order-amend")]
    OrderAmend(OrderAmend),
    /// Take one order back, or all.
    #[serde(rename = "order-cancel")]
    OrderCancel(OrderCancel),
    /// Make a position smaller.
    #[serde(rename = "position-close")]
    PositionClose(PositionClose),
    /// What waits for a person's word.
    Proposals,
    /// What reconciliation has found.
    Findings {
        /// One of them; without it the newest.
        number: Option<u64>,
    },
    /// Explain a finding.
    #[serde(rename = "finding-explain")]
    FindingExplain(FindingExplain),
    /// Confirm the explanation of a finding.
    #[serde(rename = "finding-confirm")]
    FindingConfirm(FindingConfirm),
    /// End the daemon.
    Stop,
    /// Shut the gate, latch, take every order back; or, where mode or scope are named, as much of
    /// that as they say.
    Kill {
        /// Why, for the record.
        reason: String,
        /// How far: `block-new`, `reduce-only` or `cancel-all`, which it is without a word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<String>,
        /// Of what: `all`, which it is without a word, `venue`, `account`, `strategy:NAME` or
        /// `instrument:SYMBOL`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
    },
}

const VERBS: [&str; 21] = [
    "burn",
    "close",
    "copied",
    "cosigned",
    "draft",
    "finding-confirm",
    "finding-explain",
    "findings",
    "kill",
    "note",
    "open",
    "order-amend",
    "order-cancel",
    "order-submit",
    "pack",
    "position-close",
    "proposals",
    "statement",
    "status",
    "stop",
    "tighten",
];

impl Request {
    /// A kill of everything.
    #[must_use]
    pub fn kill(reason: &str) -> Self {
        Self::Kill { reason: reason.to_owned(), mode: None, scope: None }
    }

    /// The stop that mode and scope of a kill name; `None` where a word is unknown.
    #[must_use]
    pub fn stop(mode: Option<&str>, scope: Option<&str>) -> Option<Stop> {
        let Stop { mode: whole, scope: all } = Stop::kill();
        Some(Stop {
            mode: mode.map_or(Some(whole), StopMode::from_name)?,
            scope: scope.map_or(Some(all), StopScope::parse)?,
        })
    }

    /// The canonical bytes of one frame.
    ///
    /// # Errors
    /// Whatever [`Request::from_bytes`] would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ControlError> {
        self.check()?;
        encode(self, &[])
    }

    /// Reads what [`Request::to_bytes`] writes and nothing else.
    ///
    /// # Errors
    /// Another version, an unknown verb, and everything that is not a request of ours.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ControlError> {
        let entries = open(bytes)?;
        let verb = entries.get("verb").and_then(serde_json::Value::as_str);
        let verb = verb.ok_or_else(|| ControlError::malformed("`verb` is missing"))?;
        if !VERBS.contains(&verb) {
            return Err(ControlError::VerbUnknown(verb.to_owned()));
        }
        let request: Self = typed(entries)?;
        request.check()?;
        same(bytes, &encode(&request, &[])?)?;
        Ok(request)
    }

    fn check(&self) -> Result<(), ControlError> {
        match self {
            Self::Statement(signed) | Self::Open(signed) => {
                if signed.bytes.is_empty() || signed.bytes.len() > STATEMENT_BYTES_MAX {
                    return Err(ControlError::malformed("a statement has 1 to 65536 bytes"));
                }
                // None at all is not malformed: that it is refused is the kernel's to say.
                if signed.signatures.len() > SIGNATURES_MAX {
                    return Err(ControlError::malformed("a statement has at most 64 signatures"));
                }
                let burned = matches!(self, Self::Open(_)) || signed.burns.is_empty();
                if !burned || signed.burns.len() > BURNS_MAX {
                    return Err(ControlError::malformed("at most 16 burns, of what is opened"));
                }
                signed.burns.iter().try_for_each(|note| check_note(note))
            }
            Self::Cosigned { note: text } | Self::Burn { burn: text } => check_note(text),
            Self::Tighten { limits } => {
                if limits.is_empty() || limits.len() > STATEMENT_BYTES_MAX {
                    return Err(ControlError::malformed("limits have 1 to 65536 bytes"));
                }
                Ok(())
            }
            Self::Close { reason } => check_reason(reason),
            Self::Kill { reason, mode, scope } => {
                check_reason(reason)?;
                // Whoever does not know a word must not guess at a milder one.
                if Self::stop(mode.as_deref(), scope.as_deref()).is_none() {
                    return Err(ControlError::malformed("no such mode or scope of a stop"));
                }
                Ok(())
            }
            Self::Note(note) => note.check().map_err(ControlError::malformed),
            Self::OrderSubmit(order) => order.check().map_err(ControlError::malformed),
            Self::OrderAmend(change) => change.check().map_err(ControlError::malformed),
            Self::OrderCancel(which) => which.check().map_err(ControlError::malformed),
            Self::PositionClose(close) => close.check().map_err(ControlError::malformed),
            Self::FindingExplain(said) => said.check().map_err(ControlError::malformed),
            Self::Status
            | Self::Copied { .. }
            | Self::Draft { .. }
            | Self::Pack { .. }
            | Self::Proposals
            | Self::Findings { .. }
            | Self::FindingConfirm(_)
            | Self::Stop => Ok(()),
        }
    }
}

fn check_note(note: &str) -> Result<(), ControlError> {
    if (1..=STATEMENT_BYTES_MAX).contains(&note.len()) {
        return Ok(());
    }
    Err(ControlError::malformed("a note has 1 to 65536 bytes"))
}

fn check_reason(reason: &str) -> Result<(), ControlError> {
    if reason.len() <= REASON_BYTES_MAX && !reason.trim().is_empty() {
        return Ok(());
    }
    Err(ControlError::malformed("a reason has 1 to 512 bytes and says something"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> SignedBytes {
        let bytes = b"{\"kind\":\"seal\"}".to_vec();
        SignedBytes {
            bytes,
            signatures: vec!["-----BEGIN\nx\n-----END\n".to_owned()],
            burns: vec![],
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let read = Request::from_bytes(text.as_bytes());
        assert_eq!(read.map_err(|error| error.code()).err(), Some(expect), "{text}");
    }

    #[test]
    fn every_request_reads_back_from_its_canonical_bytes() {
        let reason = || "said \"stop\" \u{e9}\n\u{1b}".to_owned();
        let all = [
            (Request::Status, r#"{"v":1,"verb":"status"}"#),
            (Request::Draft { session: name("s1") }, r#"{"session":"s1","v":1,"verb":"draft"}"#),
            (Request::Pack { session: name("s1") }, r#"{"session":"s1","v":1,"verb":"pack"}"#),
            (Request::Stop, r#"{"v":1,"verb":"stop"}"#),
            (
                Request::Copied { unreplicated_bytes: 7 },
                r#"{"unreplicated_bytes":7,"v":1,"verb":"copied"}"#,
            ),
            (
                Request::Cosigned { note: "x\n".to_owned() },
                r#"{"note":"x\n","v":1,"verb":"cosigned"}"#,
            ),
            (Request::Proposals, r#"{"v":1,"verb":"proposals"}"#),
            (
                Request::Tighten { limits: "{}".to_owned() },
                r#"{"limits":"{}","v":1,"verb":"tighten"}"#,
            ),
            (
                Request::Statement(signed()),
                "{\"bytes\":\"{\\\"kind\\\":\\\"seal\\\"}\",\"signatures\":\
                 [\"-----BEGIN\\nx\\n-----END\\n\"],\"v\":1,\"verb\":\"statement\"}",
            ),
            (
                Request::kill(&reason()),
                "{\"reason\":\"said \\\"stop\\\" \u{e9}\\n\\u001b\",\"v\":1,\"verb\":\"kill\"}",
            ),
        ];
        for (request, text) in all {
            let bytes = request.to_bytes().unwrap();
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
            assert_eq!(Request::from_bytes(&bytes), Ok(request));
        }
        // Unsigned is not malformed: the kernel refuses it and records that it did.
        let unsigned = SignedBytes { signatures: vec![], ..signed() };
        let burned = SignedBytes { burns: vec!["x\n".to_owned()], ..signed() };
        let more = [
            Request::Open(burned),
            Request::Open(signed()),
            Request::Open(unsigned),
            Request::Close { reason: reason() },
        ];
        for request in more {
            assert_eq!(Request::from_bytes(&request.to_bytes().unwrap()), Ok(request));
        }
    }

    #[test]
    fn one_spelling_one_version_and_known_verbs_only() {
        check(r#"{"v":2,"verb":"status"}"#, "CONTROL_VERSION");
        check(r#"{"v":"1","verb":"status"}"#, "CONTROL_VERSION");
        check(r#"{"verb":"status"}"#, "CONTROL_MALFORMED");
        check(r#"{"v":1}"#, "CONTROL_MALFORMED");
        check(r#"{"v":1,"verb":"unkill"}"#, "CONTROL_VERB_UNKNOWN");
        check(r#"{"v":1,"verb":"Status"}"#, "CONTROL_VERB_UNKNOWN");
        check(r#"{"extra":1,"v":1,"verb":"status"}"#, "CONTROL_MALFORMED");
        check(r#"{"extra":1,"session":"s1","v":1,"verb":"draft"}"#, "CONTROL_MALFORMED");
        check(r#"{"v":1,"verb":"status"} "#, "CONTROL_MALFORMED");
        check(r#"{"v":1, "verb":"status"}"#, "CONTROL_MALFORMED");
        check(r#"{"verb":"status","v":1}"#, "CONTROL_MALFORMED");
        check(r#"{"v":1,"verb":"stop","verb":"status"}"#, "CONTROL_MALFORMED");
        check(r#"{"v":1,"v":1,"verb":"status"}"#, "CONTROL_MALFORMED");
        check(r#"{"v":1.0,"verb":"status"}"#, "CONTROL_VERSION");
        check(r#"{"v":1,"verb":"draft"}"#, "CONTROL_MALFORMED");
        check(r#"{"session":"../x","v":1,"verb":"draft"}"#, "CONTROL_MALFORMED");
        check(r#"{"reason":" ","v":1,"verb":"kill"}"#, "CONTROL_MALFORMED");
        check(r#"{"reason":null,"v":1,"verb":"kill"}"#, "CONTROL_MALFORMED");
        check("[]", "CONTROL_MALFORMED");
        check("", "CONTROL_MALFORMED");
    }

    /// The old form is a kill of everything; a smaller stop names its words, and known ones only.
    #[test]
    fn a_kill_may_name_mode_and_scope() {
        let text =
            r#"{"mode":"block-new","reason":"x","scope":"strategy:alpha","v":1,"verb":"kill"}"#;
        let read = Request::from_bytes(text.as_bytes()).unwrap();
        let Request::Kill { mode, scope, .. } = &read else { panic!("{read:?}") };
        let stop = Request::stop(mode.as_deref(), scope.as_deref()).unwrap();
        assert_eq!((stop.mode, stop.scope.text()), (StopMode::BlockNew, "strategy:alpha".into()));
        assert_eq!(read.to_bytes().unwrap(), text.as_bytes());
        assert!(Request::stop(None, None).unwrap().is_kill());
        check(r#"{"mode":"halt","reason":"x","v":1,"verb":"kill"}"#, "CONTROL_MALFORMED");
        check(r#"{"mode":null,"reason":"x","v":1,"verb":"kill"}"#, "CONTROL_MALFORMED");
        check(r#"{"reason":"x","scope":"plugin:a","v":1,"verb":"kill"}"#, "CONTROL_MALFORMED");
        check(r#"{"reason":"x","scope":"","v":1,"verb":"kill"}"#, "CONTROL_MALFORMED");
    }

    #[test]
    fn what_is_too_much_is_refused_on_both_sides() {
        let long = Request::kill(&"x".repeat(REASON_BYTES_MAX + 1));
        assert_eq!(long.to_bytes().map_err(|error| error.code()), Err("CONTROL_MALFORMED"));
        let signatures = vec![String::new(); SIGNATURES_MAX + 1];
        let crowded = Request::Open(SignedBytes { signatures, ..signed() }).to_bytes();
        assert_eq!(crowded.map_err(|error| error.code()), Err("CONTROL_MALFORMED"));
        let big = SignedBytes { bytes: vec![b' '; STATEMENT_BYTES_MAX + 1], ..signed() };
        let big = Request::Statement(big).to_bytes();
        assert_eq!(big.map_err(|error| error.code()), Err("CONTROL_MALFORMED"));
        let burns = |burns: Vec<String>| SignedBytes { burns, ..signed() };
        for request in [
            Request::Statement(burns(vec!["x".to_owned()])),
            Request::Open(burns(vec!["x".to_owned(); BURNS_MAX + 1])),
            Request::Open(burns(vec![String::new()])),
            Request::Cosigned { note: String::new() },
            Request::Cosigned { note: "x".repeat(STATEMENT_BYTES_MAX + 1) },
        ] {
            let refused = request.to_bytes().map_err(|error| error.code());
            assert_eq!(refused, Err("CONTROL_MALFORMED"));
        }
        let signatures = vec!["x".repeat(64 * 1024); 4];
        let heavy = Request::Statement(SignedBytes { signatures, ..signed() }).to_bytes();
        assert_eq!(heavy.map_err(|error| error.code()), Err("CONTROL_TOO_LARGE"));
        let limits = "x".repeat(STATEMENT_BYTES_MAX + 1);
        let wide = Request::Tighten { limits }.to_bytes();
        assert_eq!(wide.map_err(|error| error.code()), Err("CONTROL_MALFORMED"));
        let binary = Request::Statement(SignedBytes { bytes: vec![0xff], ..signed() }).to_bytes();
        assert_eq!(binary.map_err(|error| error.code()), Err("CONTROL_MALFORMED"));
    }
}
