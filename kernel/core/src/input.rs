//! Everything that can reach the core, as one closed enum.

use std::collections::BTreeMap;

use portcullis_domain::frame::IntentRecord;
use portcullis_domain::policy::PhaseRules;
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::{
    ClOrdId, ExecutionReport, LedgerEntry, MarketFrame, Money, Name, Now, OrderId, PluginId,
    Position, Px, Qty, SessionId, Side, Stop, WallNs,
};
use portcullis_gate::{DenyCode, VenueStatus};
use portcullis_statement::json::Value;
use portcullis_statement::{Digest, JournalBinding, SignedStatement};

use crate::entry::Content;
use crate::notes::Note;
use crate::people::PersonRequest;
use crate::roll::EpochName;
use crate::witness::Standing;

/// An input with its moment. The core reads no other clock.
#[derive(Clone, Debug)]
pub struct Event {
    /// When the wiring received it.
    pub now: Now,
    /// What it is.
    pub input: Input,
}

/// A plugin's worker as the wiring found it after loading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// SHA-256 of the bytes that were loaded.
    pub component: Digest,
    /// Engine, version and configuration, as the worker states them.
    pub engine: String,
}

/// What the kernel knows at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Version of the kernel.
    pub build: String,
    /// Drawn anew at each start; the first half of every ClOrdID.
    pub draw: u32,
    /// Origin of the journal.
    pub origin: String,
    /// The genesis roster as it was signed.
    pub genesis: SignedStatement,
    /// Its digest, from outside the home.
    pub pinned: Digest,
    /// Phase rules in force.
    pub phases: PhaseRules,
    /// Digest of the file they came from.
    pub phases_digest: Digest,
    /// Guards, triggers and the way back after a kill.
    pub safety: Safety,
    /// Digest of the file they came from.
    pub safety_digest: Digest,
    /// Whether the journal is new.
    pub first: bool,
    /// Whether the last run ended with a clean mark.
    pub clean: bool,
    /// Bytes of a torn last write that were cut off the journal before this start.
    pub torn_bytes: u64,
    /// What is wrong with the journal before this one, if a person ordered to begin anew behind
    /// it. Such a start is a killed one.
    pub damage: Option<String>,
}

/// One open order as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueOrder {
    /// FIX 37.
    pub order_id: OrderId,
    /// FIX 11, if the order carries an id of our form.
    pub cl_ord_id: Option<ClOrdId>,
    /// FIX 151.
    pub leaves_qty: Qty,
    /// FIX 54, if the venue states it.
    pub side: Option<Side>,
    /// FIX 44, if the venue states it.
    pub price: Option<Px>,
    /// FIX 38, if the venue states it.
    pub qty: Option<Qty>,
    /// FIX 14, if the venue states it.
    pub cum_qty: Option<Qty>,
}

/// The account as the venue states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// When the house asked, by its own clocks. A reading proves nothing about what came after;
    /// without this it proves the end of no order.
    pub asked_at: Option<Now>,
    /// Every open order.
    pub open_orders: Vec<VenueOrder>,
    /// Fills, oldest first; those that are booked already change nothing.
    pub fills: Vec<ExecutionReport>,
    /// `fills` holds every fill from this moment on, by the venue's clock; `None` if the reading
    /// does not claim to be complete from any moment on.
    pub fills_since: Option<WallNs>,
    /// Every balance.
    pub balances: BTreeMap<String, Money>,
    /// Every position that is not flat and that the venue states beside the balances, by our symbol;
    /// for spot that is none, since there the balances are the positions. `None` if nobody asked.
    /// Then none is compared.
    pub positions: Option<BTreeMap<String, Position>>,
    /// What the venue booked besides fills, oldest first; what is known already changes nothing.
    pub ledger: Vec<LedgerEntry>,
    /// As `fills_since`, for `ledger`.
    pub ledger_since: Option<WallNs>,
}

impl AccountSnapshot {
    /// When it was asked for, in the time of the core: as long before `now` as the boot clock says.
    /// The wall may have been set meanwhile, and a reading cannot be younger than its arrival.
    pub(crate) fn asked(&self, now: Now) -> Option<Now> {
        let boot = self.asked_at?.boot.min(now.boot);
        let age_ns = now.boot.since_ns(boot);
        Some(Now { wall: now.wall.plus_ns(age_ns.saturating_neg()), boot })
    }

    /// The same by the wall alone, for what carries the venue's own time.
    pub(crate) fn asked_wall(&self, now: Now) -> WallNs {
        self.asked_at.map_or(now.wall, |asked| asked.wall)
    }
}

/// Why authority was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EpochCause {
    /// The kill switch. `request` is answered when the latch is durable and when all is clear.
    Kill {
        /// Who pulled it: a person, a signal, the house itself.
        who: String,
        /// Why.
        reason: String,
        /// The request to answer, if one waits.
        request: Option<u64>,
    },
    /// A smaller stop. `request` is answered when it is durable and, for a cancel-all, when the
    /// orders of its scope are gone.
    Stop {
        /// What is asked for; never the kill itself.
        stop: Stop,
        /// Who asks for it.
        who: String,
        /// Why.
        reason: String,
        /// The request to answer, if one waits.
        request: Option<u64>,
    },
    /// A plugin was stopped.
    PluginStopped,
    /// The session is closing.
    SessionEnd,
    /// The limits of the open session were tightened.
    Tightened,
}

