//! Everything that outlives the house, and what can happen to it, one step at a time.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;

use portcullis_core::{AccountSnapshot, Input};
use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{
    BootNs, ClOrdId, ExecId, ExecType, ExecutionReport, InstrumentId, MarketEvent, MarketFrame,
    Now, PluginId, StreamId,
};
use portcullis_evidence::disk::DiskOperation;

use crate::approvals::{People, bounds};
use crate::bug::Bug;
use crate::disk::{Mishap, Platter};
use crate::draw::Draw;
use crate::fault::{Fault, Weather};
use crate::hands::{Call, Door};
use crate::house::House;
use crate::laws::{Moment, Wire};
use crate::line::{Line, Request, Sky};
use crate::people::NOW;
use crate::plugins::Strategies;
use crate::venue::Venue;

/// As in the daemon: how much of the past a reading states whole.
const COVERED_NS: i64 = 30 * NS_PER_S;

/// How far a reading of the account has come.
#[derive(Debug)]
pub(crate) enum Reading {
    Asked(Now),
    Taken(AccountSnapshot),
}

/// The world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) draw: Draw,
    pub(crate) weather: Weather,
    pub(crate) bug: Option<Bug>,
    pub(crate) now: Now,
    pub(crate) platter: Rc<RefCell<Platter>>,
    pub(crate) venue: Venue,
    pub(crate) line: Line,
    pub(crate) wire: Wire,
    pub(crate) house: Option<House>,
    pub(crate) people: People,
    strategies: Strategies,
    pub(crate) reading: Option<Reading>,
    /// Entries that were durable, as the journal's mark said.
    pub(crate) acked: u64,
    /// `close_gate` had returned in the last run, and nobody had lifted the kill.
    pub(crate) gate_closed: bool,
    pub(crate) starts: u32,
    pub(crate) sessions: u32,
    /// The start after which people handed in their first statements. Twice would be two endpoint
    /// sets, and approvals for the one that the house is not connected to open nothing.
    pub(crate) introduced: u32,
    pub(crate) requests: u64,
    sequences: [u64; 3],
    feed_stale_until: BootNs,
    feed_gap: bool,
    disk_busy_until: BootNs,
    /// Planted: the fill that nobody is ever told.
    hidden: Option<ExecId>,
}

