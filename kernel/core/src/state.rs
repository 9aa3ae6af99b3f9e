//! The core's state and the bookkeeping of one step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use portcullis_domain::policy::PhaseRules;
use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{
    BootNs, ClOrdId, Instrument, InstrumentId, Money, Name, Now, OrderFault, Origin, SessionId,
    WallNs,
};
use portcullis_gate::{DenyCode, Gate, Scope, VenueStatus};
use portcullis_statement::{
    Digest, EndpointSet, JournalBinding, PluginRelease, SignedStatement, Trust, Verified,
};

use crate::bracket::Legs;
use crate::copies::Claim;
use crate::effect::{Answer, Effect};
use crate::entry::{Class, Content, Entry, Place};
use crate::epoch::HeardEpochs;
use crate::flatten::Flattening;
use crate::input::{EpochCause, Start};
use crate::ledger::Ledger;
use crate::market::MarketDesk;
use crate::notes::Unsealed;
use crate::outcome::Outcome;
use crate::plugin::PluginDesk;
use crate::proposals::Proposals;
use crate::recon::Recon;
use crate::roll::{Epoch, EpochName, Restoring};
use crate::stops::{Clearing, Stops};
use crate::triggers::Watch;
use crate::usage::UsageDesk;
use crate::witness::CosignedBy;

/// What one event led to.
#[derive(Debug, Default)]
pub struct Step {
    /// For the journal, in order.
    pub entries: Vec<Entry>,
    /// For the wiring, in order, once the entries are in the journal.
    pub effects: Vec<Effect>,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Drafted against a journal head.
    Drafted,
    /// Open.
    Open,
    /// Takes no new orders; waits for its last one to end.
    Closing,
    /// Ended by command.
    Closed,
    /// It was open when the kernel went down.
    Crashed,
    /// Its pack is sealed.
    Sealed,
}

impl SessionState {
    /// The state of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        use SessionState::{Closed, Closing, Crashed, Drafted, Open, Sealed};
        let all = [Drafted, Open, Closing, Closed, Crashed, Sealed];
        all.into_iter().find(|state| state.name() == name)
    }

    /// The name in status and packs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drafted => "drafted",
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Crashed => "crashed",
            Self::Sealed => "sealed",
        }
    }
}

/// Who this kernel is: set once, by its start.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) trust: Trust,
    /// What the kernel knew at its start.
    pub(crate) start: Box<Start>,
    /// When that was, by the wall.
    pub(crate) at: WallNs,
}

/// A statement whose effect lasts, as it was signed: it is verified again with every epoch.
#[derive(Debug)]
pub(crate) struct Paper {
    pub(crate) signed: SignedStatement,
    /// When it was accepted.
    pub(crate) at: WallNs,
    /// The phase rules under which it was.
    pub(crate) rules: PhaseRules,
}

/// A session that takes no new orders any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    /// The request to answer once its last order has ended.
    pub(crate) request: Option<u64>,
}

/// The kill latch, down.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    pub(crate) seq: u64,
    /// SHA-256 of the entry that recorded it: what an unkill statement has to name.
    pub(crate) entry: Digest,
    pub(crate) reason: String,
    pub(crate) clearing: Clearing,
}

/// The open session. Nothing of it survives a restart.
#[derive(Debug)]
pub(crate) struct LiveSession {
    pub(crate) name: SessionId,
    pub(crate) gate: Gate,
    pub(crate) closing: Option<Closing>,
    pub(crate) reduce_only: bool,
    pub(crate) market: MarketDesk,
    pub(crate) desks: Vec<PluginDesk>,
    /// Whose order of which number is which.
    pub(crate) references: BTreeMap<(Origin, u64), ClOrdId>,
    /// What the session has used of its limits.
    pub(crate) usage: UsageDesk,
    /// When people confirmed the instruments' metadata: by the approval.
    pub(crate) metadata_read: WallNs,
    /// What the gate has paused, so that each pause is recorded once.
    pub(crate) paused: BTreeSet<(DenyCode, Scope)>,
    /// When plugins last asked for their cancels.
    pub(crate) cancels_asked: BTreeMap<ClOrdId, BootNs>,
    /// Codes of limits that are beyond their warning level, so that each is told once.
    pub(crate) warned: BTreeSet<(DenyCode, Scope, String)>,
    /// Phase 1: the book of what would have been.
    pub(crate) shadow: Option<Ledger>,
    /// What waits for a person's word.
    pub(crate) proposals: Proposals,
    pub(crate) verdicts: BTreeMap<&'static str, u64>,
    /// Profit and holdings at the opening, so that a session's own profit can be told.
    pub(crate) baseline: BTreeMap<String, Money>,
    /// Symbols by instrument number.
    pub(crate) symbols: BTreeMap<InstrumentId, String>,
}

