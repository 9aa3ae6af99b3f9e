//! What a witness remembers, and what it therefore signs. Nothing leaves before it is on disk.
//!
//! ```text
//! key                     the witness's own key, one line
//! lock                    held by the one process that serves
//! logs/<sha256 of it>     per installation: origin, key, size, root, the last checkpoint
//! burns/<sha256 of it>    per installation and nonce: the burn as it was signed
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use portcullis_core::epoch_in;
use portcullis_evidence::log::{LogProof, check_consistency};
use portcullis_statement::Digest;
use portcullis_statement::json::{self, Fields, JsonError, Value, object};
use portcullis_statement::note::{
    Burn, Checkpoint, KeyKind, Note, NoteSigner, SignedCheckpoint, VerifierKey,
};

use super::asked::{AddCheckpoint, ended_epoch, installation, next_number};
use crate::files::{self, beside, exists, io_error, shown};
use crate::{CliError, Exit};

/// Longest file of the folder in bytes.
const FILE_BYTES_MAX: u64 = 128 * 1024;

/// Most burns of a witness. None is ever forgotten: a nonce that is free again could be burned for
/// a house that was set back. A session a minute fills this in ten weeks.
const BURNS_MAX: usize = 100_000;

/// What a witness answers, in the terms of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 200, or why not.
    pub(crate) status: u16,
    /// Cosignature lines, a note, a size, or a cause.
    pub(crate) body: String,
}

impl Answer {
    fn no(status: u16, cause: &str) -> Self {
        Self { status, body: format!("{cause}\n") }
    }
}

/// What is known of the journal of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    /// The key of the epoch that is witnessed; its name is the epoch's origin.
    key: VerifierKey,
    size: u64,
    root: Digest,
    /// The last checkpoint that was cosigned, as the log signed it.
    note: Option<String>,
}

impl Log {
    fn new(key: VerifierKey) -> Self {
        Self { key, size: 0, root: Digest::of(b""), note: None }
    }

    fn to_value(&self) -> Value {
        object([
            ("key", self.key.to_string().into()),
            ("note", self.note.clone().map_or(Value::Null, Value::from)),
            ("root", self.root.hex().into()),
            ("size", json::count(self.size)),
        ])
    }

    fn from_value(value: &Value) -> Result<Self, JsonError> {
        let mut fields = Fields::new(value)?;
        let bad = |key| JsonError::field(key, "is not what a witness writes");
        let empty = *fields.value("note")? == Value::Null;
        let note = if empty { None } else { Some(fields.text("note")?.to_owned()) };
        let log = Self {
            key: VerifierKey::parse(fields.text("key")?).map_err(|_fault| bad("key"))?,
            size: fields.uint("size")?,
            root: fields.digest("root")?,
            note,
        };
        fields.finish()?;
        Ok(log)
    }
}

/// The folder of one witness, opened by the one process that may sign with its key.
#[derive(Debug)]
pub(crate) struct Book {
    folder: PathBuf,
    signer: NoteSigner,
    logs: BTreeMap<String, Log>,
    /// After a failed write nobody knows what the disk holds: nothing is signed any more.
    poisoned: bool,
    /// The latest time signed: no signature is older than one before it.
    latest_s: u64,
    /// Burns that it holds.
    burned: usize,
    _lock: File,
}

impl Book {
    /// Makes the folder of a new witness and gives its public key.
    pub(crate) fn create(folder: &Path, signer: &NoteSigner) -> Result<VerifierKey, CliError> {
        files::make_folder(folder)?;
        for name in ["logs", "burns"] {
            files::make_folder(&folder.join(name))?;
        }
        files::write_new(&folder.join("key"), format!("{}\n", signer.secret_text()).as_bytes())?;
        sync(folder)?;
        Ok(signer.verifier().clone())
    }

