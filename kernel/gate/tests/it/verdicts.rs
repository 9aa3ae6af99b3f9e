//! What becomes of a good order, phase by phase.

use portcullis_domain::Phase;
use portcullis_gate::{Verdict, reason_codes_markdown};

use crate::fixture::Case;
use crate::people::px;

#[test]
fn a_good_order_is_approved_with_what_it_reserves_and_under_whose_signatures() {
    let case = Case::new(Phase::Paper);
    let Verdict::Approve(approved) = case.verdict() else { panic!("{}", case.answer()) };
    assert_eq!(approved.item(), &case.intent);
    assert_eq!(approved.reserve_px(), px(10_000));
    assert_eq!(approved.at(), case.at.now);
    assert_eq!(approved.authority().genesis, case.house.trust.fingerprint());
    assert_eq!(approved.instrument(), &case.house.approval.instruments[0]);
    assert_eq!(approved.warnings(), []);
}

#[test]
fn the_table_of_reason_codes_in_the_docs_is_this_one() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let written = std::fs::read_to_string(root.join("docs/reason-codes.md")).unwrap();
    assert_eq!(written, reason_codes_markdown());
}
