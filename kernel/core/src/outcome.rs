//! What the core decided, as the journal keeps it.

use std::collections::BTreeMap;

use portcullis_domain::policy::triggers::Trigger;
use portcullis_domain::{
    Amendment, ClOrdId, Money, Name, OrdStatus, Order, OrderIntent, Origin, Position, Px, Qty,
    Role, SessionId, Stop, StopMode, WallNs,
};
use portcullis_gate::{Denial, DenyCode, Quote, Until};
use portcullis_statement::json::Value;
use portcullis_statement::{Digest, JournalBinding, Kind, ShownProposal};

use crate::bracket::BracketRecord;
use crate::entry::Content;
use crate::notes::Noted;
use crate::people::PersonVerb;
use crate::recon::ReconRecord;

mod body;
pub(crate) use body::{denial_body, intent_value};

/// One decision.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A statement was verified and its nonce burned.
    StatementAccepted {
        /// Which kind.
        kind: Kind,
        /// SHA-256 of its bytes.
        digest: Digest,
        /// Burned.
        nonce: String,
    },
    /// A request was refused.
    Refused {
        /// What was asked.
        what: &'static str,
        /// Why, as a code.
        code: String,
        /// Why, in one line.
        cause: String,
    },
    /// A session was drafted.
    Drafted {
        /// Its name.
        session: SessionId,
        /// The journal that its approval has to name.
        journal: JournalBinding,
    },
    /// A session is open.
    SessionOpened {
        /// Its name.
        session: SessionId,
        /// Burned.
        nonce: String,
        /// Everything else people want to see first.
        facts: Value,
    },
    /// A session takes no new orders any more.
    SessionClosing {
        /// Its name.
        session: SessionId,
        /// Why.
        reason: String,
    },
    /// A session is closed.
    SessionClosed {
        /// Its name.
        session: SessionId,
        /// Counts, positions, profit.
        summary: Value,
    },
    /// An order was approved; from here on it counts in every limit.
    Ordered {
        /// The order.
        order: Box<Order>,
        /// Our symbol of its instrument.
        symbol: String,
        /// Phase 1: it will not leave.
        shadow: bool,
        /// Authority epoch it was approved under.
        epoch: u64,
        /// Its value in the account's currency, which counts for the day.
        value: Option<Money>,
    },
    /// An intent was denied.
    Denied {
        /// What was asked for.
        intent: Box<OrderIntent>,
        /// Why, with the numbers.
        denial: Denial,
    },
    /// What the gate denied is paused: nothing of that scope before `until`.
    Paused {
        /// Why.
        denial: Denial,
        /// Until when.
        until: Until,
    },
    /// An intent waits for a person's word.
    Proposed {
        /// What was asked for.
        intent: Box<OrderIntent>,
        /// What people are shown of it; its id is the order's if it becomes one.
        shown: Box<ShownProposal>,
        /// Where the market stood.
        market: Quote,
        /// From when on it cannot be released.
        expires: WallNs,
    },
    /// A proposal will not become an order any more.
    ProposalEnded {
        /// Its id.
        cl_ord_id: ClOrdId,
        /// `RELEASE_EXPIRED` or `RELEASE_REVOKED`.
        code: DenyCode,
        /// What ended it.
        cause: &'static str,
    },
    /// A limit is used beyond its warning level.
    Warned {
        /// Which, with the numbers.
        warning: Denial,
        /// Whose limit: a strategy's name, an instrument's symbol; empty for the whole.
        of: String,
    },
    /// A wish to take an order back was denied.
    CancelDenied {
        /// Which order.
        cl_ord_id: ClOrdId,
        /// Why.
        denial: Denial,
    },
    /// Where the account stands at the beginning of a day or a week, and now and then after it.
    Reckoned {
        /// Days since 1970.
        day: i64,
        /// Profit of the account's life when the day began.
        base_day: Option<Money>,
        /// The same for the week.
        base_week: Option<Money>,
        /// Profit now.
        profit: Option<Money>,
    },
    /// A record of a plugin was not even an intent.
    Malformed {
        /// The plugin's number for it.
        reference: u64,
        /// Why.
        denial: Denial,
    },
    /// A person acted by hand, in addition to what became of it.
    Intervened {
        /// Who.
        who: Name,
        /// In which role.
        role: Role,
        /// What was asked for.
        verb: PersonVerb,
        /// The order it is about, if it is one.
        cl_ord_id: Option<ClOrdId>,
        /// Why the gate said no, if it did.
        denial: Option<DenyCode>,
    },
    /// A change of an order was approved; from here on the worse of both terms counts.
    AmendRequested {
        /// Whole quantity and price before it.
        before: (Qty, Px),
        /// The change.
        after: Amendment,
        /// Phase 1: it will not leave.
        shadow: bool,
        /// Authority epoch it was approved under.
        epoch: u64,
        /// What it adds to the order's value, in the account's currency; it counts for the day.
        growth: Option<Money>,
    },
    /// A change of an order was denied; the order stands as it was.
    AmendDenied {
        /// The asker's own number of the order.
        reference: u64,
        /// The change.
        after: Amendment,
        /// Why, with the numbers.
        denial: Denial,
    },
    /// An order is being taken back.
    CancelRequested {
        /// Which.
        cl_ord_id: ClOrdId,
        /// Why.
        cause: &'static str,
    },
    /// A report was booked.
    Booked {
        /// Which order.
        cl_ord_id: ClOrdId,
        /// Its state now.
        status: OrdStatus,
        /// Filled so far, in quantity units.
        cum_qty: i64,
        /// Position now.
        position: Position,
    },
    /// A report that cannot be true.
    Faulted {
        /// `FAULT_…`.
        code: &'static str,
        /// Which order.
        cl_ord_id: Option<ClOrdId>,
    },
    /// A person's note about a session was taken.
    Noted(Box<Noted>),
    /// The limits of the open session were tightened.
    Tightened {
        /// Which session.
        session: SessionId,
        /// Who did it.
        who: Name,
        /// How many keys are stricter.
        count: usize,
        /// The first of them, each with what it was and what it is.
        keys: Vec<String>,
    },
    /// The kill latch fell.
    Killed {
        /// Which kill this is, from 1.
        kill_seq: u64,
        /// Who.
        who: String,
        /// Why.
        reason: String,
    },
    /// After a kill: no order of ours is left at the venue.
    OrdersClear {
        /// Which kill.
        kill_seq: u64,
        /// How that is known.
        proof: &'static str,
    },
    /// Two people lifted the kill latch.
    Unkilled {
        /// Which kill.
        kill_seq: u64,
    },
    /// A smaller stop stands.
    Stopped {
        /// Which stop this is, from 1.
        stop_seq: u64,
        /// What it holds for, and how far.
        stop: Stop,
        /// Who.
        who: String,
        /// Why.
        reason: String,
    },
    /// After a cancel-all of a smaller scope: no order of it is left at the venue.
    StopClear {
        /// Which stop.
        stop_seq: u64,
        /// How that is known.
        proof: &'static str,
    },
    /// Two people lifted a stop.
    StopLifted {
        /// Which.
        stop_seq: u64,
    },
    /// A trigger fired; the stop that it asks for follows.
    Triggered {
        /// Which.
        trigger: Trigger,
        /// What was seen.
        observed: String,
        /// What is allowed.
        threshold: String,
        /// How far it stops.
        action: StopMode,
    },
    /// A flatten plan is over.
    FlattenEnded {
        /// SHA-256 of the plan's statement.
        plan: Digest,
        /// How it ended.
        code: &'static str,
        /// What is held by then, by symbol, as decimal text.
        left: BTreeMap<String, String>,
    },
    /// The venue's balances were taken for true, because none were known.
    BalancesAdopted {
        /// Currency to amount.
        balances: Value,
    },
    /// Account and house were compared.
    Reconciled {
        /// Orders of ours whose fate was unknown and that the venue has.
        found: Vec<String>,
        /// What differs; empty is green.
        differences: Vec<String>,
    },
    /// The venue has not answered an order by its deadline: its fate is unknown from here on.
    OrderOverdue {
        /// Which.
        cl_ord_id: ClOrdId,
    },
    /// An order of unknown fate is dead: its deadline is past and the venue does not have it.
    OrderDead {
        /// Which.
        cl_ord_id: ClOrdId,
    },
    /// A finding of reconciliation, or an entry of the venue's ledger.
    Recon(ReconRecord),
    /// A bracket did something beside its orders.
    Bracket(BracketRecord),
    /// A plugin was stopped.
    PluginStopped {
        /// Its name.
        plugin: String,
        /// `PLUGIN_…`.
        code: String,
        /// Why.
        cause: String,
    },
    /// Trades did not fit the queue of a plugin that is behind.
    EventsDropped {
        /// Its name.
        plugin: String,
        /// How many.
        count: u64,
    },
    /// The run ended in order. A start without this as the last entry is killed.
    CleanStop,
}

