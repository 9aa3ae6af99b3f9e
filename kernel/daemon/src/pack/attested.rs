//! What of the house's logs goes into a pack: the checkpoint over the session, what witnesses had
//! cosigned, and the way back to the epoch in which the approval was drafted.

use std::thread::sleep;

use portcullis_domain::Name;
use portcullis_evidence::epoch_folder;
use portcullis_evidence::log::{
    CHECKPOINT, LOG_FOLDER, LogFault, LogFiles, LogProof, TileReader, Witnessed, key_of,
};
use portcullis_evidence::pack::{Attested, Lineage, Previous};
use portcullis_statement::note::{Checkpoint, NOTE_BYTES_MAX, Note, SignedCheckpoint};
use portcullis_statement::{
    Envelope, Genesis, JournalBinding, Refusal, SignedStatement, Statement,
};

use super::{LAST_CHUNK_NS_MAX, No, PAUSE, no};
use crate::clock;
use crate::house::House;

/// The epoch of a session, as it was read for the pack.
pub(super) struct Epoch<'a> {
    pub(super) number: u32,
    pub(super) origin: &'a str,
    /// Its entries.
    pub(super) entries: &'a [&'a [u8]],
    /// How many there are up to the session's end.
    pub(super) session_end: usize,
}

/// Gathers it; `statements` begin with the genesis and end with the approval, `cosigned` are the
/// entries of checkpoints that came back. `None` if the checkpoint knows more entries by now than
/// were read.
pub(super) fn attested(
    house: &House,
    epoch: &Epoch<'_>,
    statements: &[SignedStatement],
    cosigned: &[Vec<u8>],
) -> Result<Option<Attested>, No> {
    let log = log_of(house, epoch.number);
    let (bytes, checkpoint) = covering(&log, epoch.session_end)?;
    let read = u64::try_from(epoch.entries.len()).unwrap_or(u64::MAX);
    if checkpoint.size > read {
        return Ok(None);
    }
    let (Some(genesis), Some(approval)) = (statements.first(), statements.last()) else {
        return Err(no("ENTRY_MALFORMED", "the session has no genesis or no approval"));
    };
    let witnessed = witnessed(genesis, cosigned, (epoch.origin, read))?;
    let bound = journal_of(approval)?;
    let lineage = if bound.origin == epoch.origin {
        Lineage::default()
    } else {
        lineage(house, epoch, &bound)?
    };
    Ok(Some(Attested { checkpoint: bytes, witnessed, lineage }))
}

fn log_of(house: &House, epoch: u32) -> LogFiles {
    LogFiles::new(epoch_folder(&house.home.epochs_path(), epoch).join(LOG_FOLDER))
}

/// The checkpoint, once it covers that many entries: the notary signs a moment behind the journal.
fn covering(log: &LogFiles, end: usize) -> Result<(Vec<u8>, Checkpoint), No> {
    let until = clock::now().boot.plus_ns(LAST_CHUNK_NS_MAX);
    loop {
        if let Some(bytes) = log.read(CHECKPOINT, NOTE_BYTES_MAX).map_err(|it| unread(&it))? {
            let checkpoint = Note::parse(&bytes).and_then(|note| Checkpoint::parse(note.text()));
            let checkpoint = checkpoint.map_err(|fault| no(fault.code(), fault.cause()))?;
            if usize::try_from(checkpoint.size).is_ok_and(|size| size >= end) {
                return Ok((bytes, checkpoint));
            }
        }
        if clock::now().boot >= until {
            let cause = "the notary has not signed the whole session yet";
            return Err(no("PACK_CHECKPOINT_MISSING", cause));
        }
        sleep(PAUSE);
    }
}

/// What each witness of the roster had cosigned last of this epoch.
fn witnessed(
    genesis: &SignedStatement,
    cosigned: &[Vec<u8>],
    (origin, read): (&str, u64),
) -> Result<Vec<(Name, Note)>, No> {
    let refusal = |refusal: Refusal| no(refusal.code(), &refusal.cause());
    let genesis = Envelope::parse(&genesis.bytes)
        .and_then(|envelope| Genesis::from_value(&envelope.body))
        .map_err(refusal)?;
    let mut seen = Witnessed::new(genesis.roster.witnesses());
    for entry in cosigned {
        seen.take(entry).map_err(|error| no("ENTRY_MALFORMED", &format!("{error:?}")))?;
    }
    let of = seen.of(origin).into_iter().flatten();
    let of = of.filter(|(_, seen)| seen.checkpoint.size <= read);
    Ok(of.map(|(witness, seen)| (witness.clone(), seen.note.clone())).collect())
}

fn journal_of(approval: &SignedStatement) -> Result<JournalBinding, No> {
    let statement = Envelope::parse(&approval.bytes).and_then(|envelope| envelope.statement());
    match statement {
        Ok(Statement::SessionApproval(approval)) => Ok(approval.journal),
        Ok(_) | Err(_) => Err(no("ENTRY_MALFORMED", "the session has no approval")),
    }
}

/// Epoch by epoch back to the one that the approval binds, by what each says of the one before.
fn lineage(house: &House, epoch: &Epoch<'_>, bound: &JournalBinding) -> Result<Lineage, No> {
    let lost = || no("PACK_LINEAGE", "no epoch of this house is the one that the approval binds");
    let mut first = epoch.entries.first().map(|bytes| bytes.to_vec()).unwrap_or_default();
    let (mut number, mut ancestors) = (epoch.number, Vec::new());
    while let Some(previous) = Previous::of(&first) {
        number = number.checked_sub(1).ok_or_else(lost)?;
        let (log, fault) = (log_of(house, number), |fault: LogFault| unread(&fault));
        let note = log.read(CHECKPOINT, NOTE_BYTES_MAX).map_err(fault)?.ok_or_else(lost)?;
        let mut tiles = TileReader::new(log, previous.size);
        first = tiles.leaf(0).map_err(fault)?;
        let key = key_of(&first).ok_or_else(lost)?;
        let signed = SignedCheckpoint::open(&note, &key);
        let signed = signed.map_err(|fault| no(fault.code(), fault.cause()))?;
        ancestors.push(LogProof::from_tiles(&mut tiles, 0, &signed).map_err(fault)?);
        if previous.origin == bound.origin {
            let sizes = (bound.size, previous.size);
            return Lineage::prove(ancestors, &mut tiles, sizes).map_err(fault);
        }
    }
    Err(lost())
}

fn unread(fault: &LogFault) -> No {
    no(fault.code(), &fault.to_string())
}
