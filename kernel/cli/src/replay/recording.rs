//! A folder of recorded market data: read strictly, or refused with file, line and reason.
//!
//! One line is one frame: `{"recv_ns":<integer>,"msg":<the frame exactly as received>}`. Files are
//! read in the order of their names; together they are one recording.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use portcullis_domain::{Instrument, MarketEvent, MarketFrame, WallNs};
use portcullis_path::lockstep::{Feed, FeedFault, FeedItem};
use portcullis_statement::{Digest, RecordedFile};
use portcullis_wire::binance::SpotStreams;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest line that is read. A recorded snapshot of 5 000 levels has about 300 kB.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

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
        let unreadable = |path: &Path, error: std::io::Error| FeedFault {
            code: "RECORDING_UNREADABLE",
            place: path.display().to_string(),
            cause: error.to_string(),
        };
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            if file_name(&path).is_some_and(|name| is_recording(&name)) {
                paths.push(path);
            }
        }
        paths.sort();
        let mut files = Vec::new();
        for path in paths {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
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
        let listing: String =
            files.iter().map(|(file, _)| format!("{} {}\n", file.sha256.hex(), file.name)).collect();
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
    pub(crate) fn feed(&self, instrument: Instrument) -> RecordedFeed<'_> {
        RecordedFeed {
            files: self.files.iter().map(|(file, bytes)| (file.name.as_str(), &**bytes)).collect(),
            open: None,
            streams: SpotStreams::new(instrument),
            ahead: None,
            last_received: None,
            frames: 0,
            offsets_ms: Vec::new(),
        }
    }
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

fn is_recording(name: &str) -> bool {
    let path = PathBuf::from(name);
    let plain = path.extension().is_some_and(|extension| extension == "jsonl");
    plain || name.ends_with(".jsonl.gz")
}

/// A recording while it is read.
pub(crate) struct RecordedFeed<'a> {
    files: VecDeque<(&'a str, &'a [u8])>,
    open: Option<OpenFile<'a>>,
    streams: SpotStreams,
    ahead: Option<FeedItem>,
    last_received: Option<WallNs>,
    frames: u64,
    /// Exchange time less receive time, in milliseconds, of every frame that states one.
    offsets_ms: Vec<i64>,
}

struct OpenFile<'a> {
    name: &'a str,
    line: u64,
    reader: Box<dyn BufRead + 'a>,
}

impl RecordedFeed<'_> {
    /// Lines read, each one frame.
    pub(crate) fn frames(&self) -> u64 {
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
            .map_err(|error| self.fault("RECORDING_MALFORMED", error.to_string()))?;
        let received = WallNs(line.recv_ns);
        if self.last_received.is_some_and(|last| received < last) {
            let cause = "received before the line above it: reordered";
            return Err(self.fault("RECORDING_REORDERED", cause.to_owned()));
        }
        self.last_received = Some(received);
        let raw = line.msg.get().as_bytes();
        let frames = self
            .streams
            .decode(raw)
            .map_err(|error| self.fault(error.code(), error.cause.clone()))?;
        self.check_whole(&frames)?;
        self.frames = self.frames.saturating_add(1);
        let offsets = frames.iter().filter_map(|frame| frame.venue_time);
        let offsets = offsets.map(|at| at.0.saturating_sub(received.0) / 1_000_000);
        self.offsets_ms.extend(offsets);
        Ok(Some(FeedItem { received, raw: raw.to_vec(), frames }))
    }

    /// A recording with a hole is not a recording of what happened.
    fn check_whole(&self, frames: &[MarketFrame]) -> Result<(), FeedFault> {
        for frame in frames {
            if let MarketEvent::Gap { expected, found } = frame.event {
                let cause = format!(
                    "stream {} goes on at {found} where {expected} is due: cut or reordered",
                    frame.stream.0
                );
                return Err(self.fault("RECORDING_GAP", cause));
            }
        }
        Ok(())
    }

    /// The next line, without its line feed.
    fn read_line(&mut self) -> Result<Option<Vec<u8>>, FeedFault> {
        loop {
            if self.open.is_none() {
                let Some((name, bytes)) = self.files.pop_front() else { return Ok(None) };
                let reader: Box<dyn BufRead> = if name.ends_with(".gz") {
                    Box::new(BufReader::with_capacity(256 * 1024, GzDecoder::new(bytes)))
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
                return Err(self.fault("RECORDING_DAMAGED", error.to_string()));
            }
            match text.pop() {
                Some(b'\n') => return Ok(Some(text)),
                Some(_) => {
                    let cause = "the line has no end: the file was cut";
                    return Err(self.fault("RECORDING_CUT", cause.to_owned()));
                }
                None => self.open = None,
            }
        }
    }

    fn fault(&self, code: &'static str, cause: String) -> FeedFault {
        let place = self.open.as_ref().map_or_else(String::new, |open| {
            format!("{} line {}", open.name, open.line)
        });
        FeedFault { code, place, cause }
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
