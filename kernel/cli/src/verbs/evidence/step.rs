//! A journal stepped again: every input is fed to a core that knows nothing else, the market in
//! the places that input numbers and cursors leave for it, and every entry is compared.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::entry::{self, Class, Decoded};
use portcullis_core::{Core, Effect, Event, Input};
use portcullis_domain::{InstrumentId, MarketEvent, MarketFrame, Now, StreamId};
use portcullis_evidence::pack::Finding;
use portcullis_evidence::text::escape_terminal_bytes;
use portcullis_path::inbox::market_moment;
use portcullis_statement::{EndpointKind, Envelope, SessionApproval, Statement};

use super::market::{Market, Next};
use super::rerun::Plugins;

/// Most market events in a row without data, outside of any session. More never wait anywhere.
const BLANK_MAX: u64 = 100_000;
/// How often a journal may be folded again from its beginning, once for each start in it.
const STARTS_MAX: u32 = 64;

/// What a replay came to, and how far.
#[derive(Debug)]
pub(super) struct Stepped {
    /// Entries that were compared and are equal, those about the host left out.
    pub(super) equal: u64,
    /// Inputs fed, market data left out.
    pub(super) inputs: u64,
    /// Market frames fed.
    pub(super) frames: u64,
    /// Market events while no session was open, whose data is not here and changes nothing.
    pub(super) blank: u64,
    /// Outcomes of an event that a crash cut off.
    pub(super) cut: u64,
    /// Entries between market data that is lost and the next start, which begins anew.
    pub(super) skipped: u64,
    /// Why it ended.
    pub(super) end: End,
}

/// Why a replay ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Every entry was compared and is equal.
    Whole,
    /// The data of what the core heard next is not here. Up to the next start nothing could be
    /// compared; everything else is equal.
    Lost {
        /// The entry that cannot be reached.
        entry: u64,
        /// The stream and the first number that is not there.
        from: (StreamId, u64),
    },
    /// The first entry that is another one.
    Differs {
        /// Its number.
        entry: u64,
        /// As it is recorded, safe for a terminal.
        recorded: String,
        /// As it comes out now, safe for a terminal.
        again: String,
    },
    /// A plugin gave another answer than the recorded one.
    Plugin {
        /// The entry of the recorded answer.
        entry: u64,
        /// What differs, safe for a terminal.
        cause: String,
    },
    /// An entry or a chunk that cannot be read.
    Unreadable(Finding),
}

impl From<Finding> for End {
    fn from(finding: Finding) -> Self {
        Self::Unreadable(finding)
    }
}

/// Steps the whole journal.
pub(super) fn step_again(
    entries: &[&[u8]],
    market: Market<'_>,
    plugins: &mut Plugins<'_>,
) -> Stepped {
    let end = End::Whole;
    let done = Stepped { equal: 0, inputs: 0, frames: 0, blank: 0, cut: 0, skipped: 0, end };
    let mut replay = Replay {
        entries,
        market,
        plugins,
        core: Core::new(),
        number: 0,
        cursors: BTreeMap::new(),
        again: VecDeque::new(),
        endpoint: EndpointKind::Simulated,
        starts: 0,
        lost: false,
        done,
    };
    let mut lost = None;
    for (at, bytes) in entries.iter().enumerate() {
        if replay.lost && entry::kind(bytes) != Some(b"started") {
            replay.done.skipped = replay.done.skipped.saturating_add(1);
            continue;
        }
        replay.lost = false;
        match replay.entry(at, bytes) {
            Ok(()) => {}
            Err(end @ End::Lost { .. }) => {
                replay.lost = true;
                replay.done.skipped = replay.done.skipped.saturating_add(1);
                lost.get_or_insert(end);
            }
            Err(end) => {
                replay.done.end = end;
                return replay.done;
            }
        }
    }
    replay.done.end = lost.unwrap_or(End::Whole);
    if let Some(again) = replay.again.front().filter(|_| !replay.lost) {
        let entry = number(entries.len());
        let again = escape_terminal_bytes(again);
        replay.done.end = End::Differs { entry, recorded: String::new(), again };
    }
    replay.done
}

