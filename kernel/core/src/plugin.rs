//! One plugin's desk: the queue before it, the batch that is out, its timers and its standing.

use std::collections::{BTreeSet, VecDeque};

use portcullis_domain::frame::{BATCH_EVENTS_MAX, EventRecord, event_kind};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{BootNs, Name, WallNs};
use portcullis_gate::Standing;
use portcullis_statement::Digest;

/// Most intents of any kind that a plugin may return within a second. Each is recorded and, if
/// denied, answered with an event; without a bound a plugin could fill journal and memory.
const INTENTS_PER_SECOND_MAX: usize = 2_000;
/// Most timers a plugin may have set at once.
const TIMERS_MAX: usize = 64;

/// One plugin of the open session.
#[derive(Debug)]
pub(crate) struct PluginDesk {
    pub(crate) name: Name,
    pub(crate) component: Digest,
    pub(crate) standing: Standing,
    /// What waits besides quotes, oldest first, each with its place in the order of arrival.
    queue: VecDeque<(u64, EventRecord)>,
    /// The newest quote of each instrument that waits, by instrument number: a newer one takes its
    /// place without a search for it.
    quotes: Vec<Option<(u64, EventRecord)>>,
    quotes_waiting: usize,
    arrivals: u64,
    /// The batch that is out. `Some` until its reply: at most one.
    outstanding: Option<u32>,
    ready: bool,
    batches: u32,
    timers: BTreeSet<(WallNs, u64)>,
    /// Beginning of the second that is being counted, and the intents in it.
    second: Option<BootNs>,
    intents_in_second: usize,
    /// Order numbers used, denied ones too.
    pub(crate) references: BTreeSet<u64>,
    /// Trades that found the queue full. Recorded with the next batch.
    pub(crate) dropped: u64,
    pub(crate) fuel_used: u64,
    pub(crate) events_delivered: u64,
}

impl PluginDesk {
    /// A plugin that hears of that many instruments, numbered from 0.
    pub(crate) fn new(name: Name, component: Digest, instruments: usize) -> Self {
        Self {
            name,
            component,
            standing: Standing::Running,
            queue: VecDeque::new(),
            quotes: vec![None; instruments],
            quotes_waiting: 0,
            arrivals: 0,
            outstanding: None,
            ready: false,
            batches: 0,
            timers: BTreeSet::new(),
            second: None,
            intents_in_second: 0,
            references: BTreeSet::new(),
            dropped: 0,
            fuel_used: 0,
            events_delivered: 0,
        }
    }

    /// `init` has returned: batches may go out.
    pub(crate) fn set_ready(&mut self) {
        self.ready = true;
    }

    /// Queues an event. Quotes coalesce per instrument; market trades are dropped and counted when
    /// the plugin is a whole batch behind; what concerns its own orders is never dropped.
    pub(crate) fn push(&mut self, record: EventRecord) {
        if self.standing == Standing::Suspended {
            return;
        }
        self.arrivals = self.arrivals.saturating_add(1);
        let arrived = (self.arrivals, record);
        if record.kind == event_kind::QUOTE {
            self.push_quote(arrived);
        } else if record.kind == event_kind::TRADE && self.waiting() >= BATCH_EVENTS_MAX {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            self.queue.push_back(arrived);
        }
    }

    fn push_quote(&mut self, arrived: (u64, EventRecord)) {
        let place = usize::try_from(arrived.1.instrument);
        let newest = place.ok().and_then(|place| self.quotes.get_mut(place));
        if newest.is_some_and(|newest| newest.replace(arrived).is_none()) {
            self.quotes_waiting = self.quotes_waiting.saturating_add(1);
        }
    }

    /// Events that wait.
    fn waiting(&self) -> usize {
        self.queue.len().saturating_add(self.quotes_waiting)
    }

    /// Cuts the next batch if one is due.
    pub(crate) fn cut(&mut self) -> Option<(u32, Vec<EventRecord>)> {
        let idle = self.ready && self.outstanding.is_none();
        if !idle || self.waiting() == 0 || self.standing == Standing::Suspended {
            return None;
        }
        self.batches = self.batches.saturating_add(1);
        self.outstanding = Some(self.batches);
        let records = self.oldest();
        let delivered = u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.events_delivered = self.events_delivered.saturating_add(delivered);
        Some((self.batches, records))
    }

    /// Takes the oldest events that wait, as many as a batch holds, in the order of their arrival.
    fn oldest(&mut self) -> Vec<EventRecord> {
        let others = self.queue.iter().take(BATCH_EVENTS_MAX);
        let mut taken: Vec<_> = self.quotes.iter().flatten().chain(others).copied().collect();
        taken.sort_unstable_by_key(|(arrival, _)| *arrival);
        taken.truncate(BATCH_EVENTS_MAX);
        let last = taken.last().map_or(0, |(arrival, _)| *arrival);
        while self.queue.pop_front_if(|(arrival, _)| *arrival <= last).is_some() {}
        for quote in &mut self.quotes {
            if quote.take_if(|(arrival, _)| *arrival <= last).is_some() {
                self.quotes_waiting = self.quotes_waiting.saturating_sub(1);
            }
        }
        taken.into_iter().map(|(_, record)| record).collect()
    }

