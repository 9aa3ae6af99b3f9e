//! The loops. Read from top to bottom: this is how an order leaves the house, and there is no
//! other way.
//!
//! The core loop steps, records and hands over; it never waits for the disk. The outbox loop waits
//! until the record is durable, checks at the place of use that authority is still there, and
//! makes one write. Cancels overtake everything and wait for nothing.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use portcullis_core::{
    Answer, Core, Effect, EpochCause, EpochName, Event, Input, Leaving, NotRolled,
};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Amendment, BootNs, Now, OrderIntent, WallNs};
use portcullis_evidence::{
    Appender, Committer, Disk, DurableMark, Either, Groups, Head, JournalFault, Recorded, Waited,
    Watermark,
};
use portcullis_gate::{Approved, CancelRequest, DenyCode, Rights};

use crate::authority::Authority;
use crate::inbox::{Arrival, Inbox, market_moment};
use crate::outbox::{Cancel, Held, Outbox, OutboxEnd, Waiting, WaitingAnswer};

/// Without any event for so long, a `Tick` is recorded: the heartbeat of the journal.
const BEAT_NS: i64 = 10 * NS_PER_S;
/// How long the core loop sleeps at most before it looks at deadlines and at who looks at it.
const LOOK: Duration = Duration::from_millis(20);
/// How long entries that nobody waits for are collected before the committer gets them. A sync for
/// their sake would be in the way of the next order.
const COLLECT_NS: i64 = 10_000_000;
/// Turns that may wait for the disk before the core loop collects them itself.
const COMMITS_MAX: usize = 64;
/// How soon the core loop looks again when entries are not handed over yet.
const FLUSH: Duration = Duration::from_millis(1);
/// How long the outbox waits for the disk before it looks at the cancels again.
const SYNC_SLICE: Duration = Duration::from_millis(1);

/// What one turn of the core loop hands over.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be carried out at once, by the house around the loop.
    pub at_once: Vec<Effect>,
    /// To be taken back: these wait for nothing.
    pub cancels: Vec<Cancel>,
    /// Whether the loop ends with this turn.
    pub halt: bool,
    /// Orders and changes of orders that wait for the disk, in the order of their approval.
    pub orders: Vec<Waiting>,
    /// Answers that wait for the disk.
    pub answers: Vec<WaitingAnswer>,
}

impl Turn {
    /// Whether an order, or a person, waits for the record of this turn.
    #[must_use]
    pub const fn is_waited_for(&self) -> bool {
        !self.orders.is_empty() || !self.answers.is_empty()
    }
}