    /// Opens the folder. Whatever in it cannot be read is a refusal: to begin anew would be to
    /// sign a second history.
    pub(crate) fn open(folder: &Path) -> Result<Self, CliError> {
        let lock = lock(folder)?;
        let path = folder.join("key");
        let key = String::from_utf8(files::read(&path, FILE_BYTES_MAX)?).unwrap_or_default();
        let signer = NoteSigner::parse(key.trim_end())
            .ok()
            .filter(|signer| signer.verifier().kind() == KeyKind::Cosignature)
            .ok_or_else(|| damaged(&path, "this is no key of a witness"))?;
        let mut logs = BTreeMap::new();
        let path = folder.join("logs");
        let entries = fs::read_dir(&path).map_err(|error| fault(&path, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| fault(&path, &error))?.path();
            if path.extension().is_some() {
                // Left by a write that a crash cut off; what it was to replace is whole.
                fs::remove_file(&path).map_err(|error| fault(&path, &error))?;
                continue;
            }
            let value = json::parse_canonical(&files::read(&path, FILE_BYTES_MAX)?);
            let log = value.and_then(|value| Log::from_value(&value));
            let log = log.map_err(|error| damaged(&path, &error.to_string()))?;
            logs.insert(installation(log.key.name()), log);
        }
        let path = folder.join("burns");
        let burned = fs::read_dir(&path).map_err(|error| fault(&path, &error))?.count();
        let folder = folder.to_owned();
        let (poisoned, latest_s) = (false, 0);
        Ok(Self { folder, signer, logs, poisoned, latest_s, burned, _lock: lock })
    }

    /// The public key.
    pub(crate) fn verifier(&self) -> &VerifierKey {
        self.signer.verifier()
    }

    /// Trusts the first key of an installation. Every later one comes with its proof.
    pub(crate) fn trust(&mut self, key: VerifierKey) -> Result<(), CliError> {
        let of = installation(key.name());
        if let Some(known) = self.logs.get(&of) {
            let cause = format!("this witness follows it already, at {}", known.key.name());
            let next = "its next keys come with their proofs: portcullis witness carry";
            return Err(CliError::new(Exit::Refused, "WITNESS_TRUSTS", &of, &cause, next));
        }
        self.follow(of, key)
    }

    /// Trusts the key of a later epoch that no entry announced, since the one before was rescued
    /// from: a person's decision, who has heard why. An earlier epoch is never gone back to.
    pub(crate) fn trust_rescued(&mut self, key: VerifierKey) -> Result<(), CliError> {
        let of = installation(key.name());
        let known = self.logs.get(&of).map(|known| known.key.name().to_owned());
        let later = |known: &String| epoch_in(key.name(), known) > epoch_in(known, known);
        if !known.as_ref().is_some_and(later) {
            let cause = "this witness does not follow an earlier epoch of that installation";
            let next = "take the vkey of the epoch that the rescue began";
            return Err(CliError::new(Exit::Refused, "WITNESS_EPOCH", key.name(), cause, next));
        }
        self.follow(of, key)
    }

    fn follow(&mut self, of: String, key: VerifierKey) -> Result<(), CliError> {
        if key.kind() != KeyKind::Ed25519 {
            let (cause, next) = ("it is not the key of a log", "take the vkey of the epoch");
            return Err(CliError::new(Exit::Usage, "KEY_KIND", key.name(), cause, next));
        }
        self.keep(of, Log::new(key))
    }

