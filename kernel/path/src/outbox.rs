//! The way from the core loop to the outbox loop, and what the second one holds.

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, TrySendError, bounded};
use portcullis_core::{Answer, Input};
use portcullis_domain::{Amendment, BootNs, ClOrdId, OrderIntent, WallNs};
use portcullis_evidence::{Either, Pending, Seq};
use portcullis_gate::{Approved, CancelRequest, DenyCode, Rights};

/// What leaves by the one path: an order, or a change of one. Both wait in one queue, so that no
/// change overtakes its order.
pub type Release = Either<Approved<OrderIntent>, Approved<Amendment>>;

/// An order, or a change of one, between its approval and the wire.
#[derive(Debug)]
pub struct Waiting {
    /// The proof of approval, which becomes a proof of record.
    pub order: Pending<Release>,
    /// The authority epoch it was approved under.
    pub epoch: u64,
    /// After this it must not leave.
    pub deadline: BootNs,
    /// After this the venue must refuse it.
    pub venue_deadline: WallNs,
}

/// What a word about a release is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The order itself.
    Order(ClOrdId),
    /// A change of it.
    Change(ClOrdId),
}

impl Waiting {
    /// What waits.
    #[must_use]
    pub fn subject(&self) -> Subject {
        match self.order.item() {
            Either::Left(order) => Subject::Order(order.cl_ord_id()),
            Either::Right(change) => Subject::Change(change.cl_ord_id()),
        }
    }

    /// By which rights it was approved.
    #[must_use]
    pub fn rights(&self) -> Rights {
        match self.order.item() {
            Either::Left(order) => order.rights(),
            Either::Right(change) => change.rights(),
        }
    }
}

impl Subject {
    /// Which order is meant either way.
    #[must_use]
    pub const fn cl_ord_id(self) -> ClOrdId {
        let (Self::Order(cl_ord_id) | Self::Change(cl_ord_id)) = self;
        cl_ord_id
    }

    /// It is on the wire.
    #[must_use]
    pub const fn sent(self) -> Input {
        match self {
            Self::Order(cl_ord_id) => Input::Sent { cl_ord_id },
            Self::Change(cl_ord_id) => Input::AmendSent { cl_ord_id },
        }
    }

    /// No byte of it left the house.
    #[must_use]
    pub const fn not_sent(self, code: DenyCode) -> Input {
        match self {
            Self::Order(cl_ord_id) => Input::NotSent { cl_ord_id, code },
            Self::Change(cl_ord_id) => Input::AmendNotSent { cl_ord_id, code },
        }
    }

    /// Nobody knows what became of it: the order is unknown either way.
    #[must_use]
    pub const fn lost(self) -> Input {
        Input::Lost { cl_ord_id: self.cl_ord_id() }
    }
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
    /// Hands a cancel over. It overtakes every order that waits.
    pub fn take_back(&self, cancel: Cancel) {
        // A full queue holds thousands of cancels already; the core asks again at each reading of
        // the account that still lists the order.
        drop(self.cancels.try_send(cancel));
    }

    /// Hands an order or a change over. Without room for it, the report that it did not leave.
    #[must_use = "an order that found no room has to be reported"]
    pub fn hand_over(&self, order: Waiting) -> Option<Input> {
        let refused = self.orders.try_send(order).err()?;
        let (TrySendError::Full(order) | TrySendError::Disconnected(order)) = refused;
        Some(order.subject().not_sent(DenyCode::EvidenceUnwritable))
    }

    pub(crate) fn answer(&self, answer: WaitingAnswer) {
        // An answer that finds no room is lost like a person who has hung up; the entry stays.
        drop(self.answers.try_send(answer));
    }
}

/// What the outbox loop holds: everything that has come and is not settled.
#[derive(Debug)]
pub(crate) struct Held {
    end: OutboxEnd,
    orders: VecDeque<Waiting>,
    answers: VecDeque<WaitingAnswer>,
    cancels: VecDeque<Cancel>,
}

impl Held {
    pub(crate) fn new(end: OutboxEnd) -> Self {
        let (orders, answers, cancels) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { end, orders, answers, cancels }
    }

    /// Takes in what has come, and sleeps if that is nothing and nothing is held. `false` once the
    /// core loop has ended and nothing is left.
    pub(crate) fn take_in(&mut self) -> bool {
        loop {
            // Orders first: whoever cancels an order handed it over before.
            let open = self.drain();
            if !self.orders.is_empty() || !self.answers.is_empty() || !self.cancels.is_empty() {
                return true;
            }
            if !open {
                return false;
            }
            let mut ready = Select::new();
            ready.recv(&self.end.orders);
            ready.recv(&self.end.answers);
            ready.recv(&self.end.cancels);
            ready.ready();
        }
    }

    /// Empties the channels; `false` if nothing more can come.
    fn drain(&mut self) -> bool {
        let cancels = drain(&self.end.cancels, &mut self.cancels);
        let orders = drain(&self.end.orders, &mut self.orders);
        let answers = drain(&self.end.answers, &mut self.answers);
        orders || answers || cancels
    }

    /// Cancels that have come. An order that one of them names has come before it.
    pub(crate) fn cancels(&mut self) -> VecDeque<Cancel> {
        std::mem::take(&mut self.cancels)
    }

    /// Takes out what a cancel names and has not left, orders and changes of them.
    pub(crate) fn withdraw(&mut self, cancel: &Cancel) -> Vec<Subject> {
        let named = |waiting: &Waiting| match cancel {
            Cancel::One(request) => waiting.subject().cl_ord_id() == request.cl_ord_id,
            Cancel::All => true,
        };
        let gone = self.orders.iter().filter(|waiting| named(waiting));
        let gone = gone.map(Waiting::subject).collect();
        self.orders.retain(|waiting| !named(waiting));
        gone
    }

    /// The entry that is waited for next.
    pub(crate) fn next_seq(&self) -> Option<Seq> {
        let order = self.orders.front().map(|waiting| waiting.order.seq());
        let answer = self.answers.front().map(|waiting| waiting.seq);
        order.into_iter().chain(answer).min_by_key(|seq| seq.0)
    }

    /// Answers that wait for nothing later than `seq`.
    pub(crate) fn answers_up_to(&mut self, seq: Seq) -> Vec<WaitingAnswer> {
        let due = self.answers.iter().take_while(|waiting| waiting.seq.0 <= seq.0).count();
        self.answers.drain(..due).collect()
    }

    /// The first order, if it waits for `seq`.
    pub(crate) fn order_at(&mut self, seq: Seq) -> Option<Waiting> {
        let due = self.orders.front().is_some_and(|waiting| waiting.order.seq().0 <= seq.0);
        if due { self.orders.pop_front() } else { None }
    }
}

/// Takes everything out of a channel; `false` if its other end is gone.
fn drain<T>(from: &Receiver<T>, into: &mut VecDeque<T>) -> bool {
    loop {
        match from.try_recv() {
            Ok(item) => into.push_back(item),
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}
