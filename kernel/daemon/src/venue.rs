//! The connection to the venue: who holds it, and the threads that keep it.
//!
//! An endpoint set that people signed starts two threads: `link` keeps the private socket and
//! turns what it says into reports, `account` reads orders, fills and balances for reconciliation.
//! `public` keeps the market data of an open session. Each belongs to a generation; a newer
//! endpoint set, or the end of the session, makes the older ones end by themselves.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use portcullis_core::{AccountSnapshot, Input, VenueOrder};
use portcullis_domain::{ClOrdId, ExecType, ExecutionReport, Instrument, OrderId};
use portcullis_evidence::chunk::{Chunk, ChunkWriter};
use portcullis_path::inbox::NotTaken;
use portcullis_path::lockstep::chunk_content;
use portcullis_statement::{EndpointKind, EndpointSet};
use portcullis_venue::{
    AccountReader, AccountState, Lifeline, Nonces, Pins, PrivateDoor, PrivateEvent, PublicStream,
    SimulatedEndpoint, VenueFault, VenueSession,
};

use crate::clock;
use crate::house::House;
use crate::pack::chunk_path;

/// Between two attempts to connect; doubled up to the longest.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long the account thread waits for a wish before it looks whether it is still needed.
const WISH_WAIT: Duration = Duration::from_secs(1);

/// Both doors of one endpoint set.
#[derive(Clone, Debug)]
struct Doors {
    public: SimulatedEndpoint,
    private: PrivateDoor,
    lifeline: Lifeline,
}