    /// `POST /add-checkpoint` of `c2sp.org/tlog-witness`.
    pub(crate) fn add_checkpoint(&mut self, body: &[u8], now_s: u64) -> Answer {
        let Some(asked) = AddCheckpoint::parse(body) else {
            return Answer::no(400, "not a request of tlog-witness");
        };
        let Ok(checkpoint) = Checkpoint::parse(asked.note.text()) else {
            return Answer::no(400, "not a checkpoint");
        };
        let of = installation(&checkpoint.origin);
        let Some(log) = self.logs.get(&of).filter(|log| log.key.name() == checkpoint.origin) else {
            return Answer::no(404, "an origin that this witness does not follow, or no more");
        };
        let text = asked.note.to_string();
        if SignedCheckpoint::open(text.as_bytes(), &log.key).is_err() {
            return Answer::no(403, "not signed by the key of that origin");
        }
        if asked.old > checkpoint.size {
            return Answer::no(400, "the old size is larger than the new one");
        }
        let forked = log.size == checkpoint.size && log.root != checkpoint.root;
        if asked.old != log.size || forked {
            return Answer { status: 409, body: format!("{}\n", log.size) };
        }
        let (old, new) = ((log.size, log.root), (checkpoint.size, checkpoint.root));
        if check_consistency(&asked.proof, old, new).is_err() {
            return Answer::no(422, "the tree does not continue the one that was cosigned");
        }
        let (size, root) = new;
        let changed = Log { key: log.key.clone(), size, root, note: Some(text) };
        if log.size != size && self.keep(of, changed).is_err() || self.poisoned {
            return Answer::no(500, "nothing is signed: the state could not be written");
        }
        let time_s = self.time(now_s);
        match self.signer.cosign(&checkpoint, time_s) {
            Ok(line) => Answer { status: 200, body: format!("{line}\n") },
            Err(fault) => Answer::no(500, fault.cause()),
        }
    }

    /// `POST /next-epoch`: the last entry of the epoch that is witnessed, with its proof, names
    /// the next origin and key.
    pub(crate) fn next_epoch(&mut self, body: &[u8]) -> Answer {
        let Ok(proof) = LogProof::parse(body) else {
            return Answer::no(400, "not a proof of tlog-proof");
        };
        let Some(next) = ended_epoch(&proof.leaf) else {
            return Answer::no(400, "the entry does not end an epoch");
        };
        let of = installation(next.name());
        let Some(log) = self.logs.get(&of) else {
            return Answer::no(404, "an installation that this witness does not follow");
        };
        if log.key == next {
            return Answer { status: 200, body: String::new() };
        }
        if next_number(log.key.name()).as_deref() != Some(next.name()) {
            return Answer::no(409, "not the epoch after the one that is witnessed");
        }
        let Ok(signed) = proof.verify(&log.key) else {
            return Answer::no(422, "the entry is not in the tree of the epoch that is witnessed");
        };
        let at = signed.checkpoint();
        if (at.size, at.root) != (log.size, log.root) {
            return Answer { status: 409, body: format!("{}\n", log.size) };
        }
        if proof.index.checked_add(1) != Some(log.size) {
            return Answer::no(422, "the entry is not the last of its epoch");
        }
        match self.keep(of, Log::new(next)) {
            Ok(()) => Answer { status: 200, body: String::new() },
            Err(_) => Answer::no(500, "the state could not be written"),
        }
    }

    /// `POST /burn`: a burn as a note that the key of its epoch signed, at the tree that was
    /// cosigned last. Once for a nonce, and for the house alone.
    pub(crate) fn burn(&mut self, body: &[u8], now_s: u64) -> Answer {
        let asked = Note::parse(body).ok();
        let asked = asked.and_then(|note| Some((Burn::parse(note.text())?, note)));
        let Some((burn, asked)) = asked else {
            return Answer::no(400, "not a signed burn");
        };
        let Some(log) = self.logs.get(&burn.installation) else {
            return Answer::no(404, "an installation that this witness does not follow");
        };
        let known = (log.key.name(), log.size, log.root);
        if known != (&*burn.journal.origin, burn.journal.size, burn.journal.root) {
            return Answer { status: 409, body: format!("{} {}\n", log.key.name(), log.size) };
        }
        if asked.verify(&log.key).is_err() {
            return Answer::no(
                403,
                "not asked for by the house: its epoch's key did not sign this",
            );
        }
        if self.poisoned {
            return Answer::no(500, "nothing is signed: the state could not be written");
        }
        if self.burned >= BURNS_MAX {
            return Answer::no(507, "this witness holds as many burns as it may");
        }
        let time_s = self.time(now_s);
        let Ok(note) = self.signer.burn(&burn, time_s) else {
            return Answer::no(400, "not what a witness signs");
        };
        let named = format!("{}\n{}", burn.installation, burn.nonce);
        let path = self.folder.join("burns").join(Digest::of(named.as_bytes()).hex());
        // Also what a crash left of a burn burns: better no session than the same one twice.
        if exists(&path) {
            return Answer::no(410, "this nonce was burned before");
        }
        let text = note.to_string();
        let kept = files::write_new(&path, text.as_bytes()).and_then(|()| sync(&path));
        self.poisoned |= kept.is_err();
        if kept.is_err() {
            return Answer::no(500, "nothing is signed: the state could not be written");
        }
        self.burned = self.burned.saturating_add(1);
        Answer { status: 200, body: text }
    }

