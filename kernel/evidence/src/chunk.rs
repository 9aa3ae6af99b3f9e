//! Raw market data in content-addressed chunks, beside the journal and never on its path.
//!
//! The journal holds one entry per chunk: its digest and how far each stream had come. The address
//! is the SHA-256 of the *content*, so that `gunzip | sha256sum` checks a chunk without us and
//! another compressor changes nothing. Nothing here syncs: a crash may lose the last chunk, and
//! replay then says so.
//!
//! ```text
//! content = "PCCHUNK1" u16 version | u32 frame count | frame*           (big-endian)
//! frame   = u16 stream | u64 sequence | i64 wall ns | i64 boot ns | u32 length | raw bytes
//! file    = the content as one gzip member
//! ```
//! Both clocks are those of the moment at which the frame was received. The core judges by that
//! moment, so that a replay judges by the same.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use portcullis_domain::time::{NS_PER_S, WallNs};
use portcullis_domain::{BootNs, Now, StreamId};

use crate::Digest;
use crate::bytes::{ByteReader, len_u64};

/// Version of the content.
pub const CHUNK_VERSION: u16 = 1;
/// A chunk is closed before its content would exceed this many bytes.
pub const CHUNK_BYTES_TARGET: usize = 1024 * 1024;
/// No content and no chunk file is longer. A frame that would need more is refused.
pub const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A chunk is closed when its frames span this much receive time.
pub const CHUNK_SPAN_NS_MAX: i64 = NS_PER_S;

const MAGIC: [u8; 8] = *b"PCCHUNK1";
const CONTENT_HEADER_LEN: usize = 14;
const FRAME_HEADER_LEN: usize = 30;

/// How far one stream goes within a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRange {
    /// The stream.
    pub stream: StreamId,
    /// Sequence of its first frame.
    pub from: u64,
    /// Sequence of its last frame.
    pub to: u64,
}

/// A finished chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// SHA-256 of the content: the chunk's address.
    pub digest: Digest,
    /// The streams in it, by number.
    pub ranges: Vec<StreamRange>,
    /// Frames.
    pub frames: u32,
    /// Bytes of the content, before compression.
    pub bytes: u64,
    /// The chunk's file.
    pub compressed: Vec<u8>,
}

/// One raw frame as it came off the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The stream it came from.
    pub stream: StreamId,
    /// Its number there, given by the reader.
    pub sequence: u64,
    /// When it was received, on both clocks.
    pub received: Now,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Why a frame or a chunk is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkFault {
    /// A frame does not fit into any chunk.
    FrameTooLarge {
        /// Its bytes.
        bytes: u64,
    },
    /// A file is longer, or its content would be, than [`CHUNK_BYTES_MAX`].
    TooLarge,
    /// Not one well-formed gzip member and nothing else.
    Compression,
    /// The content is not the one that the address names.
    Digest {
        /// What it hashes to.
        found: Digest,
    },
    /// Written by a version that this one does not read.
    Version {
        /// The version found.
        found: u16,
    },
    /// Counts or lengths do not add up.
    Malformed,
}

impl ChunkFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FrameTooLarge { .. } => "CHUNK_FRAME_TOO_LARGE",
            Self::TooLarge => "CHUNK_TOO_LARGE",
            Self::Compression => "CHUNK_COMPRESSION",
            Self::Digest { .. } => "CHUNK_DIGEST",
            Self::Version { .. } => "CHUNK_VERSION",
            Self::Malformed => "CHUNK_MALFORMED",
        }
    }
}

impl fmt::Display for ChunkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self:?}", self.code())
    }
}

impl std::error::Error for ChunkFault {}

/// Collects frames into chunks. Closing one hashes and compresses up to 1 MiB, which takes
/// milliseconds: give it a thread of its own, away from the core loop.
#[derive(Debug, Default)]
pub struct ChunkWriter {
    frames: Vec<u8>,
    count: u32,
    first_received: Option<WallNs>,
    ranges: BTreeMap<StreamId, StreamRange>,
}

impl ChunkWriter {
    /// With nothing collected.
    #[must_use]
    pub const fn new() -> Self {
        Self { frames: Vec::new(), count: 0, first_received: None, ranges: BTreeMap::new() }
    }