struct Replay<'a, 'b> {
    entries: &'a [&'a [u8]],
    market: Market<'a>,
    plugins: &'a mut Plugins<'b>,
    core: Core,
    /// The last event's number in the core loop.
    number: u64,
    /// Last sequence fed of each stream.
    cursors: BTreeMap<StreamId, u64>,
    /// What the last event gave and no entry was compared with yet.
    again: VecDeque<Vec<u8>>,
    /// Of the session that opened last.
    endpoint: EndpointKind,
    starts: u32,
    /// Whether nothing can be compared before the next start.
    lost: bool,
    done: Stepped,
}

impl Replay<'_, '_> {
    fn entry(&mut self, at: usize, bytes: &[u8]) -> Result<(), End> {
        // What is expected needs no reading.
        if self.again.pop_front_if(|again| again == bytes).is_some() {
            self.done.equal = self.done.equal.saturating_add(1);
            return Ok(());
        }
        let entry = entry::decode(bytes).map_err(|error| malformed(at, &format!("{error:?}")))?;
        match entry.class {
            Class::Host => return Ok(()),
            Class::Outcome => {
                if self.again.is_empty() && entry.place.input > self.number {
                    self.hear(at, &entry, entry.place.input)?;
                }
            }
            Class::Input => {
                let input = Input::decode(&entry);
                let input = input.map_err(|error| malformed(at, &format!("{error:?}")))?;
                self.input(at, &entry, input)?;
            }
        }
        let again = self.again.pop_front();
        if again.as_deref() == Some(bytes) {
            self.done.equal = self.done.equal.saturating_add(1);
            return Ok(());
        }
        let [recorded, again] = [bytes, again.as_deref().unwrap_or_default()];
        let [recorded, again] = [recorded, again].map(escape_terminal_bytes);
        Err(End::Differs { entry: number(at), recorded, again })
    }

    /// Everything up to the input `entry` and that input itself.
    fn input(&mut self, at: usize, entry: &Decoded, input: Input) -> Result<(), End> {
        let restarted = at > 0 && matches!(input, Input::Started(_));
        if restarted {
            // The last run was cut off behind this; what it had not written never happened.
            self.done.cut = self.done.cut.saturating_add(number(self.again.len()));
            self.again.clear();
            self.restart(at)?;
        }
        if self.again.is_empty()
            && let Some(before) = entry.place.input.checked_sub(1)
        {
            self.hear(at, entry, before)?;
        }
        if !self.again.is_empty() {
            return Ok(());
        }
        self.plugins.answered(&input).map_err(|cause| End::Plugin { entry: number(at), cause })?;
        let approval = approval_of(&input);
        self.done.inputs = self.done.inputs.saturating_add(1);
        self.step(at, entry.place.at, input, approval.as_ref());
        Ok(())
    }

    /// A start reads its journal back and knows nothing else.
    fn restart(&mut self, at: usize) -> Result<(), End> {
        self.starts = self.starts.saturating_add(1);
        if self.starts > STARTS_MAX {
            return Err(malformed(at, "more starts than can be followed"));
        }
        let mut core = Core::new();
        for (at, bytes) in self.entries.iter().enumerate().take(at) {
            core.fold(bytes).map_err(|error| malformed(at, &format!("{error:?}")))?;
        }
        let place = core.place();
        (self.number, self.cursors) = (place.input, place.cursors);
        self.core = core;
        self.plugins.end();
        self.market.forget(at);
        Ok(())
    }

