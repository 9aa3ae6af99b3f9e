//! One process of the house: what a start makes and a crash destroys.
//!
//! The pieces are the product's. Only who moves them is not: the daemon has threads, this has a
//! scheduler that calls one piece at a time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use portcullis_core::entry::{decode, is_clean_stop};
use portcullis_core::{Core, EpochCause, Event, Input};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{BootNs, ClOrdId, ExecId, Now, PluginId};
use portcullis_evidence::{Appender, Committer, DurableMark, Groups, Head, Journal, read};
use portcullis_path::inbox::inbox;
use portcullis_path::order_path::{
    Wiring, event_of, first_turn, hand_on, outbox_turn, step_and_record,
};
use portcullis_path::outbox::{Held, outbox};
use portcullis_path::{Authority, Inbox, Outbox};
use portcullis_statement::json::{Fields, Value};

use crate::approvals::People;
use crate::bug::Bug;
use crate::disk::{Platter, SimDisk};
use crate::hands::{Door, Hands, fate_told};
use crate::people::ORIGIN;
use crate::replay::Life;
use crate::stops::StopBook;

/// As in the core loop.
const BEAT_NS: i64 = 10 * NS_PER_S;

/// A running house.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) core: Core,
    pub(crate) life: Life,
    pub(crate) hands: Hands,
    appender: Appender,
    committer: Committer<SimDisk>,
    flying: Option<Groups>,
    mark: DurableMark,
    outbox: Outbox,
    held: Held,
    inbox: Inbox,
    beat: BootNs,
    /// Fills that a reading of the account has told already.
    told: BTreeSet<ExecId>,
    /// Planted: an authority that only follows what the core has consumed.
    slow_authority: Authority,
    bug: Option<Bug>,
    /// The journal has failed; the process takes its orders back and ends.
    pub(crate) failing: bool,
    /// The core loop has ended in order.
    pub(crate) halted: bool,
}

/// Why there is no house.
#[derive(Debug)]
pub(crate) enum NoStart {
    /// The process ended again while it began.
    Crashed,
    /// An invariant is broken.
    Broken(String),
}

impl House {
    /// What the daemon does at its start: reads the journal back, folds it, goes on.
    pub(crate) fn start(
        platter: &Rc<RefCell<Platter>>,
        (people, draw): (&People, u32),
        (now, bug): (Now, Option<Bug>),
        (acked, gate_closed): (u64, bool),
    ) -> Result<Self, NoStart> {
        let broken = |what: String| NoStart::Broken(what);
        let last = platter.borrow().last_epoch();
        let disk = SimDisk(Rc::clone(platter));
        let (journal, entries, torn_bytes) = if let Some(epoch) = last {
            let segments = platter.borrow().segments(epoch);
            let recovered = read(segments.as_slice());
            let recovered =
                recovered.map_err(|fault| broken(format!("I10 the journal: {fault}")))?;
            (
                Journal::open(disk, epoch, &recovered.end),
                recovered.entries,
                recovered.end.torn_bytes,
            )
        } else {
            (Journal::create(disk, ORIGIN), Vec::new(), 0)
        };
        let Ok(journal) = journal else { return Err(NoStart::Crashed) };
        if u64::try_from(entries.len()).is_ok_and(|found| found < acked) {
            let found = entries.len();
            return Err(broken(format!("I10 {acked} entries were durable, {found} are there")));
        }
        let mut core = Core::new();
        for (number, entry) in entries.iter().enumerate() {
            let folded = core.fold(entry);
            folded
                .map_err(|error| broken(format!("I7 entry {number} does not fold: {error:?}")))?;
        }
        let in_order = torn_bytes == 0 && entries.last().is_some_and(|entry| is_clean_stop(entry));
        let clean = in_order || bug == Some(Bug::CrashCalledClean);
        let mut start = people.start(draw, (entries.is_empty(), clean && !entries.is_empty()));
        start.torn_bytes = torn_bytes;
        // A run that did not end in order counts as a kill, unless nothing of it was durable.
        let gate_closed = gate_closed || !in_order && !entries.is_empty();
        let mut house = Self::assemble(core, Life::new(entries), journal, (now, bug));
        house.hands.gate_closed = gate_closed;
        house.begin(Event { now, input: Input::Started(Box::new(start)) })?;
        Ok(house)
    }

    fn assemble(
        core: Core,
        life: Life,
        journal: Journal<SimDisk>,
        (now, bug): (Now, Option<Bug>),
    ) -> Self {
        let (lanes, inbox) = inbox();
        let (outbox, end) = outbox();
        let (appender, committer) = journal.split();
        let hands = Hands {
            authority: Rc::new(Authority::new()),
            lanes,
            now,
            calls: BTreeMap::new(),
            wish: false,
            connect: false,
            stream: None,
            gate_closed: false,
            stops: StopBook::of(life.entries()),
            by_hand: BTreeSet::new(),
        };
        Self {
            core,
            life,
            hands,
            mark: appender.mark(),
            appender,
            committer,
            flying: None,
            outbox,
            held: Held::new(end, Duration::ZERO),
            inbox,
            beat: now.boot,
            told: BTreeSet::new(),
            slow_authority: Authority::new(),
            bug,
            failing: false,
            halted: false,
        }
    }