impl Outcome {
    /// The entry's content.
    #[must_use]
    pub fn content(&self) -> Content {
        Content {
            kind: self.kind(),
            corr: self.correlation(),
            reason: self.reason(),
            body: self.body(),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::StatementAccepted { .. } => "statement-accepted",
            Self::Refused { .. } => "refused",
            Self::Drafted { .. } => "drafted",
            Self::SessionOpened { .. } => "session-opened",
            Self::SessionClosing { .. } => "session-closing",
            Self::SessionClosed { .. } => "session-closed",
            Self::Ordered { .. } => "ordered",
            Self::Denied { .. } | Self::Malformed { .. } => "denied",
            Self::Paused { .. } => "paused",
            Self::Proposed { .. } => "proposed",
            Self::ProposalEnded { .. } => "proposal-ended",
            Self::Warned { .. } => "warned",
            Self::CancelDenied { .. } => "cancel-denied",
            Self::Reckoned { .. } => "reckoned",
            Self::Intervened { .. } => "intervened",
            Self::AmendRequested { .. } => "amend-requested",
            Self::AmendDenied { .. } => "amend-denied",
            Self::CancelRequested { .. } => "cancel-requested",
            Self::Booked { .. } => "booked",
            Self::Faulted { .. } => "faulted",
            Self::Noted(_) => "noted",
            Self::Tightened { .. } => "tightened",
            Self::Killed { .. } => "killed",
            Self::OrdersClear { .. } => "orders-clear",
            Self::Unkilled { .. } => "unkilled",
            Self::Stopped { .. } => "stopped",
            Self::StopClear { .. } => "stop-clear",
            Self::StopLifted { .. } => "stop-lifted",
            Self::Triggered { .. } => "triggered",
            Self::FlattenEnded { .. } => "flatten-ended",
            Self::BalancesAdopted { .. } => "balances-adopted",
            Self::Reconciled { .. } => "reconciled",
            Self::OrderOverdue { .. } => "order-overdue",
            Self::OrderDead { .. } => "order-dead",
            Self::Recon(record) => record.kind(),
            Self::Bracket(record) => record.kind(),
            Self::PluginStopped { .. } => "plugin-stopped",
            Self::EventsDropped { .. } => "events-dropped",
            Self::CleanStop => "clean-stop",
        }
    }