/// Steps and records: the body of the core loop, live and in lock step alike.
pub fn step_and_record(core: &mut Core, appender: &mut Appender, event: Event) -> Turn {
    if let Input::EpochEnds(next) = &event.input {
        return end_epoch(core, appender, next);
    }
    let step = core.step(event);
    let mut turn = Turn::default();
    let (mut proofs, mut tickets, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for effect in step.effects {
        match effect {
            Effect::Submit(submit) => {
                let (order, ticket) = apart(*submit);
                proofs.push(Either::Left(order));
                tickets.push(ticket);
            }
            Effect::Amend(amend) => {
                let (change, ticket) = apart(*amend);
                proofs.push(Either::Right(change));
                tickets.push(ticket);
            }
            Effect::Answer { request, answer } => answers.push((request, answer)),
            Effect::Cancel(request) => turn.cancels.push(Cancel::One(request)),
            Effect::CancelAll => turn.cancels.push(Cancel::All),
            Effect::Halt => turn.halt = true,
            other @ (Effect::ShadowSubmit(_)
            | Effect::ShadowAmend(_)
            | Effect::ShadowCancel(_)
            | Effect::InitPlugin { .. }
            | Effect::Deliver { .. }
            | Effect::StopPlugin { .. }
            | Effect::ReadAccount
            | Effect::Connect(_)
            | Effect::SessionOpened { .. }
            | Effect::SessionClosed
            | Effect::LiftKill
            | Effect::EndEpoch { .. }
            | Effect::RaiseEpoch(_)) => turn.at_once.push(other),
        }
    }
    // The proofs hang on the last entry of the step: when it is durable, so are all before it.
    let Some((last, earlier)) = step.entries.split_last() else { return turn };
    for entry in earlier {
        appender.append(&entry.bytes);
    }
    let recorded = appender.append_with(&last.bytes, proofs);
    let seq = recorded.seq();
    let tickets = recorded.each().into_iter().zip(tickets);
    turn.orders = tickets
        .map(|(order, (epoch, deadline, venue_deadline))| Waiting {
            order,
            epoch,
            deadline,
            venue_deadline,
        })
        .collect();
    let waiting = |(request, answer)| WaitingAnswer { seq, request, answer };
    turn.answers = answers.into_iter().map(waiting).collect();
    turn
}

/// Ends the epoch, if it can end now: its last entry, the next one's first, and the house as these
/// say that it is. If it cannot, the core asks again.
fn end_epoch(core: &mut Core, appender: &mut Appender, next: &EpochName) -> Turn {
    let mut turn = Turn::default();
    match core.roll(next) {
        Ok((ended, roll)) => {
            appender.append(&ended.bytes);
            let Head { size, root } = appender.head();
            appender.begin_epoch(&next.origin);
            for entry in roll.begun((size, root)) {
                appender.append(&entry.bytes);
            }
            *core = roll.core;
        }
        Err(NotRolled::NotNow(_) | NotRolled::NoEpoch | NotRolled::Unfit) => {}
        // A house that its own journal would not bring back must not go on trading.
        Err(NotRolled::Broken(_)) => {
            let (who, reason) = ("kernel".to_owned(), "SNAPSHOT_UNFIT".to_owned());
            let kill = EpochCause::Kill { who, reason, request: None };
            turn.at_once.push(Effect::RaiseEpoch(kill));
        }
    }
    turn
}

/// The first turn of a run, durable before it returns. Only then is anybody let in who could pull a
/// kill: from here on a run that is cut off is seen by the next one, which is killed for it.
///
/// # Errors
/// The journal could not be written. Nothing has begun.
pub fn first_turn<D: Disk>(
    core: &mut Core,
    (appender, committer): (&mut Appender, &mut Committer<D>),
    started: Event,
) -> Result<Turn, JournalFault> {
    let turn = step_and_record(core, appender, started);
    while let Some(groups) = appender.take()? {
        committer.commit(&groups)?;
    }
    Ok(turn)
}

/// Epoch and deadlines of what leaves.
type Ticket = (u64, BootNs, WallNs);

/// The proof by itself, and what its release depends on.
fn apart<T>(leaving: Leaving<T>) -> (Approved<T>, Ticket) {
    let Leaving { order, epoch, deadline, venue_deadline } = leaving;
    (order, (epoch, deadline, venue_deadline))
}

/// What the core loop needs from the house around it. Nothing here may block.
pub trait Wiring {
    /// The present moment.
    fn now(&self) -> Now;
    /// Carries out an effect that does not wait.
    fn carry_out(&mut self, effect: Effect);
    /// Puts a report in for a later turn. A report must not be lost.
    fn tell(&mut self, report: Input);
    /// Shows people the core as it is now, if somebody looks. Called at every wake-up. All that is
    /// shown lies below `end`, which need not be durable.
    fn show(&mut self, core: &Core, head: Head, end: Watermark);
}

/// The first loop. Ends when the core says `Halt`; everything recorded is handed to the committer.
pub fn core_loop(
    mut core: Core,
    inbox: &Inbox,
    (mut appender, commits): (Appender, &Sender<Groups>),
    outbox: &Outbox,
    wiring: &mut dyn Wiring,
) {
    let mut line = CommitLine::new(commits, &appender);
    let mut beat = wiring.now().boot;
    loop {
        let arrived = inbox.recv(if line.since.is_some() { FLUSH } else { LOOK });
        let now = wiring.now();
        // A wake-up that only serves the flush, or somebody who looks, is nothing that happened.
        let tick = tick_is_due(
            arrived.as_ref().map(|arrived| &arrived.input),
            core.is_due(now),
            now.boot.since_ns(beat),
        );
        let mut halt = false;
        for arrived in arrived.into_iter().chain(tick.then(|| Input::Tick.into())) {
            if leaves_an_entry(&arrived.input) {
                beat = now.boot;
            }
            let event = event_of(arrived, now, &core);
            let turn = step_and_record(&mut core, &mut appender, event);
            line.is_waited_for |= turn.is_waited_for();
            halt = hand_on(turn, outbox, wiring);
            if halt {
                break;
            }
        }
        // A kill that came behind a stop has shut the gate already. Recorded after the clean mark
        // it is the last word, and the next start is a killed one.
        while let Some(input) = if halt { inbox.next_kill() } else { None } {
            let event = Event { now: wiring.now(), input };
            let turn = step_and_record(&mut core, &mut appender, event);
            hand_on(turn, outbox, wiring);
        }
        wiring.show(&core, appender.head(), appender.end());
        line.flush(&mut appender, now.boot, halt);
        if halt {
            return;
        }
    }
}

/// What arrived, as an event at its moment.
#[must_use]
pub fn event_of(arrived: Arrival, now: Now, core: &Core) -> Event {
    let received = arrived.received.map(|received| market_moment(received, core.moment()));
    Event { now: received.unwrap_or(now), input: arrived.input }
}

/// Whether a `Tick` is recorded at a wake-up with `input`, if any. What the core has to do by now
/// it does at any input; but the journal's heartbeat must not stop under a market that never rests.
const fn tick_is_due(input: Option<&Input>, core_is_due: bool, silent_ns: i64) -> bool {
    match input {
        None => core_is_due || silent_ns >= BEAT_NS,
        Some(input) => !leaves_an_entry(input) && silent_ns >= BEAT_NS,
    }
}

/// Whether the journal holds an entry of this input whatever comes of it. Market data does not: it
/// goes into chunks.
const fn leaves_an_entry(input: &Input) -> bool {
    !matches!(input, Input::Market(_))
}

/// Hands on what a turn left, what is taken back first. Whether the loop ends with it.
pub fn hand_on(turn: Turn, outbox: &Outbox, wiring: &mut dyn Wiring) -> bool {
    for cancel in turn.cancels {
        outbox.take_back(cancel);
    }
    for effect in turn.at_once {
        wiring.carry_out(effect);
    }
    for order in turn.orders {
        if let Some(not_sent) = outbox.hand_over(order) {
            wiring.tell(not_sent);
        }
    }
    for answer in turn.answers {
        outbox.answer(answer);
    }
    turn.halt
}

/// The way to the committer. While that one waits for the disk, groups collect in the channel, and
/// the next sync makes all of them durable.
#[derive(Debug)]
pub struct CommitLine<'a> {
    /// Set when an order or a person waits for something that was appended.
    pub is_waited_for: bool,
    commits: &'a Sender<Groups>,
    /// How far entries have been handed over.
    handed: Watermark,
    /// Since when there are others.
    since: Option<BootNs>,
}

