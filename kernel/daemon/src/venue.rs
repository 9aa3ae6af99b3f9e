//! The connection to the venue: who holds it, and the threads that keep it.
//!
//! An endpoint set that people signed starts two threads: `link` keeps the private socket and
//! turns what it says into reports, `account` reads the account, `clock` compares the clocks.
//! `public` keeps the market data of an open session. Each belongs to a generation; a newer
//! endpoint set, or the end of the session, makes the older ones end by themselves, and a newer
//! `link` or `account` speaks only after its elder has ended. `lifeline` takes orders back while
//! the socket is down.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use portcullis_core::{Core, Input};
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{ClOrdId, Instrument, Now, Order, OrderId, WallNs};
use portcullis_evidence::chunk::{Chunk, ChunkWriter};
use portcullis_path::inbox::NotTaken;
use portcullis_path::lockstep::chunk_content;
use portcullis_statement::{EndpointKind, EndpointSet};
use portcullis_venue::{
    Lifeline, Nonces, Pins, PrivateDoor, PublicStream, SimulatedEndpoint, VenueFault, VenueSession,
};

use crate::account::keep_account;
use crate::fault::{DaemonFault, TEMPORARY};
use crate::heard::{heard, link_changed};
use crate::house::House;
use crate::pack::chunk_path;
use crate::skew::keep_clock;
use crate::{clock, threads};

/// Between two attempts to connect; doubled up to the longest.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Cancels that may wait for the lifeline. More are the core's to repeat.
const CANCELS_MAX: usize = 1_024;
/// How often the lifeline tries, and the pause after each time that failed.
const CANCEL_TRIES: u32 = 20;
const CANCEL_PAUSE: Duration = Duration::from_millis(500);
/// How long a daemon without a journal waits for its orders to be gone.
const CLEAR_NS_MAX: i64 = 60 * NS_PER_S;
/// Between two looks at what is left of them.
const CLEAR_PAUSE: Duration = Duration::from_secs(1);
/// Both doors of one endpoint set.
#[derive(Clone, Debug)]
struct Doors {
    public: SimulatedEndpoint,
    private: PrivateDoor,
    lifeline: Lifeline,
}