/// What the threads share about the venue.
#[derive(Debug)]
pub(crate) struct VenueLink {
    session: Mutex<Option<VenueSession>>,
    doors: Mutex<Option<Doors>>,
    /// Which of our orders the venue's own ids name.
    known: Mutex<BTreeMap<OrderId, ClOrdId>>,
    link_generation: AtomicU64,
    public_generation: AtomicU64,
    ask_account: Sender<()>,
    account_asked: Receiver<()>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every holder leaves what is inside whole: values are only replaced.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl VenueLink {
    pub(crate) fn new() -> Self {
        let (ask_account, account_asked) = bounded(1);
        Self {
            session: Mutex::new(None),
            doors: Mutex::new(None),
            known: Mutex::new(BTreeMap::new()),
            link_generation: AtomicU64::new(0),
            public_generation: AtomicU64::new(0),
            ask_account,
            account_asked,
        }
    }

    /// Uses the session that is connected, if one is.
    pub(crate) fn with_session<T>(&self, act: impl FnOnce(&mut VenueSession) -> T) -> Option<T> {
        locked(&self.session).as_mut().map(act)
    }

    /// Takes one order back, over whatever way is open. The core repeats until it is confirmed.
    pub(crate) fn cancel(&self, id: ClOrdId) {
        let asked = self.with_session(|venue| venue.cancel(id).is_ok());
        if asked != Some(true) {
            self.by_lifeline(|lifeline| lifeline.cancel(id).map(drop));
        }
    }

    /// Takes every order back, over whatever way is open.
    pub(crate) fn cancel_all(&self) {
        let asked = self.with_session(|venue| venue.cancel_all().is_ok());
        if asked != Some(true) {
            self.cancel_all_now();
        }
    }

    /// Takes every order back by the lifeline alone.
    pub(crate) fn cancel_all_now(&self) {
        self.by_lifeline(|lifeline| lifeline.cancel_all().map(drop));
    }

    fn by_lifeline(&self, act: impl FnOnce(&Lifeline) -> Result<(), VenueFault>) {
        let doors = locked(&self.doors).clone();
        if let Some(doors) = doors {
            // A venue that cannot be reached now is asked again by the core.
            drop(act(&doors.lifeline));
        }
    }

    /// Asks for the account to be read soon. `false` if a wish waits already, which is enough.
    pub(crate) fn read_account(&self) -> bool {
        self.ask_account.try_send(()).is_ok()
    }

    fn is_link(&self, generation: u64) -> bool {
        self.link_generation.load(Ordering::Acquire) == generation
    }

    fn is_public(&self, generation: u64) -> bool {
        self.public_generation.load(Ordering::Acquire) == generation
    }

    /// Ends the market data of a session.
    pub(crate) fn stop_public(&self) {
        self.public_generation.fetch_add(1, Ordering::AcqRel);
    }

    fn learn(&self, order_id: Option<&OrderId>, id: ClOrdId) {
        if let Some(order_id) = order_id {
            locked(&self.known).insert(order_id.clone(), id);
        }
    }
}

/// Connects to the hosts of a signed endpoint set. Only simulated ones exist in this version: the
/// connector's own type refuses every other address.
pub(crate) fn connect(house: &Arc<House>, endpoint: &EndpointSet) {
    let doors = match doors(house, endpoint) {
        Ok(doors) => doors,
        Err(fault) => return link_changed(house, false, &fault),
    };
    *locked(&house.venue.doors) = Some(doors.clone());
    let generation = house.venue.link_generation.fetch_add(1, Ordering::AcqRel).saturating_add(1);
    if let Some(mut old) = locked(&house.venue.session).take() {
        old.abort();
    }
    let link = (Arc::clone(house), doors.clone());
    thread::spawn(move || keep_link(&link.0, &link.1, generation));
    let account = Arc::clone(house);
    thread::spawn(move || keep_account(&account, doors.private, generation));
}

fn doors(house: &House, endpoint: &EndpointSet) -> Result<Doors, VenueFault> {
    let forbidden = |cause: &str| VenueFault::EndpointForbidden(cause.to_owned());
    if endpoint.kind != EndpointKind::Simulated {
        return Err(forbidden("this version connects to simulated venues only"));
    }
    let (Some(public), Some(private)) = (&endpoint.public, &endpoint.private) else {
        return Err(forbidden("an endpoint set without both hosts"));
    };
    let public = SimulatedEndpoint::new(&public.host, public.port)?;
    let private = SimulatedEndpoint::new(&private.host, private.port)?;
    let credential = Arc::clone(&house.home.credential);
    let nonces = Arc::new(Nonces::new(0, clock::wall));
    let door = PrivateDoor::new(private, Arc::clone(&credential), Arc::clone(&nonces));
    Ok(Doors { public, private: door, lifeline: Lifeline::new(private, credential, nonces) })
}

/// Connects, listens until the line is down, and connects anew, for as long as the generation is
/// the present one.
fn keep_link(house: &House, doors: &Doors, generation: u64) {
    let mut backoff = BACKOFF_MIN;
    while house.venue.is_link(generation) {
        let pins = Pins { genesis: house.home.trust.fingerprint(), origin: house.mark.origin() };
        let instruments = house.home.instruments.clone();
        let lifeline = doors.lifeline.clone();
        match VenueSession::connect(&doors.private, lifeline, pins, instruments) {
            Ok((session, mut reader)) => {
                backoff = BACKOFF_MIN;
                *locked(&house.venue.session) = Some(session);
                house.report(Input::VenueLink { up: true, cause: "connected".to_owned() });
                while house.venue.is_link(generation) && !reader.is_down() {
                    for event in reader.next_events() {
                        heard(house, event);
                    }
                }
                locked(&house.venue.session).take();
            }
            Err(fault) => link_changed(house, false, &fault),
        }
        thread::sleep(backoff);
        backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
}

/// What the venue says, as an input.
fn heard(house: &House, event: PrivateEvent) {
    let refused = |cl_ord_id, exec_type, text| {
        let transact_time = clock::wall();
        let report = ExecutionReport { cl_ord_id, order_id: None, exec_type, transact_time, text };
        house.report(Input::Report(report));
    };
    match event {
        PrivateEvent::Report(report) => {
            house.venue.learn(report.order_id.as_ref(), report.cl_ord_id);
            house.report(Input::Report(report));
        }
        PrivateEvent::OrderRefused { cl_ord_id, text, .. } => {
            refused(cl_ord_id, ExecType::Rejected, text);
        }
        PrivateEvent::OrderUnknown { cl_ord_id, .. } => house.report(Input::Lost { cl_ord_id }),
        PrivateEvent::CancelRefused { cl_ord_id: Some(id), text, .. } => {
            refused(id, ExecType::CancelRejected, text);
        }
        // What is at the account and not ours is reconciliation's to find.
        PrivateEvent::CancelRefused { cl_ord_id: None, .. }
        | PrivateEvent::Foreign(_)
        | PrivateEvent::Status(_) => {
            house.venue.read_account();
        }
        PrivateEvent::Down(fault) => link_changed(house, false, &fault),
    }
}

fn link_changed(house: &House, up: bool, fault: &VenueFault) {
    let cause = format!("{}: {}", fault.code(), fault.cause());
    house.report(Input::VenueLink { up, cause });
}

/// Reads the account when the core asks.
fn keep_account(house: &House, door: PrivateDoor, generation: u64) {
    let reader = AccountReader::new(door, house.home.instruments.clone());
    while house.venue.is_link(generation) {
        // The core says when; waking up in between only serves the end of the generation.
        if house.venue.account_asked.recv_timeout(WISH_WAIT).is_err() {
            continue;
        }
        let up = locked(&house.venue.session).as_ref().is_some_and(VenueSession::is_up);
        if !up {
            continue;
        }
        let known = locked(&house.venue.known).clone();
        // A read that failed leaves the house without news; the gate judges by the last ones.
        if let Ok(state) = reader.read_account(&known) {
            for order in &state.open_orders {
                if let Some(id) = order.cl_ord_id {
                    house.venue.learn(Some(&order.order_id), id);
                }
            }
            house.report(Input::Account(snapshot(state)));
        }
    }
}

fn snapshot(state: AccountState) -> AccountSnapshot {
    let open_orders = state.open_orders.into_iter().map(|order| VenueOrder {
        order_id: order.order_id,
        cl_ord_id: order.cl_ord_id,
        leaves_qty: order.leaves_qty,
    });
    AccountSnapshot {
        open_orders: open_orders.collect(),
        fills: state.fills,
        balances: state.balances,
    }
}

/// Starts the market data of a session, from a fresh snapshot.
pub(crate) fn start_public(house: &Arc<House>) {
    let generation = house.venue.public_generation.fetch_add(1, Ordering::AcqRel).saturating_add(1);
    for instrument in house.home.instruments.clone() {
        let house = Arc::clone(house);
        thread::spawn(move || keep_public(&house, &instrument, generation));
    }
}

fn keep_public(house: &House, instrument: &Instrument, generation: u64) {
    let mut backoff = BACKOFF_MIN;
    let mut chunks = ChunkWriter::new();
    while house.venue.is_public(generation) {
        let doors = locked(&house.venue.doors).clone();
        let stream = doors.map(|doors| PublicStream::connect(&doors.public, instrument.clone()));
        if let Some(Ok(mut stream)) = stream {
            backoff = BACKOFF_MIN;
            while house.venue.is_public(generation) {
                // Without news the quote grows stale, and the gate says so.
                let Ok((raw, frames)) = stream.next_frames() else { break };
                keep_raw(house, &mut chunks, &raw, frames.last());
                let full = |frame| house.lanes.market(Input::Market(frame)) == Err(NotTaken::Full);
                // A core that does not keep up is not fed stale data: the stream begins anew.
                if frames.into_iter().any(full) {
                    break;
                }
            }
        }
        thread::sleep(backoff);
        backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
    if let Some(chunk) = chunks.flush() {
        keep_chunk(house, &chunk);
    }
}

fn keep_raw(
    house: &House,
    chunks: &mut ChunkWriter,
    raw: &[u8],
    last: Option<&portcullis_domain::MarketFrame>,
) {
    let Some(frame) = last else { return };
    if let Ok(Some(chunk)) = chunks.push(frame.stream, frame.sequence, raw, clock::wall()) {
        keep_chunk(house, &chunk);
    }
}

fn keep_chunk(house: &House, chunk: &Chunk) {
    // A chunk that cannot be kept is missing from the pack, which then says so.
    if fs::write(chunk_path(house, chunk.digest), &chunk.compressed).is_ok() {
        house.tell(Input::Host(chunk_content(chunk)));
    }
}
