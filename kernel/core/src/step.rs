//! The map of the kernel: every input, and who handles it.

use std::sync::Arc;

use portcullis_domain::{ClOrdId, Now, OrdStatus, OrderFault};
use portcullis_gate::DenyCode;

use crate::effect::Effect;
use crate::entry::{Class, Content, Entry};
use crate::input::{Event, Input};
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::state::{Core, Step, Turn};

impl Core {
    /// One event in, entries and effects out. Nothing else changes the kernel's mind.
    pub fn step(&mut self, event: Event) -> Step {
        if let Input::Host(content) = event.input {
            return self.note(content);
        }
        if let Input::EpochEnds(_) = event.input {
            return Step::default();
        }
        if let Input::Started(_) = event.input {
            self.end_run();
        }
        let mut turn = self.begin(event.now, &event.input);
        self.note_for_triggers(&event.input, turn.now.wall);
        self.fire_timers(&turn);
        self.read_when_due(&mut turn);
        let mut turn = self.take(event.input, turn);
        self.settle(&mut turn);
        turn.step
    }

    /// The map: each input and its handler.
    fn take(&mut self, input: Input, mut turn: Turn) -> Turn {
        match input {
            Input::Started(start) => self.on_started(&start, &mut turn),
            Input::Statement { request, signed } => self.on_statement(request, &signed, &mut turn),
            Input::Draft { request, session, journal } => {
                self.on_draft(request, session, journal, &mut turn);
            }
            Input::OpenSession { request, approval, workers, burns } => {
                self.on_open(request, &approval, (&workers, &burns), &mut turn);
            }
            Input::Cosigned { request, note, standing } => {
                self.on_cosigned(request, (&note, standing), &mut turn);
            }
            Input::Copied { request, unreplicated_bytes } => {
                self.on_copied(request, unreplicated_bytes, &mut turn);
            }
            Input::CloseSession { request, who: _, reason } => {
                self.on_close(Some(request), &reason, &mut turn);
            }
            Input::Tighten { request, who, limits } => {
                self.on_tighten(request, &who, &limits, &mut turn);
            }
            Input::Note { request, note } => self.on_note(request, *note, &mut turn),
            Input::Person(asked) => self.on_person(&asked, &mut turn),
            Input::EpochRaised { epoch, cause } => self.on_epoch_raised(epoch, &cause, &mut turn),
            Input::Tick => self.on_tick(&mut turn),
            Input::PluginReady { plugin } => self.on_plugin_ready(plugin),
            Input::PluginReply { plugin, batch, fuel, intents, log: _ } => {
                self.on_plugin_reply((plugin, batch, fuel), &intents, &mut turn);
            }
            Input::PluginFailed { plugin, code, cause } => {
                self.on_plugin_failed(plugin, &code, &cause, &mut turn);
            }
            // The order was counted from its approval on; being on the wire changes nothing for
            // it, and says that journal and outbox move.
            Input::Sent { .. } | Input::AmendSent { .. } => self.evidence_full = false,
            Input::NotSent { cl_ord_id, code } => {
                self.on_not_sent((cl_ord_id, code), Ledger::not_sent, &mut turn);
            }
            Input::AmendNotSent { cl_ord_id, code } => {
                self.on_not_sent((cl_ord_id, code), Ledger::amend_failed, &mut turn);
            }
            Input::Lost { cl_ord_id } => self.on_lost(cl_ord_id, &mut turn),
            Input::Report(report) => self.on_report(&report, &mut turn),
            Input::Account(snapshot) => self.on_account(&snapshot, &mut turn),
            Input::ExplainFinding { request, finding, who, reason } => {
                self.on_explain(request, (finding, who, reason), &mut turn);
            }
            Input::ConfirmFinding { request, finding, who } => {
                self.on_confirm(request, finding, who, &mut turn);
            }
            Input::VenueLink { up, cause: _ } => self.on_venue_link(up, &mut turn),
            Input::VenueStatus { status } => self.venue_status = Some(status),
            Input::Market(frame) => self.on_market(&frame, &mut turn),
            Input::Beat { guard, valid_until } => self.on_beat(guard, valid_until, &turn),
            Input::VenueClock { offset_ns } => self.on_venue_clock(offset_ns, &turn),
            Input::Stop { .. } => self.on_stop(&mut turn),
            // Taken above: they are no events.
            Input::Host(_) | Input::EpochEnds(_) => {}
        }
        turn
    }

    /// Time has passed without any order: whatever was full has had time to empty.
    fn on_tick(&mut self, turn: &mut Turn) {
        self.evidence_full = false;
        self.reckon_now(turn);
    }

