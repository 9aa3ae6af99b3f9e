//! What people, clocks, links and power do.

use portcullis_core::{EpochCause, Input};
use portcullis_domain::Name;
use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_gate::VenueStatus;

use crate::bug::Bug;
use crate::fault::Fault;
use crate::house::{House, NoStart};
use crate::line::Sky;
use crate::people::name;
use crate::world::World;

const HOUR_NS: i64 = 3_600 * NS_PER_S;

impl World {
    pub(crate) fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// People do what is next: start, sign, lift, open, close, end, or one thing by hand.
    pub(crate) fn people(&mut self) -> Result<(), String> {
        let Some(house) = &self.house else { return self.start() };
        if house.core.endpoints().next().is_none() {
            self.hand_in_first();
        } else if house.core.is_killed() {
            self.after_kill();
        } else if house.core.open_session().is_some() {
            self.office();
        } else if self.draw.happens(60) {
            self.stop();
        } else if self.draw.happens(250) {
            self.office();
        } else if self.line.up {
            self.open();
        }
        Ok(())
    }

    fn hand_in_first(&mut self) {
        if self.introduced == self.starts {
            return;
        }
        self.introduced = self.starts;
        for signed in self.people.first_statements() {
            let request = self.next_request();
            if let Some(house) = &self.house {
                house.hands.control(Input::Statement { request, signed });
            }
        }
    }

    fn open(&mut self) {
        let (draft, open) = (self.next_request(), self.next_request());
        let Some(house) = &self.house else { return };
        self.sessions += 1;
        let (session, head) = (format!("s-{}", self.sessions), house.head());
        let Some(approval) = self.people.approval(&session, head, &house.core) else { return };
        let session = name(&session);
        let journal = crate::approvals::journal(head);
        let drafted = Input::Draft { request: draft, session, journal };
        house.hands.control(drafted);
        let workers = crate::approvals::workers();
        house.hands.control(Input::OpenSession { request: open, approval, workers, burns: vec![] });
    }

    pub(crate) fn close(&mut self) {
        let request = self.next_request();
        if let Some(house) = &self.house {
            let (who, reason) = ("olga".to_owned(), "DONE_FOR_TODAY".to_owned());
            house.hands.control(Input::CloseSession { request, who, reason });
        }
    }

    fn stop(&mut self) {
        if let (Some(house), Some(who)) = (&self.house, Name::new("olga")) {
            house.hands.control(Input::Stop { who });
        }
    }

    /// Time goes by without anything else, mostly little.
    pub(crate) fn time(&mut self) {
        let ms = match self.draw.below(4) {
            0 => self.draw.between(2_000, 11_000),
            1..=2 => self.draw.between(200, 1_500),
            _ => self.draw.between(10, 200),
        };
        self.pass(ms * NS_PER_MS);
    }

    /// What is rare: links, kills, crashes, clocks.
    pub(crate) fn rare(&mut self) -> Result<(), String> {
        if self.house.is_none() {
            return Ok(());
        }
        if self.line.up && self.strikes(Fault::LinkDown) {
            self.link_down();
        }
        if self.strikes(Fault::Kill) {
            self.kill();
        }
        for (fault, step) in [(Fault::ClockForward, HOUR_NS), (Fault::ClockBack, -HOUR_NS)] {
            if self.strikes(fault) {
                self.now.wall = self.now.wall.plus_ns(step);
            }
        }
        if self.strikes(Fault::Deposit) {
            self.venue.deposit(self.draw.between(1, 900));
        }
        if self.strikes(Fault::Crash) { self.die() } else { Ok(()) }
    }

    /// Somebody pulls the kill switch; the thread that hears it shuts the gate at once.
    pub(crate) fn kill(&mut self) {
        let request = Some(self.next_request());
        let (who, reason) = ("rita".to_owned(), "DRILL".to_owned());
        if let Some(house) = &mut self.house {
            house.hands.raise(EpochCause::Kill { who, reason, request });
        }
    }

    pub(crate) fn link_up(&mut self) {
        let Some(house) = &self.house else { return };
        if !self.line.up && house.hands.connect {
            self.line.up = true;
            let cause = "connected".to_owned();
            house.hands.report(Input::VenueLink { up: true, cause });
            // The first frame of every connection says whether the venue trades.
            house.hands.report(Input::VenueStatus { status: VenueStatus::Online });
        }
    }

    pub(crate) fn link_down(&mut self) {
        let Self { draw, weather, line, now, .. } = self;
        line.down(&mut Sky { draw, weather, now: now.boot });
        if let Some(house) = &self.house {
            let cause = "reset".to_owned();
            house.hands.report(Input::VenueLink { up: false, cause });
        }
    }

    /// The process ends here and now.
    pub(crate) fn die(&mut self) -> Result<(), String> {
        let Some(house) = self.house.take() else {
            self.platter.borrow_mut().crashed = false;
            return Ok(());
        };
        let lost = self.platter.borrow().unsynced_len() > 0;
        let lost = lost && self.strikes(Fault::TailLost);
        let torn = self.platter.borrow().unsynced_len() > 0 && self.strikes(Fault::TailTorn);
        self.platter.borrow_mut().cut_power(&mut self.draw, (lost, torn));
        if self.bug == Some(Bug::LosesSynced) {
            self.platter.borrow_mut().lose_synced(300);
        }
        self.gate_closed = house.hands.gate_closed;
        self.leave(&house)
    }

    /// The core loop has ended; what it handed over is settled, and the process ends.
    pub(crate) fn end_in_order(&mut self) -> Result<(), String> {
        loop {
            let Some(house) = &mut self.house else { return Ok(()) };
            match house.commit() {
                None => break,
                Some(Ok(durable)) => self.acked = self.acked.max(durable),
                Some(Err(())) => return self.die(),
            }
        }
        for _ in 0..64 {
            self.outbox();
        }
        let Some(house) = self.house.take() else { return Ok(()) };
        self.gate_closed = house.hands.gate_closed;
        self.leave(&house)
    }

    /// The house is gone: its connection with it. What it recorded has to be what happened.
    fn leave(&mut self, house: &House) -> Result<(), String> {
        let Self { draw, weather, line, now, .. } = self;
        line.down(&mut Sky { draw, weather, now: now.boot });
        self.reading = None;
        house.life.replay(&house.core)?;
        let platter = self.platter.borrow();
        let Some(epoch) = platter.last_epoch() else { return Ok(()) };
        let segments = platter.segments(epoch);
        let Ok(recovered) = portcullis_evidence::read(segments.as_slice()) else { return Ok(()) };
        house.life.is_continued_by(&recovered.entries)
    }

    /// A new process.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        if self.bug != Some(Bug::ReusesIds) {
            self.starts += 1;
        }
        let draw = 0xc0de_0000 + self.starts;
        let started = House::start(
            &self.platter,
            (&self.people, draw),
            (self.now, self.bug),
            (self.acked, self.gate_closed),
        );
        match started {
            Ok(house) => {
                self.acked = self.acked.max(house.durable());
                self.house = Some(house);
            }
            Err(NoStart::Broken(what)) => return Err(what),
            Err(NoStart::Crashed) => {
                self.weather.count(Fault::CrashAtDisk);
                let mut platter = self.platter.borrow_mut();
                platter.cut_power(&mut self.draw, (false, false));
            }
        }
        Ok(())
    }
}