    /// What the entry belongs to: an order, an intent, a session, a kill.
    fn correlation(&self) -> String {
        match self {
            Self::StatementAccepted { digest, .. } => digest.hex(),
            Self::Drafted { session, .. }
            | Self::SessionOpened { session, .. }
            | Self::SessionClosing { session, .. }
            | Self::SessionClosed { session, .. }
            | Self::Tightened { session, .. } => session.to_string(),
            Self::Noted(noted) => noted.note.session.to_string(),
            Self::Ordered { order, .. } => order.cl_ord_id.to_string(),
            Self::Denied { intent, .. } => intent_correlation(intent),
            Self::Malformed { reference, .. } => format!("intent-{reference}"),
            Self::Proposed { shown, .. } => shown.proposal.to_string(),
            Self::CancelDenied { cl_ord_id, .. } => cl_ord_id.to_string(),
            Self::Reckoned { day, .. } => format!("day-{day}"),
            Self::Paused { denial, .. } | Self::Warned { warning: denial, .. } => {
                denial.scope.name().to_owned()
            }
            Self::Intervened { cl_ord_id: Some(id), .. } => id.to_string(),
            Self::ProposalEnded { cl_ord_id, .. }
            | Self::AmendRequested { after: Amendment { cl_ord_id, .. }, .. }
            | Self::AmendDenied { after: Amendment { cl_ord_id, .. }, .. }
            | Self::CancelRequested { cl_ord_id, .. }
            | Self::Booked { cl_ord_id, .. }
            | Self::OrderOverdue { cl_ord_id }
            | Self::OrderDead { cl_ord_id } => cl_ord_id.to_string(),
            Self::Faulted { cl_ord_id: Some(id), .. } => id.to_string(),
            Self::Recon(record) => record.correlation(),
            Self::Bracket(record) => record.correlation(),
            Self::Killed { kill_seq, .. }
            | Self::OrdersClear { kill_seq, .. }
            | Self::Unkilled { kill_seq } => format!("kill-{kill_seq}"),
            Self::Stopped { stop_seq, .. }
            | Self::StopClear { stop_seq, .. }
            | Self::StopLifted { stop_seq } => format!("stop-{stop_seq}"),
            Self::FlattenEnded { plan, .. } => plan.hex(),
            Self::PluginStopped { plugin, .. } | Self::EventsDropped { plugin, .. } => {
                plugin.clone()
            }
            Self::Refused { .. }
            | Self::Faulted { cl_ord_id: None, .. }
            | Self::Intervened { cl_ord_id: None, .. }
            | Self::BalancesAdopted { .. }
            | Self::Reconciled { .. }
            | Self::Triggered { .. }
            | Self::CleanStop => "-".to_owned(),
        }
    }

