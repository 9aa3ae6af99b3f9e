//! What the threads share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use portcullis_core::{Core, EpochCause, Input};
use portcullis_domain::Name;
use portcullis_evidence::{DurableMark, JournalFault};
use portcullis_path::inbox::NotTaken;
use portcullis_path::{Authority, Lanes};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::board::{Board, Shown};
use crate::fault::{DaemonFault, TEMPORARY};
use crate::home::Home;
use crate::requests::Requests;
use crate::venue::VenueLink;
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
    pub(crate) venue: VenueLink,
    pub(crate) workers: Mutex<Pool>,
    /// Held while a session is being opened.
    pub(crate) opening: Mutex<()>,
    journal_failed: AtomicBool,
}

impl House {
    pub(crate) fn new(home: Home, lanes: Lanes, mark: DurableMark, core: &Core) -> Self {
        let authority = Authority::new();
        if core.is_killed() {
            // Not a new kill: the latch stays where the journal left it.
            authority.close_gate();
        }
        let venue = VenueLink::new();
        Self {
            home,
            lanes,
            mark,
            authority,
            requests: Requests::default(),
            board: Board::default(),
            venue,
            workers: Mutex::new(Pool::default()),
            opening: Mutex::new(()),
            journal_failed: AtomicBool::new(false),
        }
    }

    /// Puts an input on the control lane. A full lane drops nothing that a person cannot repeat.
    pub(crate) fn tell(&self, input: Input) -> bool {
        self.lanes.control(input).is_ok()
    }

    /// Puts an input on the report lane. A report must not be lost: without room for it the house
    /// does not know what is real any more, and stops.
    pub(crate) fn report(&self, input: Input) {
        if self.lanes.report(input) == Err(NotTaken::Full) {
            let (who, reason) = ("kernel".to_owned(), "REPORT_LANE_FULL".to_owned());
            self.raise(EpochCause::Kill { who, reason, request: None });
        }
    }

    /// The present view.
    pub(crate) fn look(&self) -> Option<Shown> {
        self.board.look()
    }

    /// Withdraws authority at once and tells the core why.
    pub(crate) fn raise(&self, cause: EpochCause) -> u64 {
        let epoch = match cause {
            EpochCause::Kill { .. } => self.authority.close_gate(),
            EpochCause::PluginStopped | EpochCause::SessionEnd => self.authority.raise(),
        };
        self.tell(Input::EpochRaised { epoch, cause });
        epoch
    }

    /// The disk failed. Nothing is tried again: the gate shuts, orders are taken back through the
    /// lifeline, and the process ends so that its supervisor sees it.
    pub(crate) fn journal_failed(&self, fault: &JournalFault) {
        self.journal_failed.store(true, Ordering::Release);
        self.authority.close_gate();
        self.venue.cancel_all_now();
        let (who, reason) = ("kernel".to_owned(), fault.code().to_owned());
        self.raise(EpochCause::Kill { who, reason, request: None });
        if let Some(who) = Name::new("kernel") {
            self.tell(Input::Stop { who });
        }
    }

    /// How the process ends.
    pub(crate) fn ended(&self) -> Result<(), DaemonFault> {
        for socket in self.sockets() {
            // A socket that is gone already is as good as removed.
            drop(fs::remove_file(socket));
        }
        if self.journal_failed.load(Ordering::Acquire) {
            let subject = self.home.journal_path().display().to_string();
            let cause = "the journal could not be written; the gate was shut and orders canceled";
            let next = "free or replace the disk, then start again: the start will be killed";
            return Err(DaemonFault::new(TEMPORARY, "EVIDENCE_UNWRITABLE", &subject, cause, next));
        }
        Ok(())
    }

    fn sockets(&self) -> [PathBuf; 2] {
        [self.home.path("control.sock"), self.home.path("kill.sock")]
    }
}

/// `TERM` and `INT` end in order; `USR1` kills.
pub(crate) fn watch_signals(house: &Arc<House>) -> Result<(), DaemonFault> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR1]).map_err(|error| {
        let next = "start the daemon again";
        DaemonFault::new(TEMPORARY, "SIGNALS", "signal handlers", &error.to_string(), next)
    })?;
    let house = Arc::clone(house);
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                let (who, reason) = ("signal".to_owned(), "SIGUSR1".to_owned());
                house.raise(EpochCause::Kill { who, reason, request: None });
            } else {
                crate::open::end_in_order(&house);
            }
        }
    });
    Ok(())
}