    /// Adds a frame. If there is no room for it, or the collected ones already span a second, they
    /// come back as a chunk and the frame begins the next.
    ///
    /// # Errors
    /// `CHUNK_FRAME_TOO_LARGE`: the frame is not kept, everything before it is.
    pub fn push(
        &mut self,
        stream: StreamId,
        sequence: u64,
        raw_frame: &[u8],
        received: Now,
    ) -> Result<Option<Chunk>, ChunkFault> {
        let framed = raw_frame.len().saturating_add(FRAME_HEADER_LEN);
        let too_large = ChunkFault::FrameTooLarge { bytes: len_u64(raw_frame.len()) };
        let length = u32::try_from(raw_frame.len()).map_err(|_over_4_gib| too_large.clone())?;
        if framed.saturating_add(CONTENT_HEADER_LEN) > CHUNK_BYTES_MAX {
            return Err(too_large);
        }
        let no_room = self.content_len().saturating_add(framed) > CHUNK_BYTES_TARGET;
        let closed = if no_room || self.is_due(received.wall) { self.flush() } else { None };

        self.frames.extend_from_slice(&stream.0.to_be_bytes());
        self.frames.extend_from_slice(&sequence.to_be_bytes());
        self.frames.extend_from_slice(&received.wall.0.to_be_bytes());
        self.frames.extend_from_slice(&received.boot.0.to_be_bytes());
        self.frames.extend_from_slice(&length.to_be_bytes());
        self.frames.extend_from_slice(raw_frame);
        self.count = self.count.saturating_add(1);
        self.first_received.get_or_insert(received.wall);
        let range = StreamRange { stream, from: sequence, to: sequence };
        self.ranges.entry(stream).or_insert(range).to = sequence;
        Ok(closed)
    }

    /// Whether what is collected should be closed by `now`, frames coming or not. A clock that
    /// was set back also closes it.
    #[must_use]
    pub fn is_due(&self, now: WallNs) -> bool {
        self.first_received
            .is_some_and(|first| !(0..CHUNK_SPAN_NS_MAX).contains(&now.0.saturating_sub(first.0)))
    }

    /// Closes what is collected; `None` if that is nothing.
    pub fn flush(&mut self) -> Option<Chunk> {
        if self.count == 0 {
            return None;
        }
        let done = std::mem::take(self);
        let mut content = Vec::with_capacity(done.content_len());
        content.extend_from_slice(&MAGIC);
        content.extend_from_slice(&CHUNK_VERSION.to_be_bytes());
        content.extend_from_slice(&done.count.to_be_bytes());
        content.extend_from_slice(&done.frames);
        Some(Chunk {
            digest: Digest::of(&content),
            ranges: done.ranges.into_values().collect(),
            frames: done.count,
            bytes: len_u64(content.len()),
            compressed: compress(&content),
        })
    }

    fn content_len(&self) -> usize {
        self.frames.len().saturating_add(CONTENT_HEADER_LEN)
    }
}

