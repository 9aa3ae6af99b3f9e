//! Behind a damaged journal, or one whose key is lost: a new epoch that says so and stands killed.
//!
//! What folds up to the damage is its snapshot, so that orders, used signatures and kills of before
//! are not forgotten. The damaged files stay where they are, as they are; only the key that signed
//! them goes. Nothing is opened here and nobody is talked to: the next ordinary start finds a killed
//! house, which reads, reconciles and takes back, and opens no session before the kill is lifted by
//! signatures.

use std::io::Write as _;

use portcullis_core::{Event, Input};
use portcullis_evidence::{FileDisk, Journal, JournalFault, epoch_folder};
use portcullis_path::order_path::first_turn;

use crate::clock;
use crate::fault::{CHECK_FAILED, DaemonFault, NOT_FOUND, REFUSED};
use crate::home::{Home, disk_fault};
use crate::notary::keys;
use crate::recover::Sound;

/// Begins the epoch after the damaged one.
pub(crate) fn rescue(home: &Home) -> Result<(), DaemonFault> {
    let epochs = home.epochs_path();
    let subject = epochs.display().to_string();
    let fault = |fault| disk_fault(&epochs, &fault);
    let disk = FileDisk::open(&epochs).map_err(fault)?;
    let Some(damaged) = disk.last_epoch().map_err(fault)? else {
        let (cause, next) = ("there is no journal", "restore a whole copy of the journal");
        return Err(DaemonFault::new(NOT_FOUND, "JOURNAL_MISSING", &subject, cause, next));
    };
    let origin = home.origin(damaged);
    let Sound { mut core, head, end, .. } = Sound::read(disk.journal(damaged), &origin);
    let folder = epoch_folder(&epochs, damaged);
    let announced = core.epoch().map_or_else(String::new, |(_, name)| name.key.clone());
    let damage = match end {
        Err(unsound) => Some(unsound.to_string()),
        // A whole journal that nobody can sign is as little evidence as half of one.
        Ok(_) => keys::loss(&folder, &origin, &announced).map(str::to_owned),
    };
    let Some(damage) = damage else {
        let (cause, next) = ("nothing is damaged", "start portcullisd without --rescue");
        return Err(DaemonFault::new(REFUSED, "JOURNAL_SOUND", &subject, cause, next));
    };
    let beyond = |cause: &str| {
        let next = "restore a whole copy of the journal";
        DaemonFault::new(CHECK_FAILED, "JOURNAL_BEYOND_RESCUE", &subject, cause, next)
    };
    if core.is_restoring() {
        // Half of a snapshot is not half of a house: kills and used signatures may be missing.
        return Err(beyond("the damage is in the beginning of the epoch"));
    }
    let epoch = damaged.saturating_add(1);
    let rolled = core.roll(&home.name_epoch(epoch)?);
    let (_the_damaged_epoch_has_no_end, roll) = rolled.map_err(|refusal| {
        beyond(&format!("what can be read is no house to go on from: {refusal:?}"))
    })?;
    // Nobody is to sign anything else about what is left behind. Before the beginning, so that a
    // crash between the two leaves a damaged epoch, which is rescued again, and no secret.
    keys::forget(&folder)?;
    disk.settle(damaged).map_err(fault)?;
    let unwritten = |fault: JournalFault| home.journal_fault(&fault);
    let mut journal = Journal::begin(disk, epoch, &home.origin(epoch)).map_err(unwritten)?;
    for entry in roll.begun((head.size, head.root)) {
        journal.append(&entry.bytes);
    }
    let mut start = home.start((false, false), 0)?;
    start.damage = Some(damage.clone());
    let started = Event { now: clock::now(), input: Input::Started(Box::new(start)) };
    // One group with the beginning: what is cut off here has not begun, and is tried again.
    let (mut appender, mut committer) = journal.split();
    let mut core = roll.core;
    first_turn(&mut core, (&mut appender, &mut committer), started).map_err(unwritten)?;
    let text = format!(
        "epoch {damaged} stays as it is: {damage}\n\
         epoch {epoch} begins killed, with what could be read\nnext: start portcullisd again\n"
    );
    // With stdout gone the exit code still speaks.
    drop(std::io::stdout().write_all(text.as_bytes()));
    Ok(())
}