    /// Why, as a code or in the words of whoever asked.
    fn reason(&self) -> String {
        let code = match self {
            Self::StatementAccepted { .. } => "VERIFIED",
            Self::Refused { code, .. } => code,
            Self::Drafted { .. } | Self::CleanStop => "REQUESTED",
            Self::SessionOpened { .. } => "APPROVED",
            Self::SessionClosing { reason, .. }
            | Self::Killed { reason, .. }
            | Self::Stopped { reason, .. } => reason,
            Self::SessionClosed { .. } => "CLOSED",
            Self::Ordered { .. } | Self::AmendRequested { .. } => "WITHIN_LIMITS",
            Self::Denied { denial, .. }
            | Self::Malformed { denial, .. }
            | Self::Paused { denial, .. }
            | Self::Warned { warning: denial, .. }
            | Self::CancelDenied { denial, .. }
            | Self::AmendDenied { denial, .. } => denial.code.code(),
            Self::Proposed { .. } => "WAITS_FOR_A_PERSON",
            Self::ProposalEnded { code, .. } => code.code(),
            Self::Reckoned { .. } => "DAY_AND_WEEK",
            Self::Intervened { denial, .. } => denial.map_or("PERSON_ASKED", DenyCode::code),
            Self::CancelRequested { cause, .. } => cause,
            Self::Booked { status, .. } => status.name(),
            Self::Faulted { code, .. } => code,
            Self::Noted(noted) => noted.reason(),
            Self::Tightened { .. } => "PROVED_STRICTER",
            Self::OrdersClear { proof, .. } | Self::StopClear { proof, .. } => proof,
            Self::Unkilled { .. } | Self::StopLifted { .. } => "SIGNED_BY_TWO",
            Self::Triggered { trigger, .. } => trigger.code(),
            Self::FlattenEnded { code, .. } => code,
            Self::BalancesAdopted { .. } => "FIRST_SNAPSHOT",
            Self::Reconciled { differences, .. } if differences.is_empty() => "GREEN",
            Self::Reconciled { .. } => "RECON_UNRESOLVED",
            Self::OrderOverdue { .. } => "NO_ANSWER",
            Self::OrderDead { .. } => "NOT_AT_VENUE",
            Self::Recon(record) => record.reason(),
            Self::Bracket(record) => record.reason(),
            Self::PluginStopped { code, .. } => code,
            Self::EventsDropped { .. } => "PLUGIN_BEHIND",
        };
        code.to_owned()
    }
}

fn intent_correlation(intent: &OrderIntent) -> String {
    match intent.origin {
        Origin::Plugin(plugin) => format!("intent-{}-{}", plugin.0, intent.reference),
        Origin::Person | Origin::House => {
            format!("intent-{}-{}", intent.origin.name(), intent.reference)
        }
    }
}
