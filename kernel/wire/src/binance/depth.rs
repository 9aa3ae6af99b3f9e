//! Binance's rule for keeping a book: snapshot and diffs are joined without a hole, or not at all.

use portcullis_domain::WallNs;
use portcullis_domain::market::Level;

use crate::error::{WireError, WireFault};

/// Most diffs kept while waiting for a snapshot: seven minutes at ten a second.
pub const DIFFS_KEPT_MAX: usize = 4_096;

/// One depth diff, read and checked by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diff {
    /// `U`.
    pub(super) first: u64,
    /// `u`.
    pub(super) last: u64,
    pub(super) venue_time: WallNs,
    pub(super) levels: Vec<Level>,
}

/// Where the joining stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No snapshot to build on: diffs are kept.
    Waiting,
    /// The snapshot of that id holds; the first diff must straddle its end.
    Joining { snapshot: u64 },
    /// The next diff must begin right after that id.
    Running { last: u64 },
}

/// What came of a diff.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Kept for the snapshot, or older than it: nothing to tell.
    Nothing,
    /// It continues the book.
    Applies(Diff),
    /// A hole: the book is void. The diff is kept for the next snapshot.
    Gap { expected: u64, found: u64 },
}

/// The state of one book's sequence.
#[derive(Debug)]
pub(super) struct BookSync {
    phase: Phase,
    kept: Vec<Diff>,
    superseded_levels: u64,
}