/// The state machine.
#[derive(Debug, Default)]
pub struct Core {
    pub(crate) identity: Option<Identity>,
    pub(crate) burned: BTreeSet<String>,
    pub(crate) releases: BTreeMap<Digest, Verified<PluginRelease>>,
    pub(crate) endpoints: BTreeMap<Digest, Verified<EndpointSet>>,
    /// Releases, endpoint sets and approvals as they were signed, by digest.
    pub(crate) papers: BTreeMap<Digest, Paper>,
    /// The endpoint set that was signed last: the one the wiring is connected to.
    pub(crate) endpoint: Option<Digest>,
    pub(crate) drafts: BTreeMap<SessionId, JournalBinding>,
    pub(crate) sessions: BTreeMap<SessionId, SessionState>,
    /// Sessions that were opened and whose packs are not sealed.
    pub(crate) unsealed: BTreeMap<SessionId, Unsealed>,
    pub(crate) kill: Option<Kill>,
    pub(crate) kill_seq: u64,
    pub(crate) stops: Stops,
    /// When two people last lifted a kill: size comes back from here.
    pub(crate) returned_at: Option<WallNs>,
    /// Until when each guard's last beat holds.
    pub(crate) beats: BTreeMap<Guard, WallNs>,
    /// What each witness last cosigned in this run.
    pub(crate) cosigned: CosignedBy,
    /// What the scribe last claimed in this run.
    pub(crate) copies: Option<Claim>,
    pub(crate) watch: Watch,
    pub(crate) flatten: Option<Flattening>,
    pub(crate) account: Ledger,
    /// Instruments of past and present sessions, by our symbol.
    pub(crate) instruments: BTreeMap<String, Instrument>,
    pub(crate) live: Option<LiveSession>,
    /// The limits that the next session is held against; none before the first session.
    pub(crate) limits_in_force: Option<crate::limits::InForce>,
    /// What the session that opened last trades.
    pub(crate) opened: crate::limits::Opened,
    /// Limits read back from the journal whose tightening has not been read yet.
    pub(crate) unfolded_limits: Option<portcullis_statement::json::Value>,
    /// What is left of the session that ended last and could trade: its closing rights.
    pub(crate) closing: Option<Gate>,
    /// Proposals on record that neither became an order nor ended.
    pub(crate) unreleased: BTreeSet<ClOrdId>,
    /// Orders that people asked for; the next one's number.
    pub(crate) person_orders: u64,
    /// Last differences between account and house; `None` until they were first compared.
    pub(crate) differences: Option<Vec<String>>,
    pub(crate) suspects: BTreeSet<String>,
    pub(crate) recon: Recon,
    /// Orders of phase-1 sessions that are over: what is still said about them means nothing.
    pub(crate) past_shadow: BTreeSet<ClOrdId>,
    /// The exits that come with entries of this run, by entry.
    pub(crate) brackets: BTreeMap<ClOrdId, Legs>,
    /// Symbols whose positions lost their stops before they were left.
    pub(crate) unprotected: BTreeSet<String>,
    /// Orders that are to be taken back: asked again at every reading that still lists them.
    pub(crate) withdrawn: BTreeSet<ClOrdId>,
    pub(crate) venue_up: bool,
    /// Whether the venue takes orders, in its own words; `None` while it has said nothing.
    pub(crate) venue_status: Option<VenueStatus>,
    /// Our clock minus the venue's, as last measured.
    pub(crate) clock_offset_ns: Option<i64>,
    /// Profit of the account as last put on record.
    pub(crate) recorded_profit: Option<Money>,
    /// When the account was last read.
    pub(crate) account_read: Option<BootNs>,
    /// Whether the last order that was to leave found no room in the journal or the outbox.
    pub(crate) evidence_full: bool,
    pub(crate) orders_issued: u32,
    /// The withdrawals of authority whose causes have been consumed.
    pub(crate) epochs: HeardEpochs,
    /// Until when an order of ours can still reach a venue, on both clocks: one alone may be wrong.
    pub(crate) venue_deadline_last: Now,
    /// When whatever the last run had on its way must have arrived or been refused.
    pub(crate) venue_deadline_start: Now,
    /// The same for each open order of this run.
    pub(crate) venue_deadlines: BTreeMap<ClOrdId, Now>,
    /// Orders that left, oldest first: those that the venue may not have answered yet.
    pub(crate) unanswered: VecDeque<ClOrdId>,
    /// When the venue is to be read again, while there is a link to it.
    pub(crate) read_due: Option<WallNs>,
    /// Shared with the turn, which would otherwise copy the cursors at every event.
    pub(crate) place: Arc<Place>,
    /// The epoch of the journal; `None` where it has none, as in a run over a recording.
    pub(crate) epoch: Option<Epoch>,
    /// The epoch is over: nothing follows it in its journal, and the next one is called so.
    pub(crate) ended: Option<EpochName>,
    /// A snapshot of which not every part has been read yet.
    pub(crate) restoring: Option<Restoring>,
    /// A statement read back from the journal whose acceptance has not been read yet.
    pub(crate) unfolded: Option<portcullis_statement::SignedStatement>,
}

