//! Copies of a home's evidence elsewhere, each file made once and never changed.
//!
//! The scribe reads the home's files and nothing else: it needs no socket, no key and no right but
//! to read. What it says about copies is its own claim; what proves a copy is the copy itself.

mod home;
mod s3;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_control::Request;
use portcullis_statement::Digest;
use portcullis_statement::json::{Value, count, object};

use crate::client::{self, SOON};
use crate::files;
use crate::{CliError, out};
pub(super) use home::Closed;
use home::{Durable, FILE_BYTES_MAX, Whole};
use store::{Listed, Place, Store};

/// Longest piece of a segment.
const PIECE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Copies a home's evidence to a folder, or to a store that speaks S3.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  \
    portcullis scribe copy HOME --to /mnt/elsewhere\n  \
    portcullis scribe copy HOME --to /mnt/elsewhere --every 5\n  \
    portcullis scribe copy HOME --to s3://BUCKET/desk-1 --region eu-north-1 --credentials FILE")]
pub(crate) struct CopyArgs {
    /// The home.
    pub(crate) home: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Go on, with that many seconds between two rounds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: Option<u64>,
}

/// Says what of a home is copied.
#[derive(Clone, Debug, clap::Args)]
#[command(before_help = "Examples:\n  portcullis scribe status HOME --to /mnt/elsewhere")]
pub(crate) struct StatusArgs {
    /// The home.
    pub(crate) home: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Number, origin and durable entries of each epoch of a home, from the first.
pub(super) fn durable_epochs(
    home: &Path,
    closed: &mut Closed,
) -> Result<Vec<(u32, String, u64)>, CliError> {
    let found = home::durable(home, closed)?.into_iter();
    Ok(found.map(|durable| (durable.epoch, durable.origin, durable.size)).collect())
}

/// Runs the verb.
pub(crate) fn copy(args: &CopyArgs) -> Result<(), CliError> {
    let store = Store::open(&args.place)?;
    let mut seen = Seen::default();
    loop {
        let made = round(&args.home, &store, &mut seen)?;
        let status = Status::of(&args.home, &store, &mut seen.closed)?;
        out::result(&(out::field("copied", &format!("{made} bytes")) + &status.text()))?;
        claim(&args.home, status.unreplicated_bytes);
        let Some(seconds) = args.every else { return Ok(()) };
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

/// Tells a daemon that runs there what is not copied. Where a phase bounds it, a daemon that hears
/// nothing lets nothing new out; copying goes on whatever it says.
fn claim(home: &Path, unreplicated_bytes: u64) {
    let socket = home.join("control.sock");
    if !files::exists(&socket) {
        return;
    }
    match client::done(&socket, &Request::Copied { unreplicated_bytes }, SOON) {
        Ok(_) => {}
        Err(error) => out::narrate(&format!("the daemon was not told: {}", error.code)),
    }
}

/// Runs the verb.
pub(crate) fn status(args: &StatusArgs) -> Result<(), CliError> {
    let status = Status::of(&args.home, &Store::look(&args.place)?, &mut Closed::new())?;
    if args.json { out::json("scribe.status", status.value()) } else { out::result(&status.text()) }
}

/// What this run needs to look at only once.
#[derive(Debug, Default)]
struct Seen {
    /// Copies that are what the home holds.
    compared: BTreeSet<String>,
    closed: Closed,
}

/// Copies what is new; returns its bytes. What was compared once in this run is not read again.
fn round(
    home: &Path,
    store: &Store,
    Seen { compared, closed }: &mut Seen,
) -> Result<u64, CliError> {
    let mut there = store.list()?;
    let mut made = 0_u64;
    let mut keep = |name: &str, bytes: &[u8], there: &mut Listed| -> Result<(), CliError> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if store.create(name, bytes)? {
            made = made.saturating_add(length);
        }
        there.insert(name.to_owned(), length);
        Ok(())
    };
    for Whole { path, name, .. } in home::whole(home)? {
        if compared.contains(&name) && there.contains_key(&name) {
            continue;
        }
        let bytes = files::read(&path, FILE_BYTES_MAX)?;
        // The one file of a log that is written anew: each of its states is kept.
        if name.ends_with("/log/checkpoint") {
            keep(&state_name(&name, &bytes), &bytes, &mut there)?;
        } else {
            keep(&name, &bytes, &mut there)?;
            compared.insert(name);
        }
    }
    for durable in home::durable(home, closed)? {
        for (path, bytes) in &durable.segments {
            let name = segment_name(durable.epoch, path);
            // Pieces from earlier runs are what the home still holds, or one of the two was changed.
            for (piece, from, to) in pieces(&there, &name) {
                if compared.insert(piece.clone()) {
                    store.create(&piece, &read_piece(path, (from, to))?)?;
                }
            }
            let mut from = copied(&there, &name);
            while from < *bytes {
                // A piece that is gone is made again, up to the next one that is there.
                let later = pieces(&there, &name).into_iter().map(|piece| piece.1);
                let next = later.filter(|begins| *begins > from).min().unwrap_or(*bytes);
                let to = from.saturating_add(PIECE_BYTES_MAX).min(*bytes).min(next);
                let piece_name = format!("{name}.{from:012}-{to:012}");
                keep(&piece_name, &read_piece(path, (from, to))?, &mut there)?;
                compared.insert(piece_name);
                from = copied(&there, &name).max(to);
            }
        }
        // Last: it says that everything up to there is copied.
        let (name, bytes) = mark(&durable);
        if !compared.contains(&name) {
            keep(&name, &bytes, &mut there)?;
            compared.insert(name);
        }
    }
    Ok(made)
}

/// The name of one state of a checkpoint.
fn state_name(name: &str, bytes: &[u8]) -> String {
    format!("{name}s/{}", Digest::of(bytes).hex())
}

/// The pieces of a segment, in order, each with the bytes that it holds.
fn pieces(there: &Listed, segment: &str) -> Vec<(String, u64, u64)> {
    let begins = format!("{segment}.");
    let piece = |name: &String| {
        let (from, to) = name.strip_prefix(&begins)?.split_once('-')?;
        Some((name.clone(), from.parse().ok()?, to.parse().ok()?))
    };
    let named = there.range(begins.clone()..).take_while(|(name, _)| name.starts_with(&begins));
    named.filter_map(|(name, _)| piece(name)).collect()
}

/// How far the pieces of a segment go without a hole.
fn copied(there: &Listed, segment: &str) -> u64 {
    let whole = |end: u64, (piece, from, to): (String, u64, u64)| {
        let is_next = from == end && there.get(&piece).copied() == to.checked_sub(from);
        if is_next { to } else { end }
    };
    pieces(there, segment).into_iter().fold(0, whole)
}

fn segment_name(epoch: u32, path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    format!("epochs/{epoch:06}/journal/{name}")
}

fn read_piece(path: &Path, (from, to): (u64, u64)) -> Result<Vec<u8>, CliError> {
    let fault = |error| files::io_error(path, &error, "check the home");
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
    let mut bytes = vec![0; length];
    File::open(path).and_then(|file| file.read_exact_at(&mut bytes, from)).map_err(fault)?;
    Ok(bytes)
}

/// The file that says up to which entry an epoch is copied.
fn mark(durable: &Durable) -> (String, Vec<u8>) {
    let name = format!("epochs/{:06}/copied/{:020}", durable.epoch, durable.size);
    let value = object([
        ("origin", durable.origin.as_str().into()),
        ("root", durable.root.hex().into()),
        ("size", count(durable.size)),
    ]);
    (name, value.canonical())
}

/// What is copied and what is not, as far as the scribe can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Status {
    /// The newest epoch, and how many of its entries are copied and durable.
    epoch: u32,
    entries_copied: u64,
    entries_durable: u64,
    unreplicated_bytes: u64,
}

impl Status {
    fn of(home: &Path, store: &Store, closed: &mut Closed) -> Result<Self, CliError> {
        let there = store.list()?;
        let mut status =
            Self { epoch: 0, entries_copied: 0, entries_durable: 0, unreplicated_bytes: 0 };
        let mut missing = |bytes: u64| {
            status.unreplicated_bytes = status.unreplicated_bytes.saturating_add(bytes);
        };
        for Whole { name, bytes, path } in home::whole(home)? {
            let name = if name.ends_with("/log/checkpoint") {
                state_name(&name, &files::read(&path, FILE_BYTES_MAX)?)
            } else {
                name
            };
            if there.get(&name) != Some(&bytes) {
                missing(bytes);
            }
        }
        let epochs = home::durable(home, closed)?;
        for durable in &epochs {
            for (path, bytes) in &durable.segments {
                let copied = copied(&there, &segment_name(durable.epoch, path));
                missing(bytes.saturating_sub(copied));
            }
        }
        if let Some(last) = epochs.last() {
            let folder = format!("epochs/{:06}/copied/", last.epoch);
            let marks = there.keys().filter_map(|name| name.strip_prefix(&folder)?.parse().ok());
            let copied = marks.max().unwrap_or(0);
            (status.epoch, status.entries_copied) = (last.epoch, copied);
            status.entries_durable = last.size;
        }
        Ok(status)
    }

    fn text(&self) -> String {
        let Self { epoch, entries_copied, entries_durable, unreplicated_bytes } = self;
        out::field(
            "epoch",
            &format!("{epoch}: {entries_copied} of {entries_durable} entries copied"),
        ) + &format!("unreplicated bytes: {unreplicated_bytes} (the scribe's claim)\n")
    }

    fn value(&self) -> Value {
        object([
            ("claimed_by", "scribe".into()),
            ("entries_copied", count(self.entries_copied)),
            ("entries_durable", count(self.entries_durable)),
            ("epoch", i64::from(self.epoch).into()),
            ("unreplicated_bytes", count(self.unreplicated_bytes)),
        ])
    }
}
