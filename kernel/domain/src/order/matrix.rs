//! The whole table of transitions, each cell written down.

use super::{OrdStatus, OrderEvent, Progress, Resting};

use OrdStatus as S;
use OrderEvent as E;

/// Two letters for each state; `--` is a fault.
const NAMES: [(&str, OrdStatus); 11] = [
    ("pn", S::PendingNew),
    ("N", S::New),
    ("P", S::PartiallyFilled),
    ("pc", S::PendingCancel),
    ("pr", S::PendingReplace),
    ("F", S::Filled),
    ("X", S::Canceled),
    ("J", S::Rejected),
    ("E", S::Expired),
    ("U", S::Unsent),
    ("?", S::Unknown),
];

/// The columns, in order.
const EVENTS: [(&str, OrderEvent); 19] = [
    ("new", E::New),
    ("t/", E::Trade { complete: false }),
    ("t*", E::Trade { complete: true }),
    ("can", E::Canceled),
    ("rej", E::Rejected),
    ("exp", E::Expired),
    ("cxl", E::CancelRequested),
    ("cN", E::CancelRejected { rests: Resting::New }),
    ("cP", E::CancelRejected { rests: Resting::PartiallyFilled }),
    ("cR", E::CancelRejected { rests: Resting::PendingReplace }),
    ("rpl", E::ReplaceRequested),
    ("d0", E::Replaced { filled: Progress::Nothing }),
    ("d/", E::Replaced { filled: Progress::Part }),
    ("d*", E::Replaced { filled: Progress::Whole }),
    ("j0", E::ReplaceRejected { filled: Progress::Nothing }),
    ("j/", E::ReplaceRejected { filled: Progress::Part }),
    ("j*", E::ReplaceRejected { filled: Progress::Whole }),
    ("not", E::NotSent),
    ("lost", E::Lost),
];

/// From the left: the state, then what it becomes by each event. `t` trade, `c` cancel refused,
/// `d` replaced, `j` replace refused; `0` nothing filled, `/` a part, `*` all of it.
const MATRIX: &str = "
     new  t/  t*  can rej exp cxl cN  cP  cR  rpl d0  d/  d*  j0  j/  j*  not lost
 pn  N    P   F   X   J   E   pc  --  --  --  pr  --  --  --  --  --  --  U   ?
 N   N    P   F   X   J   E   pc  N   N   N   pr  N   P   F   N   N   N   --  --
 P   P    P   F   X   --  E   pc  P   P   P   pr  N   P   F   P   P   P   --  --
 pc  pc   pc  F   X   J   E   pc  N   P   pr  --  pc  pc  F   pc  pc  F   U   ?
 pr  pr   pr  F   X   J   E   pc  pr  pr  pr  --  N   P   F   N   P   F   U   ?
 F   F    --  --  --  --  --  --  F   F   F   --  F   F   F   F   F   F   --  --
 X   --   X   F   X   --  --  --  X   X   X   --  X   X   X   X   X   X   --  --
 J   --   --  --  --  J   --  --  J   J   J   --  --  --  --  J   J   J   --  --
 E   --   E   F   --  --  E   --  E   E   E   --  E   E   E   E   E   E   --  --
 U   --   --  --  --  --  --  --  U   U   U   --  --  --  --  U   U   U   --  --
 ?   N    ?   F   X   J   E   ?   ?   ?   ?   --  N   P   F   ?   ?   F   --  ?
";

fn named(name: &str) -> OrdStatus {
    NAMES.iter().find(|(known, _)| *known == name).unwrap().1
}

fn name_of(status: OrdStatus) -> &'static str {
    NAMES.iter().find(|(_, known)| *known == status).unwrap().0
}

#[test]
fn f7_every_state_and_event_has_its_cell() {
    let mut rows = MATRIX.lines().filter(|line| !line.trim().is_empty());
    let head: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    assert_eq!(head, EVENTS.map(|(name, _)| name));
    let mut from = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells.len(), 20, "{row}");
        let state = named(cells[0]);
        from.push(state);
        for ((column, event), cell) in EVENTS.into_iter().zip(&cells[1..]) {
            let found = state.after(event).map_or("--", name_of);
            assert_eq!(found, *cell, "{} after {column}", cells[0]);
        }
    }
    assert_eq!(from, OrdStatus::ALL);
}

/// F15: a state with a name of its own for every word of the venue, and none by default.
#[test]
fn f15_every_state_has_a_name_of_its_own() {
    let mut names: Vec<&str> = OrdStatus::ALL.map(OrdStatus::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), OrdStatus::ALL.len());
}

#[test]
fn an_end_is_left_by_nothing_but_a_late_fill() {
    for from in OrdStatus::ALL.into_iter().filter(|status| !status.is_open()) {
        for (name, event) in EVENTS.into_iter().filter(|(name, _)| !name.starts_with('t')) {
            assert!(from.after(event).map_or(true, |to| to == from), "{from:?} after {name}");
        }
    }
}

/// Nothing leads from `Unknown` back to a state in which the order would be sent.
#[test]
fn f15_an_unknown_order_is_never_pending_again() {
    for (name, event) in EVENTS {
        let after = S::Unknown.after(event);
        let sends = matches!(after, Ok(S::PendingNew | S::PendingReplace | S::Unsent));
        assert!(!sends, "unknown after {name}");
    }
}
