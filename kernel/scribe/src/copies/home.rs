//! What of a home is copied: what is durable, never changes any more, and is no secret.
//!
//! Segments of the journal grow, so they are copied in pieces named by their place:
//! `epochs/000001/journal/000001.journal.FROM-TO`. In the order of their names they are it again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use portcullis_evidence::Watermark;
use portcullis_evidence::journal::{JournalFolder, ReadFault, Reader};
use portcullis_statement::Digest;

use crate::CliError;
use crate::files;
use crate::source::{epochs, unreadable};

/// Longest file that is copied.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Deepest folder below the one that was named: tiles lie deep.
const DEPTH_MAX: usize = 12;

/// How far the journal of one epoch goes that is durable for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Durable {
    pub(super) epoch: u32,
    pub(super) origin: String,
    /// Entries, and the root over them.
    pub(super) size: u64,
    pub(super) root: Digest,
    /// Each segment's file with the bytes of it that count.
    pub(super) segments: Vec<(PathBuf, u64)>,
}

/// Epochs that are over, as this run has read them: they never change any more.
pub(crate) type Closed = BTreeMap<u32, Durable>;

/// Every epoch, from the first. Of the last one, which may be written to meanwhile, what the
/// journal itself names as durable.
pub(super) fn durable(home: &Path, closed: &mut Closed) -> Result<Vec<Durable>, CliError> {
    let numbers = epochs(home)?;
    let last = numbers.last().copied();
    let read = |epoch: u32| match closed.get(&epoch) {
        Some(known) => Ok(known.clone()),
        None if Some(epoch) == last => of_epoch(home, epoch, true),
        None => {
            let read = of_epoch(home, epoch, false)?;
            closed.insert(epoch, read.clone());
            Ok(read)
        }
    };
    numbers.into_iter().map(read).collect()
}

fn of_epoch(home: &Path, epoch: u32, is_last: bool) -> Result<Durable, CliError> {
    let folder = || JournalFolder::of_epoch(&home.join("epochs"), epoch);
    let path = folder().path().to_owned();
    let fault = |fault: ReadFault| unreadable(fault.code(), &path, &fault.to_string());
    let mut reader = Reader::open(folder()).map_err(fault)?;
    let mut known = 0;
    while let Some(group) = reader.next().map_err(fault)? {
        known = group.durable_before;
    }
    if is_last {
        reader = Reader::open(folder()).map_err(fault)?;
        while reader.next_below(Watermark(known)).map_err(fault)?.is_some() {}
    }
    let end = reader.into_end();
    let mut segments = Vec::new();
    for segment in 1..=end.segment {
        let file = path.join(format!("{segment:06}.journal"));
        let whole = fs::metadata(&file)
            .map_err(|error| files::io_error(&file, &error, "check the home"))?
            .len();
        segments.push((file, if segment == end.segment { end.kept_bytes } else { whole }));
    }
    let (size, root) = (end.head.size, end.head.root);
    Ok(Durable { epoch, origin: end.origin, size, root, segments })
}

/// A file that never changes any more, with the name of its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// Chunks, packs, checkpoints, tiles and the genesis. The epochs' keys are not among them.
pub(super) fn whole(home: &Path) -> Result<Vec<Whole>, CliError> {
    let mut found = Vec::new();
    for folder in ["chunks", "reports"] {
        list(&home.join(folder), folder, (&mut found, DEPTH_MAX))?;
    }
    // A folder of reports without a manifest is a pack in the making.
    let packs: Vec<String> = found
        .iter()
        .filter_map(|it| it.name.strip_suffix("/manifest.json").map(|pack| format!("{pack}/")))
        .collect();
    found.retain(|it| {
        it.name.starts_with("chunks/") || packs.iter().any(|pack| it.name.starts_with(pack))
    });
    for epoch in epochs(home)? {
        let folder = format!("epochs/{epoch:06}/log");
        list(&home.join(&folder), &folder, (&mut found, DEPTH_MAX))?;
    }
    let mut top = Vec::new();
    list(home, "", (&mut top, 0))?;
    found.extend(top.into_iter().filter(|it| it.name.starts_with("genesis.")));
    found.retain(|it| !it.name.ends_with(".partial"));
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Regular files below a folder; links are not followed, and what is missing holds nothing.
fn list(path: &Path, name: &str, (found, depth): (&mut Vec<Whole>, usize)) -> Result<(), CliError> {
    let fault = |error: &io::Error| files::io_error(path, error, "check the home");
    let listed = match fs::read_dir(path) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fault(&error)),
    };
    for item in listed {
        let item = item.map_err(|error| fault(&error))?;
        let metadata = fs::symlink_metadata(item.path()).map_err(|error| fault(&error))?;
        let Some(own) = item.file_name().to_str().map(str::to_owned) else { continue };
        let own = if name.is_empty() { own } else { format!("{name}/{own}") };
        if metadata.is_file() {
            found.push(Whole { path: item.path(), name: own, bytes: metadata.len() });
        } else if metadata.is_dir() && depth > 0 {
            list(&item.path(), &own, (&mut *found, depth.saturating_sub(1)))?;
        }
    }
    Ok(())
}
