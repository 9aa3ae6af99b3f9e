//! Writing tiles as leaves come in, in the memory of one tile per level.

use super::{LogFault, LogFiles, TILE_WIDTH, TileName};
use crate::Digest;
use crate::tree::{LOG_LEAF_BYTES_MAX, leaf_hash, node_hash};

/// Where tiles go. A file name is the tile's, within the log.
pub trait TileFiles {
    /// Takes the bytes of a tile, full or partial.
    ///
    /// # Errors
    /// A disk that does not write, or a file that is not what it has to be.
    fn put(&self, name: TileName, bytes: &[u8]) -> Result<(), LogFault>;

    /// The tile in this place is full: partial ones are not needed any more.
    ///
    /// # Errors
    /// As [`TileFiles::put`].
    fn settle(&self, name: TileName) -> Result<(), LogFault>;
}

impl TileFiles for LogFiles {
    fn put(&self, name: TileName, bytes: &[u8]) -> Result<(), LogFault> {
        Self::put(self, &name.to_string(), bytes)
    }

    fn settle(&self, name: TileName) -> Result<(), LogFault> {
        self.remove_folder(&name.partial_folder())
    }
}

/// Writes one log from its first leaf on. After a restart it is given the same leaves again: files
/// that hold them are left alone and any other is made anew, so that no damage outlives a restart.
#[derive(Debug)]
pub struct TileWriter<F = LogFiles> {
    files: F,
    size: u64,
    /// Of each level the hashes of the tile that is not full yet.
    levels: Vec<Vec<Digest>>,
    /// The leaves of the bundle that is not full yet.
    bundle: Vec<u8>,
}

impl<F: TileFiles> TileWriter<F> {
    /// A writer at the beginning.
    #[must_use]
    pub const fn new(files: F) -> Self {
        Self { files, size: 0, levels: Vec::new(), bundle: Vec::new() }
    }

    /// Where the tiles go.
    #[must_use]
    pub const fn files(&self) -> &F {
        &self.files
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf and writes the tiles that it fills.
    ///
    /// # Errors
    /// `LOG_LEAF_TOO_LONG`, `LOG_UNWRITABLE`; the writer is of no use after either.
    pub fn push(&mut self, leaf: &[u8]) -> Result<(), LogFault> {
        self.push_hashed(leaf, leaf_hash(leaf))
    }

    /// As [`TileWriter::push`], for whoever has the leaf's hash already.
    pub(super) fn push_hashed(&mut self, leaf: &[u8], hash: Digest) -> Result<(), LogFault> {
        let length = u16::try_from(leaf.len()).ok().filter(|_| leaf.len() <= LOG_LEAF_BYTES_MAX);
        let length = length.ok_or(LogFault::LeafTooLong)?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(leaf);
        let (mut carried, mut index) = (Some(hash), self.size);
        for level in 0.. {
            let Some(hash) = carried.take() else { break };
            index = index.checked_div(WIDTH).unwrap_or(0);
            carried = self.push_hash(level, index, hash)?;
        }
        self.size = self.size.saturating_add(1);
        Ok(())
    }

    /// Adds a hash to tile `index` of a level; the root of the tile if it is full now.
    fn push_hash(
        &mut self,
        level: usize,
        index: u64,
        hash: Digest,
    ) -> Result<Option<Digest>, LogFault> {
        if self.levels.len() <= level {
            self.levels.push(Vec::with_capacity(TILE_WIDTH));
        }
        let Some(tile) = self.levels.get_mut(level) else { return Ok(None) };
        tile.push(hash);
        if tile.len() < TILE_WIDTH {
            return Ok(None);
        }
        let hashes = std::mem::take(tile);
        let name = TileName { level: u32::try_from(level).ok(), index, width: TILE_WIDTH };
        self.put_full(name, &tile_bytes(&hashes))?;
        if level == 0 {
            let bundle = std::mem::take(&mut self.bundle);
            self.put_full(TileName { level: None, ..name }, &bundle)?;
        }
        Ok(merged(&hashes))
    }

    fn put_full(&self, name: TileName, bytes: &[u8]) -> Result<(), LogFault> {
        self.files.put(name, bytes)?;
        self.files.settle(name)
    }

    /// Writes the partial tiles of the present size, which a checkpoint of it needs.
    ///
    /// # Errors
    /// `LOG_UNWRITABLE`.
    pub fn flush(&self) -> Result<(), LogFault> {
        let mut count = self.size;
        for (level, hashes) in (0..).zip(&self.levels) {
            let index = count.checked_div(WIDTH).unwrap_or(0);
            let name = TileName { level: Some(level), index, width: hashes.len() };
            if !hashes.is_empty() {
                self.files.put(name, &tile_bytes(hashes))?;
            }
            if level == 0 && !hashes.is_empty() {
                self.files.put(TileName { level: None, ..name }, &self.bundle)?;
            }
            count = index;
        }
        Ok(())
    }

    /// The root of the leaves so far, from what the tiles hold.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = Vec::new();
        for mut rest in self.levels.iter().rev().map(Vec::as_slice) {
            while let Some(power) = rest.len().checked_ilog2() {
                let (full, after) = rest.split_at(1_usize << power);
                peaks.extend(merged(full));
                rest = after;
            }
        }
        let smallest_first = peaks.into_iter().rev();
        smallest_first.reduce(|right, left| node_hash(left, right)).unwrap_or(Digest::of(b""))
    }
}

/// [`TILE_WIDTH`] as sizes of trees are counted.
const WIDTH: u64 = 256;

fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The root over a power of two of hashes; `None` of none.
pub(super) fn merged(hashes: &[Digest]) -> Option<Digest> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let pairs = row.chunks_exact(2).filter_map(|pair| match pair {
            [left, right] => Some(node_hash(*left, *right)),
            _ => None,
        });
        row = pairs.collect();
    }
    row.pop()
}
