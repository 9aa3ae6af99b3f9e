//! Both loops in lock step: recorded market data in virtual time, one event after the other.
//!
//! The clock is the recording's. A plugin's reply arrives at the time of its batch plus nothing,
//! the paper model's reports at the times it states, and whatever is due first happens first; at
//! equal times replies come before reports, reports before timers and timers before the market.
//! So the same recording, component and signatures give the same journal, byte for byte.

use std::collections::VecDeque;

use portcullis_core::entry::Content;
use portcullis_core::{Answer, Core, Effect, EpochCause, Event, Input};
use portcullis_domain::frame::EventRecord;
use portcullis_domain::{
    BootNs, ClOrdId, ExecutionReport, MarketFrame, Now, PluginId, StreamId, WallNs,
};
use portcullis_evidence::chunk::{Chunk, ChunkWriter};
use portcullis_evidence::{Appender, Committer, Disk, Head, JournalFault};
use portcullis_gate::{Shadow, ShadowAmend};
use portcullis_statement::json::{self, Value};

use crate::order_path::{Turn, step_and_record};

/// Entries between two commits. Nothing waits for them in lock step.
const COMMIT_ENTRIES: u64 = 4_096;

/// One frame of a recording.
#[derive(Debug)]
pub struct FeedItem {
    /// When the recorder received it.
    pub received: WallNs,
    /// The frame as it came.
    pub raw: Vec<u8>,
    /// What it means; empty if it is kept back until a snapshot comes.
    pub frames: Vec<MarketFrame>,
}

/// Why a recording is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedFault {
    /// The stable code.
    pub code: &'static str,
    /// File and line, as far as they are known.
    pub place: String,
    /// Why.
    pub cause: String,
}

/// Where frames come from.
pub trait Feed {
    /// When the next frame was received; `None` at the end.
    fn peek(&mut self) -> Result<Option<WallNs>, FeedFault>;
    /// The next frame.
    fn next(&mut self) -> Result<Option<FeedItem>, FeedFault>;
}

/// The paper model of phase 1, as the driver needs it.
pub trait ShadowMarket {
    /// Takes what would have been sent.
    fn submit(&mut self, order: &Shadow, at: WallNs);
    /// Takes what would have been changed.
    fn amend(&mut self, change: &ShadowAmend, at: WallNs);
    /// Takes what would have been taken back.
    fn cancel(&mut self, id: ClOrdId, at: WallNs);
    /// Sees the market.
    fn on_market(&mut self, frame: &MarketFrame, at: WallNs);
    /// When its next report is due.
    fn next_due(&self) -> Option<WallNs>;
    /// Reports that are due.
    fn take_due(&mut self, now: WallNs) -> Vec<ExecutionReport>;
}

/// The plugins' processes. Each call waits for its answer and returns it as an input.
pub trait Workers {
    /// Calls `init`.
    fn init(&mut self, plugin: PluginId, init: &[u8], fuel: u64) -> Input;
    /// Calls `on-events`.
    fn deliver(
        &mut self,
        plugin: PluginId,
        batch: u32,
        records: &[EventRecord],
        fuel: u64,
    ) -> Input;
    /// Ends the process.
    fn stop(&mut self, plugin: PluginId);
}

/// Why a run in lock step ended early.
#[derive(Debug)]
pub enum RunFault {
    /// The recording cannot be read on.
    Feed(FeedFault),
    /// The journal cannot be written.
    Journal(JournalFault),
    /// A chunk could not be kept.
    Chunk(String),
    /// The core refused what was asked.
    Refused {
        /// The stable code.
        code: String,
        /// Why.
        cause: String,
    },
}

impl From<JournalFault> for RunFault {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

/// Everything a run needs around the core.
pub struct Surroundings<'a> {
    /// The paper model.
    pub shadow: &'a mut dyn ShadowMarket,
    /// The plugins.
    pub workers: &'a mut dyn Workers,
    /// Keeps chunks by their digest.
    pub keep_chunk: &'a mut dyn FnMut(&Chunk) -> Result<(), String>,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

/// A core and its journal, driven by recorded time.
#[derive(Debug)]
pub struct LockStep<'a, D> {
    core: Core,
    appender: Appender,
    committer: Committer<D>,
    around: Surroundings<'a>,
    chunks: ChunkWriter,
    pending: VecDeque<Input>,
    now: Now,
    epoch: u64,
    committed: u64,
    answer: Option<Answer>,
}