impl EpochCause {
    /// The cause of a stop of any size: cancel-all over everything is the kill.
    #[must_use]
    pub fn stop(stop: Stop, (who, reason): (&str, &str), request: Option<u64>) -> Self {
        let (who, reason) = (who.to_owned(), reason.to_owned());
        if stop.is_kill() {
            Self::Kill { who, reason, request }
        } else {
            Self::Stop { stop, who, reason, request }
        }
    }
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// The kernel started.
    Started(Box<Start>),
    /// A signed statement was handed in.
    Statement {
        /// The request to answer.
        request: u64,
        /// As it was received.
        signed: SignedStatement,
    },
    /// A session was drafted against this journal head.
    Draft {
        /// The request to answer.
        request: u64,
        /// Name of the session.
        session: SessionId,
        /// The journal as it stood then, and the key of its epoch.
        journal: JournalBinding,
    },
    /// Someone asks to open a session.
    OpenSession {
        /// The request to answer.
        request: u64,
        /// The signed approval.
        approval: SignedStatement,
        /// Loaded workers, in the approval's order.
        workers: Vec<Worker>,
        /// Witnesses' burns of the approval, as signed notes.
        burns: Vec<String>,
    },
    /// Somebody brings a checkpoint that witnesses cosigned.
    Cosigned {
        /// The request to answer.
        request: u64,
        /// The signed note, as it came.
        note: String,
        /// How the checkpoint stands to the journal on this disk.
        standing: Standing,
    },
    /// The scribe claims how much of the evidence has no copy.
    Copied {
        /// The request to answer.
        request: u64,
        /// Bytes that lie on this disk alone, as far as it can tell.
        unreplicated_bytes: u64,
    },
    /// Someone asks to close the open session.
    CloseSession {
        /// The request to answer.
        request: u64,
        /// Who.
        who: String,
        /// Why.
        reason: String,
    },
    /// A person asks for something by hand.
    Person(Box<PersonRequest>),
    /// A person adds to the evidence of a session that is not sealed yet.
    Note {
        /// The request to answer.
        request: u64,
        /// What is said.
        note: Box<Note>,
    },
    /// Someone tightens the limits of the open session.
    Tighten {
        /// The request to answer.
        request: u64,
        /// Who.
        who: Name,
        /// All limits as they are to be, in the form that statements have.
        limits: Value,
    },
    /// Authority was withdrawn; `epoch` is the number that the atomic has reached. Each number is
    /// told once, in any order.
    EpochRaised {
        /// The number.
        epoch: u64,
        /// Why.
        cause: EpochCause,
    },
    /// Nothing happened, but time has passed.
    Tick,
    /// A plugin's `init` returned.
    PluginReady {
        /// Which.
        plugin: PluginId,
    },
    /// A plugin's `on-events` returned.
    PluginReply {
        /// Which.
        plugin: PluginId,
        /// The batch it answers.
        batch: u32,
        /// Fuel it used.
        fuel: u64,
        /// What it asks for.
        intents: Vec<IntentRecord>,
        /// What it logged.
        log: String,
    },
    /// A plugin failed, was late, or its process ended.
    PluginFailed {
        /// Which.
        plugin: PluginId,
        /// `PLUGIN_…`.
        code: String,
        /// In its words.
        cause: String,
    },
    /// The order is on the wire.
    Sent {
        /// Which.
        cl_ord_id: ClOrdId,
    },
    /// The order was dropped before the wire.
    NotSent {
        /// Which.
        cl_ord_id: ClOrdId,
        /// Why.
        code: DenyCode,
    },
    /// The change of the order is on the wire.
    AmendSent {
        /// Which order.
        cl_ord_id: ClOrdId,
    },
    /// The change of the order was dropped before the wire: the order stands as it was.
    AmendNotSent {
        /// Which order.
        cl_ord_id: ClOrdId,
        /// Why.
        code: DenyCode,
    },
    /// The wire failed under the order, or under a change of it.
    Lost {
        /// Which.
        cl_ord_id: ClOrdId,
    },
    /// A venue report.
    Report(ExecutionReport),
    /// The account as the venue states it.
    Account(AccountSnapshot),
    /// A person says what was behind a finding of reconciliation.
    ExplainFinding {
        /// The request to answer.
        request: u64,
        /// Number of the finding.
        finding: u64,
        /// Who.
        who: Name,
        /// What was behind it.
        reason: String,
    },
    /// Another person agrees with that.
    ConfirmFinding {
        /// The request to answer.
        request: u64,
        /// Number of the finding.
        finding: u64,
        /// Who.
        who: Name,
    },
    /// The connection to the venue came up or went down.
    VenueLink {
        /// Whether it is up.
        up: bool,
        /// What happened.
        cause: String,
    },
    /// A guard was heard of.
    Beat {
        /// Which.
        guard: Guard,
        /// How long this holds; for the dead-man switch the trigger time that the venue confirmed.
        valid_until: WallNs,
    },
    /// The venue's clock was read.
    VenueClock {
        /// How far it is ahead of ours, in nanoseconds.
        offset_ns: i64,
    },
    /// Whether the venue takes orders, in its own words.
    VenueStatus {
        /// What it says.
        status: VenueStatus,
    },
    /// Market data. The only input that is not an entry: it lies in chunks, and entries cite it.
    Market(MarketFrame),
    /// Something about the host itself. It goes to the journal as it is and is no event.
    Host(Content),
    /// Name and key of the next epoch are made: the present one ends, if it can. No event, and
    /// taken by the loop itself: it has the journal whose epoch that is.
    EpochEnds(EpochName),
    /// The kernel is asked to end.
    Stop {
        /// Who asks.
        who: Name,
    },
}
