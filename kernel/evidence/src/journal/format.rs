//! The journal's bytes, version 1. Integers are big-endian.
//!
//! ```text
//! file  = "PCJOURN1" u16 version | u16 origin length | origin | u32 crc32c of all before | group*
//! group = "PCGR" u16 version | u64 group number | u64 first seq | u32 count | u32 payload length
//!       | u64 entries durable before | 32 chain before | u32 crc32c of all before in the header
//!       | u32 crc32c of header (without the two checksums) and payload
//!       | payload | "PCGE"
//! payload = count × ( u32 length | u32 crc32c of the entry | entry )
//! chain(0) = SHA-256(file header)      chain(n+1) = SHA-256(chain(n) ‖ u64 seq ‖ entry)
//! ```
//!
//! The header has a checksum of its own so that a damaged length is not taken for a torn group;
//! each entry has one so that damage can be named to the record.

use crc32c::{crc32c, crc32c_append};

use crate::Digest;
use crate::bytes::ByteReader;
use crate::digest::of_parts;

/// Version of file header, groups and entries' frames.
pub const JOURNAL_VERSION: u16 = 1;
/// Longest entry in bytes. Larger payloads are stored by digest.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;
/// A group is closed before its payload would exceed this many bytes.
pub const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;
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

/// The bytes before the first group.
pub(super) fn file_header(origin: &str) -> Vec<u8> {
    let mut bytes = FILE_MAGIC.to_vec();
    bytes.extend_from_slice(&JOURNAL_VERSION.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(origin.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(origin.as_bytes());
    bytes.extend_from_slice(&crc32c(&bytes).to_be_bytes());
    bytes
}

/// The chain before the first entry; it binds origin and version.
pub(super) fn chain_start(file_header: &[u8]) -> Digest {
    Digest::of(file_header)
}

/// The chain after one more entry.
pub(super) fn chain_next(chain: Digest, seq: u64, entry: &[u8]) -> Digest {
    of_parts(&[&chain.0, &seq.to_be_bytes(), entry])
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
    pub(super) chain_before: Digest,
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
        fields.extend_from_slice(&self.chain_before.0);
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
            chain_before: Digest(reader.array()?),
            checksum,
        })
    }

    /// The checksum that belongs to this header over `payload`.
    pub(super) fn expected_checksum(header_bytes: &[u8], payload: &[u8]) -> Option<u32> {
        let fields = header_bytes.get(..GROUP_FIELDS_LEN)?;
        Some(crc32c_append(crc32c(fields), payload))
    }
}
