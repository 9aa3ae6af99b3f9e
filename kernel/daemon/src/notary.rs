//! The notary: reads what is durable, makes the epoch's log of it, and signs checkpoints.
//!
//! It follows the journal by its files and stands beside the way of an order, never on it. What it
//! writes can be made again from the journal; what it cannot write, or what contradicts the
//! journal, kills: evidence that nobody outside can check any more is not evidence.

pub(crate) mod keys;

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use portcullis_core::{EpochCause, entry};
use portcullis_domain::BootNs;
use portcullis_domain::time::NS_PER_S;
use portcullis_evidence::epoch_folder;
use portcullis_evidence::log::{FollowFault, Follower, LOG_FOLDER, LogFiles};
use portcullis_evidence::note::NoteSigner;
use portcullis_evidence::{JournalFolder, Seq, Watermark};

use crate::clock;
use crate::fault::DaemonFault;
use crate::house::House;

/// News are signed at the latest so much after the signature before.
const SIGN_NS: i64 = NS_PER_S;
/// How long it sleeps while nothing becomes durable.
const LOOK: Duration = Duration::from_millis(200);
/// Between two looks while entries come in.
const PAUSE: Duration = Duration::from_millis(20);

/// Signs the epochs of one run, one after the other.
pub(crate) struct Notary {
    epochs: PathBuf,
    epoch: u32,
    key: EpochKey,
}

/// The key of the epoch that is signed now; whoever else needs it borrows it here.
pub(crate) type EpochKey = Arc<Mutex<NoteSigner>>;

impl Notary {
    /// The notary of the present epoch, whose key lies in its folder.
    pub(crate) fn new(epochs: PathBuf, epoch: u32, key: NoteSigner) -> Self {
        Self { epochs, epoch, key: Arc::new(Mutex::new(key)) }
    }

    /// The key, which changes with the epoch.
    pub(crate) fn key(&self) -> EpochKey {
        Arc::clone(&self.key)
    }

    fn borrow(&self) -> MutexGuard<'_, NoteSigner> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until the writer of the journal `has_ended` and all that it left is signed.
    pub(crate) fn run(mut self, house: &House, has_ended: &AtomicBool) {
        loop {
            match self.one_epoch(house, has_ended) {
                Ok(Turned::Over) => {}
                Ok(Turned::Ended) => return,
                Err(code) => {
                    let (who, reason) = ("kernel".to_owned(), code);
                    house.raise(EpochCause::Kill { who, reason, request: None });
                    return;
                }
            }
        }
    }

    fn follower(&self) -> Result<Follower<JournalFolder>, FollowFault> {
        let files = LogFiles::new(epoch_folder(&self.epochs, self.epoch).join(LOG_FOLDER));
        let journal = JournalFolder::of_epoch(&self.epochs, self.epoch);
        Follower::open(journal, files, self.borrow().verifier())
    }

    /// Follows the epoch to its end, or to that of the run.
    fn one_epoch(&mut self, house: &House, has_ended: &AtomicBool) -> Result<Turned, String> {
        let code = |fault: FollowFault| fault.code().to_owned();
        let mut follower = self.follower().map_err(code)?;
        let mut signed_at = BootNs(0);
        loop {
            // Looked at first: what becomes durable after the last look is none of this run.
            let last_look = has_ended.load(Ordering::Acquire);
            let durable = house.mark.durable_epoch();
            let is_over = durable.epoch != self.epoch;
            // What lies behind a later epoch is durable as a whole.
            let below = (!is_over).then_some(Watermark(durable.size));
            self.follow_all(&mut follower, below, house).map_err(code)?;
            let now = clock::now().boot;
            let is_due = last_look || now.since_ns(signed_at) >= SIGN_NS;
            // The last one of an epoch is signed durably, also if it was signed before.
            if is_over || follower.has_news() && is_due {
                Self::tell(&follower, house).map_err(code)?;
                follower.sign(&self.borrow(), is_over).map_err(code)?;
                signed_at = now;
            }
            if is_over {
                self.turn_over(durable.epoch).map_err(|fault| fault.code)?;
                return Ok(Turned::Over);
            }
            if last_look {
                return Ok(Turned::Ended);
            }
            if follower.has_news() {
                sleep(PAUSE);
            } else {
                // Whether it woke up for an entry or for the time is seen in the next round.
                let _woken = house.mark.wait(Seq(house.mark.watermark().0), LOOK);
            }
        }
    }

    /// Takes over what is durable. Behind each group with a milestone in it the tree is signed at
    /// once, and that checkpoint is kept.
    fn follow_all(
        &self,
        follower: &mut Follower<JournalFolder>,
        below: Option<Watermark>,
        house: &House,
    ) -> Result<(), FollowFault> {
        let mut is_milestone = false;
        while follower.follow(below, |entry| is_milestone |= entry::is_milestone(entry))? {
            if is_milestone && !follower.is_behind() {
                Self::tell(follower, house)?;
                follower.keep(&self.borrow())?;
            }
            is_milestone = false;
        }
        Ok(())
    }

    /// Known before it can be seen: what comes back from a witness is never news.
    fn tell(follower: &Follower<JournalFolder>, house: &House) -> Result<(), FollowFault> {
        house.made.add(follower.checkpoint()?, clock::now().wall);
        Ok(())
    }

    /// Nothing is ever written to the journal of an epoch that is over.
    fn close_files(&self) -> Result<(), (PathBuf, io::Error)> {
        let folder = JournalFolder::of_epoch(&self.epochs, self.epoch).path().to_owned();
        let close = || {
            for item in fs::read_dir(&folder)? {
                fs::set_permissions(item?.path(), Permissions::from_mode(ENDED_MODE))?;
            }
            Ok(())
        };
        close().map_err(|error| (folder.clone(), error))
    }

    /// The last checkpoint lies there for good: nobody is to sign another one. The next epoch's
    /// key is the one that the entry before its first announced. An epoch that a rescue left
    /// behind has no key and gets no other checkpoint.
    fn turn_over(&mut self, durable: u32) -> Result<(), DaemonFault> {
        let next = keys::first_there(&self.epochs, self.epoch.saturating_add(1)..=durable);
        let folder = epoch_folder(&self.epochs, next);
        let origin = JournalFolder::of_epoch(&self.epochs, next);
        let origin = portcullis_evidence::Reader::open(origin)
            .map(|reader| reader.origin().to_owned())
            .map_err(|fault| keys::unusable(&folder, fault.code(), &fault.to_string()))?;
        let key = keys::load_announced(&self.epochs, next, &origin)?;
        // The key goes last: while it is there, the next start does all of this again.
        self.close_files().map_err(|(path, error)| {
            keys::unusable(&path, "EPOCH_NOT_CLOSED", &error.to_string())
        })?;
        keys::forget(&epoch_folder(&self.epochs, self.epoch))?;
        // The old secret is wiped from memory where it is dropped, here.
        *self.borrow() = key;
        self.epoch = next;
        Ok(())
    }
}

/// Read by its owner and the group, written by nobody.
const ENDED_MODE: u32 = 0o440;

/// How the work on an epoch ended.
enum Turned {
    /// The epoch is over, its last checkpoint signed.
    Over,
    /// The run is.
    Ended,
}