    /// Feeds market data until the core has had `until` events, or until something comes of it.
    fn hear(&mut self, at: usize, entry: &Decoded, until: u64) -> Result<(), End> {
        let mut blank = 0_u64;
        while self.number < until && self.again.is_empty() {
            let missing = match self.market.next(&entry.place.cursors)? {
                Next::Frame(received, frame) => {
                    self.done.frames = self.done.frames.saturating_add(1);
                    let now = market_moment(received, self.core.moment());
                    self.frame(at, now, frame);
                    continue;
                }
                Next::Over => None,
                Next::Missing(from) => from,
            };
            let due = entry.place.cursors.iter().find_map(|(stream, last)| {
                let heard = self.cursors.get(stream).copied().unwrap_or(0);
                (heard < *last).then_some((*stream, heard.saturating_add(1)))
            });
            blank = blank.saturating_add(1);
            if self.core.open_session().is_some() || blank > BLANK_MAX {
                let from = missing.or(due).unwrap_or((StreamId::BOOK, 0));
                return Err(End::Lost { entry: number(at), from });
            }
            // Nobody listens: only its place is of any consequence.
            let Some((stream, sequence)) = due else { break };
            self.done.blank = self.done.blank.saturating_add(1);
            let event = MarketEvent::Gap { expected: 0, found: 0 };
            let instrument = InstrumentId(u32::MAX);
            let frame = MarketFrame { stream, sequence, instrument, venue_time: None, event };
            self.frame(at, entry.place.at, frame);
        }
        Ok(())
    }

    fn frame(&mut self, at: usize, now: Now, frame: MarketFrame) {
        self.cursors.insert(frame.stream, frame.sequence);
        self.step(at, now, Input::Market(frame), None);
    }

    fn step(&mut self, at: usize, now: Now, input: Input, approval: Option<&SessionApproval>) {
        let workers = if let Input::OpenSession { workers, .. } = &input {
            workers.clone()
        } else {
            Vec::new()
        };
        self.number = self.number.saturating_add(1);
        let was_open = self.core.open_session().is_some();
        let step = self.core.step(Event { now, input });
        self.again.extend(step.entries.into_iter().map(|entry| entry.bytes));
        if let Some(approval) = approval.filter(|_| !was_open)
            && self.core.open_session() == Some(&approval.session)
        {
            let mut endpoints = self.core.endpoints();
            let found = endpoints.find(|(digest, _)| **digest == approval.endpoint);
            self.endpoint = found.map_or(EndpointKind::Simulated, |(_, endpoint)| endpoint.kind);
            drop(endpoints);
            self.plugins.open(&self.core, approval, &workers);
        }
        for effect in step.effects {
            self.effect(at, effect);
        }
    }

    fn effect(&mut self, at: usize, effect: Effect) {
        match effect {
            Effect::SessionOpened { instruments } => {
                // A session of this version has one.
                if let Some(instrument) = instruments.into_iter().next() {
                    self.market.begin(at, self.endpoint, instrument);
                }
            }
            Effect::InitPlugin { plugin, init, fuel } => self.plugins.init(plugin, &init, fuel),
            Effect::Deliver { plugin, batch, records, fuel } => {
                self.plugins.deliver((plugin, batch), &records, fuel);
            }
            Effect::StopPlugin { plugin } => self.plugins.stop(plugin),
            // Nothing of a replay leaves it.
            Effect::Submit(_)
            | Effect::Amend(_)
            | Effect::Cancel(_)
            | Effect::CancelAll
            | Effect::ShadowSubmit(_)
            | Effect::ShadowAmend(_)
            | Effect::ShadowCancel(_)
            | Effect::ReadAccount
            | Effect::Connect(_)
            | Effect::SessionClosed
            | Effect::LiftKill
            | Effect::RaiseEpoch(_)
            | Effect::Answer { .. }
            | Effect::EndEpoch { .. }
            | Effect::Halt => {}
        }
    }
}

/// The approval that an input asks to open, read to know what belongs to it; the core verifies it.
fn approval_of(input: &Input) -> Option<SessionApproval> {
    let Input::OpenSession { approval, .. } = input else { return None };
    match Envelope::parse(&approval.bytes).and_then(|envelope| envelope.statement()) {
        Ok(Statement::SessionApproval(approval)) => Some(*approval),
        Ok(_) | Err(_) => None,
    }
}

fn malformed(at: usize, cause: &str) -> End {
    Finding::new("ENTRY_MALFORMED", &format!("entry {at}"), cause).into()
}

fn number(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}
