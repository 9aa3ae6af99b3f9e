//! A folder of recorded market data: read strictly, or refused with file, line and reason.
//!
//! One line is one frame: `{"recv_ns":<integer>,"msg":<the frame exactly as received>}`. Files are
//! read in the order of their names; together they are one recording.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{Instrument, MarketEvent, MarketFrame, WallNs};
use portcullis_path::lockstep::{Feed, FeedFault, FeedItem};
use portcullis_statement::{Digest, RecordedFile};
use portcullis_wire::binance::SpotStreams;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest line that is read. A recorded snapshot of 5 000 levels has about 300 kB.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Receive times outside of these years are another unit, or no clock at all.
const RECEIVED_NS: std::ops::Range<i64> = YEAR_2000_NS..YEAR_2100_NS;
const YEAR_2000_NS: i64 = 946_684_800 * NS_PER_S;
const YEAR_2100_NS: i64 = 4_102_444_800 * NS_PER_S;

/// The files of a recording, read once: what is hashed is what is replayed.
#[derive(Debug)]
pub(crate) struct Recording {
    files: Vec<(RecordedFile, Vec<u8>)>,
    digest: Digest,
    synthetic: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    recv_ns: i64,
    #[serde(borrow)]
    msg: &'a RawValue,
}

impl Recording {
    /// Reads every `*.jsonl` and `*.jsonl.gz` of a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, FeedFault> {
        let mut files = Vec::new();
        for path in paths_in(folder)? {
            // Looked at before it is opened: a pipe would be waited for, a device never ends.
            let kind = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
            if !kind.is_file() {
                return Err(unreadable(&path, &"not a regular file"));
            }
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            files.push((file_name(&path).unwrap_or_default(), bytes));
        }
        if files.is_empty() {
            return Err(FeedFault {
                code: "RECORDING_EMPTY",
                place: folder.display().to_string(),
                cause: "no *.jsonl or *.jsonl.gz file in it".to_owned(),
            });
        }
        Ok(Self::of(files, false))
    }

    /// A recording that was made up, and says so.
    pub(crate) fn synthetic(bytes: Vec<u8>) -> Self {
        Self::of(vec![("synthetic.jsonl".to_owned(), bytes)], true)
    }

    fn of(named: Vec<(String, Vec<u8>)>, synthetic: bool) -> Self {
        let hash = |(name, bytes): (String, Vec<u8>)| {
            let sha256 = Digest::of(&bytes);
            (RecordedFile { name, sha256 }, bytes)
        };
        let files: Vec<_> = named.into_iter().map(hash).collect();
        let line =
            |(file, _): &(RecordedFile, _)| [&file.sha256.hex(), " ", &file.name, "\n"].concat();
        let listing: String = files.iter().map(line).collect();
        Self { files, digest: Digest::of(listing.as_bytes()), synthetic }
    }

    /// Whether it was made up.
    pub(crate) fn is_synthetic(&self) -> bool {
        self.synthetic
    }

    /// SHA-256 over the list of names and digests.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// The files as the endpoint set lists them.
    pub(crate) fn files(&self) -> Vec<RecordedFile> {
        self.files.iter().map(|(file, _)| file.clone()).collect()
    }

    /// Starts reading.
    ///
    /// One session covers it: what was received `window_ns` after the first frame is refused.
    pub(crate) fn feed(&self, instrument: Instrument, window_ns: i64) -> RecordedFeed<'_> {
        RecordedFeed {
            files: self.files.iter().map(|(file, bytes)| (file.name.as_str(), &**bytes)).collect(),
            open: None,
            streams: SpotStreams::new(instrument),
            ahead: None,
            window_ns,
            received: None,
            frames: FrameCounts::default(),
            offsets_ms: Vec::new(),
        }
    }
}

/// The recording's files, by name.
fn paths_in(folder: &Path) -> Result<Vec<PathBuf>, FeedFault> {
    let fault = |error: std::io::Error| unreadable(folder, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if !name.is_some_and(|name| is_recording(&name)) {
            continue;
        }
        // To pass over it would be to replay the rest as if it were the whole.
        if file_name(&path).is_none() {
            return Err(unreadable(&path, &"its name is not UTF-8"));
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, cause: &dyn std::fmt::Display) -> FeedFault {
    let (place, cause) = (path.display().to_string(), cause.to_string());
    FeedFault { code: "RECORDING_UNREADABLE", place, cause }
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

fn is_recording(name: &str) -> bool {
    [".jsonl", ".jsonl.gz"].iter().any(|ending| name.ends_with(ending))
}

fn is_compressed(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "gz")
}

/// Frames read, each one line, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameCounts {
    pub(crate) all: u64,
    pub(crate) snapshots: u64,
    /// Those older than the snapshot too.
    pub(crate) depth_diffs: u64,
    pub(crate) quotes: u64,
    pub(crate) trades: u64,
}

impl FrameCounts {
    /// Counts one frame by the first thing it says. A diff that waits for its snapshot, or is
    /// older than it, says nothing, and no other frame is silent.
    fn add(&mut self, told: &[MarketFrame]) {
        let count = match told.first().map(|frame| &frame.event) {
            Some(MarketEvent::Snapshot { .. }) => &mut self.snapshots,
            Some(MarketEvent::Quote { .. }) => &mut self.quotes,
            Some(MarketEvent::Trade { .. }) => &mut self.trades,
            Some(MarketEvent::Levels { .. } | MarketEvent::Gap { .. }) | None => {
                &mut self.depth_diffs
            }
        };
        *count = count.saturating_add(1);
        self.all = self.all.saturating_add(1);
    }
}

/// A recording while it is read.
pub(crate) struct RecordedFeed<'a> {
    files: VecDeque<(&'a str, &'a [u8])>,
    open: Option<OpenFile<'a>>,
    streams: SpotStreams,
    ahead: Option<FeedItem>,
    window_ns: i64,
    /// When the first and the last frame so far were received.
    received: Option<(WallNs, WallNs)>,
    frames: FrameCounts,
    /// Exchange time less receive time, in milliseconds, of every frame that states one.
    offsets_ms: Vec<i64>,
}

