//! The two loops. Read from top to bottom: this is how an order leaves the house, and there is no
//! other way.
//!
//! The core loop steps, records and hands over; it never waits for the disk. The outbox loop waits
//! until the record is durable, checks at the place of use that authority is still there, and
//! makes one write. Cancels overtake everything and wait for nothing.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};
use portcullis_core::{Answer, Core, Effect, Event, Input, Submit};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{BootNs, ClOrdId, Now, OrderIntent, WallNs};
use portcullis_evidence::{Appender, DurableMark, Groups, Head, Pending, Recorded, Seq, Waited};
use portcullis_gate::{Approved, CancelRequest, DenyCode};

use crate::authority::Authority;
use crate::inbox::{Inbox, Lanes, NotTaken};

/// Without any event for so long, a `Tick` is recorded: the heartbeat of the journal.
const BEAT_NS: i64 = 10 * NS_PER_S;
/// How long the core loop sleeps at most before it looks at deadlines and at who looks at it.
const LOOK: Duration = Duration::from_millis(20);
/// How soon entries reach the committer when nothing else happens.
const FLUSH: Duration = Duration::from_millis(1);
/// How long the outbox waits for the disk before it looks at the cancels again.
const SYNC_SLICE: Duration = Duration::from_millis(1);

/// An order between its approval and the wire.
#[derive(Debug)]
pub struct Waiting {
    /// The proof of approval, which becomes a proof of record.
    pub order: Pending<Approved<OrderIntent>>,
    /// The authority epoch it was approved under.
    pub epoch: u64,
    /// After this it must not leave.
    pub deadline: BootNs,
    /// After this the venue must refuse it.
    pub venue_deadline: WallNs,
}

/// An answer to a person, and the entry that has to be durable before it is given.
#[derive(Debug)]
pub struct WaitingAnswer {
    /// The entry.
    pub seq: Seq,
    /// The request.
    pub request: u64,
    /// What became of it.
    pub answer: Answer,
}

/// What one turn of the core loop hands over.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be carried out at once, by the house around the loop.
    pub at_once: Vec<Effect>,
    /// To be taken back: these wait for nothing.
    pub cancels: Vec<Cancel>,
    /// Whether the loop ends with this turn.
    pub halt: bool,
    /// Orders that wait for the disk.
    pub orders: Vec<Waiting>,
    /// Answers that wait for the disk.
    pub answers: Vec<WaitingAnswer>,
}