impl World {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut draw = Draw::new(seed);
        let weather = Weather::new(&mut draw);
        let platter = Platter::new(bug == Some(Bug::DurableTooSoon));
        Self {
            draw,
            weather,
            bug,
            now: Now { wall: NOW, boot: BootNs(5_000 * NS_PER_S) },
            platter: Rc::new(RefCell::new(platter)),
            venue: Venue::new(),
            line: Line::default(),
            wire: Wire::new(bounds()),
            house: None,
            people: People::new(),
            strategies: Strategies::default(),
            reading: None,
            acked: 0,
            gate_closed: false,
            starts: 0,
            sessions: 0,
            introduced: 0,
            requests: 0,
            sequences: [0; 3],
            feed_stale_until: BootNs(0),
            feed_gap: false,
            disk_busy_until: BootNs(0),
            hidden: None,
        }
    }

    pub(crate) fn pass(&mut self, ns: i64) {
        self.now.wall = self.now.wall.plus_ns(ns);
        self.now.boot = self.now.boot.plus_ns(ns);
    }

    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        self.weather.strikes(fault, &mut self.draw)
    }

    /// One step of the scheduler, and the invariants after it.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        let ns = self.draw.between(0, 8) * NS_PER_MS;
        self.pass(ns);
        match self.draw.below(100) {
            0..=11 => self.market(),
            12..=34 => {
                self.turn()?;
            }
            35..=46 => self.disk()?,
            47..=60 => self.outbox(),
            61..=68 => {
                self.arrives();
            }
            69..=78 => {
                self.heard();
            }
            79..=84 => self.account()?,
            85..=91 => self.plugin(),
            92..=94 => self.people()?,
            95 => self.time(),
            96..=97 => self.link_up(),
            _ => self.rare()?,
        }
        self.check()
    }

    /// After every step: a process that died under the disk is gone, and the laws hold.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        if self.platter.borrow().crashed {
            self.weather.count(Fault::CrashAtDisk);
            self.die()?;
        }
        let venue_now = self.venue_wall();
        self.wire.check((&self.venue, &self.line), venue_now)
    }

    fn tell_all(&mut self, reports: Vec<ExecutionReport>, asked: Option<u32>) {
        for report in reports {
            if let ExecType::Trade { exec_id, .. } = &report.exec_type
                && self.bug == Some(Bug::DropsFill)
                && self.hidden.get_or_insert_with(|| exec_id.clone()) == exec_id
            {
                continue;
            }
            let Self { draw, weather, line, now, .. } = self;
            line.tell(report, asked, &mut Sky { draw, weather, now: now.boot });
        }
    }

    /// Somebody else trades or quotes, and the house may see it.
    pub(crate) fn market(&mut self) {
        let wall = self.now.wall;
        let told = if self.draw.happens(600) {
            self.venue.requote(&mut self.draw, wall)
        } else {
            self.venue.taken(&mut self.draw, wall)
        };
        self.tell_all(told, None);
        if self.strikes(Fault::FeedStale) {
            self.feed_stale_until = self.now.boot.plus_ns(4 * NS_PER_S);
        }
        let gap = self.strikes(Fault::FeedGap);
        let streaming = self.house.as_ref().and_then(|house| house.hands.stream);
        if streaming.is_none() || !self.line.up || self.now.boot < self.feed_stale_until {
            return;
        }
        if gap {
            self.frame(StreamId::BOOK, MarketEvent::Gap { expected: 1, found: 3 });
            self.feed_gap = true;
        } else if streaming == Some(false) || self.feed_gap {
            self.frame(StreamId::BOOK, self.venue.book());
            self.feed_gap = false;
            if let Some(house) = &mut self.house {
                house.hands.stream = Some(true);
            }
        }
        if let Some(quote) = self.venue.quote() {
            self.frame(StreamId::QUOTES, quote);
        }
    }

    fn frame(&mut self, stream: StreamId, event: MarketEvent) {
        let sequence = &mut self.sequences[usize::from(stream.0)];
        *sequence += 1;
        let (sequence, venue_time) = (*sequence, Some(self.now.wall));
        let instrument = InstrumentId(0);
        let frame = MarketFrame { stream, sequence, instrument, venue_time, event };
        if let Some(house) = &self.house {
            // A full lane drops the frame, as the daemon does.
            let _taken: bool = house.hands.lanes.market(frame, self.now).is_ok();
        }
    }

    /// One turn of the core loop. Whether anything happened.
    pub(crate) fn turn(&mut self) -> Result<bool, String> {
        let Some(house) = &mut self.house else { return Ok(false) };
        let turned = house.turn(self.now)?;
        if house.halted {
            self.end_in_order()?;
        }
        Ok(turned)
    }

    /// The committer goes on, or the disk fails under it.
    pub(crate) fn disk(&mut self) -> Result<(), String> {
        if self.now.boot < self.disk_busy_until {
            return Ok(());
        }
        if self.strikes(Fault::SyncSlow) {
            self.disk_busy_until = self.now.boot.plus_ns(5 * NS_PER_S);
            return Ok(());
        }
        if let Some(mishap) = self.mishap() {
            self.platter.borrow_mut().mishap = Some(mishap);
        }
        let Some(house) = &mut self.house else { return Ok(()) };
        match house.commit() {
            None => {}
            Some(Ok(durable)) => {
                self.acked = self.acked.max(durable);
                // The worst moment for it: what just became durable is about to leave.
                if self.strikes(Fault::Kill) {
                    self.kill();
                    self.outbox();
                }
                return Ok(());
            }
            Some(Err(())) if self.platter.borrow().crashed => {}
            Some(Err(())) => house.journal_failed(),
        }
        if house.failing {
            self.leave_without_journal()?;
        }
        Ok(())
    }

    fn mishap(&mut self) -> Option<(DiskOperation, Mishap)> {
        let fails = [
            (Fault::WriteEio, DiskOperation::Write, ErrorKind::Other),
            (Fault::WriteEnospc, DiskOperation::Write, ErrorKind::StorageFull),
            (Fault::SyncEio, DiskOperation::Sync, ErrorKind::Other),
        ];
        // A mishap waits for its operation, so one at a time.
        if self.house.is_none() || self.platter.borrow().mishap.is_some() {
            return None;
        }
        for (fault, operation, kind) in fails {
            if self.strikes(fault) {
                return Some((operation, Mishap::Fails(kind)));
            }
        }
        // Counted when the process dies of it.
        let chance = self.weather.chance(Fault::CrashAtDisk);
        if !self.draw.happens(chance) {
            return None;
        }
        let append = self.draw.happens(500);
        let operation = if append { DiskOperation::Write } else { DiskOperation::Sync };
        let before = self.draw.happens(500);
        Some((operation, if before { Mishap::CrashBefore } else { Mishap::CrashAfter }))
    }

    /// Without a journal the house takes its orders back through the lifeline, and ends.
    fn leave_without_journal(&mut self) -> Result<(), String> {
        let Self { draw, weather, line, now, .. } = self;
        line.send(Request::CancelAll, &mut Sky { draw, weather, now: now.boot });
        if self.draw.happens(300) { self.die() } else { Ok(()) }
    }

    /// One turn of the outbox loop.
    pub(crate) fn outbox(&mut self) {
        let forgets = self.bug == Some(Bug::ForgetsReservation) && self.draw.happens(300);
        let moment = self.moment();
        let Self { house, draw, weather, line, venue, wire, platter, now, bug, .. } = self;
        let Some(house) = house else { return };
        let platter = platter.borrow();
        let sky = Sky { draw, weather, now: now.boot };
        let (bug, broken) = (*bug, false);
        let mut door = Door { wire, line, venue, platter: &platter, sky, moment, bug, broken };
        house.outbox(*now, &mut door, forgets);
        let broken = door.broken;
        drop(platter);
        if broken {
            self.link_down();
        }
    }

    /// What the laws know now.
    pub(crate) fn moment(&self) -> Moment {
        let hands = self.house.as_ref().map(|house| &house.hands);
        Moment {
            durable: 0,
            gate_closed: hands.is_some_and(|hands| hands.gate_closed),
            stops: hands.map(|hands| hands.stops.clone()).unwrap_or_default(),
            by_hand: hands.map(|hands| hands.by_hand.clone()).unwrap_or_default(),
            held: self.venue.position(),
            working: Wire::working((&self.venue, &self.line), self.venue_wall()),
        }
    }

    /// A request arrives at the venue.
    pub(crate) fn arrives(&mut self) -> bool {
        let wall = self.venue_wall();
        let Self { draw, weather, line, now, .. } = self;
        let arrived = line.arrives(&mut Sky { draw, weather, now: now.boot });
        let Some((request, connection)) = arrived else { return false };
        let told = match request {
            Request::Submit(id, intent, deadline) => {
                self.venue.submit((id, &intent), deadline, wall)
            }
            Request::Amend(number, change, deadline) => {
                self.venue.amend((number, change), deadline, wall)
            }
            Request::Cancel(id) => self.venue.cancel(id, wall),
            Request::CancelAll => self.venue.cancel_all(wall),
        };
        self.tell_all(told, Some(connection));
        true
    }

    /// The venue's clock never steps.
    fn venue_wall(&self) -> portcullis_domain::WallNs {
        NOW.plus_ns(self.now.boot.since_ns(BootNs(5_000 * NS_PER_S)))
    }

    /// A report arrives at the house.
    pub(crate) fn heard(&mut self) -> bool {
        let Self { draw, weather, line, now, .. } = self;
        let Some(report) = line.heard(&mut Sky { draw, weather, now: now.boot }) else {
            return false;
        };
        if let Some(house) = &self.house {
            let mut reports = vec![report];
            if self.bug == Some(Bug::BooksTwice) {
                reports.extend(twice(&reports[0]));
            }
            for report in reports {
                house.hands.report(Input::Report(report));
            }
        }
        true
    }

    /// A reading of the account goes one stage on.
    pub(crate) fn account(&mut self) -> Result<(), String> {
        let Some(house) = &mut self.house else { return Ok(()) };
        self.reading = match self.reading.take() {
            None if std::mem::take(&mut house.hands.wish) && self.line.up => {
                Some(Reading::Asked(self.now))
            }
            None => None,
            Some(Reading::Asked(asked)) => Some(Reading::Taken(self.venue.snapshot(asked))),
            Some(Reading::Taken(snapshot)) => {
                if !self.strikes(Fault::ReadLost) {
                    self.deliver_reading(snapshot)?;
                }
                None
            }
        };
        Ok(())
    }

    fn deliver_reading(&mut self, mut snapshot: AccountSnapshot) -> Result<(), String> {
        let Some(house) = &mut self.house else { return Ok(()) };
        // As the daemon does: what is news, and all of the last half minute.
        let asked = snapshot.asked_at.map_or(self.now.wall, |asked| asked.wall);
        let since = asked.plus_ns(-COVERED_NS);
        snapshot.fills_since = Some(since);
        if self.bug == Some(Bug::MisreadsDeposit) && self.venue.deposits() > 0 {
            snapshot.balances.values_mut().for_each(|amount| amount.0 += 1);
        }
        snapshot.fills.retain(|fill| match &fill.exec_type {
            ExecType::Trade { exec_id, .. } => {
                let news = house.is_news(exec_id);
                self.hidden.as_ref() != Some(exec_id) && (news || fill.transact_time >= since)
            }
            _ => false,
        });
        house.hands.report(Input::Account(snapshot));
        self.pause();
        let Some(house) = &mut self.house else { return Ok(()) };
        self.wire.read(&self.venue, &house.core)?;
        for request in std::mem::take(&mut self.wire.again) {
            if let Request::Submit(id, intent, _) = &request {
                let moment = Moment { durable: 1, ..self.moment() };
                self.wire.left(*id, intent, &moment);
            }
            let Self { draw, weather, line, now, .. } = self;
            line.send(request, &mut Sky { draw, weather, now: now.boot });
        }
        Ok(())
    }

    /// The process stands still for seconds while the world goes on: what waits in its lanes grows
    /// old there.
    fn pause(&mut self) {
        if !self.strikes(Fault::Paused) {
            return;
        }
        for _ in 0..20 {
            let ns = self.draw.between(200, 600) * NS_PER_MS;
            self.pass(ns);
            while self.arrives() {}
        }
    }

    /// A plugin answers what it was asked.
    pub(crate) fn plugin(&mut self) {
        let Some(house) = &mut self.house else { return };
        let waiting: Vec<PluginId> = house.hands.calls.keys().copied().collect();
        if waiting.is_empty() {
            return;
        }
        let plugin = waiting[self.draw.index(waiting.len())];
        let Some(call) = house.hands.calls.remove(&plugin) else { return };
        let input = match call {
            Call::Init => Input::PluginReady { plugin },
            Call::Events(batch) => {
                let (draw, weather) = (&mut self.draw, &mut self.weather);
                let middle = self.venue.middle();
                self.strategies.reply((plugin, batch), middle, (draw, weather))
            }
        };
        house.hands.report(input);
    }

    /// Plugins that answer without asking for anything.
    pub(crate) fn plugins_silent(&mut self) {
        let Some(house) = &mut self.house else { return };
        for (plugin, call) in std::mem::take(&mut house.hands.calls) {
            let input = match call {
                Call::Init => Input::PluginReady { plugin },
                Call::Events(batch) => Strategies::silence((plugin, batch)),
            };
            house.hands.report(input);
        }
    }

    /// Ids of orders that rest at the venue or may still arrive there.
    pub(crate) fn is_quiet(&self) -> bool {
        let nothing_rests = self.venue.open_ids() == Vec::<ClOrdId>::new();
        nothing_rests && self.line.is_empty() && self.reading.is_none()
    }
}

/// Planted: the same fill, told as if it were another.
fn twice(report: &ExecutionReport) -> Option<ExecutionReport> {
    let mut again = report.clone();
    match &mut again.exec_type {
        ExecType::Trade { exec_id, .. } => exec_id.0.push('b'),
        _ => return None,
    }
    Some(again)
}