struct OpenFile<'a> {
    name: &'a str,
    line: u64,
    reader: Box<dyn BufRead + 'a>,
}

impl RecordedFeed<'_> {
    /// Frames read so far.
    pub(crate) fn frames(&self) -> FrameCounts {
        self.frames
    }

    /// Level changes in diffs that were older than the snapshot: dropped by the venue's own rule.
    pub(crate) fn superseded_levels(&self) -> u64 {
        self.streams.superseded_levels()
    }

    /// Median of exchange time less receive time, in milliseconds. Reported, never judged by.
    pub(crate) fn clock_offset_ms(&self) -> Option<i64> {
        let mut sorted = self.offsets_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    fn read_item(&mut self) -> Result<Option<FeedItem>, FeedFault> {
        let Some(text) = self.read_line()? else { return Ok(None) };
        let line: Line<'_> = serde_json::from_slice(&text)
            .map_err(|error| self.fault("RECORDING_MALFORMED", &error.to_string()))?;
        let received = WallNs(line.recv_ns);
        self.check_time(received)?;
        let raw = line.msg.get().as_bytes();
        let frames =
            self.streams.decode(raw).map_err(|error| self.fault(error.code(), &error.cause))?;
        self.check_whole(&frames)?;
        self.frames.add(&frames);
        let offsets = frames.iter().filter_map(|frame| frame.venue_time);
        let offsets = offsets.map(|at| at.0.saturating_sub(received.0) / 1_000_000);
        self.offsets_ms.extend(offsets);
        Ok(Some(FeedItem { received, raw: raw.to_vec(), frames }))
    }

    /// Receive time is the run's clock: it goes forward, within one session.
    fn check_time(&mut self, received: WallNs) -> Result<(), FeedFault> {
        if !RECEIVED_NS.contains(&received.0) {
            let cause = format!("recv_ns {} is no time in nanoseconds of 2000 to 2099", received.0);
            return Err(self.fault("RECORDING_MALFORMED", &cause));
        }
        let (first, last) = self.received.unwrap_or((received, received));
        if received < last {
            let cause = "received before the line above it: reordered";
            return Err(self.fault("RECORDING_REORDERED", cause));
        }
        if received.0.saturating_sub(first.0) >= self.window_ns {
            let hours = self.window_ns / NS_PER_S / 3_600;
            let cause = format!(
                "received {hours} h or more after the first line: longer than one \
                session of phase 1 may be"
            );
            return Err(self.fault("RECORDING_TOO_LONG", &cause));
        }
        self.received = Some((first, received));
        Ok(())
    }

    /// A recording with a hole is not a recording of what happened.
    fn check_whole(&self, frames: &[MarketFrame]) -> Result<(), FeedFault> {
        for frame in frames {
            if let MarketEvent::Gap { expected, found } = frame.event {
                let cause = format!(
                    "stream {} goes on at {found} where {expected} is due: cut or reordered",
                    frame.stream.0
                );
                return Err(self.fault("RECORDING_GAP", &cause));
            }
        }
        Ok(())
    }

    /// The next line, without its line feed.
    fn read_line(&mut self) -> Result<Option<Vec<u8>>, FeedFault> {
        loop {
            if self.open.is_none() {
                let Some((name, bytes)) = self.files.pop_front() else { return Ok(None) };
                let reader: Box<dyn BufRead> = if is_compressed(name) {
                    Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(bytes)))
                } else {
                    Box::new(bytes)
                };
                self.open = Some(OpenFile { name, line: 0, reader });
            }
            let Some(open) = self.open.as_mut() else { return Ok(None) };
            let mut text = Vec::new();
            open.line = open.line.saturating_add(1);
            let read = (&mut open.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut text);
            if let Err(error) = read {
                return Err(self.fault("RECORDING_DAMAGED", &error.to_string()));
            }
            match text.pop() {
                Some(b'\n') => return Ok(Some(text)),
                Some(_) => {
                    let cause = "the line has no end: the file was cut";
                    return Err(self.fault("RECORDING_CUT", cause));
                }
                None => self.open = None,
            }
        }
    }

    fn fault(&self, code: &'static str, cause: &str) -> FeedFault {
        let place = self
            .open
            .as_ref()
            .map_or_else(String::new, |open| format!("{} line {}", open.name, open.line));
        // What was parsed is one line, so the parser's line number only misleads.
        FeedFault { code, place, cause: cause.replace(" at line 1 column ", " at column ") }
    }
}

impl RecordedFeed<'_> {
    fn fill(&mut self) -> Result<(), FeedFault> {
        if self.ahead.is_none() {
            self.ahead = self.read_item()?;
        }
        Ok(())
    }
}

impl Feed for RecordedFeed<'_> {
    fn peek(&mut self) -> Result<Option<WallNs>, FeedFault> {
        self.fill()?;
        Ok(self.ahead.as_ref().map(|item| item.received))
    }

    fn next(&mut self) -> Result<Option<FeedItem>, FeedFault> {
        self.fill()?;
        Ok(self.ahead.take())
    }
}
