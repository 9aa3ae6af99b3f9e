//! Closing rights (D4): what stays possible after a session has ended, by a person alone, until
//! the account is flat: a provable reduction, and nothing else.
//!
//! Every approval grants them. They outlive the session's window, the approval's expiry, a kill, a
//! crash and a restart, because a position that nobody may leave is worse than any of these.

use portcullis_statement::{SessionApproval, Verified};

use crate::open::Gate;

/// What an order was approved by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// The open session.
    Session,
    /// The closing rights of a session that ends or has ended. Such an order may leave while the
    /// kill latch is down: it can only make a position smaller.
    Closing,
}

impl Gate {
    /// The gate of a session that has ended: approves what a person or the house needs to get
    /// flat, whatever the circumstances say about window, expiry and kill.
    #[must_use]
    pub fn closing(approval: Verified<SessionApproval>) -> Self {
        Self::with_rights(approval, Rights::Closing)
    }

    /// Ends the session behind this gate. What is left of it are its closing rights.
    #[must_use]
    pub fn into_closing(mut self) -> Self {
        self.rights = Rights::Closing;
        self
    }
}
