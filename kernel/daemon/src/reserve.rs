//! Room on the disk for the last words.
//!
//! A segment of the journal is made whole ahead of its use, so that a full disk is noticed while
//! half of the present one is still free: the house is killed then, and the kill and all that
//! follows from it is recorded there. The reserve is a file of zeros that is given up at that
//! moment, so that the next start can record too. A house without a reserve stands killed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use portcullis_core::EpochCause;
use portcullis_evidence::{Committer, Disk};

use crate::fault::{DaemonFault, TEMPORARY};
use crate::house::House;
use crate::threads;

/// Bytes of the reserve.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;
const NAME: &str = "reserve";
/// What is written at once.
const ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// Makes the reserve if it is not there, beside everything else that begins.
pub(crate) fn keep(house: &Arc<House>) -> Result<(), DaemonFault> {
    let kept = Arc::clone(house);
    let started = threads::start("reserve", move || {
        if make(&kept.home.path(NAME), &kept.home.path("reserve.partial")).is_err() {
            no_room(&kept);
        }
    });
    started.map(drop).map_err(|error| {
        let next = "start the daemon again";
        DaemonFault::new(TEMPORARY, "THREADS", "the reserve", &error.to_string(), next)
    })
}

/// Nothing is synced: what a power cut takes of the reserve is made again by the next start.
fn make(path: &Path, partial: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| found.len() >= RESERVE_BYTES) {
        return Ok(());
    }
    let mut file = File::create(partial)?;
    let pieces = RESERVE_BYTES.div_ceil(u64::try_from(ZEROS.len()).unwrap_or(u64::MAX));
    let written = (0..pieces).try_for_each(|_| file.write_all(&ZEROS));
    if let Err(error) = written.and_then(|()| fs::rename(partial, path)) {
        // Half a reserve only takes the room that is missing.
        drop(fs::remove_file(partial));
        return Err(error);
    }
    Ok(())
}

fn no_room(house: &House) {
    let (who, reason) = ("kernel".to_owned(), "EVIDENCE_FULL".to_owned());
    house.raise(EpochCause::Kill { who, reason, request: None });
}

/// Looks after each commit whether the disk is full.
pub(crate) struct Full<'a> {
    house: &'a House,
    told: bool,
}

impl<'a> Full<'a> {
    pub(crate) const fn new(house: &'a House) -> Self {
        Self { house, told: false }
    }

    /// The first time that no next segment could be made: kills, and gives the reserve up.
    pub(crate) fn look<D: Disk>(&mut self, committer: &mut Committer<D>) {
        if self.told || committer.has_room() {
            return;
        }
        self.told = true;
        no_room(self.house);
        // A reserve that is gone already, or cannot be removed, changes nothing that can be done.
        drop(fs::remove_file(self.house.home.path(NAME)));
    }
}