fn compress(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail. If it did, the chunk would be empty and unreadable, and
    // the reader would say so: never a chunk with other content.
    let written = encoder.write_all(content);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// The frames of a chunk file, if it holds what `digest` names.
///
/// # Errors
/// See [`ChunkFault`]. At most [`CHUNK_BYTES_MAX`] bytes are ever unpacked.
pub fn read_chunk(file: &[u8], digest: Digest) -> Result<Vec<RawFrame>, ChunkFault> {
    let content = unpack(file)?;
    let found = Digest::of(&content);
    if found != digest {
        return Err(ChunkFault::Digest { found });
    }
    let mut reader = ByteReader::new(&content);
    if reader.array() != Some(MAGIC) {
        return Err(ChunkFault::Malformed);
    }
    match reader.u16().ok_or(ChunkFault::Malformed)? {
        CHUNK_VERSION => read_frames(&mut reader).ok_or(ChunkFault::Malformed),
        found => Err(ChunkFault::Version { found }),
    }
}

fn unpack(file: &[u8]) -> Result<Vec<u8>, ChunkFault> {
    if file.len() > CHUNK_BYTES_MAX {
        return Err(ChunkFault::TooLarge);
    }
    let mut decoder = GzDecoder::new(file);
    let mut content = Vec::new();
    let one_too_many = len_u64(CHUNK_BYTES_MAX).saturating_add(1);
    let unpacked = decoder.by_ref().take(one_too_many).read_to_end(&mut content);
    if unpacked.is_err() {
        return Err(ChunkFault::Compression);
    }
    if content.len() > CHUNK_BYTES_MAX {
        return Err(ChunkFault::TooLarge);
    }
    if decoder.into_inner().is_empty() { Ok(content) } else { Err(ChunkFault::Compression) }
}

fn read_frames(reader: &mut ByteReader<'_>) -> Option<Vec<RawFrame>> {
    let count = reader.u32()?;
    let mut frames = Vec::new();
    for _ in 0..count {
        let stream = StreamId(reader.u16()?);
        let sequence = reader.u64()?;
        let received = Now { wall: WallNs(reader.i64()?), boot: BootNs(reader.i64()?) };
        let length = usize::try_from(reader.u32()?).ok()?;
        let bytes = reader.take(length)?.to_vec();
        frames.push(RawFrame { stream, sequence, received, bytes });
    }
    reader.is_empty().then_some(frames)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "small numbers in tests")]

    use super::*;

    fn now(ns: i64) -> Now {
        Now { wall: WallNs(ns), boot: BootNs(7) }
    }

    fn raw(stream: u16, sequence: u64, at_ms: i64, bytes: &[u8]) -> RawFrame {
        let received = now(at_ms * 1_000_000);
        RawFrame { stream: StreamId(stream), sequence, received, bytes: bytes.to_vec() }
    }

    fn push(writer: &mut ChunkWriter, frame: &RawFrame) -> Option<Chunk> {
        writer.push(frame.stream, frame.sequence, &frame.bytes, frame.received).unwrap()
    }

    fn sample() -> (Vec<RawFrame>, Chunk) {
        let frames =
            vec![raw(0, 7, 0, b"{\"a\":1}"), raw(2, 1, 5, b""), raw(0, 9, 900, b"{\"b\":2}")];
        let mut writer = ChunkWriter::new();
        for frame in &frames {
            assert_eq!(push(&mut writer, frame), None);
        }
        (frames, writer.flush().unwrap())
    }

    #[test]
    fn what_went_in_comes_out() {
        let (frames, chunk) = sample();
        assert_eq!(read_chunk(&chunk.compressed, chunk.digest).unwrap(), frames);
        let range = |stream, from, to| StreamRange { stream: StreamId(stream), from, to };
        assert_eq!(chunk.ranges, [range(0, 7, 9), range(2, 1, 1)]);
        assert_eq!((chunk.frames, chunk.bytes), (3, 118));
        assert_eq!(ChunkWriter::new().flush(), None);
    }

    #[test]
    fn the_same_frames_have_the_same_address_for_ever() {
        assert_eq!(sample().1.digest, sample().1.digest);
        assert_eq!(
            sample().1.digest.hex(),
            "b4fdbc9f47e11088692108050c71aed5342017b22ffefa9ef406aa8d5af71877"
        );
    }

    #[test]
    fn a_second_or_a_mebibyte_closes_a_chunk() {
        let mut writer = ChunkWriter::new();
        assert!(push(&mut writer, &raw(0, 1, 0, b"a")).is_none());
        assert!(push(&mut writer, &raw(0, 2, 999, b"b")).is_none());
        assert_eq!(push(&mut writer, &raw(0, 3, 1_000, b"c")).unwrap().frames, 2);
        assert_eq!(push(&mut writer, &raw(0, 4, 1, b"clock set back")).unwrap().frames, 1);
        let half = vec![b'x'; CHUNK_BYTES_TARGET / 2];
        assert!(push(&mut writer, &raw(0, 5, 2, &half)).is_none());
        let closed = push(&mut writer, &raw(0, 6, 3, &half)).unwrap();
        assert!(closed.bytes <= len_u64(CHUNK_BYTES_TARGET));
        let alone = vec![b'x'; CHUNK_BYTES_TARGET * 2];
        assert_eq!(push(&mut writer, &raw(0, 7, 4, &alone)).unwrap().frames, 1);
        let alone = writer.flush().unwrap();
        assert_eq!(read_chunk(&alone.compressed, alone.digest).unwrap().len(), 1);
        let huge = vec![0; CHUNK_BYTES_MAX];
        let refusal = writer.push(StreamId(0), 8, &huge, now(0)).unwrap_err();
        assert_eq!(refusal.code(), "CHUNK_FRAME_TOO_LARGE");
    }

    #[test]
    fn a_flipped_bit_never_changes_a_frame() {
        let (frames, chunk) = sample();
        for bit in 0..chunk.compressed.len() * 8 {
            let mut flipped = chunk.compressed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // Flags of the gzip header carry no content, so some flips leave the chunk whole.
            if let Ok(read) = read_chunk(&flipped, chunk.digest) {
                assert_eq!(read, frames, "bit {bit}");
            }
        }
        for length in 0..chunk.compressed.len() {
            assert!(read_chunk(&chunk.compressed[..length], chunk.digest).is_err());
        }
        let trailing = [&chunk.compressed[..], b"x"].concat();
        assert_eq!(read_chunk(&trailing, chunk.digest), Err(ChunkFault::Compression));
        let twice = [&chunk.compressed[..], &chunk.compressed].concat();
        assert_eq!(read_chunk(&twice, chunk.digest), Err(ChunkFault::Compression));
    }

    #[test]
    fn a_bomb_and_a_lie_are_refused() {
        let check = |content: &[u8], expect: &str| {
            let refusal = read_chunk(&compress(content), Digest::of(content)).unwrap_err();
            assert_eq!(refusal.code(), expect);
        };
        check(&vec![0; CHUNK_BYTES_MAX + 1], "CHUNK_TOO_LARGE");
        check(&vec![0; 200 * CHUNK_BYTES_MAX], "CHUNK_TOO_LARGE");
        check(b"PCCHUNK1\0\x02\0\0\0\0", "CHUNK_VERSION");
        check(b"PCCHUNK1\0\x01\0\0\0\x01", "CHUNK_MALFORMED");
        check(b"PCCHUNK1\0\x01\0\0\0\0x", "CHUNK_MALFORMED");
        check(b"PCCHUNK1\0\x01\xff\xff\xff\xff", "CHUNK_MALFORMED");
        check(b"", "CHUNK_MALFORMED");
        let (_, chunk) = sample();
        let other = Digest::of(b"other");
        assert_eq!(read_chunk(&chunk.compressed, other).unwrap_err().code(), "CHUNK_DIGEST");
        let long = vec![0; CHUNK_BYTES_MAX + 1];
        assert_eq!(read_chunk(&long, other).unwrap_err().code(), "CHUNK_TOO_LARGE");
    }
}