    /// `GET /last/<installation>`: origin and size of what was cosigned last, and the checkpoint,
    /// cosigned: whoever holds an older journal cannot deny it.
    pub(crate) fn last(&mut self, of: &str, now_s: u64) -> Answer {
        let time_s = self.time(now_s);
        let Some(log) = self.logs.get(of) else {
            return Answer::no(404, "an installation that this witness does not follow");
        };
        let cosigned = |text: &String| {
            let mut note = Note::parse(text.as_bytes()).ok()?;
            let checkpoint = Checkpoint::parse(note.text()).ok()?;
            note.add(self.signer.cosign(&checkpoint, time_s).ok()?).ok()?;
            Some(note.to_string())
        };
        let note = log.note.as_ref().and_then(cosigned).unwrap_or_default();
        Answer { status: 200, body: format!("{} {}\n{note}", log.key.name(), log.size) }
    }

    /// Never before a time that was signed.
    fn time(&mut self, now_s: u64) -> u64 {
        self.latest_s = self.latest_s.max(now_s);
        self.latest_s
    }

    /// Makes a state durable, and only then the one that counts.
    fn keep(&mut self, of: String, log: Log) -> Result<(), CliError> {
        let path = self.folder.join("logs").join(Digest::of(of.as_bytes()).hex());
        if self.poisoned {
            return Err(damaged(&path, "a write to it failed before"));
        }
        let unfinished = beside(&path, ".partial");
        let written = if exists(&unfinished) {
            fs::remove_file(&unfinished).map_err(|error| fault(&unfinished, &error))
        } else {
            Ok(())
        };
        let written = written.and_then(|()| files::replace(&path, &log.to_value().canonical()));
        self.poisoned |= written.is_err();
        written?;
        self.logs.insert(of, log);
        Ok(())
    }
}

fn lock(folder: &Path) -> Result<File, CliError> {
    let path = folder.join("lock");
    let opened =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = opened.map_err(|error| fault(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let (cause, next) = ("another witness serves from this folder", "stop that one first");
            Err(CliError::new(Exit::Temporary, "WITNESS_LOCKED", &shown(folder), cause, next))
        }
        Err(TryLockError::Error(error)) => Err(fault(&path, &error)),
    }
}

fn sync(path: &Path) -> Result<(), CliError> {
    files::sync_parent(path).map_err(|error| fault(path, &error))
}

fn fault(path: &Path, error: &std::io::Error) -> CliError {
    io_error(path, error, "portcullis witness init makes the folder of a witness")
}

fn damaged(path: &Path, cause: &str) -> CliError {
    let next = "put the folder back as it was, or make a new witness and a new roster";
    CliError::new(Exit::CheckFailed, "WITNESS_STATE", &shown(path), cause, next)
}

/// A note of the last checkpoint, for whoever asks what was cosigned.
pub(crate) fn last_note(body: &str) -> Option<(String, u64, Option<Note>)> {
    let (line, note) = body.split_once('\n')?;
    let (origin, size) = line.split_once(' ')?;
    Some((origin.to_owned(), size.parse().ok()?, Note::parse(note.as_bytes()).ok()))
}

#[cfg(test)]
mod tests;