/// Steps and records: the body of the core loop, live and in lock step alike.
pub fn step_and_record(core: &mut Core, appender: &mut Appender, event: Event) -> Turn {
    let step = core.step(event);
    let mut turn = Turn::default();
    let (mut proofs, mut tickets, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for effect in step.effects {
        match effect {
            Effect::Submit(submit) => {
                let Submit { order, epoch, deadline, venue_deadline } = *submit;
                proofs.push(order);
                tickets.push((epoch, deadline, venue_deadline));
            }
            Effect::Answer { request, answer } => answers.push((request, answer)),
            Effect::Cancel(request) => turn.cancels.push(Cancel::One(request)),
            Effect::CancelAll => turn.cancels.push(Cancel::All),
            Effect::Halt => turn.halt = true,
            other @ (Effect::ShadowSubmit(_)
            | Effect::ShadowCancel(_)
            | Effect::InitPlugin { .. }
            | Effect::Deliver { .. }
            | Effect::StopPlugin { .. }
            | Effect::ReadAccount
            | Effect::Connect(_)
            | Effect::SessionOpened
            | Effect::SessionClosed
            | Effect::LiftKill
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

/// What the core loop needs from the house around it. Nothing here may block.
pub trait Wiring {
    /// The present moment.
    fn now(&self) -> Now;
    /// Carries out an effect that does not wait.
    fn carry_out(&mut self, effect: Effect);
    /// Shows people the core as it is now, if somebody looks. Called at every wake-up.
    fn show(&mut self, core: &Core, head: Head);
}

/// The first loop. Ends when the core says `Halt`; everything recorded is handed to the committer.
pub fn core_loop(
    mut core: Core,
    (inbox, lanes): (&Inbox, &Lanes),
    (mut appender, commits): (Appender, &Sender<Groups>),
    outbox: &Outbox,
    wiring: &mut dyn Wiring,
) {
    let mut unflushed = false;
    let mut beat = wiring.now().boot;
    loop {
        let input = inbox.recv(if unflushed { FLUSH } else { LOOK });
        let now = wiring.now();
        let due = core.next_deadline().is_some_and(|at| at <= now.wall)
            || now.boot.since_ns(beat) >= BEAT_NS;
        let mut halt = false;
        // A wake-up that only serves the flush, or somebody who looks, is nothing that happened.
        if let Some(input) = input.or_else(|| due.then_some(Input::Tick)) {
            beat = now.boot;
            let event = Event { now, input };
            let turn = step_and_record(&mut core, &mut appender, event);
            for cancel in turn.cancels {
                outbox.cancel(cancel);
            }
            for effect in turn.at_once {
                wiring.carry_out(effect);
            }
            for order in turn.orders {
                outbox.submit(order, lanes);
            }
            for answer in turn.answers {
                outbox.answer(answer);
            }
            halt = turn.halt;
        }
        wiring.show(&core, appender.head());
        unflushed = !flush(&mut appender, commits, halt);
        if halt {
            return;
        }
    }
}

/// Hands what was appended to the committer, if that one is idle; `true` if nothing is left.
fn flush(appender: &mut Appender, commits: &Sender<Groups>, at_any_cost: bool) -> bool {
    if commits.is_full() && !at_any_cost {
        return false;
    }
    match appender.take() {
        // A committer that is gone has poisoned the mark; the outbox refuses everything then.
        Ok(Some(groups)) => commits.send(groups).is_ok(),
        Ok(None) | Err(_) => true,
    }
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
    /// Takes one order back; best effort, repeated by the core until the venue confirms.
    fn cancel(&mut self, request: &CancelRequest);
    /// Takes every order of the account back.
    fn cancel_all(&mut self);
}

/// What the outbox takes back.
#[derive(Debug)]
pub enum Cancel {
    /// One order.
    One(CancelRequest),
    /// All of the account's.
    All,
}

/// The way from the core loop to the outbox loop: cancels on one side, all that waits on another.
#[derive(Debug)]
pub struct Outbox {
    cancels: Sender<Cancel>,
    orders: Sender<Waiting>,
    answers: Sender<WaitingAnswer>,
}

/// The outbox loop's end of it.
#[derive(Debug)]
pub struct OutboxEnd {
    cancels: Receiver<Cancel>,
    orders: Receiver<Waiting>,
    answers: Receiver<WaitingAnswer>,
}

/// A new outbox.
#[must_use]
pub fn outbox() -> (Outbox, OutboxEnd) {
    let (cancels_in, cancels) = bounded(4_096);
    let (orders_in, orders) = bounded(1_024);
    let (answers_in, answers) = bounded(1_024);
    let outbox = Outbox { cancels: cancels_in, orders: orders_in, answers: answers_in };
    (outbox, OutboxEnd { cancels, orders, answers })
}

impl Outbox {
    fn cancel(&self, cancel: Cancel) {
        // A full queue holds thousands of cancels already; the core repeats until all is clear.
        drop(self.cancels.try_send(cancel));
    }

    fn submit(&self, order: Waiting, lanes: &Lanes) {
        let id = order.order.item().cl_ord_id();
        match self.orders.try_send(order) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                report(lanes, not_sent(id, DenyCode::EvidenceUnwritable));
            }
        }
    }

    fn answer(&self, answer: WaitingAnswer) {
        // An answer that finds no room is lost like a person who has hung up; the entry stays.
        drop(self.answers.try_send(answer));
    }
}

/// The second loop. Ends when the core loop has ended and everything handed over is settled.
pub fn outbox_loop(
    end: &OutboxEnd,
    (mark, authority): (&DurableMark, &Authority),
    now: &dyn Fn() -> Now,
    sink: &mut dyn OrderSink,
    (lanes, give): (&Lanes, &mut dyn FnMut(u64, Answer)),
) {
    loop {
        send_cancels(&end.cancels, sink);
        select! {
            recv(end.cancels) -> cancel => match cancel {
                Ok(cancel) => send_cancel(&cancel, sink),
                Err(_) => return,
            },
            recv(end.answers) -> waiting => if let Ok(waiting) = waiting
                && wait_durable(waiting.seq, mark, &end.cancels, sink)
            {
                give(waiting.request, waiting.answer);
            },
            recv(end.orders) -> waiting => if let Ok(waiting) = waiting {
                let durable = wait_durable(waiting.order.seq(), mark, &end.cancels, sink);
                let input = if durable {
                    release(waiting, (mark, authority), now, sink)
                } else {
                    not_sent(waiting.order.item().cl_ord_id(), DenyCode::EvidenceUnwritable)
                };
                report(lanes, input);
            },
        }
    }
}

/// The last check and the write, in one hold: place of check is place of use.
pub fn release(
    waiting: Waiting,
    (mark, authority): (&DurableMark, &Authority),
    now: &dyn Fn() -> Now,
    sink: &mut dyn OrderSink,
) -> Input {
    let Waiting { order, epoch, deadline, venue_deadline } = waiting;
    let cl_ord_id = order.item().cl_ord_id();
    let Ok(recorded) = order.into_recorded(mark) else {
        return not_sent(cl_ord_id, DenyCode::EvidenceUnwritable);
    };
    let held = authority.hold();
    if !authority.admits(epoch) {
        return not_sent(cl_ord_id, DenyCode::ReleaseRevoked);
    }
    if now().boot > deadline {
        return not_sent(cl_ord_id, DenyCode::ReleaseExpired);
    }
    let fate = sink.submit(recorded, venue_deadline);
    drop(held);
    match fate {
        SubmitFate::Sent => Input::Sent { cl_ord_id },
        SubmitFate::NotSent(code) => Input::NotSent { cl_ord_id, code },
        SubmitFate::Lost => Input::Lost { cl_ord_id },
    }
}

/// Waits for the disk, sending cancels meanwhile. `false` if the journal has ended.
fn wait_durable(
    seq: Seq,
    mark: &DurableMark,
    cancels: &Receiver<Cancel>,
    sink: &mut dyn OrderSink,
) -> bool {
    loop {
        match mark.wait(seq, SYNC_SLICE) {
            Waited::Durable => return true,
            Waited::Ended => return false,
            Waited::TimedOut => send_cancels(cancels, sink),
        }
    }
}

fn send_cancels(cancels: &Receiver<Cancel>, sink: &mut dyn OrderSink) {
    for cancel in cancels.try_iter() {
        send_cancel(&cancel, sink);
    }
}

fn send_cancel(cancel: &Cancel, sink: &mut dyn OrderSink) {
    match cancel {
        Cancel::One(request) => sink.cancel(request),
        Cancel::All => sink.cancel_all(),
    }
}

fn not_sent(cl_ord_id: ClOrdId, code: DenyCode) -> Input {
    Input::NotSent { cl_ord_id, code }
}

fn report(lanes: &Lanes, input: Input) {
    // The core loop ends before this one only at a halt; nobody is left to tell then.
    let told = lanes.report(input);
    debug_assert_ne!(told, Err(NotTaken::Full), "the report lane holds every order there can be");
}