impl<'a, D: Disk> LockStep<'a, D> {
    /// Starts at `now`, both clocks.
    pub fn new(
        core: Core,
        (appender, committer): (Appender, Committer<D>),
        around: Surroundings<'a>,
        now: WallNs,
    ) -> Self {
        let now = Now { wall: now, boot: BootNs(now.0) };
        Self {
            core,
            appender,
            committer,
            around,
            chunks: ChunkWriter::new(),
            pending: VecDeque::new(),
            now,
            epoch: 0,
            committed: 0,
            answer: None,
        }
    }

    /// The core, to look at.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The journal's head, to draft against.
    pub fn head(&self) -> Head {
        self.appender.head()
    }

    /// Feeds one request and everything that follows from it at once; its answer must be `Done`.
    pub fn request(&mut self, input: Input) -> Result<String, RunFault> {
        self.answer = None;
        self.feed(input)?;
        match self.answer.take() {
            Some(Answer::Done(text)) => Ok(text),
            Some(Answer::Refused { code, cause }) => Err(RunFault::Refused { code, cause }),
            // The answer may come later (a close waits for its last order), or never be asked for.
            Some(Answer::Latched { .. } | Answer::OrdersClear { .. }) | None => Ok(String::new()),
            Some(Answer::Ordered { cl_ord_id }) => Ok(cl_ord_id.to_string()),
            Some(Answer::Denied(denial)) => {
                let (code, cause) = (denial.code.code(), denial.code.meaning());
                Err(RunFault::Refused { code: code.to_owned(), cause: cause.to_owned() })
            }
        }
    }

    /// Runs a recording to its end.
    pub fn run(&mut self, feed: &mut dyn Feed) -> Result<(), RunFault> {
        while let Some(at) = feed.peek().map_err(RunFault::Feed)? {
            self.catch_up(at)?;
            let Some(item) = feed.next().map_err(RunFault::Feed)? else { break };
            self.move_clock(item.received);
            self.keep(&item)?;
            for frame in item.frames {
                // An order that reached the venue by now stands before this frame.
                self.around.shadow.on_market(&frame, self.now.wall);
                self.feed(Input::Market(frame))?;
            }
        }
        Ok(())
    }

    /// Lets time pass until nothing is due any more: reports under way, timers, cancels.
    pub fn settle(&mut self) -> Result<(), RunFault> {
        while let Some(due) = self.around.shadow.next_due() {
            self.catch_up(WallNs(due.0.saturating_add(1)))?;
        }
        Ok(())
    }

    /// Makes everything durable and returns the disk.
    pub fn finish(mut self) -> Result<Committer<D>, RunFault> {
        if let Some(chunk) = self.chunks.flush() {
            self.keep_chunk(&chunk)?;
        }
        self.commit()?;
        Ok(self.committer)
    }

    /// Everything that is due before `until`, in order of time.
    fn catch_up(&mut self, until: WallNs) -> Result<(), RunFault> {
        loop {
            let report = self.around.shadow.next_due().filter(|due| *due <= until);
            let timer = self.core.next_deadline().filter(|due| *due <= until);
            match (report, timer) {
                (None, None) => return Ok(()),
                (Some(due), timer) if timer.is_none_or(|timer| due <= timer) => {
                    self.move_clock(due);
                    for report in self.around.shadow.take_due(due) {
                        self.feed(Input::Report(report))?;
                    }
                }
                (_, Some(due)) => {
                    self.move_clock(due);
                    self.feed(Input::Tick)?;
                }
                (Some(_), None) => return Ok(()),
            }
        }
    }

    fn move_clock(&mut self, to: WallNs) {
        let wall = to.max(self.now.wall);
        self.now = Now { wall, boot: BootNs(wall.0) };
    }

