//! The market data of a replay: raw frames out of chunks, decoded as the kernel decoded them, one
//! after the other in the order in which the core heard them.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::entry;
use portcullis_domain::{Instrument, MarketFrame, Now, StreamId};
use portcullis_evidence::chunk::RawFrame;
use portcullis_evidence::pack::Finding;
use portcullis_statement::json::{Fields, JsonError};
use portcullis_statement::{Digest, EndpointKind};
use portcullis_wire::binance::SpotStreams;
use portcullis_wire::kraken::PublicStreams;

/// Where chunks come from. A chunk that is not there is lost; one that cannot be read is damage.
pub(super) trait Chunks {
    /// Every chunk that is there.
    fn names(&self) -> Vec<Digest>;
    /// Its frames; `None` if it is not there.
    fn frames(&self, chunk: Digest) -> Result<Option<Vec<RawFrame>>, Finding>;
}

/// The decoder of the venue's public streams.
enum Decoder {
    Kraken(Box<PublicStreams>),
    Binance(Box<SpotStreams>),
}

impl Decoder {
    fn decode(&mut self, raw: &[u8]) -> Result<Vec<MarketFrame>, String> {
        let decoded = match self {
            Self::Kraken(streams) => streams.decode(raw),
            Self::Binance(streams) => streams.decode(raw),
        };
        decoded.map_err(|error| format!("{}: {}", error.code(), error.cause))
    }
}

/// A chunk, and the entry that names it; what no entry of this journal names comes last.
#[derive(Clone, Copy)]
struct Cited {
    entry: usize,
    chunk: Digest,
    /// Where it begins, as its entry says.
    from: Option<(StreamId, u64)>,
}

/// What comes next.
pub(super) enum Next {
    /// A frame, and when it was received.
    Frame(Now, MarketFrame),
    /// No frame is left.
    Over,
    /// The chunk that comes next is not there; where it began, if its entry is.
    Missing(Option<(StreamId, u64)>),
}

/// The frames of a journal, in order.
pub(super) struct Market<'a> {
    chunks: &'a dyn Chunks,
    cited: VecDeque<Cited>,
    decoder: Option<Decoder>,
    ready: VecDeque<(Now, MarketFrame)>,
}

impl<'a> Market<'a> {
    /// Finds the chunks that the entries name.
    pub(super) fn new(entries: &[&[u8]], chunks: &'a dyn Chunks) -> Result<Self, Finding> {
        let mut cited = VecDeque::new();
        for (entry, bytes) in entries.iter().enumerate() {
            if entry::kind(bytes) == Some(b"chunk")
                && let Some((chunk, from)) = named(bytes)
            {
                cited.push_back(Cited { entry, chunk, from });
            }
        }
        let mut unnamed = Vec::new();
        for chunk in chunks.names() {
            if !cited.iter().any(|known| known.chunk == chunk) {
                let frames = chunks.frames(chunk)?.unwrap_or_default();
                let first = frames.first().map(|first| (first.received.boot, first.sequence));
                unnamed.push((first, chunk));
            }
        }
        unnamed.sort_unstable_by_key(|(first, _)| *first);
        let last = |(_, chunk)| Cited { entry: usize::MAX, chunk, from: None };
        cited.extend(unnamed.into_iter().map(last));
        Ok(Self { chunks, cited, decoder: None, ready: VecDeque::new() })
    }

    /// Market data of `instrument` begins anew behind the entry `at`: what was recorded before it
    /// and never heard is never heard.
    pub(super) fn begin(&mut self, at: usize, kind: EndpointKind, instrument: Instrument) {
        self.forget(at);
        self.decoder = Some(if kind == EndpointKind::Recorded {
            Decoder::Binance(Box::new(SpotStreams::new(instrument)))
        } else {
            Decoder::Kraken(Box::new(PublicStreams::new(instrument)))
        });
    }

    /// Whatever the run before the entry `at` did not hear is never heard.
    pub(super) fn forget(&mut self, at: usize) {
        self.ready.clear();
        while self.cited.pop_front_if(|chunk| chunk.entry < at).is_some() {}
    }

    /// The next frame, if it is not beyond `cursors`, the places that the next entry names.
    pub(super) fn next(&mut self, cursors: &BTreeMap<StreamId, u64>) -> Result<Next, Finding> {
        loop {
            let within = |(_, frame): &mut (Now, MarketFrame)| {
                cursors.get(&frame.stream).is_some_and(|last| frame.sequence <= *last)
            };
            if let Some((received, frame)) = self.ready.pop_front_if(within) {
                return Ok(Next::Frame(received, frame));
            }
            let Some(decoder) = self.decoder.as_mut().filter(|_| self.ready.is_empty()) else {
                return Ok(Next::Over);
            };
            let Some(next) = self.cited.pop_front() else { return Ok(Next::Over) };
            let Some(frames) = self.chunks.frames(next.chunk)? else {
                return Ok(Next::Missing(next.from));
            };
            for raw in frames {
                decode(decoder, &raw, &mut self.ready).map_err(|cause| {
                    let place = format!("chunks/{}.gz", next.chunk.hex());
                    Finding::new("MARKET_DATA_UNREADABLE", &place, &cause)
                })?;
            }
        }
    }
}

/// A raw frame's own number is that of the last frame which came of it.
fn decode(
    decoder: &mut Decoder,
    raw: &RawFrame,
    ready: &mut VecDeque<(Now, MarketFrame)>,
) -> Result<(), String> {
    let mut frames = decoder.decode(&raw.bytes)?;
    let mut sequence = raw.sequence;
    for frame in frames.iter_mut().rev() {
        if frame.stream != raw.stream || sequence == 0 {
            return Err(format!("a frame out of its place, number {}", raw.sequence));
        }
        frame.sequence = sequence;
        sequence = sequence.saturating_sub(1);
    }
    ready.extend(frames.into_iter().map(|frame| (raw.received, frame)));
    Ok(())
}

/// The chunk that an entry names, and where it begins.
fn named(bytes: &[u8]) -> Option<(Digest, Option<(StreamId, u64)>)> {
    let entry = entry::decode(bytes).ok()?;
    let begins = || -> Result<Option<(StreamId, u64)>, JsonError> {
        let mut body = Fields::new(&entry.body)?;
        let Some(range) = body.list("ranges")?.first() else { return Ok(None) };
        let mut range = Fields::new(range)?;
        let stream = u16::try_from(range.uint("stream")?).ok().map(StreamId);
        Ok(stream.zip(Some(range.uint("from")?)))
    };
    Some((Digest::from_hex(&entry.corr)?, begins().ok().flatten()))
}
