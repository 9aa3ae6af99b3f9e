//! What the threads share.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use portcullis_control::{Answer, Reply};
use portcullis_core::{Core, EpochCause, Input};
use portcullis_domain::Name;
use portcullis_evidence::{DurableMark, Seq, Waited};
use portcullis_path::inbox::NotTaken;
use portcullis_path::{Authority, Lanes};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::board::{Board, Shown};
use crate::control::{CONTROL, KILL, refused, say};
use crate::fault::{DaemonFault, TEMPORARY};
use crate::home::Home;
use crate::notary::EpochKey;
use crate::requests::Requests;
use crate::threads;
use crate::venue::VenueLink;
use crate::witness::Made;
use crate::workers::Pool;

/// Everything that more than one thread holds.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) home: Home,
    pub(crate) lanes: Lanes,
    pub(crate) mark: DurableMark,
    pub(crate) authority: Authority,
    pub(crate) requests: Requests,
    pub(crate) board: Board,
    /// The checkpoints of this run.
    pub(crate) made: Made,
    /// The notary's key.
    pub(crate) epoch_key: EpochKey,
    pub(crate) venue: VenueLink,
    pub(crate) workers: Mutex<Pool>,
    /// Held while a session is being opened.
    pub(crate) opening: Mutex<()>,
    /// Who asked for the end and is told once it has come.
    pub(crate) leaving: Mutex<Vec<UnixStream>>,
    /// The number that the latch took when the start found the core killed.
    killed_before: Option<u64>,
    stopping: AtomicBool,
    journal_failed: AtomicBool,
    orders_left: AtomicBool,
}

/// How long whoever looks waits for the disk.
const DISK_WAIT: Duration = Duration::from_secs(5);
/// Between two attempts to put something into a full lane.
pub(crate) const LANE_PAUSE: Duration = Duration::from_millis(1);

impl House {
    pub(crate) fn new(
        home: Home,
        lanes: Lanes,
        (mark, epoch_key): (DurableMark, EpochKey),
        core: &Core,
    ) -> Self {
        let authority = Authority::new();
        // Not a new kill: the latch stays where journal and start left it.
        let killed_before = core.is_killed().then(|| authority.close_gate());
        let venue = VenueLink::new(core);
        Self {
            home,
            lanes,
            mark,
            authority,
            requests: Requests::default(),
            board: Board::default(),
            made: Made::default(),
            epoch_key,
            venue,
            workers: Mutex::new(Pool::default()),
            opening: Mutex::new(()),
            leaving: Mutex::default(),
            killed_before,
            stopping: AtomicBool::new(false),
            journal_failed: AtomicBool::new(false),
            orders_left: AtomicBool::new(false),
        }
    }

    /// The first words to a core that has started.
    pub(crate) fn begin(&self) {
        if let Some(epoch) = self.killed_before {
            // The latch that the start found raised the number: the core has to hear of it, or
            // nothing that it approves after the kill is lifted would ever be admitted.
            self.insist(Input::EpochRaised { epoch, cause: EpochCause::SessionEnd });
        }
    }

    /// Puts an input on the control lane. A full lane drops nothing that a person cannot repeat.
    pub(crate) fn tell(&self, input: Input) -> bool {
        self.lanes.control(input).is_ok()
    }

    /// Puts in what must not be lost, and does not wait for it: before a full lane a thread of its
    /// own keeps trying. The order of such inputs does not matter.
    fn insist(&self, input: Input) {
        if self.lanes.control(input.clone()) != Err(NotTaken::Full) {
            return;
        }
        let lanes = self.lanes.clone();
        let keep_trying = move || {
            while lanes.control(input.clone()) == Err(NotTaken::Full) {
                sleep(LANE_PAUSE);
            }
        };
        // Without a thread there is nothing left to try with; the gate is shut before all this.
        drop(threads::start("insist", keep_trying));
    }

    /// Makes the next epoch's key and lets the core end the present one. What cannot be made now is
    /// asked for again.
    pub(crate) fn end_epoch(&self, number: u64) {
        let next = number.checked_add(1).and_then(|next| u32::try_from(next).ok());
        if let Some(Ok(name)) = next.map(|next| self.home.name_epoch(next)) {
            self.insist(Input::EpochEnds(name));
        }
    }

    /// Ends the daemon. A session that is open then makes the next start a killed one.
    pub(crate) fn stop(&self, who: &str) {
        self.stopping.store(true, Ordering::Release);
        if let Some(who) = Name::new(who) {
            self.insist(Input::Stop { who });
        }
    }

    /// Puts an input on the report lane. A report must not be lost: without room for it the house
    /// does not know what is real any more, and stops.
    pub(crate) fn report(&self, input: Input) {
        if self.lanes.report(input) == Err(NotTaken::Full) {
            let (who, reason) = ("kernel".to_owned(), "REPORT_LANE_FULL".to_owned());
            self.raise(EpochCause::Kill { who, reason, request: None });
        }
    }

    /// The present view, once the disk holds everything that it shows. A disk that does not keep
    /// up is the first thing it says.
    pub(crate) fn look(&self) -> Option<Shown> {
        let mut shown = self.board.look()?;
        let Some(last) = shown.end.0.checked_sub(1) else { return Some(shown) };
        if self.mark.wait(Seq(last), DISK_WAIT) != Waited::Durable {
            let reason = "EVIDENCE_UNWRITABLE: the disk does not hold yet what is shown here";
            shown.view.blocked.insert(0, reason.to_owned());
        }
        Some(shown)
    }