/// What the lifeline is to take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TakeBack {
    One(ClOrdId),
    All,
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
    /// Threads of market data that have not ended, their last chunk included.
    publics: AtomicU64,
    /// Up to when, by the wall, the venue's ledger has been read whole; never goes back.
    ledger_read: Mutex<Option<WallNs>>,
    ask_account: Sender<()>,
    account_asked: Receiver<()>,
    take_back: Sender<TakeBack>,
    to_take_back: Receiver<TakeBack>,
    link_thread: Mutex<Option<JoinHandle<()>>>,
    account_thread: Mutex<Option<JoinHandle<()>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every holder leaves what is inside whole: values are only replaced.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl VenueLink {
    /// With what the journal says of earlier runs: how far the venue's ledger was read, and the
    /// venue's ids of our orders. The venue names a fill's order by its own id alone, and lists few
    /// of those that have ended.
    pub(crate) fn new(core: &Core) -> Self {
        let named = |order: &Order| Some((order.order_id.clone()?, order.cl_ord_id));
        let (ask_account, account_asked) = bounded(1);
        let (take_back, to_take_back) = bounded(CANCELS_MAX);
        Self {
            session: Mutex::new(None),
            doors: Mutex::new(None),
            known: Mutex::new(core.account().orders.iter().filter_map(named).collect()),
            link_generation: AtomicU64::new(0),
            public_generation: AtomicU64::new(0),
            publics: AtomicU64::new(0),
            ledger_read: Mutex::new(core.ledger_read()),
            ask_account,
            account_asked,
            take_back,
            to_take_back,
            link_thread: Mutex::new(None),
            account_thread: Mutex::new(None),
        }
    }

    /// Uses the session that is connected, if one is.
    pub(crate) fn with_session<T>(&self, act: impl FnOnce(&mut VenueSession) -> T) -> Option<T> {
        locked(&self.session).as_mut().map(act)
    }

    /// Takes one order back, over whatever way is open. The core repeats until it is confirmed.
    pub(crate) fn cancel(&self, id: ClOrdId) {
        let asked = self.with_session(|venue| venue.is_up() && venue.cancel(id).is_ok());
        if asked != Some(true) {
            self.by_lifeline(TakeBack::One(id));
        }
    }

    /// Takes every order back, over whatever way is open.
    pub(crate) fn cancel_all(&self) {
        let asked = self.with_session(|venue| venue.is_up() && venue.cancel_all().is_ok());
        if asked != Some(true) {
            self.by_lifeline(TakeBack::All);
        }
    }

    /// The lifeline waits for answers, so it has a thread of its own: whoever asks must not.
    fn by_lifeline(&self, what: TakeBack) {
        // A full queue holds hundreds of cancels already; the core repeats until all is clear.
        let _taken: bool = self.take_back.try_send(what).is_ok();
    }

    /// Takes every order back by the lifeline until two readings in a row show none, or until
    /// [`CLEAR_NS_MAX`] is over. Whether none is left.
    pub(crate) fn clear_all(&self) -> bool {
        let until = clock::now().boot.plus_ns(CLEAR_NS_MAX);
        let Some(Doors { lifeline, .. }) = locked(&self.doors).clone() else {
            // No venue was ever connected in this run: nothing left the house in it.
            return true;
        };
        let mut empty = 0_u32;
        while clock::now().boot < until {
            let asked = lifeline.cancel_all().is_ok();
            let none = lifeline.open_orders().is_ok_and(|orders| orders.is_empty());
            empty = if asked && none { empty.saturating_add(1) } else { 0 };
            if empty == 2 {
                return true;
            }
            sleep(CLEAR_PAUSE);
        }
        false
    }

    /// Asks for the account to be read soon. `false` if a wish waits already, which is enough.
    pub(crate) fn read_account(&self) -> bool {
        self.ask_account.try_send(()).is_ok()
    }

    /// Waits a while for a wish to have the account read; `false` if none came.
    pub(crate) fn account_wanted(&self, wait: Duration) -> bool {
        self.account_asked.recv_timeout(wait).is_ok()
    }

    /// Whether the private socket is connected.
    pub(crate) fn is_up(&self) -> bool {
        locked(&self.session).as_ref().is_some_and(VenueSession::is_up)
    }

    /// Which of our orders the venue's own ids name, as far as is known.
    pub(crate) fn known_orders(&self) -> BTreeMap<OrderId, ClOrdId> {
        locked(&self.known).clone()
    }

    /// Up to when the venue's ledger has been read whole.
    pub(crate) fn ledger_read(&self) -> Option<WallNs> {
        *locked(&self.ledger_read)
    }

    /// It has been read whole up to `at`.
    pub(crate) fn note_ledger_read(&self, at: WallNs) {
        let mut read = locked(&self.ledger_read);
        *read = (*read).max(Some(at));
    }

    pub(crate) fn is_link(&self, generation: u64) -> bool {
        self.link_generation.load(Ordering::Acquire) == generation
    }

    fn is_public(&self, generation: u64) -> bool {
        self.public_generation.load(Ordering::Acquire) == generation
    }

    /// Ends the market data of a session.
    pub(crate) fn stop_public(&self) {
        self.public_generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether the last chunk of every past session is written and told.
    pub(crate) fn is_public_over(&self) -> bool {
        self.publics.load(Ordering::Acquire) == 0
    }

    pub(crate) fn learn(&self, order_id: Option<&OrderId>, id: ClOrdId) {
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
    let elders =
        (locked(&house.venue.link_thread).take(), locked(&house.venue.account_thread).take());
    let (own, own_doors, elder) = (Arc::clone(house), doors.clone(), elders.0);
    let link = move || {
        end_elder(&own, elder);
        keep_link(&own, &own_doors, generation);
    };
    let (own, elder) = (Arc::clone(house), elders.1);
    let account = move || {
        elder.map(JoinHandle::join);
        keep_account(&own, doors.private, generation);
    };
    let own = Arc::clone(house);
    // It ends with its generation, and what it says harms nobody.
    let clock = move || keep_clock(&own, doors.public, generation);
    let started = threads::start("link", link).and_then(|link| {
        *locked(&house.venue.link_thread) = Some(link);
        threads::start("account", account)
    });
    // Without it the offset grows old, and the core says so.
    drop(threads::start("clock", clock));
    match started {
        Ok(account) => *locked(&house.venue.account_thread) = Some(account),
        Err(error) => link_changed(house, false, &VenueFault::Unreachable(error.to_string())),
    }
}

/// Ends the line before this one, so that nothing of it is heard after this.
fn end_elder(house: &House, elder: Option<JoinHandle<()>>) {
    let old = locked(&house.venue.session).take();
    let was_up = old.is_some();
    drop(old);
    // An elder that panicked has ended as well.
    elder.map(JoinHandle::join);
    if was_up {
        let cause = VenueFault::Unreachable("another endpoint set was signed".to_owned());
        link_changed(house, false, &cause);
    }
}

/// Starts the thread of the lifeline.
pub(crate) fn start_lifeline(house: &Arc<House>) -> Result<(), DaemonFault> {
    let own = Arc::clone(house);
    let started = threads::start("lifeline", move || {
        for first in &own.venue.to_take_back {
            let rest: Vec<TakeBack> = own.venue.to_take_back.try_iter().collect();
            let mut wanted = vec![first];
            wanted.extend(rest);
            if wanted.contains(&TakeBack::All) {
                wanted = vec![TakeBack::All];
            }
            for what in wanted {
                take_back(&own, what);
            }
        }
    });
    started.map(drop).map_err(|error| {
        let next = "start the daemon again";
        DaemonFault::new(TEMPORARY, "THREADS", "lifeline", &error.to_string(), next)
    })
}

/// Takes back, and tries again for a while: a venue that cannot be reached now may be soon.
fn take_back(house: &House, what: TakeBack) {
    for _ in 0..CANCEL_TRIES {
        let Some(Doors { lifeline, .. }) = locked(&house.venue.doors).clone() else { return };
        let taken = match what {
            TakeBack::One(id) => lifeline.cancel(id),
            TakeBack::All => lifeline.cancel_all(),
        };
        if taken.is_ok() {
            return;
        }
        sleep(CANCEL_PAUSE);
    }
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
                drop(locked(&house.venue.session).take());
            }
            Err(fault) => link_changed(house, false, &fault),
        }
        sleep(backoff);
        backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
}