    /// One input, and all replies that follow from it at the same moment.
    fn feed(&mut self, input: Input) -> Result<(), RunFault> {
        self.pending.push_back(input);
        while let Some(input) = self.pending.pop_front() {
            let event = Event { now: self.now, input };
            let turn = step_and_record(&mut self.core, &mut self.appender, event);
            self.carry_out(turn);
        }
        if self.appender.head().size.saturating_sub(self.committed) >= COMMIT_ENTRIES {
            self.commit()?;
        }
        Ok(())
    }

    fn carry_out(&mut self, turn: Turn) {
        for effect in turn.at_once {
            match effect {
                Effect::ShadowSubmit(order) => self.around.shadow.submit(&order, self.now.wall),
                Effect::ShadowAmend(change) => self.around.shadow.amend(&change, self.now.wall),
                Effect::ShadowCancel(id) => self.around.shadow.cancel(id, self.now.wall),
                Effect::InitPlugin { plugin, init, fuel } => {
                    let reply = self.around.workers.init(plugin, &init, fuel);
                    self.pending.push_back(reply);
                }
                Effect::Deliver { plugin, batch, records, fuel } => {
                    let reply = self.around.workers.deliver(plugin, batch, &records, fuel);
                    self.pending.push_back(reply);
                }
                Effect::StopPlugin { plugin } => self.around.workers.stop(plugin),
                Effect::RaiseEpoch(cause) => self.raise(cause),
                // Phase 1 has no venue, so there is nothing to send, read or take back.
                Effect::Submit(_)
                | Effect::Amend(_)
                | Effect::Cancel(_)
                | Effect::CancelAll
                | Effect::ReadAccount
                | Effect::Connect(_)
                | Effect::SessionOpened { .. }
                | Effect::EndEpoch { .. }
                | Effect::SessionClosed
                | Effect::LiftKill
                | Effect::Answer { .. }
                | Effect::Halt => {}
            }
        }
        // No sink exists here: an order that would leave is dropped where it waits, and said so.
        for waiting in turn.orders {
            let code = portcullis_gate::DenyCode::PhaseForbids;
            self.pending.push_back(waiting.subject().not_sent(code));
        }
        for waiting in turn.answers {
            self.answer = Some(waiting.answer);
        }
    }

    fn raise(&mut self, cause: EpochCause) {
        self.epoch = self.epoch.saturating_add(1);
        self.pending.push_back(Input::EpochRaised { epoch: self.epoch, cause });
    }

    /// Collects a raw frame under the place it has in its stream.
    fn keep(&mut self, item: &FeedItem) -> Result<(), RunFault> {
        let place = item.frames.last().map_or((StreamId::BOOK, 0), |f| (f.stream, f.sequence));
        let received = Now { wall: item.received, boot: BootNs(item.received.0) };
        let chunk = self.chunks.push(place.0, place.1, &item.raw, received);
        match chunk.map_err(|fault| RunFault::Chunk(fault.to_string()))? {
            Some(chunk) => self.keep_chunk(&chunk),
            None => Ok(()),
        }
    }

    fn keep_chunk(&mut self, chunk: &Chunk) -> Result<(), RunFault> {
        (self.around.keep_chunk)(chunk).map_err(RunFault::Chunk)?;
        self.feed(Input::Host(chunk_content(chunk)))
    }

    fn commit(&mut self) -> Result<(), RunFault> {
        if let Some(groups) = self.appender.take()? {
            self.committer.commit(&groups)?;
            self.committed = self.appender.head().size;
        }
        Ok(())
    }
}

/// The entry that stands for a chunk.
#[must_use]
pub fn chunk_content(chunk: &Chunk) -> Content {
    let number = |value: u64| Value::Int(i64::try_from(value).unwrap_or(i64::MAX));
    let ranges = chunk.ranges.iter().map(|range| {
        json::object([
            ("from", number(range.from)),
            ("stream", Value::Int(i64::from(range.stream.0))),
            ("to", number(range.to)),
        ])
    });
    Content {
        kind: "chunk",
        corr: chunk.digest.hex(),
        reason: "MARKET_DATA".to_owned(),
        body: json::object([
            ("bytes", number(chunk.bytes)),
            ("digest", chunk.digest.hex().into()),
            ("frames", Value::Int(i64::from(chunk.frames))),
            ("ranges", Value::List(ranges.collect())),
        ]),
    }
}