    /// Withdraws authority at once and tells the core why.
    pub(crate) fn raise(&self, cause: EpochCause) -> u64 {
        let epoch = match cause {
            EpochCause::Kill { .. } => self.authority.close_gate(),
            EpochCause::Stop { .. } => self.authority.withdraw(),
            EpochCause::PluginStopped | EpochCause::SessionEnd | EpochCause::Tightened => {
                self.authority.raise()
            }
        };
        self.insist(Input::EpochRaised { epoch, cause });
        epoch
    }

    /// Shuts the writer's latch for a kill that the core holds already.
    pub(crate) fn latch_again(&self) {
        let epoch = self.authority.close_gate();
        // The core learns the new number; this cause asks nothing else of it.
        self.insist(Input::EpochRaised { epoch, cause: EpochCause::SessionEnd });
    }

    /// The disk failed. Nothing is tried again: the gate shuts, orders are taken back through the
    /// lifeline until the venue says twice that none is left or a minute is over, and the process
    /// ends so that its supervisor sees it. Waits for the venue: not for the core loop to call.
    pub(crate) fn journal_failed(&self, code: &str) {
        if self.journal_failed.swap(true, Ordering::AcqRel) {
            return;
        }
        let (who, reason) = ("kernel".to_owned(), code.to_owned());
        self.raise(EpochCause::Kill { who, reason, request: None });
        self.orders_left.store(!self.venue.clear_all(), Ordering::Release);
        self.stop("kernel");
    }

    /// The journal was ended by something else than its disk, an entry too long for it perhaps.
    /// Called by the core loop at every turn: waits for nothing.
    pub(crate) fn journal_ended(self: &Arc<Self>) {
        if self.journal_failed.load(Ordering::Acquire) {
            return;
        }
        // The core is not told: the gap that stays behind this number shuts the writer for good.
        self.authority.close_gate();
        let house = Arc::clone(self);
        // A thread that cannot be started now is tried again at the next turn.
        drop(threads::start("journal-ended", move || house.journal_failed("JOURNAL_ENDED")));
    }

    /// Whether the gate is shut for a reason that the core may not have heard of yet.
    pub(crate) fn shut_because(&self) -> Option<&'static str> {
        if self.mark.is_poisoned() {
            return Some("EVIDENCE_UNWRITABLE: the journal has ended, and so will this daemon");
        }
        let killed = self.authority.is_killed();
        killed.then_some("KILL_ACTIVE: the gate is shut, the kill is being recorded")
    }

    /// How the process ends.
    pub(crate) fn ended(&self) -> Result<(), DaemonFault> {
        for socket in self.sockets() {
            // A socket that is gone already is as good as removed.
            drop(fs::remove_file(socket));
        }
        let outcome = self.outcome();
        let answer = match &outcome {
            Ok(()) => Answer::last(Reply::Done { text: "the daemon has ended".to_owned() }),
            Err(fault) => refused(&fault.code, &fault.cause),
        };
        for mut stream in self.leaving.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            say(&mut stream, &answer);
        }
        outcome
    }

    fn outcome(&self) -> Result<(), DaemonFault> {
        let subject = self.home.epochs_path().display().to_string();
        let fault =
            |code, cause, next| Err(DaemonFault::new(TEMPORARY, code, &subject, cause, next));
        if self.journal_failed.load(Ordering::Acquire) {
            let cause = if self.orders_left.load(Ordering::Acquire) {
                "the journal could not be written; the gate was shut, and the venue did not \
                 confirm that all orders are gone: look there"
            } else {
                "the journal could not be written; the gate was shut and orders canceled"
            };
            let next = "free or replace the disk, then start again: the start will be killed";
            return fault("EVIDENCE_UNWRITABLE", cause, next);
        }
        if !self.stopping.load(Ordering::Acquire) {
            let next = "read the last entry of the journal; correct that and start again";
            return fault("START_REFUSED", "the core refused to start", next);
        }
        Ok(())
    }

    fn sockets(&self) -> [PathBuf; 2] {
        [CONTROL, KILL].map(|name| self.home.path(name))
    }
}

fn no_signals(error: &std::io::Error) -> DaemonFault {
    let next = "start the daemon again";
    DaemonFault::new(TEMPORARY, "SIGNALS", "signal handlers", &error.to_string(), next)
}

/// From here on the signals of [`watch_signals`] wait and do not end the process.
pub(crate) fn take_signals() -> Result<Signals, DaemonFault> {
    Signals::new([SIGTERM, SIGINT, SIGUSR1]).map_err(|error| no_signals(&error))
}

/// `TERM` and `INT` end in order; `USR1` kills.
pub(crate) fn watch_signals(house: &Arc<House>, mut signals: Signals) -> Result<(), DaemonFault> {
    let watched = Arc::clone(house);
    let started = threads::start("signals", move || {
        let mut ending = false;
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                let (who, reason) = ("signal".to_owned(), "SIGUSR1".to_owned());
                watched.raise(EpochCause::Kill { who, reason, request: None });
            } else if !ending {
                // An end in order waits for the venue; the kill must not wait behind it.
                let house = Arc::clone(&watched);
                let end = move || crate::open::end_in_order(&house);
                ending = threads::start("end-in-order", end).is_ok();
            }
        }
    });
    started.map(drop).map_err(|error| no_signals(&error))
}
