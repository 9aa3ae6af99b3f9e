//! Cosigned checkpoints and burns, held against the journal on this disk before the core judges
//! their signatures.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use portcullis_control::{Answer, Reply};
use portcullis_core::{Input, Standing, epoch_in};
use portcullis_domain::WallNs;
use portcullis_evidence::epoch_folder;
use portcullis_evidence::log::{
    CHECKPOINT, LOG_FOLDER, LogFiles, TileReader, check_consistency, prove_consistency,
};
use portcullis_statement::note::{Burn, Checkpoint, NOTE_BYTES_MAX, Note};

use crate::control::{ask, refused};
use crate::house::House;
use crate::notary::keys;

/// Most checkpoints of this run that are remembered: an hour of one a second.
const MADE_MAX: usize = 3_600;

/// The checkpoints that this run made, oldest first, each with its moment.
#[derive(Debug, Default)]
pub(crate) struct Made(Mutex<VecDeque<(Checkpoint, WallNs)>>);

impl Made {
    /// Remembers one. Told before the file is written, so that nobody brings back what is not here.
    pub(crate) fn add(&self, checkpoint: Checkpoint, at: WallNs) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MADE_MAX {
            made.pop_front();
        }
        made.push_back((checkpoint, at));
    }

    /// Whether exactly this one was made in this run.
    fn holds(&self, checkpoint: &Checkpoint) -> bool {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().any(|(one, _)| one == checkpoint)
    }

    /// The newest of that origin, and since when all up to `size` entries had been made.
    fn newest(&self, origin: &str, size: u64) -> Option<(Checkpoint, WallNs)> {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of = made.iter().filter(|(one, _)| one.origin == origin);
        let covered = of.clone().rfind(|(one, _)| one.size <= size);
        let at = covered.map_or(WallNs(0), |(_, at)| *at);
        of.next_back().map(|(newest, _)| (newest.clone(), at))
    }
}

/// Takes what a carrier brings from the witnesses.
pub(crate) fn cosigned(house: &House, note: String) -> Answer {
    let checkpoint = Note::parse(note.as_bytes()).and_then(|note| Checkpoint::parse(note.text()));
    let checkpoint = match checkpoint {
        Ok(checkpoint) => checkpoint,
        Err(fault) => return refused(fault.code(), fault.cause()),
    };
    let epoch = house.mark.durable_epoch().epoch;
    let present = house.home.origin(epoch);
    let number = epoch_in(&checkpoint.origin, &present);
    let number = number.and_then(|number| u32::try_from(number).ok());
    let folder = |epoch| epoch_folder(&house.home.epochs_path(), epoch);
    let log = |epoch| LogFiles::new(folder(epoch).join(LOG_FOLDER));
    let look = || match number {
        Some(number) if number > epoch => Ok(Standing::Ahead),
        // Until its last checkpoint is signed, less may lie there than was signed before a crash.
        Some(number) if number < epoch && keys::is_there(&folder(number)) => Err(FOREIGN),
        Some(number) if number < epoch => over(&log(number), &checkpoint),
        Some(number) => standing(&house.made, &log(number), &checkpoint),
        None => Err(FOREIGN),
    };
    match patiently(look) {
        Ok(standing) => ask(house, |request| Input::Cosigned { request, note, standing }),
        Err((code, cause)) => refused(code, cause),
    }
}

/// A checkpoint is known here before its tiles are written, so that they may be missing for as long
/// as the disk takes.
fn patiently(look: impl Fn() -> Result<Standing, No>) -> Result<Standing, No> {
    for _ in 0..LOOKS {
        match look() {
            Err(UNREADABLE) => sleep(LOOK_PAUSE),
            found => return found,
        }
    }
    look()
}

/// How often tiles that are not there are looked for, and how long between.
const LOOKS: u32 = 40;
const LOOK_PAUSE: Duration = Duration::from_millis(50);

type No = (&'static str, &'static str);

const FOREIGN: No = ("CHECKPOINT_FOREIGN", "the checkpoint is not of the present epoch");

/// How a checkpoint stands to the journal of this disk, in whose tiles the older trees are.
fn standing(made: &Made, log: &LogFiles, checkpoint: &Checkpoint) -> Result<Standing, No> {
    let unknown = ("CHECKPOINT_FOREIGN", "this run has made no checkpoint of that origin yet");
    let (newest, at) = made.newest(&checkpoint.origin, checkpoint.size).ok_or(unknown)?;
    held_against(log, &newest, checkpoint)
        .map(|contradicts| contradicts.unwrap_or(Standing::Ours(at)))
}

/// How one stands to an epoch that is over: nothing new, unless that epoch was another one then.
/// What is not here any more cannot be compared.
fn over(log: &LogFiles, checkpoint: &Checkpoint) -> Result<Standing, No> {
    let last = log.read(CHECKPOINT, NOTE_BYTES_MAX).ok().flatten().ok_or(FOREIGN)?;
    let last = Note::parse(&last).and_then(|note| Checkpoint::parse(note.text()));
    let last = last.map_err(|_fault| UNREADABLE)?;
    held_against(log, &last, checkpoint)?.ok_or(FOREIGN)
}

const UNREADABLE: No = ("LOG_UNREADABLE", "the log's tiles cannot be read; try again");

/// How a checkpoint contradicts the last one of a log, if it does.
fn held_against(
    log: &LogFiles,
    last: &Checkpoint,
    checkpoint: &Checkpoint,
) -> Result<Option<Standing>, No> {
    if checkpoint.size > last.size {
        return Ok(Some(Standing::Ahead));
    }
    let mut tiles = TileReader::new(log.clone(), last.size);
    let path = prove_consistency(&mut tiles, checkpoint.size, last.size);
    let path = path.map_err(|_fault| UNREADABLE)?;
    let (old, new) = ((checkpoint.size, checkpoint.root), (last.size, last.root));
    Ok(check_consistency(&path, old, new).is_err().then_some(Standing::Forked))
}

/// Why burns are refused: they are at a journal that is not this one. The core compares everything
/// else.
pub(crate) fn foreign_burn(house: &House, burns: &[String]) -> Option<Answer> {
    for text in burns {
        let note = Note::parse(text.as_bytes());
        let Some(burn) = note.ok().and_then(|note| Burn::parse(note.text())) else {
            return Some(refused("BURN_MALFORMED", "this is no burn"));
        };
        if !house.made.holds(&burn.journal) {
            return Some(not_made());
        }
    }
    None
}

fn not_made() -> Answer {
    let cause = "the burn is at a journal that this run of the kernel has not made";
    refused("BURN_FOREIGN", cause)
}

/// Asks in the name of the house that an approval is burned: a witness burns for nobody else. It
/// is for who may ask this socket, as opening itself is, and only at a tree of this run.
pub(crate) fn ask_burn(house: &House, text: &str) -> Answer {
    let Some(burn) = Burn::parse(text) else {
        return refused("BURN_MALFORMED", "this is no burn");
    };
    let key = house.epoch_key.lock().unwrap_or_else(PoisonError::into_inner);
    if !house.made.holds(&burn.journal) || burn.journal.origin != key.verifier().name() {
        return not_made();
    }
    match Note::sign(text, &key) {
        Ok(note) => Answer::last(Reply::Signed { note: note.to_string() }),
        Err(fault) => refused(fault.code(), fault.cause()),
    }
}

#[cfg(test)]
mod tests;