/// The channel between the core loop and the committer.
#[must_use]
pub fn commit_channel() -> (Sender<Groups>, Receiver<Groups>) {
    bounded(COMMITS_MAX)
}

impl<'a> CommitLine<'a> {
    /// A line behind an appender of which everything has been handed over.
    #[must_use]
    pub fn new(commits: &'a Sender<Groups>, appender: &Appender) -> Self {
        Self { is_waited_for: false, commits, handed: appender.end(), since: None }
    }

    /// Hands over what was appended, if it is time to.
    pub fn flush(&mut self, appender: &mut Appender, now: BootNs, at_any_cost: bool) {
        if appender.end() == self.handed {
            return;
        }
        let since = *self.since.get_or_insert(now);
        let due = self.is_waited_for || now.since_ns(since) >= COLLECT_NS;
        if !at_any_cost && (!due || self.commits.is_full()) {
            return;
        }
        // A journal or a committer that is gone has poisoned the mark; the outbox refuses
        // everything then.
        if let Ok(Some(groups)) = appender.take() {
            drop(self.commits.send(groups));
        }
        (self.handed, self.since, self.is_waited_for) = (appender.end(), None, false);
    }
}

/// The third loop: everything that was handed over by now becomes durable with one sync. Calls
/// `after` behind each. Ends when the core loop has ended, or with the journal; its end of the
/// channel is gone then, so that nobody waits for room in it.
///
/// # Errors
/// What ended the journal.
#[expect(clippy::needless_pass_by_value, reason = "the channel has to end with the loop")]
pub fn commit_loop<D: Disk>(
    committer: &mut Committer<D>,
    commits: Receiver<Groups>,
    after: &mut dyn FnMut(&mut Committer<D>),
) -> Result<(), JournalFault> {
    while let Ok(mut groups) = commits.recv() {
        commits.try_iter().for_each(|more| groups.join(more));
        committer.commit(&groups)?;
        after(committer);
    }
    Ok(())
}

/// What became of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitFate {
    /// All bytes are on the wire.
    Sent,
    /// No byte left the house.
    NotSent(DenyCode),
    /// Some bytes may have left: the order is unknown.
    Lost,
}

/// The door to a venue, as the outbox needs it.
pub trait OrderSink {
    /// One write, which must not block. The proof is spent whatever becomes of it.
    fn submit(
        &mut self,
        order: Recorded<Approved<OrderIntent>>,
        venue_deadline: WallNs,
    ) -> SubmitFate;
    /// The same for a change of an order that left before.
    fn amend(
        &mut self,
        change: Recorded<Approved<Amendment>>,
        venue_deadline: WallNs,
    ) -> SubmitFate;
    /// Takes one order back; best effort, repeated by the core until the venue confirms.
    fn cancel(&mut self, request: &CancelRequest);
    /// Takes every order of the account back.
    fn cancel_all(&mut self);
}

