//! The Merkle tree hash of RFC 6962 over a growing list, in logarithmic memory.
//!
//! A root commits to a list of leaves so that a stranger can check one leaf without the rest, with
//! tools that are not ours.

use std::borrow::Cow;

use portcullis_statement::json::{self, object};

use crate::Digest;
use crate::bytes::len_u64;
use crate::digest::of_parts;

const LEAF: &[u8] = &[0];
const NODE: &[u8] = &[1];

/// Longest entry in bytes that is a leaf of the log as it is.
pub const LOG_LEAF_BYTES_MAX: usize = 32 * 1024;

/// The leaf that stands for an entry of the journal in the log: its bytes, or for a longer one the
/// canonical JSON `{"bytes":N,"sha256":"…"}`.
#[must_use]
pub fn log_leaf(entry: &[u8]) -> Cow<'_, [u8]> {
    if entry.len() <= LOG_LEAF_BYTES_MAX {
        return Cow::Borrowed(entry);
    }
    let sha256 = Digest::of(entry).hex().into();
    let bytes = json::count(len_u64(entry.len()));
    Cow::Owned(object([("bytes", bytes), ("sha256", sha256)]).canonical())
}

/// The hash of one leaf: `SHA-256(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    of_parts(&[LEAF, leaf])
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: Digest, right: Digest) -> Digest {
    of_parts(&[NODE, &left.0, &right.0])
}

/// Takes leaves one by one and knows the root after each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeHasher {
    size: u64,
    /// Roots of the full subtrees, largest first: one for each bit set in `size`.
    peaks: Vec<Digest>,
}

impl TreeHasher {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Adds one leaf at the end.
    pub fn push(&mut self, leaf: &[u8]) {
        self.push_hash(leaf_hash(leaf));
    }

    /// Adds one leaf by its [`leaf_hash`].
    pub(crate) fn push_hash(&mut self, leaf_hash: Digest) {
        let mut carried = leaf_hash;
        // As in adding one to a binary number: each trailing one is a full subtree to merge.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                carried = node_hash(left, carried);
            }
        }
        self.peaks.push(carried);
        self.size = self.size.saturating_add(1);
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the leaves so far; of no leaves it is the SHA-256 of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let smallest_first = self.peaks.iter().rev().copied();
        smallest_first.reduce(|right, left| node_hash(left, right)).unwrap_or(Digest::of(b""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of the Certificate Transparency reference tests.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn the_published_vectors_hold_at_every_size() {
        let mut tree = TreeHasher::new();
        assert_eq!(tree.root().hex(), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            tree.push(leaf);
            assert_eq!(tree.root().hex(), *root, "size {}", tree.size());
        }
    }

    /// The definition of RFC 6962 section 2.1, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [leaf] => leaf_hash(leaf),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(by_definition(left), by_definition(right))
            }
        }
    }

    #[test]
    fn incremental_equals_the_definition() {
        let leaves: Vec<Vec<u8>> = (0..200_u16).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut tree = TreeHasher::new();
        for (index, leaf) in leaves.iter().enumerate() {
            assert_eq!(tree.root(), by_definition(&leaves[..index]), "size {index}");
            tree.push(leaf);
        }
    }

    #[test]
    fn a_long_entry_is_a_leaf_by_its_digest() {
        let short = vec![b'x'; LOG_LEAF_BYTES_MAX];
        assert_eq!(log_leaf(&short), short);
        let long = vec![b'x'; LOG_LEAF_BYTES_MAX + 1];
        let expect = format!("{{\"bytes\":32769,\"sha256\":\"{}\"}}", Digest::of(&long).hex());
        assert_eq!(log_leaf(&long), expect.as_bytes());
    }

    #[test]
    fn a_leaf_is_never_a_node() {
        let (left, right) = (leaf_hash(b"a"), leaf_hash(b"b"));
        let forged = [left.0, right.0].concat();
        assert_ne!(leaf_hash(&forged), node_hash(left, right));
    }
}
