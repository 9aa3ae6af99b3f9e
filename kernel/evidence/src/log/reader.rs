//! Reading tiles. Nothing here is believed: whoever reads compares with a signed root.

use super::proof::Nodes;
use super::tile::{HASH_LEN, TILE_HEIGHT};
use super::writer::merged;
use super::{LogFault, LogFiles, TILE_WIDTH, TileName};
use crate::Digest;
use crate::bytes::ByteReader;
use crate::tree::LOG_LEAF_BYTES_MAX;

/// Bytes of a leaf's length in a bundle.
const LENGTH_LEN: usize = 2;
/// Longest bundle in bytes.
pub(super) const BUNDLE_BYTES_MAX: usize = TILE_WIDTH * (LENGTH_LEN + LOG_LEAF_BYTES_MAX);
/// Bytes of a full tile.
const TILE_BYTES: usize = TILE_WIDTH * HASH_LEN;

/// The tree of one size, from its tiles.
#[derive(Debug)]
pub struct TileReader {
    files: LogFiles,
    size: u64,
    /// The tile read last.
    kept: Option<(TileName, Vec<Digest>)>,
}

impl TileReader {
    /// The tree of the first `size` leaves.
    #[must_use]
    pub const fn new(files: LogFiles, size: u64) -> Self {
        Self { files, size, kept: None }
    }

    /// Leaf `index`.
    ///
    /// # Errors
    /// `LOG_NO_SUCH_ENTRY`, `LOG_FILE_MISSING`, `LOG_FILE_MALFORMED`, `LOG_UNREADABLE`.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, LogFault> {
        let (name, within) = self.place(None, index)?;
        let (name, bytes) = self.bytes_of(name, BUNDLE_BYTES_MAX)?;
        let leaves = read_bundle(&bytes, name)?;
        let leaf = leaves.get(within).map(|leaf| leaf.to_vec());
        leaf.ok_or_else(|| LogFault::Malformed { file: name.to_string() })
    }

    /// The tile that holds hash `number` of a level, and where in it.
    fn place(&self, level: Option<u32>, number: u64) -> Result<(TileName, usize), LogFault> {
        let bits = level.unwrap_or(0).saturating_mul(TILE_HEIGHT);
        let count = self.size.checked_shr(bits).unwrap_or(0);
        if number >= count {
            return Err(LogFault::NoSuchEntry { index: number, size: count });
        }
        let index = number >> TILE_HEIGHT;
        let first = index << TILE_HEIGHT;
        let width = count.saturating_sub(first);
        let width = usize::try_from(width).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        let within = usize::try_from(number.saturating_sub(first)).unwrap_or(TILE_WIDTH);
        Ok((TileName { level, index, width }, within))
    }

    /// The bytes of a tile, or of the full one that took its place.
    fn bytes_of(&self, name: TileName, bytes_max: usize) -> Result<(TileName, Vec<u8>), LogFault> {
        for candidate in [name, name.full()] {
            if let Some(bytes) = self.files.read(&candidate.to_string(), bytes_max)? {
                return Ok((candidate, bytes));
            }
        }
        Err(LogFault::Missing { file: name.to_string() })
    }

    fn hashes(&mut self, name: TileName) -> Result<&[Digest], LogFault> {
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != name) {
            let (found, bytes) = self.bytes_of(name, TILE_BYTES)?;
            let hashes = bytes.chunks(HASH_LEN).map(|hash| hash.try_into().map(Digest));
            let hashes = hashes.collect::<Result<Vec<_>, _>>();
            let whole = hashes.ok().filter(|hashes| hashes.len() == found.width);
            let hashes = whole.ok_or_else(|| LogFault::Malformed { file: found.to_string() })?;
            self.kept = Some((name, hashes));
        }
        Ok(self.kept.as_ref().map_or(&[], |(_, hashes)| hashes))
    }
}

impl Nodes for TileReader {
    fn full(&mut self, height: u32, index: u64) -> Result<Digest, LogFault> {
        let level = height.checked_div(TILE_HEIGHT).unwrap_or(0);
        let within_tile = height.checked_rem(TILE_HEIGHT).unwrap_or(0);
        let (name, first) = self.place(Some(level), index << within_tile)?;
        let end = first.saturating_add(1_usize << within_tile);
        let part = self.hashes(name)?.get(first..end).and_then(merged);
        part.ok_or_else(|| LogFault::Malformed { file: name.to_string() })
    }
}

/// The leaves of a bundle, which holds as many as its name says and nothing else.
///
/// # Errors
/// `LOG_FILE_MALFORMED`.
pub fn read_bundle(bytes: &[u8], name: TileName) -> Result<Vec<&[u8]>, LogFault> {
    let mut reader = ByteReader::new(bytes);
    let mut leaves = Vec::with_capacity(name.width.min(TILE_WIDTH));
    while !reader.is_empty() {
        let leaf = reader.u16().and_then(|length| reader.take(usize::from(length)));
        leaves.extend(leaf);
        if leaf.is_none() {
            return Err(LogFault::Malformed { file: name.to_string() });
        }
    }
    let whole = leaves.len() == name.width;
    if whole { Ok(leaves) } else { Err(LogFault::Malformed { file: name.to_string() }) }
}