/// How the outbox tells the core what became of an order.
pub type Tell<'a> = &'a dyn Fn(Input);
/// How the outbox gives a person the answer to a request.
pub type Give<'a> = &'a mut dyn FnMut(u64, Answer);

/// The second loop. Ends when the core loop has ended and everything handed over is settled.
pub fn outbox_loop(
    end: OutboxEnd,
    (mark, authority): (&DurableMark, &Authority),
    now: &dyn Fn() -> Now,
    sink: &mut dyn OrderSink,
    (tell, give): (Tell<'_>, Give<'_>),
) {
    let mut held = Held::new(end, SYNC_SLICE);
    while held.take_in() {
        outbox_turn(&mut held, (mark, authority), now, sink, (tell, give));
    }
}

/// One turn of the second loop: every cancel that has come, then what is durable by now.
pub fn outbox_turn(
    held: &mut Held,
    (mark, authority): (&DurableMark, &Authority),
    now: &dyn Fn() -> Now,
    sink: &mut dyn OrderSink,
    (tell, give): (Tell<'_>, Give<'_>),
) {
    for cancel in held.cancels() {
        // What is still here of the order is taken out of the queue and never leaves.
        for subject in held.withdraw(&cancel) {
            tell(subject.not_sent(DenyCode::ReleaseRevoked));
        }
        match cancel {
            Cancel::One(request) => sink.cancel(&request),
            Cancel::All => sink.cancel_all(),
        }
    }
    let Some(seq) = held.next_seq() else { return };
    if mark.wait(seq, held.sync_slice()) == Waited::TimedOut {
        return;
    }
    // Durable, or never: `release` and the mark itself tell which.
    for answer in held.answers_up_to(seq) {
        if !mark.is_poisoned() {
            give(answer.request, answer.answer);
        }
    }
    if let Some(order) = held.order_at(seq) {
        tell(release(order, (mark, authority), now, sink));
    }
}

/// The last check and the write, in one hold: place of check is place of use.
pub fn release(
    waiting: Waiting,
    (mark, authority): (&DurableMark, &Authority),
    now: &dyn Fn() -> Now,
    sink: &mut dyn OrderSink,
) -> Input {
    let (subject, rights) = (waiting.subject(), waiting.rights());
    let Waiting { order, epoch, deadline, venue_deadline } = waiting;
    let Ok(recorded) = order.into_recorded(mark) else {
        return subject.not_sent(DenyCode::EvidenceUnwritable);
    };
    let admitted = match rights {
        Rights::Session => authority.admit(epoch),
        Rights::Closing => authority.admit_exit(epoch),
    };
    let Some(held) = admitted else {
        return subject.not_sent(DenyCode::ReleaseRevoked);
    };
    if now().boot > deadline {
        return subject.not_sent(DenyCode::ReleaseExpired);
    }
    let fate = match recorded.either() {
        Either::Left(order) => sink.submit(order, venue_deadline),
        Either::Right(change) => sink.amend(change, venue_deadline),
    };
    drop(held);
    match fate {
        SubmitFate::Sent => subject.sent(),
        SubmitFate::NotSent(code) => subject.not_sent(code),
        SubmitFate::Lost => subject.lost(),
    }
}

#[cfg(test)]
mod tests {
    use portcullis_domain::{InstrumentId, MarketEvent, MarketFrame, StreamId};

    use super::*;

    #[test]
    fn silence_is_never_longer_than_a_beat_however_busy_the_market_is() {
        let market = Input::Market(MarketFrame {
            stream: StreamId(1),
            sequence: 1,
            instrument: InstrumentId(0),
            venue_time: None,
            event: MarketEvent::Snapshot { levels: Vec::new() },
        });
        let check = |input: Option<&Input>, core_is_due, silent_ns, expect| {
            assert_eq!(tick_is_due(input, core_is_due, silent_ns), expect, "{input:?} {silent_ns}");
        };
        check(None, false, BEAT_NS - 1, false);
        check(None, true, 0, true);
        check(None, false, BEAT_NS, true);
        check(Some(&market), false, BEAT_NS - 1, false);
        check(Some(&market), true, 0, false);
        check(Some(&market), false, BEAT_NS, true);
        // An entry is written anyway.
        check(Some(&Input::Tick), true, BEAT_NS, false);
    }
}