impl BookSync {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Waiting, kept: Vec::new(), superseded_levels: 0 }
    }

    /// Level changes in diffs that a snapshot made old, dropped by the rule.
    pub(super) fn superseded_levels(&self) -> u64 {
        self.superseded_levels
    }

    fn supersede(&mut self, diff: &Diff) {
        let levels = u64::try_from(diff.levels.len()).unwrap_or(u64::MAX);
        self.superseded_levels = self.superseded_levels.saturating_add(levels);
    }

    pub(super) fn is_running(&self) -> bool {
        self.phase != Phase::Waiting
    }

    /// Takes the next diff of the stream.
    pub(super) fn diff(&mut self, diff: Diff) -> Result<Joined, WireError> {
        match self.phase {
            Phase::Waiting => self.keep(diff),
            Phase::Joining { snapshot } if diff.last <= snapshot => {
                self.supersede(&diff);
                Ok(Joined::Nothing)
            }
            Phase::Joining { snapshot } if diff.first <= snapshot.saturating_add(1) => {
                Ok(self.run(diff))
            }
            Phase::Joining { snapshot: last } | Phase::Running { last } => {
                let expected = last.saturating_add(1);
                if diff.first == expected {
                    return Ok(self.run(diff));
                }
                Ok(self.restart(expected, diff))
            }
        }
    }

    /// Takes a snapshot that ends at `last`; the kept diffs that continue it are handed out.
    ///
    /// Refused, with nothing changed, if it cannot be joined to what is known already.
    pub(super) fn snapshot(&mut self, last: u64) -> Result<Vec<Diff>, WireError> {
        let oldest_needed = match self.phase {
            Phase::Waiting => self.kept.iter().find(|diff| diff.last > last).map(|d| d.first),
            Phase::Joining { snapshot: known } | Phase::Running { last: known } => {
                (last < known).then(|| known.saturating_add(1))
            }
        };
        if let Some(first) = oldest_needed.filter(|first| *first > last.saturating_add(1)) {
            let cause = format!("snapshot ends at {last}, the diffs begin at {first}: fetch again");
            return Err(WireError::new(WireFault::SnapshotTooOld, cause));
        }
        let kept = std::mem::take(&mut self.kept);
        let (old, joined): (Vec<Diff>, Vec<Diff>) =
            kept.into_iter().partition(|diff| diff.last <= last);
        for diff in &old {
            self.supersede(diff);
        }
        self.phase = match joined.last() {
            Some(diff) => Phase::Running { last: diff.last },
            None => Phase::Joining { snapshot: last },
        };
        Ok(joined)
    }

    fn run(&mut self, diff: Diff) -> Joined {
        self.phase = Phase::Running { last: diff.last };
        Joined::Applies(diff)
    }

    /// Begins anew with `diff`, which does not continue what came before.
    fn restart(&mut self, expected: u64, diff: Diff) -> Joined {
        let found = diff.first;
        self.phase = Phase::Waiting;
        self.kept.clear();
        self.kept.push(diff);
        Joined::Gap { expected, found }
    }

    fn keep(&mut self, diff: Diff) -> Result<Joined, WireError> {
        let expected = self.kept.last().map(|kept| kept.last.saturating_add(1));
        if let Some(expected) = expected.filter(|expected| diff.first != *expected) {
            return Ok(self.restart(expected, diff));
        }
        if self.kept.len() >= DIFFS_KEPT_MAX {
            let cause = format!("{DIFFS_KEPT_MAX} diffs and no snapshot: fetch one, then resume");
            return Err(WireError::new(WireFault::BufferOverflow, cause));
        }
        self.kept.push(diff);
        Ok(Joined::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(first: u64, last: u64) -> Diff {
        Diff { first, last, venue_time: WallNs(0), levels: Vec::new() }
    }

    /// Feeds `d first last` and `s last` steps and compares what each of them gave.
    #[track_caller]
    fn check(steps: &[(&str, u64, u64)], expect: &[&str]) {
        let mut sync = BookSync::new();
        let seen: Vec<String> = steps
            .iter()
            .map(|(kind, first, last)| match *kind {
                "d" => match sync.diff(diff(*first, *last)) {
                    Ok(Joined::Nothing) => "-".to_owned(),
                    Ok(Joined::Applies(diff)) => format!("{}..{}", diff.first, diff.last),
                    Ok(Joined::Gap { expected, found }) => format!("gap {expected} {found}"),
                    Err(error) => error.code().to_owned(),
                },
                _ => match sync.snapshot(*last) {
                    Ok(diffs) => format!("snapshot+{}", diffs.len()),
                    Err(error) => error.code().to_owned(),
                },
            })
            .collect();
        assert_eq!(seen, expect);
    }

    #[test]
    fn kept_diffs_join_the_snapshot_or_it_is_too_old() {
        let kept = [("d", 1, 4), ("d", 5, 8), ("d", 9, 9)];
        let with = |last: u64| [kept.as_slice(), &[("s", 0, last), ("d", 10, 12)]].concat();
        check(&with(6), &["-", "-", "-", "snapshot+2", "10..12"]);
        check(&with(4), &["-", "-", "-", "snapshot+2", "10..12"]);
        check(&with(0), &["-", "-", "-", "snapshot+3", "10..12"]);
        check(&with(9), &["-", "-", "-", "snapshot+0", "10..12"]);
        check(&with(10), &["-", "-", "-", "snapshot+0", "10..12"]);
        check(&with(12), &["-", "-", "-", "snapshot+0", "-"]);
        let late = [("d", 5, 8), ("s", 0, 3), ("s", 0, 4)];
        check(&late, &["-", "SNAPSHOT_TOO_OLD", "snapshot+1"]);
    }

    #[test]
    fn a_hole_voids_the_book_until_a_newer_snapshot() {
        let steps = [("s", 0, 10), ("d", 12, 13), ("d", 14, 15), ("s", 0, 10), ("s", 0, 13)];
        check(&steps, &["snapshot+0", "gap 11 12", "-", "SNAPSHOT_TOO_OLD", "snapshot+1"]);
        let running = [("s", 0, 10), ("d", 9, 12), ("d", 13, 13), ("d", 13, 13), ("d", 20, 21)];
        check(&running, &["snapshot+0", "9..12", "13..13", "gap 14 13", "gap 14 20"]);
    }

    #[test]
    fn a_snapshot_while_running_may_not_turn_time_back() {
        let steps = [("s", 0, 10), ("d", 11, 12), ("s", 0, 11), ("s", 0, 14), ("d", 13, 14)];
        check(&steps, &["snapshot+0", "11..12", "SNAPSHOT_TOO_OLD", "snapshot+0", "-"]);
        check(
            &[("s", 0, 10), ("d", 11, 12), ("s", 0, 12), ("d", 13, 15)],
            &["snapshot+0", "11..12", "snapshot+0", "13..15"],
        );
    }

    #[test]
    fn the_kept_diffs_are_bounded() {
        let mut sync = BookSync::new();
        for id in (1_u64..).take(DIFFS_KEPT_MAX) {
            assert_eq!(sync.diff(diff(id, id)), Ok(Joined::Nothing));
        }
        let next = sync.diff(diff(4_097, 4_097)).unwrap_err();
        assert_eq!(next.code(), "BUFFER_OVERFLOW");
        assert_eq!(sync.snapshot(4_000).map(|diffs| diffs.len()), Ok(96));
    }
}