/// Starts the market data of a session, from a fresh snapshot.
pub(crate) fn start_public(house: &Arc<House>, instruments: Vec<Instrument>) {
    let generation = house.venue.public_generation.fetch_add(1, Ordering::AcqRel).saturating_add(1);
    for instrument in instruments {
        let house = Arc::clone(house);
        house.venue.publics.fetch_add(1, Ordering::AcqRel);
        let own = Arc::clone(&house);
        let started = threads::start("public", move || {
            keep_public(&own, &instrument, generation);
            own.venue.publics.fetch_sub(1, Ordering::AcqRel);
        });
        // Without market data the gate refuses, and says so.
        if started.is_err() {
            house.venue.publics.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn keep_public(house: &House, instrument: &Instrument, generation: u64) {
    let mut backoff = BACKOFF_MIN;
    let mut chunks = ChunkWriter::new();
    let mut counts = [0; 3];
    while house.venue.is_public(generation) {
        let doors = locked(&house.venue.doors).clone();
        let stream =
            doors.map(|doors| PublicStream::connect(&doors.public, instrument.clone(), counts));
        if let Some(Ok(mut stream)) = stream {
            backoff = BACKOFF_MIN;
            while house.venue.is_public(generation) {
                // Without news the quote grows stale, and the gate says so.
                let Ok((raw, frames)) = stream.next_frames() else { break };
                let (received, last) = (clock::now(), frames.last().cloned());
                let full = |frame| house.lanes.market(frame, received) == Err(NotTaken::Full);
                // A core that does not keep up is not fed stale data: the stream begins anew.
                if frames.into_iter().any(full) {
                    break;
                }
                // What the core never heard is no evidence of what it judged by.
                keep_raw(house, &mut chunks, (&raw, received), last.as_ref());
            }
            counts = stream.counts();
        }
        sleep(backoff);
        backoff = backoff.saturating_mul(2).min(BACKOFF_MAX);
    }
    if let Some(chunk) = chunks.flush() {
        keep_chunk(house, &chunk);
    }
}

fn keep_raw(
    house: &House,
    chunks: &mut ChunkWriter,
    (raw, received): (&[u8], Now),
    last: Option<&portcullis_domain::MarketFrame>,
) {
    let Some(frame) = last else { return };
    if let Ok(Some(chunk)) = chunks.push(frame.stream, frame.sequence, raw, received) {
        keep_chunk(house, &chunk);
    }
}

fn keep_chunk(house: &House, chunk: &Chunk) {
    // A chunk that cannot be kept is missing from the pack, which then says so.
    if write_chunk(&chunk_path(house, chunk.digest), &chunk.compressed).is_ok() {
        house.tell(Input::Host(chunk_content(chunk)));
    }
}

/// Whole and durable before the journal cites it, or not there at all under its name.
fn write_chunk(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    });
    if written.is_err() {
        // Nothing cites it; one that stays behind is overwritten by the next of its name.
        drop(fs::remove_file(&partial));
    }
    written
}