    /// The beginning of the run: durable before anybody is let in, as in the daemon.
    fn begin(&mut self, started: Event) -> Result<(), NoStart> {
        self.hands.now = started.now;
        let before = self.life.foresee(&started, &self.core).map_err(NoStart::Broken)?;
        let journal = (&mut self.appender, &mut self.committer);
        let begun = first_turn(&mut self.core, journal, started);
        let begun = begun.map_err(|_| NoStart::Crashed)?;
        self.life.compare(&self.core, before).map_err(NoStart::Broken)?;
        hand_on(begun, &self.outbox, &mut self.hands);
        self.hands.show(&self.core, self.appender.head(), self.appender.end());
        Ok(())
    }

    /// How many entries are durable.
    pub(crate) fn durable(&self) -> u64 {
        self.mark.watermark().0
    }

    /// One turn of the core loop. Whether anything happened.
    pub(crate) fn turn(&mut self, now: Now) -> Result<bool, String> {
        if self.halted {
            return Ok(false);
        }
        let due = self.core.is_due(now) || now.boot.since_ns(self.beat) >= BEAT_NS;
        let arrived = self.inbox.recv(Duration::ZERO);
        let arrived = arrived.or_else(|| due.then(|| Input::Tick.into()));
        let Some(arrived) = arrived else { return Ok(false) };
        let event = event_of(arrived, now, &self.core);
        self.beat = now.boot;
        self.halted = self.step(now, event)?;
        // As the core loop does when it ends.
        while let Some(kill) = if self.halted { self.inbox.next_kill() } else { None } {
            self.step(now, Event { now, input: kill })?;
        }
        Ok(true)
    }

    /// One event, and what follows from it. Whether the core loop ends with it.
    fn step(&mut self, now: Now, event: Event) -> Result<bool, String> {
        self.hands.now = now;
        if let Input::EpochRaised { epoch, .. } = &event.input {
            while self.slow_authority.admit_exit(*epoch).is_none() {
                self.slow_authority.raise();
            }
        }
        let spreads = match &event.input {
            Input::PluginFailed { plugin, .. } if self.bug == Some(Bug::FaultSpreads) => {
                Some(PluginId(1 - plugin.0))
            }
            _ => None,
        };
        let before = self.life.foresee(&event, &self.core)?;
        self.note(&event.input);
        let turn = step_and_record(&mut self.core, &mut self.appender, event);
        if let Some(plugin) = spreads {
            let (code, cause) = ("PLUGIN_TRAP".to_owned(), "next door".to_owned());
            let event = Event { now, input: Input::PluginFailed { plugin, code, cause } };
            self.life.foresee(&event, &self.core)?;
            drop(step_and_record(&mut self.core, &mut self.appender, event));
        }
        self.life.compare(&self.core, before)?;
        let halts = hand_on(turn, &self.outbox, &mut self.hands);
        self.hands.show(&self.core, self.appender.head(), self.appender.end());
        Ok(halts)
    }

    /// What the laws have to know of an event, as the entries say it.
    fn note(&mut self, input: &Input) {
        if let Input::EpochRaised { epoch, .. } = input {
            self.hands.stops.consumed(*epoch);
        }
        for entry in &self.life.told {
            self.hands.stops.read(entry);
            self.hands.by_hand.extend(agreed(entry));
        }
    }

    /// What the committer does next: takes a group over, or makes it durable. `None` if it was
    /// idle, else how many entries are durable, or that the journal has failed.
    pub(crate) fn commit(&mut self) -> Option<Result<u64, ()>> {
        if self.failing {
            return None;
        }
        if let Some(groups) = self.flying.take() {
            return Some(match self.committer.commit(&groups) {
                Ok(watermark) => Ok(watermark.0),
                Err(_) => Err(()),
            });
        }
        self.flying = self.appender.take().ok().flatten();
        self.flying.is_some().then(|| Ok(self.mark.watermark().0))
    }

    /// One turn of the outbox loop. Whether it held anything.
    pub(crate) fn outbox(&mut self, now: Now, door: &mut Door<'_>, forgets: bool) -> bool {
        if !self.held.take_in_at_once() {
            return false;
        }
        let authority = match self.bug {
            Some(Bug::IgnoresEpoch) => &self.slow_authority,
            _ => &*self.hands.authority,
        };
        let lanes = &self.hands.lanes;
        let tell = |input| {
            let told = lanes.report(fate_told(input, forgets));
            told.expect("the report lane has room in a simulation");
        };
        let (mark, clock) = (&self.mark, || now);
        outbox_turn(&mut self.held, (mark, authority), &clock, door, (&tell, &mut |_, _| {}));
        true
    }

    /// The disk failed: the gate shuts, and the process will end.
    pub(crate) fn journal_failed(&mut self) {
        self.failing = true;
        let (who, reason) = ("kernel".to_owned(), "EVIDENCE_UNWRITABLE".to_owned());
        self.hands.raise(EpochCause::Kill { who, reason, request: None });
    }

    /// The fills of a reading that no earlier reading of this run has told.
    pub(crate) fn is_news(&mut self, exec: &ExecId) -> bool {
        self.told.insert(exec.clone())
    }

    /// The journal's head, to draft against.
    pub(crate) fn head(&self) -> Head {
        self.appender.head()
    }
}

/// The order that a person asked for and got, if the entry says so.
fn agreed(entry: &[u8]) -> Option<ClOrdId> {
    let entry = decode(entry).expect("an entry of the core's");
    if entry.kind != "intervened" {
        return None;
    }
    let mut body = Fields::new(&entry.body).expect("a body with fields");
    let denied = *body.value("denial").expect("a field") != Value::Null;
    let id = body.text("cl_ord_id").ok().and_then(ClOrdId::parse);
    id.filter(|_| !denied)
}
