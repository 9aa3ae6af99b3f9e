//! What becomes of a good order, phase by phase.

use std::collections::BTreeSet;

use portcullis_domain::{ClOrdId, Phase};
use portcullis_gate::{DenyCode, Scope, Verdict, reason_codes_markdown};

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