    /// Takes a reply. `false` if it answers nothing that is out.
    pub(crate) fn answered(&mut self, batch: u32, fuel: u64) -> bool {
        if self.outstanding != Some(batch) {
            return false;
        }
        self.outstanding = None;
        self.fuel_used = self.fuel_used.saturating_add(fuel);
        true
    }

    /// Counts a reply's intents; `false` if the plugin asks for more than any may.
    pub(crate) fn within_budget(&mut self, now: BootNs, intents: usize) -> bool {
        if self.second.is_none_or(|start| now.since_ns(start) >= NS_PER_S) {
            self.second = Some(now);
            self.intents_in_second = 0;
        }
        self.intents_in_second = self.intents_in_second.saturating_add(intents);
        self.intents_in_second <= INTENTS_PER_SECOND_MAX
    }

    pub(crate) fn suspend(&mut self) {
        self.standing = Standing::Suspended;
        self.queue.clear();
        self.quotes.fill(None);
        self.quotes_waiting = 0;
        self.timers.clear();
        self.outstanding = None;
    }

    /// Sets a timer; `false` if there are too many.
    pub(crate) fn set_timer(&mut self, at: WallNs, reference: u64) -> bool {
        let room = self.timers.len() < TIMERS_MAX;
        if room {
            self.timers.insert((at, reference));
        }
        room
    }

    /// The earliest timer.
    pub(crate) fn next_timer(&self) -> Option<WallNs> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Turns timers that are due into events.
    pub(crate) fn fire_timers(&mut self, now: WallNs) {
        while let Some((at, reference)) = self.timers.first().copied() {
            if at > now {
                break;
            }
            self.timers.remove(&(at, reference));
            self.push(EventRecord {
                time: now.0,
                reference,
                kind: event_kind::TIMER,
                ..EventRecord::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> PluginDesk {
        let mut desk = PluginDesk::new(Name::new("p").unwrap(), Digest([0; 32]), 1);
        desk.set_ready();
        desk
    }

    fn record(kind: u8, price: i64) -> EventRecord {
        EventRecord { kind, price, ..EventRecord::default() }
    }

    #[test]
    fn one_batch_is_out_at_a_time_and_quotes_coalesce_behind_it() {
        let mut desk = desk();
        desk.push(record(event_kind::QUOTE, 1));
        let (batch, records) = desk.cut().unwrap();
        assert_eq!((batch, records.len()), (1, 1));
        desk.push(record(event_kind::QUOTE, 2));
        desk.push(record(event_kind::TRADE, 3));
        desk.push(record(event_kind::QUOTE, 4));
        assert!(desk.cut().is_none());
        assert!(!desk.answered(9, 1));
        assert!(desk.answered(1, 1));
        let (_, records) = desk.cut().unwrap();
        let prices: Vec<i64> = records.iter().map(|r| r.price).collect();
        assert_eq!(prices, [3, 4]);
    }

    #[test]
    fn a_plugin_that_falls_behind_loses_trades_but_never_its_own_fills() {
        let mut desk = desk();
        for _ in 0..100 {
            desk.push(record(event_kind::TRADE, 0));
        }
        desk.push(record(event_kind::FILL, 7));
        assert_eq!(desk.dropped, 36);
        assert_eq!(desk.cut().unwrap().1.len(), 64);
        assert!(desk.answered(1, 0));
        assert_eq!(desk.cut().unwrap().1.first().unwrap().price, 7);
    }

    #[test]
    fn a_flood_is_counted_by_the_second() {
        let mut desk = desk();
        assert!(desk.within_budget(BootNs(0), INTENTS_PER_SECOND_MAX));
        assert!(!desk.within_budget(BootNs(1), 1));
        assert!(desk.within_budget(BootNs(NS_PER_S), 1));
    }

    #[test]
    fn timers_fire_once_and_a_suspended_plugin_hears_nothing() {
        let mut desk = desk();
        assert!(desk.set_timer(WallNs(5), 1));
        assert_eq!(desk.next_timer(), Some(WallNs(5)));
        desk.fire_timers(WallNs(4));
        assert!(desk.cut().is_none());
        desk.fire_timers(WallNs(5));
        assert_eq!(desk.cut().unwrap().1.first().unwrap().kind, event_kind::TIMER);
        desk.suspend();
        desk.push(record(event_kind::FILL, 7));
        assert!(desk.cut().is_none());
    }
}
