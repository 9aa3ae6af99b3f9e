//! The kill or the stop that a statement is about: bound by number and by journal entry, so that
//! it cannot be turned on a later one.

use super::hex;
use crate::Digest;
use crate::json::{Fields, JsonError, Value, count};

/// Which latch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Latch {
    /// The kill latch itself.
    Kill,
    /// One of the smaller stops.
    Stop,
}

impl Latch {
    /// `kill` or `stop`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
        }
    }

    /// The keys under which entry and number stand.
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Kill => ("kill_entry", "kill_seq"),
            Self::Stop => ("stop_entry", "stop_seq"),
        }
    }
}

/// One kill or one stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which latch.
    pub latch: Latch,
    /// The digest of the journal entry that recorded it.
    pub entry: Digest,
    /// Its number; kills and stops are counted apart.
    pub seq: u64,
}

impl Target {
    /// That kill.
    #[must_use]
    pub const fn kill(seq: u64, entry: Digest) -> Self {
        Self { latch: Latch::Kill, entry, seq }
    }

    /// That stop.
    #[must_use]
    pub const fn stop(seq: u64, entry: Digest) -> Self {
        Self { latch: Latch::Stop, entry, seq }
    }

    /// Adds entry and number to a body.
    pub(super) fn write(&self, body: &mut Value) {
        let (entry, seq) = self.latch.keys();
        if let Value::Object(entries) = body {
            entries.insert(entry.to_owned(), hex(self.entry));
            entries.insert(seq.to_owned(), count(self.seq));
        }
    }

    /// Reads the one pair of keys that stands there; both pairs are refused by `finish`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, JsonError> {
        let (stop_entry, stop_seq) = Latch::Stop.keys();
        if let Some(entry) = fields.optional_digest(stop_entry)? {
            return Ok(Self::stop(fields.uint(stop_seq)?, entry));
        }
        let (entry, seq) = Latch::Kill.keys();
        Ok(Self::kill(fields.uint(seq)?, fields.digest(entry)?))
    }
}
