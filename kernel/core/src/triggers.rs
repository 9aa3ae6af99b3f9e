//! Automatic triggers: conditions that the house watches in itself, looked at after every event.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcullis_domain::policy::triggers::{LastingRow, LossRow, Trigger, Triggers};
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{InstrumentId, Money, Stop, StopScope, WallNs};
use portcullis_gate::DenyCode;
use portcullis_gate::exposure::{Cell, Owner};
use portcullis_statement::json::{self, Fields, Value};

use crate::effect::Effect;
use crate::entry::EntryError;
use crate::input::{EpochCause, Input};
use crate::losses::Losses;
use crate::outcome::Outcome;
use crate::snapshot::Kept;
use crate::state::{Core, Turn};
use crate::usage::SessionBook;

/// What has to be remembered for the triggers.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Those that have fired and are not lifted: none fires twice for one cause.
    pub(crate) fired: BTreeSet<Trigger>,
    /// When the session was opened.
    opened: WallNs,
    /// By instrument number: the newest market event, or when the session was opened.
    heard: Vec<WallNs>,
    /// When the link to the venue broke, oldest first.
    broken: VecDeque<WallNs>,
    /// The newest reading of the venue's clock: when, and how far it was ahead, in nanoseconds.
    clock: Option<(WallNs, i64)>,
    /// Since when nothing has left because journal or outbox was full.
    full_since: Option<WallNs>,
    /// Whether a fill came that no order explains.
    unexplained: bool,
    /// Since when a figure of money has not been known.
    unknown: BTreeMap<Trigger, WallNs>,
    /// No trigger but those of losses fires before, if nothing but the market moves until then.
    quiet_until: WallNs,
}

/// The rest is the open session's, or follows at the next look.
impl Kept for Watch {
    fn to_value(&self) -> Value {
        let Self { fired, broken, clock, full_since, unexplained, .. } = self;
        json::object([
            ("broken", broken.to_value()),
            ("clock", clock.to_value()),
            ("fired", fired.to_value()),
            ("full_since", full_since.to_value()),
            ("unexplained", unexplained.to_value()),
        ])
    }

    fn from_value(value: &Value) -> Result<Self, EntryError> {
        let mut fields = Fields::new(value)?;
        Ok(Self {
            broken: Kept::from_value(fields.value("broken")?)?,
            clock: Kept::from_value(fields.value("clock")?)?,
            fired: Kept::from_value(fields.value("fired")?)?,
            full_since: Kept::from_value(fields.value("full_since")?)?,
            unexplained: fields.bool("unexplained")?,
            ..Self::default()
        })
    }
}

impl Watch {
    pub(crate) fn session_opened(&mut self, instruments: usize, now: WallNs) {
        self.opened = now;
        self.heard = vec![now; instruments];
        self.unknown.clear();
    }

    /// What outlives a session: whatever else is watched is watched for one.
    pub(crate) fn between_sessions(self) -> Self {
        let Self { fired, broken, clock, full_since, unexplained, .. } = self;
        Self { fired, broken, clock, full_since, unexplained, ..Self::default() }
    }

    /// What outlives a run: each fired once, whatever the run.
    pub(crate) fn outlived(self) -> Self {
        Self { fired: self.fired, ..Self::default() }
    }

    pub(crate) fn fill_unexplained(&mut self) {
        self.unexplained = true;
    }

    pub(crate) fn clock_read(&mut self, now: WallNs, offset_ns: i64) {
        self.clock = Some((now, offset_ns));
    }

    /// A trigger was lifted: its cause begins anew. What still holds fires again.
    fn forget(&mut self, trigger: Trigger) {
        self.fired.remove(&trigger);
        match trigger {
            Trigger::Disconnects => self.broken.clear(),
            Trigger::UnexplainedFill => self.unexplained = false,
            Trigger::Evidence => self.full_since = None,
            Trigger::Drawdown | Trigger::DailyLoss => drop(self.unknown.remove(&trigger)),
            Trigger::Heartbeat | Trigger::StaleFeed | Trigger::ClockSkew => {}
        }
    }
}

