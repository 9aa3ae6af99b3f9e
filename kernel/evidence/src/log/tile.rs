//! Names of tiles: `tile/<level>/<N>[.p/<W>]`, N in groups of three digits.

use std::fmt;

/// Hashes or leaves in a full tile.
pub const TILE_WIDTH: usize = 256;
/// Bits of an index that a tile spans.
pub(super) const TILE_HEIGHT: u32 = 8;
/// Bytes of a hash in a tile.
pub(super) const HASH_LEN: usize = 32;

/// One tile. `level` `None` is the leaves themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileName {
    /// 0 for the hashes of leaves; each level above hashes 256 times as many.
    pub level: Option<u32>,
    /// The tile's number within its level.
    pub index: u64,
    /// Hashes or leaves in it, 1 to 256. Below 256 the tile is partial.
    pub width: usize,
}

impl TileName {
    /// The full tile in the same place.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// Whether more hashes may come.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The folder in which the partial tiles of this place lie.
    pub(super) fn partial_folder(self) -> String {
        format!("{}.p", self.full())
    }
}

impl fmt::Display for TileName {
    /// The path within the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            None => write!(f, "tile/entries/")?,
            Some(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index.checked_rem(1000).unwrap_or(0)];
        let mut rest = self.index.checked_div(1000).unwrap_or(0);
        while rest > 0 {
            groups.push(rest.checked_rem(1000).unwrap_or(0));
            rest = rest.checked_div(1000).unwrap_or(0);
        }
        while let Some(group) = groups.pop() {
            let (mark, end) = if groups.is_empty() { ("", "") } else { ("x", "/") };
            write!(f, "{mark}{group:03}{end}")?;
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}
