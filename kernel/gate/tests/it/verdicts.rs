//! What becomes of a good order, phase by phase.

use std::collections::BTreeSet;

use portcullis_domain::{Bracket, ClOrdId, Phase, Position, Side};
use portcullis_gate::{DenyCode, Scope, VenueStatus, Verdict, reason_codes_markdown};

use crate::fixture::Case;
use crate::people::{px, qty};

#[test]
fn a_good_order_is_approved_with_what_it_reserves_and_under_whose_signatures() {
    let case = Case::new(Phase::Paper);
    let Verdict::Approve(approved) = case.verdict() else { panic!("{}", case.answer()) };
    assert_eq!(approved.item(), &case.intent);
    assert_eq!(approved.cl_ord_id(), ClOrdId { epoch: 7, sequence: 1 });
    assert_eq!(approved.reserve_px(), px(10_000));
    assert_eq!(approved.at(), case.at.now);
    assert_eq!(approved.authority().genesis, case.house.trust.fingerprint());
    assert_eq!(approved.instrument(), &case.house.approval.instruments[0]);
    assert_eq!(approved.warnings(), []);
}

/// What evidence and people read: these words do not change.
#[test]
fn statuses_and_scopes_have_names_of_their_own() {
    let names = VenueStatus::ALL.map(VenueStatus::name);
    assert_eq!(names, ["online", "cancel-only", "maintenance"]);
    for status in VenueStatus::ALL {
        assert_eq!(VenueStatus::from_name(status.name()), Some(status));
    }
    assert_eq!(VenueStatus::from_name("ONLINE"), None);
    let names = Scope::ALL.map(Scope::name);
    let expect = ["order", "strategy", "instrument", "session", "account", "venue", "host"];
    assert_eq!(names, expect);
}

/// Phase 1: the verdict is of another type, and says what would have left.
#[test]
fn what_would_be_an_order_carries_the_same() {
    let mut case = Case::new(Phase::Shadow);
    case.at_market();
    case.limits().order_qty_max = qty(12_500);
    let Verdict::WouldBe(shadow) = case.verdict() else { panic!("{}", case.answer()) };
    assert_eq!(shadow.item(), &case.intent);
    assert_eq!(shadow.cl_ord_id(), ClOrdId { epoch: 7, sequence: 1 });
    assert_eq!(shadow.reserve_px(), px(10_111));
    let warnings = shadow.warnings().iter().map(|warning| warning.code);
    assert_eq!(warnings.collect::<Vec<_>>(), [DenyCode::MaxOrderQty]);
}

/// Alters one thing of an order that is approved, gives it exits, and compares the answer.
#[track_caller]
fn check(change: fn(&mut Case), stop: Option<i64>, target: Option<i64>, expect: &str) {
    let mut case = Case::new(Phase::Paper);
    case.intent.bracket = Some(Bracket { stop_px: stop.map(px), target_px: target.map(px) });
    change(&mut case);
    assert_eq!(case.answer(), expect);
}

#[test]
fn a_bracket_is_an_entry_with_exits_on_their_sides() {
    let no = "ORDER_TYPE_NOT_ALLOWED";
    // A purchase at 100.00: out below it with a loss, above it with a profit.
    check(|_| {}, Some(9_990), Some(10_010), "APPROVE");
    check(|_| {}, Some(9_990), None, "APPROVE");
    check(|_| {}, None, Some(10_010), "APPROVE");
    check(|_| {}, None, None, no);
    check(|_| {}, Some(10_000), None, no);
    check(|_| {}, None, Some(10_000), no);
    check(|_| {}, Some(10_010), Some(9_990), no);
    check(|c| c.intent.side = Side::Sell, Some(10_010), Some(9_990), "APPROVE");
    check(|c| c.intent.side = Side::Sell, Some(9_990), Some(10_010), no);
    // At the market they stand around the touch that the exit would meet.
    check(Case::at_market, Some(9_980), Some(10_010), "APPROVE");
    check(Case::at_market, Some(10_010), Some(10_010), no);
    // Each exit is on the tick.
    check(|_| {}, Some(9_991), None, "TICK_SIZE");
    check(|_| {}, None, Some(10_011), "TICK_SIZE");
    // What only reduces is no entry: its exits would open what it leaves.
    check(
        |c| (c.intent.side, c.at.position) = (Side::Sell, Some(Position(50_000))),
        Some(10_010),
        Some(9_990),
        no,
    );
}

/// Evidence and documents speak of scopes and codes by name.
#[test]
fn scopes_and_codes_have_names_of_their_own() {
    let names = Scope::ALL.map(Scope::name);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(DenyCode::all().all(|code| DenyCode::from_code(code.code()) == Some(code)));
    assert_eq!(DenyCode::from_code("MAX_LUCK"), None);
    let texts: BTreeSet<_> = DenyCode::all().flat_map(|c| [c.code(), c.meaning()]).collect();
    assert_eq!(texts.len(), 2 * DenyCode::all().count());
}

#[test]
fn the_table_of_reason_codes_in_the_docs_is_this_one() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let written = std::fs::read_to_string(root.join("docs/reason-codes.md")).unwrap();
    assert_eq!(written, reason_codes_markdown());
}
