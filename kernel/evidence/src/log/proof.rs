//! Proofs of RFC 6962, section 2.1: that a leaf is in a tree, and that a tree continues another.

use super::LogFault;
use crate::Digest;
use crate::tree::node_hash;

/// Where the roots of full subtrees come from.
pub trait Nodes {
    /// The root over leaves `index · 2^height` to `(index + 1) · 2^height`, all of them present.
    ///
    /// # Errors
    /// Whatever keeps the tree from being read.
    fn full(&mut self, height: u32, index: u64) -> Result<Digest, LogFault>;
}

/// Where a tree of `count` leaves, two at least, is cut: the largest power of two below it.
const fn cut(count: u64) -> u64 {
    match count.saturating_sub(1).checked_ilog2() {
        Some(power) => 1 << power,
        None => 0,
    }
}

/// The root over leaves `start` to `end`, a subtree of the definition's.
fn subtree(nodes: &mut impl Nodes, start: u64, end: u64) -> Result<Digest, LogFault> {
    let count = end.saturating_sub(start);
    if count.is_power_of_two() {
        let height = count.trailing_zeros();
        return nodes.full(height, start >> height);
    }
    let middle = start.saturating_add(cut(count));
    Ok(node_hash(subtree(nodes, start, middle)?, subtree(nodes, middle, end)?))
}

/// The hashes beside the way from leaf `index` to the root of the first `size` leaves, the leaf's
/// neighbour first.
///
/// # Errors
/// `LOG_NO_SUCH_ENTRY`, and what reading the nodes gives.
pub fn prove_inclusion(
    nodes: &mut impl Nodes,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, LogFault> {
    if index >= size {
        return Err(LogFault::NoSuchEntry { index, size });
    }
    let (mut start, mut end, mut path) = (0_u64, size, Vec::new());
    while end.saturating_sub(start) > 1 {
        let middle = start.saturating_add(cut(end.saturating_sub(start)));
        if index < middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes that show that the tree of the first `new` leaves continues that of the first `old`.
///
/// # Errors
/// `LOG_NO_SUCH_ENTRY` if the older tree is the larger, and what reading the nodes gives.
pub fn prove_consistency(
    nodes: &mut impl Nodes,
    old: u64,
    new: u64,
) -> Result<Vec<Digest>, LogFault> {
    if old > new {
        return Err(LogFault::NoSuchEntry { index: old, size: new });
    }
    let (mut start, mut end, mut path) = (0_u64, new, Vec::new());
    if old == 0 {
        return Ok(path);
    }
    while end != old {
        let middle = start.saturating_add(cut(end.saturating_sub(start)));
        if old <= middle {
            path.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    // The older root itself is known to whoever checks.
    if start > 0 {
        path.push(subtree(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` leads from the hash of leaf `index` to the root of a tree of `size` leaves.
///
/// # Errors
/// `LOG_PROOF_WRONG`.
pub fn check_inclusion(
    path: &[Digest],
    (index, leaf): (u64, Digest),
    (size, root): (u64, Digest),
) -> Result<(), LogFault> {
    let reached = if index < size { climb(path, index, size, leaf) } else { None };
    if reached == Some(root) { Ok(()) } else { Err(LogFault::ProofWrong) }
}

fn climb(path: &[Digest], index: u64, size: u64, leaf: Digest) -> Option<Digest> {
    if size <= 1 {
        return path.is_empty().then_some(leaf);
    }
    let (beside, below) = path.split_last()?;
    let left = cut(size);
    Some(match index.checked_sub(left) {
        None => node_hash(climb(below, index, left, leaf)?, *beside),
        Some(index) => node_hash(*beside, climb(below, index, size.checked_sub(left)?, leaf)?),
    })
}

/// Whether `path` shows that the tree `new` continues the tree `old`: size and root of each.
///
/// # Errors
/// `LOG_PROOF_WRONG`.
pub fn check_consistency(
    path: &[Digest],
    old: (u64, Digest),
    new: (u64, Digest),
) -> Result<(), LogFault> {
    let consistent = if old.0 == 0 {
        path.is_empty() && old.1 == Digest::of(b"")
    } else {
        old.0 <= new.0 && grow(path, old, new.0, true) == Some((old.1, new.1))
    };
    if consistent { Ok(()) } else { Err(LogFault::ProofWrong) }
}

/// The older and the newer root to which `path` leads. `whole` while the older tree is a subtree
/// from the beginning, whose root the path leaves out.
fn grow(path: &[Digest], old: (u64, Digest), new: u64, whole: bool) -> Option<(Digest, Digest)> {
    if old.0 == new {
        return match path {
            [] if whole => Some((old.1, old.1)),
            [root] if !whole => Some((*root, *root)),
            _ => None,
        };
    }
    let (beside, below) = path.split_last()?;
    let left = cut(new);
    Some(match old.0.checked_sub(left) {
        Some(0) | None => {
            let (before, after) = grow(below, old, left, whole)?;
            (before, node_hash(after, *beside))
        }
        Some(size) => {
            let (before, after) = grow(below, (size, old.1), new.checked_sub(left)?, false)?;
            (node_hash(*beside, before), node_hash(*beside, after))
        }
    })
}
