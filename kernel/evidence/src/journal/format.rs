//! The journal's bytes, version 1. Integers are big-endian.
//!
//! ```text
//! segment = "PCJOURN1" u16 version | u16 origin length | origin | u32 segment number (from 1)
//!         | u64 first group | u64 first seq | 32 root before | u32 crc32c of all before
//!         | group+ | zeros
//! group = "PCGR" u16 version | u64 group number | u64 first seq | u32 count | u32 payload length
//!       | u64 entries durable before | 32 root before | u32 crc32c of all before in the header
//!       | u32 crc32c of header (without the two checksums) and payload
//!       | payload | "PCGE"
//! payload = count × ( u32 length | u32 crc32c of the entry | entry )
//! root(n) = RFC 6962 root over the log leaves of the epoch's first n entries
//! ```
//!
//! Numbers count from 0 at the epoch's beginning. A group lies in one segment. Segments are files
//! of [`SEGMENT_BYTES`], zeros behind the last group; a copy may leave those zeros out.
//!
//! The header has a checksum of its own so that a damaged length is not taken for a torn group;
//! each entry has one so that damage can be named to the record.

use crc32c::{crc32c, crc32c_append};

use crate::Digest;
use crate::bytes::ByteReader;

/// Version of file header, groups and entries' frames.
pub const JOURNAL_VERSION: u16 = 1;
/// Longest entry in bytes. Larger payloads are stored by digest.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;
/// A group is closed before its payload would exceed this many bytes.
pub const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Length of a segment's file in bytes. Any group fits into a segment of its own.
pub const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Longest origin in bytes.
pub const ORIGIN_BYTES_MAX: usize = 255;

pub(super) const FILE_MAGIC: [u8; 8] = *b"PCJOURN1";
pub(super) const GROUP_MAGIC: [u8; 4] = *b"PCGR";
pub(super) const GROUP_END: [u8; 4] = *b"PCGE";
/// Bytes of the header under its own checksum.
const GROUP_FIELDS_LEN: usize = 70;
/// Bytes of a whole group header.
pub(super) const GROUP_HEADER_LEN: usize = 78;
/// Bytes before each entry.
pub(super) const ENTRY_FRAME_LEN: usize = 8;

/// Whether `origin` may name a journal: 1 to 255 printable ASCII characters without a space.
#[must_use]
pub fn is_origin(origin: &str) -> bool {
    (1..=ORIGIN_BYTES_MAX).contains(&origin.len()) && origin.bytes().all(|b| b.is_ascii_graphic())
}

/// What a segment says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) origin: String,
    pub(super) segment: u32,
    pub(super) first_group: u64,
    pub(super) first_seq: u64,
    pub(super) root_before: Digest,
}

/// Why bytes are not a segment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSegment {
    Short,
    Magic,
    Version(u16),
    Origin,
    Checksum,
}

/// Bytes of a segment header but for the origin.
const SEGMENT_FIELDS_LEN: usize = 68;
/// Longest segment header in bytes.
pub(super) const SEGMENT_HEADER_MAX: usize = SEGMENT_FIELDS_LEN + ORIGIN_BYTES_MAX;

impl SegmentHeader {
    /// The bytes before the first group.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = FILE_MAGIC.to_vec();
        bytes.extend_from_slice(&JOURNAL_VERSION.to_be_bytes());
        let origin_len = u16::try_from(self.origin.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&origin_len.to_be_bytes());
        bytes.extend_from_slice(self.origin.as_bytes());
        bytes.extend_from_slice(&self.segment.to_be_bytes());
        bytes.extend_from_slice(&self.first_group.to_be_bytes());
        bytes.extend_from_slice(&self.first_seq.to_be_bytes());
        bytes.extend_from_slice(&self.root_before.0);
        bytes.extend_from_slice(&crc32c(&bytes).to_be_bytes());
        bytes
    }

    /// Reads the header at the front of `bytes`, and its length.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, usize), NoSegment> {
        let mut reader = ByteReader::new(bytes);
        if reader.array().ok_or(NoSegment::Short)? != FILE_MAGIC {
            return Err(NoSegment::Magic);
        }
        let version = reader.u16().ok_or(NoSegment::Short)?;
        if version != JOURNAL_VERSION {
            return Err(NoSegment::Version(version));
        }
        let origin_len = usize::from(reader.u16().ok_or(NoSegment::Short)?);
        let origin = reader.take(origin_len).ok_or(NoSegment::Short)?;
        let origin = std::str::from_utf8(origin).ok().filter(|origin| is_origin(origin));
        let header = Self {
            origin: origin.ok_or(NoSegment::Origin)?.to_owned(),
            segment: reader.u32().ok_or(NoSegment::Short)?,
            first_group: reader.u64().ok_or(NoSegment::Short)?,
            first_seq: reader.u64().ok_or(NoSegment::Short)?,
            root_before: Digest(reader.array().ok_or(NoSegment::Short)?),
        };
        let expected = header.encode();
        if bytes.starts_with(&expected) {
            Ok((header, expected.len()))
        } else if bytes.len() < expected.len() {
            Err(NoSegment::Short)
        } else {
            Err(NoSegment::Checksum)
        }
    }
}

