//! Behind a damaged journal: a new epoch that says so and stands killed.
//!
//! What folds up to the damage is copied, so that orders, used signatures and kills of before are
//! not forgotten. The damaged files stay where they are, as they are. Nothing is opened here and
//! nobody is talked to: the next ordinary start finds a killed house, which reads, reconciles and
//! takes back, and opens no session before the kill is lifted by signatures.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use portcullis_core::{Core, Event, Input};
use portcullis_evidence::{FileDisk, Journal, JournalFault, Reader};
use portcullis_path::order_path::first_turn;

use crate::clock;
use crate::fault::{DaemonFault, NOT_FOUND, REFUSED};
use crate::home::{Home, disk_fault, unreadable};

/// Where the new epoch grows until it is whole.
const PARTIAL: &str = "rescue.partial";

/// Begins the epoch after the damaged one.
pub(crate) fn rescue(home: &Home) -> Result<(), DaemonFault> {
    let epochs = home.epochs_path();
    let fault = |fault| disk_fault(&epochs, &fault);
    let disk = FileDisk::open(&epochs).map_err(fault)?;
    let Some(damaged) = disk.last_epoch().map_err(fault)? else {
        let (cause, next) = ("there is no journal", "restore a whole copy of the journal");
        let subject = epochs.display().to_string();
        return Err(DaemonFault::new(NOT_FOUND, "JOURNAL_MISSING", &subject, cause, next));
    };
    let epoch = damaged.saturating_add(1);
    let partial = epochs.join(PARTIAL);
    let renew = || {
        if partial.exists() {
            // An earlier rescue that did not come to its end.
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir(&partial)
    };
    renew().map_err(|error| unreadable(&partial, &error))?;
    let begun = begin(home, (&disk, damaged), (&partial, epoch)).and_then(|damage| {
        let name = format!("{epoch:06}");
        let named = fs::rename(partial.join(&name), epochs.join(&name))
            .and_then(|()| File::open(&epochs)?.sync_all());
        named.map_err(|error| unreadable(&partial, &error)).map(|()| damage)
    });
    // A leftover is removed by the next attempt.
    drop(fs::remove_dir_all(&partial));
    let text = format!(
        "epoch {damaged} stays as it is: {}\n\
         epoch {epoch} begins killed, with what could be read\nnext: start portcullisd again\n",
        begun?
    );
    // With stdout gone the exit code still speaks.
    drop(std::io::stdout().write_all(text.as_bytes()));
    Ok(())
}

/// Writes the new epoch below `partial` and says what is wrong with the old one.
fn begin(
    home: &Home,
    (disk, damaged): (&FileDisk, u32),
    (partial, epoch): (&Path, u32),
) -> Result<String, DaemonFault> {
    let copy = FileDisk::open(partial).map_err(|fault| disk_fault(partial, &fault))?;
    let unwritten = |fault: JournalFault| home.journal_fault(&fault);
    let mut journal = Journal::begin(copy, epoch, &home.origin(epoch)).map_err(unwritten)?;
    let mut core = Core::new();
    let damage = copy_sound(home, (disk, damaged), (&mut core, &mut journal)).map_err(unwritten)?;
    let Some(damage) = damage else {
        let (cause, next) = ("nothing is damaged", "start portcullisd without --rescue");
        let subject = home.epochs_path().display().to_string();
        return Err(DaemonFault::new(REFUSED, "JOURNAL_SOUND", &subject, cause, next));
    };
    let mut start = home.start(epoch, (false, false))?;
    start.damage = Some(damage.clone());
    let started = Event { now: clock::now(), input: Input::Started(Box::new(start)) };
    let (mut appender, mut committer) = journal.split();
    first_turn(&mut core, (&mut appender, &mut committer), started).map_err(unwritten)?;
    Ok(damage)
}

/// Folds and copies every entry up to the damage, and says what that is; `None` if there is none.
fn copy_sound(
    home: &Home,
    (disk, damaged): (&FileDisk, u32),
    (core, journal): (&mut Core, &mut Journal<FileDisk>),
) -> Result<Option<String>, JournalFault> {
    let mut reader = match Reader::open(disk.journal(damaged)) {
        Ok(reader) if reader.origin() == home.origin(damaged) => reader,
        Ok(other) => return Ok(Some(format!("the journal of {}", other.origin()))),
        Err(fault) => return Ok(Some(fault.to_string())),
    };
    loop {
        let group = match reader.next() {
            Ok(Some(group)) => group,
            Ok(None) => return Ok(None),
            Err(fault) => return Ok(Some(fault.to_string())),
        };
        for (number, entry) in (group.first_seq..).zip(group.entries()) {
            if let Err(error) = core.fold(entry) {
                journal.commit()?;
                return Ok(Some(format!("entry {number} does not fold: {error:?}")));
            }
            journal.append(entry);
        }
        journal.commit()?;
    }
}