impl Core {
    /// Notes what an event says before it is handled.
    pub(crate) fn note_for_triggers(&mut self, input: &Input, now: WallNs) {
        let Some(rows) = self.safety().map(|safety| safety.triggers) else { return };
        let watch = &mut self.watch;
        if let Input::Market(frame) = input {
            let place = usize::try_from(frame.instrument.0);
            if let Some(heard) = place.ok().and_then(|place| watch.heard.get_mut(place)) {
                *heard = now;
            }
        } else if let Input::VenueLink { up: false, .. } = input {
            if self.venue_up {
                watch.broken.push_back(now);
                // More than would fire need not be kept.
                let most = usize::try_from(rows.disconnects.count).unwrap_or(usize::MAX).max(1);
                while watch.broken.len() > most {
                    watch.broken.pop_front();
                }
            }
        } else if let Input::NotSent { code: DenyCode::EvidenceUnwritable, .. } = input {
            watch.full_since.get_or_insert(now);
        } else if let Input::Sent { .. } = input {
            // Only an order that left proves that journal and outbox move again.
            watch.full_since = None;
        }
    }

    /// Looks at every trigger after an event. Silence comes here by its deadline.
    pub(crate) fn watch_triggers(&mut self, turn: &mut Turn) {
        let Some(rows) = self.safety().map(|safety| safety.triggers) else { return };
        let now = turn.now.wall;
        let losses = self.losses();
        self.note_losses(losses, now);
        // Whatever else could bring a trigger nearer is on record, and the market alone only ends
        // silence: so most events of the market need no look at every instrument.
        let quiet = turn.step.entries.is_empty() && now < self.watch.quiet_until;
        let looked_at: &[Trigger] =
            if quiet { &[Trigger::Drawdown, Trigger::DailyLoss] } else { &Trigger::ALL };
        let mut next = WallNs(i64::MAX);
        for trigger in looked_at.iter().copied() {
            match self.waiting_due(trigger, &rows, losses) {
                Some(due) if due <= now => self.fire(trigger, &rows, turn),
                Some(due) => next = next.min(due),
                None => {}
            }
        }
        if !quiet {
            self.watch.quiet_until = next;
        }
    }

    fn fire(&mut self, trigger: Trigger, rows: &Triggers, turn: &mut Turn) {
        self.watch.fired.insert(trigger);
        let (observed, threshold) = self.seen_by(trigger, rows);
        let (code, mode) = (trigger.code(), rows.action(trigger));
        turn.record(&Outcome::Triggered { trigger, observed, threshold, action: mode });
        let stop = Stop { mode, scope: StopScope::All };
        turn.effect(Effect::RaiseEpoch(EpochCause::stop(stop, ("kernel", code), None)));
    }

    /// The earliest moment at which a trigger fires if nothing more happens.
    pub(crate) fn next_trigger(&self) -> Option<WallNs> {
        let (rows, losses) = (self.safety()?.triggers, self.losses());
        let due = |trigger| self.waiting_due(trigger, &rows, losses);
        Trigger::ALL.into_iter().filter_map(due).min()
    }

    fn note_losses(&mut self, Losses { drawdown, day }: Losses, now: WallNs) {
        for (trigger, figure) in [(Trigger::Drawdown, drawdown), (Trigger::DailyLoss, day)] {
            if figure.is_none() && self.live.is_some() && self.holds_anything() {
                self.watch.unknown.entry(trigger).or_insert(now);
            } else {
                self.watch.unknown.remove(&trigger);
            }
        }
    }

    /// When a trigger that has not fired does, if nothing more happens: now, later, or not at all.
    fn waiting_due(&self, trigger: Trigger, rows: &Triggers, losses: Losses) -> Option<WallNs> {
        let watch = &self.watch;
        let now = self.place.at.wall;
        // These two are watched always, the others while a session is open.
        let always = matches!(trigger, Trigger::UnexplainedFill | Trigger::Evidence);
        if watch.fired.contains(&trigger) || (self.live.is_none() && !always) {
            return None;
        }
        match trigger {
            Trigger::UnexplainedFill => watch.unexplained.then_some(now),
            Trigger::Evidence => watch.full_since.map(|since| after(since, rows.evidence.ms)),
            Trigger::Drawdown => self.loss_due(trigger, &rows.drawdown, losses.drawdown),
            Trigger::DailyLoss => self.loss_due(trigger, &rows.daily_loss, losses.day),
            Trigger::Heartbeat => {
                let held =
                    |guard| self.alive_until(guard).unwrap_or(watch.opened).max(watch.opened);
                let first = self.guards_required().into_iter().map(held).min()?;
                Some(after(first, rows.heartbeat.ms))
            }
            Trigger::Disconnects => {
                let within = |at: &&WallNs| after(**at, rows.disconnects.window_ms) > now;
                let count = watch.broken.iter().filter(within).count();
                let most = usize::try_from(rows.disconnects.count).unwrap_or(usize::MAX).max(1);
                (count >= most).then_some(now)
            }
            Trigger::StaleFeed => self.stale_due(rows.stale_feed),
            Trigger::ClockSkew if !self.has_venue_clock() => None,
            Trigger::ClockSkew => {
                let (at, offset) = watch.clock.unwrap_or((watch.opened, 0));
                let most = i64::from(rows.clock_skew.offset_ms).saturating_mul(NS_PER_MS);
                let skewed = offset.saturating_abs() > most;
                let old = after(at.max(watch.opened), rows.clock_skew.age_ms);
                Some(if skewed { now } else { old })
            }
        }
    }

