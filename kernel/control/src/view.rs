//! What people are shown and what a session is drafted from. Plain data; numbers that have
//! decimals are text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The phase of the open session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseView {
    /// 0 to 7.
    pub number: u8,
    /// Its name.
    pub name: String,
}

/// One order that can still trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderView {
    /// FIX 11.
    pub cl_ord_id: String,
    /// Our symbol.
    pub symbol: String,
    /// `buy 0.5 @ 100.0`.
    pub what: String,
    /// FIX 39.
    pub status: String,
    /// FIX 14, decimal text.
    pub cum_qty: String,
}

/// One holding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionView {
    /// Our symbol.
    pub symbol: String,
    /// Signed quantity, decimal text.
    pub qty: String,
    /// Average price, decimal text; `None` where nothing is held.
    pub avg_px: Option<String>,
    /// Profit of the session so far in the quote currency, decimal text; `None` without a mark.
    pub profit: Option<String>,
    /// Fees paid, decimal text.
    pub fees: String,
}

/// Whether account and house agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "differences", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reconciliation {
    /// Nothing was compared yet.
    NotCompared,
    /// No difference.
    Agreed,
    /// Each difference in one line.
    Differs(Vec<String>),
}

/// The kernel as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusView {
    /// May new orders leave now?
    pub may_trade: bool,
    /// Why not, each as `CODE: cause`; empty if and only if they may.
    pub reasons: Vec<String>,
    /// What protects positions, where it is blind, and where it is lost, each as `CODE: cause`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protection: Vec<String>,
    /// The phase of the open session.
    pub phase: Option<PhaseView>,
    /// The open session.
    pub session: Option<String>,
    /// Whether the kill latch is down.
    pub killed: bool,
    /// Kills so far.
    pub kill_seq: u64,
    /// Digest of the present kill's entry, in hex: what an unkill has to name.
    pub kill_entry: Option<String>,
    /// Where each guard stands: `not required`, `alive` or `missing`.
    pub guards: BTreeMap<String, String>,
    /// Who cosigns the journal, in the roster's words, then what each of them last signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<String>,
    /// What the scribe last claimed about copies of the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<String>,
    /// What this start of the kernel drew, in hex: burns are bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Share of the limits that new exposure may use, in percent: less than 100 after a kill.
    pub size_percent: u32,
    /// Orders that can still trade.
    pub orders: Vec<OrderView>,
    /// What is held.
    pub positions: Vec<PositionView>,
    /// Verdicts of the open session, by code.
    pub verdicts: BTreeMap<String, u64>,
    /// Age of the newest market data in milliseconds; `None` where there is none.
    pub feed_age_ms: Option<u64>,
    /// Whether account and house agree.
    pub reconciliation: Reconciliation,
    /// State of every session that this journal knows, by name.
    pub sessions: BTreeMap<String, String>,
    /// Each session that has ended and is not sealed, and until when it has to be; overdue ones
    /// first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<String>,
    /// What to do next, in one line.
    pub next: String,
}

impl StatusView {
    /// A view that contradicts itself is worse than none: nobody can act on it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.may_trade != self.reasons.is_empty() {
            return Err("may_trade and reasons contradict each other");
        }
        if self.killed != self.kill_entry.is_some() || (self.killed && self.may_trade) {
            return Err("killed contradicts kill_entry or may_trade");
        }
        if self.phase.is_some() != self.session.is_some() {
            return Err("phase and session come together");
        }
        Ok(())
    }
}

/// A plugin release that this kernel has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseView {
    /// Digest of the statement, in hex.
    pub release: String,
    /// Digest of the component, in hex.
    pub component: String,
    /// The plugin's name.
    pub plugin: String,
    /// Who wrote it.
    pub author: String,
    /// Highest phase in which it may run.
    pub phase_max: u8,
    /// Counts the releases of this plugin.
    pub release_seq: u64,
}

/// An endpoint set that this kernel has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointView {
    /// Digest of the statement, in hex.
    pub endpoint: String,
    /// `recorded`, `simulated`, `sandbox` or `real`.
    pub kind: String,
    /// `binance` or `kraken`.
    pub venue: String,
}

/// What a session approval is filled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftView {
    /// The session that was drafted.
    pub session: String,
    /// Version of the running kernel.
    pub build: String,
    /// Origin of the journal.
    pub origin: String,
    /// Key that signs the checkpoints of the journal's epoch.
    pub key: String,
    /// Entries in the journal, the draft's own not counted.
    pub size: u64,
    /// Root over the journal's entries at that size, in hex.
    pub root: String,
    /// Kills so far.
    pub kill_seq: u64,
    /// Digest of the present kill's entry, in hex, if the latch is down.
    pub kill_entry: Option<String>,
    /// Digest of the phase rules that the kernel runs under, in hex.
    pub phases_digest: String,
    /// Digest of the safety policy that the kernel runs under, in hex.
    pub safety_digest: String,
    /// What the account holds.
    pub positions: Vec<PositionView>,
    /// Balances by currency, decimal text.
    pub balances: BTreeMap<String, String>,
    /// Accepted plugin releases.
    pub releases: Vec<ReleaseView>,
    /// Accepted endpoint sets.
    pub endpoints: Vec<EndpointView>,
}