/// What a group says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupHeader {
    pub(super) version: u16,
    pub(super) number: u64,
    pub(super) first_seq: u64,
    pub(super) count: u32,
    pub(super) payload_len: u32,
    pub(super) durable_before: u64,
    pub(super) root_before: Digest,
    pub(super) checksum: u32,
}

/// Why bytes are not a group header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    Short,
    Magic,
    Checksum,
}

impl GroupHeader {
    /// Header bytes of this group over `payload`; `checksum` is computed, not taken.
    pub(super) fn encode(&self, payload: &[u8]) -> [u8; GROUP_HEADER_LEN] {
        let mut fields = Vec::with_capacity(GROUP_HEADER_LEN);
        fields.extend_from_slice(&GROUP_MAGIC);
        fields.extend_from_slice(&self.version.to_be_bytes());
        fields.extend_from_slice(&self.number.to_be_bytes());
        fields.extend_from_slice(&self.first_seq.to_be_bytes());
        fields.extend_from_slice(&self.count.to_be_bytes());
        fields.extend_from_slice(&self.payload_len.to_be_bytes());
        fields.extend_from_slice(&self.durable_before.to_be_bytes());
        fields.extend_from_slice(&self.root_before.0);
        let header_checksum = crc32c(&fields);
        fields.extend_from_slice(&header_checksum.to_be_bytes());
        fields.extend_from_slice(&crc32c_append(header_checksum, payload).to_be_bytes());
        let mut header = [0; GROUP_HEADER_LEN];
        for (slot, byte) in header.iter_mut().zip(fields) {
            *slot = byte;
        }
        header
    }

    /// Reads the header at the front of `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, NoHeader> {
        let magic = bytes.first_chunk().ok_or(NoHeader::Short)?;
        if *magic != GROUP_MAGIC {
            return Err(NoHeader::Magic);
        }
        let mut reader = ByteReader::new(bytes);
        let fields = reader.take(GROUP_FIELDS_LEN).ok_or(NoHeader::Short)?;
        let header_checksum = reader.u32().ok_or(NoHeader::Short)?;
        let checksum = reader.u32().ok_or(NoHeader::Short)?;
        if crc32c(fields) != header_checksum {
            return Err(NoHeader::Checksum);
        }
        Self::decode_fields(fields, checksum).ok_or(NoHeader::Short)
    }

    fn decode_fields(fields: &[u8], checksum: u32) -> Option<Self> {
        let mut reader = ByteReader::new(fields);
        reader.take(GROUP_MAGIC.len())?;
        Some(Self {
            version: reader.u16()?,
            number: reader.u64()?,
            first_seq: reader.u64()?,
            count: reader.u32()?,
            payload_len: reader.u32()?,
            durable_before: reader.u64()?,
            root_before: Digest(reader.array()?),
            checksum,
        })
    }

    /// Bytes of the group as a whole.
    pub(super) fn group_len(&self) -> usize {
        let payload_len = usize::try_from(self.payload_len).unwrap_or(usize::MAX);
        GROUP_HEADER_LEN.saturating_add(payload_len).saturating_add(GROUP_END.len())
    }

    /// The checksum that belongs to this header over `payload`.
    pub(super) fn expected_checksum(header_bytes: &[u8], payload: &[u8]) -> Option<u32> {
        let fields = header_bytes.get(..GROUP_FIELDS_LEN)?;
        Some(crc32c_append(crc32c(fields), payload))
    }
}