    fn loss_due(&self, trigger: Trigger, row: &LossRow, loss: Option<Money>) -> Option<WallNs> {
        match loss {
            Some(loss) => (loss >= row.loss).then_some(self.place.at.wall),
            None => self.watch.unknown.get(&trigger).map(|since| after(*since, row.unknown_ms)),
        }
    }

    /// When the market of an instrument with a position or an order has been silent too long.
    fn stale_due(&self, row: LastingRow) -> Option<WallNs> {
        let instruments = (0..).map(InstrumentId).zip(&self.watch.heard);
        let exposed = instruments.filter(|(id, _)| self.is_exposed(*id));
        exposed.map(|(_, heard)| after(*heard, row.ms)).min()
    }

    /// Whether an instrument of the session has a position or an order that can still trade.
    fn is_exposed(&self, id: InstrumentId) -> bool {
        let book = self.ledger().session.as_ref().map(SessionBook::book);
        // A book that is broken answers nothing: anything may be held then.
        book.and_then(|book| book.cell(Owner::Whole, id)).is_none_or(Cell::is_touched)
    }

    /// As in the gate: a recording and a simulated venue need no clock but this host's. One that
    /// was read once has to be read on.
    fn has_venue_clock(&self) -> bool {
        let live = self.live.as_ref();
        let outside = live.is_some_and(|live| live.gate.approval().endpoint_kind.is_outside());
        outside || self.watch.clock.is_some()
    }

    /// What was seen and what is allowed, for the record.
    fn seen_by(&self, trigger: Trigger, rows: &Triggers) -> (String, String) {
        let ms = |ms: u32| format!("{ms} ms");
        let since = |row: LastingRow, what: &str| (what.to_owned(), ms(row.ms));
        let loss = |row: &LossRow, loss: Option<Money>| match loss {
            Some(loss) => (loss.text(), row.loss.text()),
            None => ("unknown".to_owned(), ms(row.unknown_ms)),
        };
        match trigger {
            Trigger::Drawdown => loss(&rows.drawdown, self.losses().drawdown),
            Trigger::DailyLoss => loss(&rows.daily_loss, self.losses().day),
            Trigger::Heartbeat => {
                let missing = self.guards_required().into_iter();
                let missing = missing.min_by_key(|guard| self.alive_until(*guard));
                since(rows.heartbeat, missing.map_or("-", |guard| guard.code()))
            }
            Trigger::Disconnects => {
                let row = &rows.disconnects;
                let text = |count: String| format!("{count} within {} ms", row.window_ms);
                (text(self.watch.broken.len().to_string()), text(row.count.to_string()))
            }
            Trigger::StaleFeed => since(rows.stale_feed, "no market event"),
            Trigger::ClockSkew => match self.watch.clock {
                Some((_, offset)) => (format!("{offset} ns"), ms(rows.clock_skew.offset_ms)),
                None => ("never read".to_owned(), ms(rows.clock_skew.age_ms)),
            },
            Trigger::UnexplainedFill => ("1".to_owned(), "0".to_owned()),
            Trigger::Evidence => since(rows.evidence, "full"),
        }
    }

    /// After a kill or stop was lifted: triggers whose stop no longer stands may fire again.
    pub(crate) fn forget_lifted(&mut self) {
        if self.kill.is_some() {
            return;
        }
        let standing: BTreeSet<&str> =
            self.stops.standing.values().map(|standing| standing.reason.as_str()).collect();
        let lifted = self.watch.fired.iter().filter(|trigger| !standing.contains(trigger.code()));
        let lifted: Vec<Trigger> = lifted.copied().collect();
        for trigger in lifted {
            self.watch.forget(trigger);
        }
    }
}

fn after(since: WallNs, ms: u32) -> WallNs {
    since.plus_ns(i64::from(ms).saturating_mul(NS_PER_MS))
}