/// One event's bookkeeping: everything recorded and asked for while it is handled.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) now: Now,
    pub(crate) place: Arc<Place>,
    pub(crate) step: Step,
    /// The person who asks for something by hand, if this is about that.
    pub(crate) asker: Option<Name>,
}

impl Turn {
    pub(crate) fn record(&mut self, outcome: &Outcome) {
        self.entry(Class::Outcome, outcome.content());
    }

    /// Records what a statement will have to name: by the digest of its entry.
    pub(crate) fn record_to_name(&mut self, outcome: &Outcome) -> Digest {
        let entry = Entry::new(Class::Outcome, &self.place, outcome.content());
        let digest = Digest::of(&entry.bytes);
        self.step.entries.push(entry);
        digest
    }

    pub(crate) fn entry(&mut self, class: Class, content: Content) {
        self.step.entries.push(Entry::new(class, &self.place, content));
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.step.effects.push(effect);
    }

    /// A report that cannot be true: the house does not know what is real any more, and stops.
    pub(crate) fn fault(&mut self, fault: OrderFault) {
        let cl_ord_id = match fault {
            OrderFault::UnknownOrder(id)
            | OrderFault::Overfill(id)
            | OrderFault::ConflictingExecution(id)
            | OrderFault::DuplicateClOrdId(id)
            | OrderFault::UnaskedTerms(id) => Some(id),
            OrderFault::Illegal(_) => None,
        };
        self.record(&Outcome::Faulted { code: fault.code(), cl_ord_id });
        self.kill(fault.code());
    }

    /// The house pulls its own kill switch.
    pub(crate) fn kill(&mut self, reason: &str) {
        let (who, reason) = ("kernel".to_owned(), reason.to_owned());
        self.effect(Effect::RaiseEpoch(EpochCause::Kill { who, reason, request: None }));
    }

    pub(crate) fn done(&mut self, request: u64, text: impl Into<String>) {
        self.effect(Effect::Answer { request, answer: Answer::Done(text.into()) });
    }

    /// Records a refusal and answers the request.
    pub(crate) fn refuse(&mut self, request: u64, what: &'static str, code: &str, cause: &str) {
        let (code, cause) = (code.to_owned(), cause.to_owned());
        self.record(&Outcome::Refused { what, code: code.clone(), cause: cause.clone() });
        self.effect(Effect::Answer { request, answer: Answer::Refused { code, cause } });
    }
}

