//! What a group holds, and what a torn one looks like.

use super::format::{ENTRY_FRAME_LEN, GROUP_HEADER_LEN, GROUP_MAGIC, GroupHeader};
use crate::bytes::ByteReader;

/// Smallest unit that a disk writes; what is lost in a power cut is lost in such pieces.
const SECTOR_BYTES: u64 = 512;

/// The frames of one payload: checksum and bytes of each entry.
pub(super) struct Frames<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(super) fn next(&mut self) -> Option<(u32, &'a [u8])> {
        let mut reader = ByteReader::new(self.rest);
        let length = usize::try_from(reader.u32()?).ok()?;
        let checksum = reader.u32()?;
        let entry = reader.take(length)?;
        self.rest = self.rest.get(ENTRY_FRAME_LEN.saturating_add(length)..)?;
        Some((checksum, entry))
    }
}

/// The entry of a damaged group that is to blame, if one is: how many sound ones are before it, and
/// where it begins in the payload.
pub(super) fn first_bad_entry(header: &GroupHeader, payload: &[u8]) -> Option<(u64, usize)> {
    let mut frames = Frames { rest: payload };
    for entries in 0..u64::from(header.count) {
        let at = payload.len().saturating_sub(frames.rest.len());
        match frames.next() {
            Some((checksum, bytes)) if crc32c::crc32c(bytes) == checksum => {}
            _ => return Some((entries, at)),
        }
    }
    None
}

/// Whether all bytes are zero: the first is, and each equals the one before it.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let Some((first, rest)) = bytes.split_first() else { return true };
    *first == 0 && bytes.get(..rest.len()) == Some(rest)
}

/// The bytes up to the last that is not zero.
pub(super) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let mut end = bytes.len();
    for piece in bytes.rchunks(4_096) {
        if !is_zero(piece) {
            let zeros = piece.iter().rev().take_while(|byte| **byte == 0).count();
            return bytes.get(..end.saturating_sub(zeros)).unwrap_or_default();
        }
        end = end.saturating_sub(piece.len());
    }
    &[]
}

/// Whether a sector of the `extent` bytes at the front of `rest`, which lies at `offset` of the
/// file, was never written: whatever of it is ours is all zeros, up to the sector's end.
///
/// A group begins and ends with bytes that are not zero and its entries are text, so that no
/// sound group and none with a few wrong bits has such a piece.
pub(super) fn has_lost_sector(offset: u64, extent: usize, rest: &[u8]) -> bool {
    let in_sector = offset.checked_rem(SECTOR_BYTES).unwrap_or(0);
    let first = SECTOR_BYTES.saturating_sub(in_sector);
    let (mut from, mut to) = (0, usize::try_from(first).unwrap_or(usize::MAX));
    while from < extent {
        let piece = rest.get(from..to.min(rest.len())).unwrap_or_default();
        if is_zero(piece) {
            return true;
        }
        from = to;
        to = to.saturating_add(usize::try_from(SECTOR_BYTES).unwrap_or(usize::MAX));
    }
    false
}

/// Whether a group header anywhere in `bytes` says that more than `size` entries were durable.
pub(super) fn claims_durable_beyond(size: u64, bytes: &[u8]) -> bool {
    bytes
        .windows(GROUP_HEADER_LEN)
        .filter(|window| window.starts_with(&GROUP_MAGIC))
        .filter_map(|window| GroupHeader::decode(window).ok())
        .any(|header| header.durable_before > size)
}
