//! The keys of epochs: drawn here, kept in a file that only we read, and wiped at the end.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hint::black_box;
use std::io::{self, Read as _, Write as _};
use std::ops::RangeInclusive;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use portcullis_evidence::note::{KeyKind, NoteFault, NoteSigner};
use portcullis_evidence::{JournalFolder, epoch_folder};

use crate::fault::{BAD_CONFIG, DaemonFault, REFUSED};
use crate::recover::first_key;

/// The key's file in the folder of its epoch.
const KEY: &str = "key";
/// The key's file until it is whole.
const UNFINISHED: &str = "key.unfinished";
const MISSING: &str = "EPOCH_KEY_MISSING";
const MALFORMED: &str = "EPOCH_KEY_MALFORMED";
/// Longest key file in bytes.
const KEY_BYTES_MAX: u64 = 1024;

/// The key of an epoch that has not begun: the one that lies there from a beginning that came to
/// nothing, or a new one. Durable when this returns, so that an entry may name it.
pub(crate) fn prepare(folder: &Path, origin: &str) -> Result<NoteSigner, DaemonFault> {
    if folder.join(KEY).exists() {
        return load(folder, origin);
    }
    let mut seed = [0; 32];
    let drawn = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut seed));
    let key = drawn.map(|()| NoteSigner::from_seed(origin, KeyKind::Ed25519, seed));
    wipe(&mut seed);
    let key = key.map_err(|error| unwritable(folder, &error))?;
    let key = key.map_err(|fault| malformed(folder, fault))?;
    let mut text = key.secret_text().into_bytes();
    text.push(b'\n');
    let written = write_private(folder, &text);
    wipe(&mut text);
    written.map_err(|error| unwritable(folder, &error))?;
    Ok(key)
}

/// Whether an epoch's key lies there: its last checkpoint may not be signed yet.
pub(crate) fn is_there(folder: &Path) -> bool {
    folder.join(KEY).exists()
}

/// The first of these epochs whose key lies there: its last checkpoint may not be signed yet. The
/// last of them if there is none, whose key is missed then.
pub(crate) fn first_there(epochs: &Path, mut of: RangeInclusive<u32>) -> u32 {
    let last = *of.end();
    of.find(|epoch| is_there(&epoch_folder(epochs, *epoch))).unwrap_or(last)
}

/// The key of an epoch that has begun, which has to be the one that its first entry names: a log
/// signed with another one is no log of that journal.
pub(crate) fn load_announced(
    epochs: &Path,
    epoch: u32,
    origin: &str,
) -> Result<NoteSigner, DaemonFault> {
    let folder = epoch_folder(epochs, epoch);
    let key = load(&folder, origin)?;
    match first_key(JournalFolder::of_epoch(epochs, epoch)) {
        Some(announced) if announced != key.verifier().to_string() => {
            let cause = "the epoch's key is not the one that its first entry names";
            let next = "put the epoch's own key file back; if it is lost, portcullisd with --rescue \
                        begins another epoch, killed, that has the loss on record";
            let subject = folder.join(KEY).display().to_string();
            Err(DaemonFault::new(REFUSED, "EPOCH_KEY_FOREIGN", &subject, cause, next))
        }
        // Without a first entry nothing was named yet.
        Some(_) | None => Ok(key),
    }
}

/// The key of an epoch that has begun.
fn load(folder: &Path, origin: &str) -> Result<NoteSigner, DaemonFault> {
    let path = folder.join(KEY);
    let mut bytes = match read_private(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let cause = "the key that this epoch's first entry names is not here: nobody can sign \
                         another checkpoint of it";
            let next = "put the epoch's key file back; if it is lost, portcullisd with --rescue \
                        begins another epoch, killed, that has the loss on record";
            let subject = path.display().to_string();
            return Err(DaemonFault::new(REFUSED, MISSING, &subject, cause, next));
        }
        Err(error) => return Err(unusable(&path, "EPOCH_KEY_UNREADABLE", &error.to_string())),
    };
    let text = str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix('\n'));
    let key = text.ok_or(NoteFault::Key).and_then(NoteSigner::parse);
    wipe(&mut bytes);
    match key {
        Ok(key) if key.verifier().name() == origin => Ok(key),
        Ok(_) => Err(malformed(folder, NoteFault::Origin)),
        Err(fault) => Err(malformed(folder, fault)),
    }
}

/// Overwrites and removes the key of an epoch that is over. A key that is gone is forgotten.
pub(crate) fn forget(folder: &Path) -> Result<(), DaemonFault> {
    let path = folder.join(KEY);
    let overwrite = || {
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        file.write_all(&vec![0; length.min(usize::try_from(KEY_BYTES_MAX).unwrap_or(0))])?;
        file.sync_all()?;
        fs::remove_file(&path)?;
        File::open(folder)?.sync_all()
    };
    overwrite().map_err(|error: io::Error| unwritable(folder, &error))
}

/// Finishes what a crash left of [`forget`]: a key that was overwritten and still has its name.
pub(crate) fn forget_wiped(folder: &Path) -> Result<(), DaemonFault> {
    let wiped = |key: &[u8]| !key.is_empty() && key.iter().all(|byte| *byte == 0);
    match read_private(&folder.join(KEY)) {
        Ok(key) if wiped(&key) => forget(folder),
        // What else is there is found by whoever needs it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Why nobody can sign for an epoch any more: its key is gone, or is not what was announced.
pub(crate) fn loss(folder: &Path, origin: &str, announced: &str) -> Option<&'static str> {
    match load(folder, origin) {
        Ok(key) if key.verifier().to_string() == announced => None,
        Ok(_) => {
            Some("EPOCH_KEY_FOREIGN: the epoch's key is not the one that its first entry names")
        }
        Err(fault) if fault.code == MISSING => Some("EPOCH_KEY_MISSING: the epoch's key is lost"),
        Err(fault) if fault.code == MALFORMED => {
            Some("EPOCH_KEY_MALFORMED: the epoch's key is no key")
        }
        // Whoever may not read it has lost nothing.
        Err(_) => None,
    }
}

/// Zeros over a secret, where the compiler cannot see that nobody reads them.
fn wipe(secret: &mut [u8]) {
    secret.fill(0);
    black_box(secret);
}

fn read_private(path: &Path) -> io::Result<Vec<u8>> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() || found.mode() & 0o077 != 0 {
        let cause = "not a regular file that its owner alone may read: chmod 600";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, cause));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(KEY_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_private(folder: &Path, text: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(folder)?;
    let unfinished = folder.join(UNFINISHED);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&unfinished, folder.join(KEY))?;
    File::open(folder)?.sync_all()?;
    // The folder's own name, and that of the folder of all epochs.
    for above in folder.ancestors().skip(1).take(2) {
        File::open(above)?.sync_all()?;
    }
    Ok(())
}

fn malformed(folder: &Path, fault: NoteFault) -> DaemonFault {
    unusable(&folder.join(KEY), MALFORMED, fault.cause())
}

fn unwritable(folder: &Path, error: &io::Error) -> DaemonFault {
    unusable(&folder.join(KEY), "EPOCH_KEY_UNWRITABLE", &error.to_string())
}

/// What is said of an epoch whose key cannot be used.
pub(crate) fn unusable(path: &Path, code: &str, cause: &str) -> DaemonFault {
    let next = "make the epoch's folder and its key file whole, for this user alone";
    DaemonFault::new(BAD_CONFIG, code, &path.display().to_string(), cause, next)
}

#[cfg(test)]
mod tests;