    /// What every event may have made due.
    fn settle(&mut self, turn: &mut Turn) {
        self.lose_overdue(turn);
        self.tend_proposals(turn);
        self.tend_brackets(turn);
        self.reckon(turn);
        self.close_when_due(turn);
        self.clear_what_never_left(turn);
        self.flatten_next(turn);
        self.watch_triggers(turn);
        self.deliver(turn);
        self.tend_epoch(turn);
    }

    /// Journal or outbox had no room, or the authority was gone: nothing of it reached the venue.
    fn on_not_sent(
        &mut self,
        (id, code): (ClOrdId, DenyCode),
        fall: impl FnOnce(&mut Ledger, ClOrdId) -> Result<OrdStatus, OrderFault>,
        turn: &mut Turn,
    ) {
        self.evidence_full = code == DenyCode::EvidenceUnwritable;
        let moved = fall(self.ledger_of_mut(id), id);
        self.on_moved(id, moved, turn);
    }

    /// Whether it arrived is not known: the account is read.
    fn on_lost(&mut self, id: ClOrdId, turn: &mut Turn) {
        let moved = self.ledger_of_mut(id).lost(id);
        self.on_moved(id, moved, turn);
        turn.effect(Effect::ReadAccount);
    }

    /// The gate is told how far our clock is ahead.
    fn on_venue_clock(&mut self, offset_ns: i64, turn: &Turn) {
        self.clock_offset_ns = Some(offset_ns.saturating_neg());
        self.watch.clock_read(turn.now.wall, offset_ns);
    }

    /// Records something about the host at the place of the last event. Nothing else happens.
    fn note(&self, content: Content) -> Step {
        let entry = Entry::new(Class::Host, &self.place, content);
        Step { entries: vec![entry], effects: Vec::new() }
    }

    /// Whether something happens at that moment without any input: then a `Tick` is due. Asked by
    /// the core's own clock, since a deadline is a moment of that one.
    #[must_use]
    pub fn is_due(&self, now: Now) -> bool {
        self.next_deadline().is_some_and(|at| at <= self.clock(now).wall)
    }

    /// The core's clock at that moment.
    ///
    /// The wall clock may step, the boot clock does not: so time goes on at least as fast as the
    /// boot clock says, and a wall that is set back revives nothing and lengthens no window.
    fn clock(&self, now: Now) -> Now {
        let elapsed = now.boot.since_ns(self.place.at.boot).max(0);
        let known = self.place.input > 0;
        let least = if known { self.place.at.wall.plus_ns(elapsed) } else { now.wall };
        Now { wall: now.wall.max(least), boot: now.boot }
    }

    /// Counts the event, moves the clock and records the input.
    fn begin(&mut self, now: Now, input: &Input) -> Turn {
        let at = self.clock(now);
        let place = Arc::make_mut(&mut self.place);
        place.at = at;
        place.input = place.input.saturating_add(1);
        if let Input::Market(frame) = input {
            place.cursors.insert(frame.stream, frame.sequence);
        }
        let asker = if let Input::Person(asked) = input { Some(asked.who.clone()) } else { None };
        let place = Arc::clone(&self.place);
        let mut turn = Turn { now: place.at, place, step: Step::default(), asker };
        let about = |id| self.is_shadow_order(id);
        let shadow = matches!(input, Input::Report(report) if about(report.cl_ord_id));
        if let Some(content) = input.content(shadow) {
            turn.entry(Class::Input, content);
        }
        turn
    }

    pub(crate) fn on_moved(
        &mut self,
        id: ClOrdId,
        moved: Result<OrdStatus, OrderFault>,
        turn: &mut Turn,
    ) {
        self.stir_bracket(id);
        match moved {
            Ok(_) => self.tell_order(id, turn),
            Err(fault) => turn.fault(fault),
        }
    }

    fn fire_timers(&mut self, turn: &Turn) {
        for desk in self.live.iter_mut().flat_map(|live| &mut live.desks) {
            desk.fire_timers(turn.now.wall);
        }
    }

    /// Cuts the next batch of every plugin that has one due.
    fn deliver(&mut self, turn: &mut Turn) {
        let Some(live) = self.live.as_mut() else { return };
        let fuel = live.gate.approval().fuel_per_batch_max;
        for (number, desk) in (0_u16..).zip(&mut live.desks) {
            let plugin = portcullis_domain::PluginId(number);
            if let Some((batch, records)) = desk.cut() {
                if desk.dropped > 0 {
                    let (plugin, count) = (desk.name.to_string(), desk.dropped);
                    turn.record(&Outcome::EventsDropped { plugin, count });
                    desk.dropped = 0;
                }
                turn.effect(Effect::Deliver { plugin, batch, records, fuel });
            }
        }
    }
}