impl Core {
    /// A core that has not started. Everything is blocked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The earliest moment at which something happens without any input; a `Tick` is due then.
    #[must_use]
    pub fn next_deadline(&self) -> Option<WallNs> {
        let live = self.live.as_ref();
        let timers = live.into_iter().flat_map(|live| &live.desks);
        let timers = timers.filter_map(PluginDesk::next_timer);
        let trading = live.filter(|live| live.closing.is_none());
        let closes = trading.map(|live| live.gate.approval().window_closes);
        let read = self.read_due.filter(|_| self.venue_up);
        let own = self.next_trigger().into_iter().chain(self.next_flatten());
        let own = own.chain(self.next_overdue()).chain(self.next_roll());
        let own = own.chain(live.and_then(|live| live.proposals.next_end()));
        timers.chain(closes).chain(read).chain(own).min()
    }

    /// Where the core stands: the place of the last event. Entries about the host carry it.
    #[must_use]
    pub fn place(&self) -> Place {
        (*self.place).clone()
    }

    /// The moment of the last event, as the core took it.
    #[must_use]
    pub fn moment(&self) -> Now {
        self.place.at
    }

    /// Fingerprint of the genesis that this core was started with; `None` before its start.
    #[must_use]
    pub fn genesis(&self) -> Option<Digest> {
        self.identity.as_ref().map(|identity| identity.trust.fingerprint())
    }

    /// Whether the kill latch is down.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.kill.is_some()
    }

    /// Plugin releases that people signed here, by digest of the statement.
    pub fn releases(&self) -> impl Iterator<Item = (&Digest, &PluginRelease)> + '_ {
        self.releases.iter().map(|(digest, release)| (digest, release.item()))
    }

    /// Endpoint sets that people signed here, by digest of the statement.
    pub fn endpoints(&self) -> impl Iterator<Item = (&Digest, &EndpointSet)> + '_ {
        self.endpoints.iter().map(|(digest, endpoint)| (digest, endpoint.item()))
    }

    /// Digest of the entry that recorded the present kill.
    #[must_use]
    pub fn kill_entry(&self) -> Option<Digest> {
        self.kill.as_ref().map(|kill| kill.entry)
    }

    /// Kills so far. Approvals bind it.
    #[must_use]
    pub fn kill_seq(&self) -> u64 {
        self.kill_seq
    }

    /// Where a session stands.
    #[must_use]
    pub fn session_state(&self, session: &SessionId) -> Option<SessionState> {
        let state = *self.sessions.get(session)?;
        let closing = |live: &LiveSession| live.name == *session && live.closing.is_some();
        Some(if self.live.as_ref().is_some_and(closing) { SessionState::Closing } else { state })
    }

    /// The account as the house knows it.
    #[must_use]
    pub fn account(&self) -> &Ledger {
        &self.account
    }

    /// Name of the open session.
    #[must_use]
    pub fn open_session(&self) -> Option<&Name> {
        self.live.as_ref().map(|live| &live.name)
    }

    /// Origin of the journal that the open session's approval is bound to.
    #[must_use]
    pub fn session_origin(&self) -> Option<&str> {
        self.live.as_ref().map(|live| live.gate.approval().journal.origin.as_str())
    }

    /// The ledger that the open session trades on: its own in phase 1, else the account's.
    pub(crate) fn ledger(&self) -> &Ledger {
        self.live.as_ref().and_then(|live| live.shadow.as_ref()).unwrap_or(&self.account)
    }

    pub(crate) fn ledger_mut(&mut self) -> &mut Ledger {
        match self.live.as_mut().and_then(|live| live.shadow.as_mut()) {
            Some(shadow) => shadow,
            None => &mut self.account,
        }
    }

    /// Whether that order is one of phase 1.
    pub(crate) fn is_shadow_order(&self, id: ClOrdId) -> bool {
        let shadow = self.live.as_ref().and_then(|live| live.shadow.as_ref());
        shadow.is_some_and(|ledger| ledger.orders.get(id).is_some())
    }

    /// The ledger that issued an order. What is said about an order goes there, whatever session
    /// is open by then.
    pub(crate) fn ledger_of(&self, id: ClOrdId) -> &Ledger {
        if self.is_shadow_order(id) { self.ledger() } else { &self.account }
    }

    pub(crate) fn ledger_of_mut(&mut self, id: ClOrdId) -> &mut Ledger {
        if self.is_shadow_order(id) { self.ledger_mut() } else { &mut self.account }
    }

    pub(crate) fn is_shadow(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.shadow.is_some())
    }
}
