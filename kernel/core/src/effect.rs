//! What a step asks the wiring to do. An effect is carried out after its entries are in the
//! journal; those that let authority out of the house wait until they are durable there.

use portcullis_domain::frame::EventRecord;
use portcullis_domain::{Amendment, BootNs, ClOrdId, Instrument, OrderIntent, PluginId, WallNs};
use portcullis_gate::{Approved, CancelRequest, Denial, Shadow, ShadowAmend};
use portcullis_statement::EndpointSet;

use crate::input::EpochCause;

/// Something approved on its way out.
#[derive(Debug)]
pub struct Leaving<T> {
    /// The proof that the gate approved it.
    pub order: Approved<T>,
    /// The authority epoch it was approved under. The writer compares it with the present one.
    pub epoch: u64,
    /// After this it must not leave the house any more.
    pub deadline: BootNs,
    /// After this the venue must refuse it.
    pub venue_deadline: WallNs,
}

/// An order on its way out.
pub type Submit = Leaving<OrderIntent>;
/// A change of an order on its way out.
pub type Amend = Leaving<Amendment>;

/// Something to do.
#[derive(Debug)]
pub enum Effect {
    /// Send an order. Waits for durability.
    Submit(Box<Submit>),
    /// Change an order. Waits for durability.
    Amend(Box<Amend>),
    /// Take an order back. Never waits.
    Cancel(CancelRequest),
    /// Take every order of the account back. Never waits.
    CancelAll,
    /// Phase 1: tell the paper model what would have been sent.
    ShadowSubmit(Shadow),
    /// Phase 1: tell the paper model what would have been changed.
    ShadowAmend(ShadowAmend),
    /// Phase 1: tell the paper model what would have been taken back.
    ShadowCancel(ClOrdId),
    /// Call a plugin's `init`.
    InitPlugin {
        /// Which.
        plugin: PluginId,
        /// The session, as JSON.
        init: Vec<u8>,
        /// Fuel for the call.
        fuel: u64,
    },
    /// Call a plugin's `on-events`. Does not wait: the sandbox dies with the kernel.
    Deliver {
        /// Which.
        plugin: PluginId,
        /// Number of the batch; the reply repeats it.
        batch: u32,
        /// The events.
        records: Vec<EventRecord>,
        /// Fuel for the call.
        fuel: u64,
    },
    /// End a plugin's process.
    StopPlugin {
        /// Which.
        plugin: PluginId,
    },
    /// Read open orders, fills and balances from the venue.
    ReadAccount,
    /// People signed this endpoint set, or the kernel started with it: connect to its hosts.
    Connect(EndpointSet),
    /// A session is open, or the way out of a past one begins: start the market streams of its
    /// instruments.
    SessionOpened {
        /// As people approved them.
        instruments: Vec<Instrument>,
    },
    /// It is over: end its workers and streams.
    SessionClosed,
    /// Two people lifted the kill latch: the wiring's own latch follows. Nothing can leave before
    /// this is durable, since every later order waits for its own, later entry.
    LiftKill,
    /// Withdraw authority from everything that has not left yet.
    RaiseEpoch(EpochCause),
    /// Tell a person what became of a request. Waits for durability.
    Answer {
        /// The request.
        request: u64,
        /// What became of it.
        answer: Answer,
    },
    /// The epoch of the journal is over: make the next one's name and key, and end it.
    EndEpoch {
        /// The epoch's number.
        number: u64,
    },
    /// The kernel cannot go on. The entry before this one says why.
    Halt,
}

/// What became of a person's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, with a line that says what.
    Done(String),
    /// Refused.
    Refused {
        /// The stable code.
        code: String,
        /// Why, in one line.
        cause: String,
    },
    /// A person's order is approved, or changed as asked.
    Ordered {
        /// FIX 11.
        cl_ord_id: ClOrdId,
    },
    /// The gate said no to a person.
    Denied(Denial),
    /// A kill, or the stop that was asked for, is on record.
    Latched {
        /// Which one this is; kills and stops are counted apart.
        kill_seq: u64,
    },
    /// After a kill or a cancel-all: the venue has confirmed twice that no order of its scope is
    /// left.
    OrdersClear {
        /// Which one this is; kills and stops are counted apart.
        kill_seq: u64,
    },
}
