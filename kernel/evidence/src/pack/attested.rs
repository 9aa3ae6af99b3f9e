//! Who signed that the journal in a pack went that far: its epoch's own key, and witnesses.
//!
//! ```text
//! log/checkpoint              of the pack's epoch, over the whole session
//! log/witness-<name>          the last checkpoint that this witness had cosigned by then
//! log/NNN-back.tlog-proof     an epoch before it, if the approval was drafted there
//! log/approval.consistency
//! ```

use portcullis_domain::Name;
use portcullis_statement::Witnesses;

use super::folder::{Finding, Folder};
use super::lineage::Lineage;
use super::parts::LOG;
use crate::bytes::len_u64;
use crate::journal::Recovered;
use crate::log::Witnessed;
use crate::note::{Checkpoint, NOTE_BYTES_MAX, Note, SignedCheckpoint, VerifierKey};

/// The checkpoint of the pack's epoch.
pub(super) const CHECKPOINT_FILE: &str = "log/checkpoint";
/// How the file of a witness begins.
const WITNESS: &str = "log/witness-";

/// What stands in `log/`: made by the house's notary and by witnesses, carried by whoever writes
/// the pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attested {
    /// The signed note of the epoch's checkpoint.
    pub checkpoint: Vec<u8>,
    /// The note that each witness had cosigned last.
    pub witnessed: Vec<(Name, Note)>,
    /// The epochs back to the one in which the approval was drafted.
    pub lineage: Lineage,
}

impl Attested {
    /// Its files, by their names in the pack.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let witnessed = self.witnessed.iter();
        let witnessed =
            witnessed.map(|(name, note)| (witness_file(name), note.to_string().into_bytes()));
        let checkpoint = (CHECKPOINT_FILE.to_owned(), self.checkpoint.clone());
        [checkpoint].into_iter().chain(witnessed).chain(self.lineage.files()).collect()
    }
}

fn witness_file(name: &Name) -> String {
    format!("{WITNESS}{name}")
}

/// The checkpoint is signed by the epoch's key, over the journal of the pack and at least up to
/// `session_end`, the number of entries behind the session.
pub(super) fn check_checkpoint(
    bytes: &[u8],
    key: &str,
    (recovered, session_end): (&Recovered, u64),
) -> Result<Checkpoint, Finding> {
    let wrong = |code, reason: &str| Finding::new(code, CHECKPOINT_FILE, reason);
    let key = VerifierKey::parse(key)
        .map_err(|fault| wrong(fault.code(), "the manifest's key is none of a log"))?;
    let signed = SignedCheckpoint::open(bytes, &key)
        .map_err(|fault| wrong(fault.code(), &fault.to_string()))?;
    let checkpoint = signed.checkpoint();
    if !holds(checkpoint, recovered) {
        return Err(wrong("PACK_CHECKPOINT", "signs other entries than the journal has"));
    }
    if checkpoint.size < session_end {
        let reason =
            format!("signs {} entries, the session ends at {session_end}", checkpoint.size);
        return Err(wrong("PACK_CHECKPOINT", &reason));
    }
    Ok(checkpoint.clone())
}

/// Whether the journal begins with what a checkpoint was made of.
fn holds(checkpoint: &Checkpoint, recovered: &Recovered) -> bool {
    checkpoint.origin == recovered.end.origin
        && recovered.root_at(checkpoint.size) == Some(checkpoint.root)
}

/// What the witnesses of the roster had signed, each note over the journal of the pack. Says who,
/// and whether a quorum has seen the whole session; that none has is said and no fault: witnesses
/// are asked before the next session opens.
pub(super) fn check_witnesses(
    folder: &Folder,
    witnesses: &Witnesses,
    (recovered, session_end): (&Recovered, u64),
) -> Result<String, Finding> {
    let mut seen = Witnessed::new(witnesses);
    for file in folder.names().filter(|name| name.starts_with(WITNESS)) {
        let wrong = |reason: &str| Err(Finding::new("PACK_WITNESS", file, reason));
        let Some(witness) = witnesses.list().iter().find(|it| witness_file(&it.name) == file)
        else {
            return wrong("the roster has no such witness");
        };
        let note = Note::parse(&folder.read(file, len_u64(NOTE_BYTES_MAX))?);
        let note = note.map_err(|fault| Finding::new(fault.code(), file, &fault.to_string()))?;
        if !witnesses.signed(&note).iter().any(|(by, _)| by.name == witness.name) {
            return wrong("this witness has not signed it");
        }
        let checkpoint = Checkpoint::parse(note.text());
        if !checkpoint.is_ok_and(|checkpoint| holds(&checkpoint, recovered)) {
            return wrong("cosigns other entries than the journal has");
        }
        seen.take_note(&note);
    }
    let origin = &recovered.end.origin;
    let lines = seen.lines(origin).join("; ");
    if witnesses.list().is_empty() {
        return Ok(lines);
    }
    let whole = seen.agreed(origin).is_some_and(|it| it.checkpoint.size >= session_end);
    let said =
        if whole { "a quorum has seen the whole session" } else { "no quorum has seen it all" };
    Ok(format!("{said}: {lines}"))
}

/// Nothing else lies in `log/`.
pub(super) fn check_names(folder: &Folder, lineage: &Lineage) -> Result<(), Finding> {
    let known =
        |name: &str| name == CHECKPOINT_FILE || name.starts_with(WITNESS) || lineage.has(name);
    match folder.names().find(|name| name.starts_with(LOG) && !known(name)) {
        Some(name) => Err(Finding::new("PACK_STRUCTURE", name, "no part of a pack's log")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
