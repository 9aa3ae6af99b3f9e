//! What becomes of a good order, phase by phase.

use portcullis_domain::{ClOrdId, Phase};
use portcullis_gate::{DenyCode, Rights, Scope, VenueStatus, Verdict, reason_codes_markdown};
use portcullis_statement::EndpointKind;

use crate::fixture::{Case, House};
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

/// Phase 1 shows what would have left, as it would have left.
#[test]
fn a_would_be_order_says_what_an_approval_would() {
    let mut case = Case::new(Phase::Shadow);
    case.at_market();
    case.at.whole.open_orders = 799;
    let Verdict::WouldBe(shadow) = case.verdict() else { panic!("{}", case.answer()) };
    let id = ClOrdId { epoch: 7, sequence: 1 };
    assert_eq!((shadow.item(), shadow.cl_ord_id()), (&case.intent, id));
    assert_eq!(shadow.reserve_px(), px(10_111));
    let warned: Vec<_> = shadow.warnings().iter().map(|warning| warning.code).collect();
    assert_eq!(warned, [DenyCode::MaxOpenOrders]);
    case.house = House::new(Phase::Paper, EndpointKind::Simulated, "ada");
    let Verdict::Approve(approved) = case.verdict() else { panic!("{}", case.answer()) };
    assert_eq!((approved.cl_ord_id(), approved.reserve_px()), (id, shadow.reserve_px()));
    assert_eq!(approved.warnings(), shadow.warnings());
    assert_eq!(approved.rights(), Rights::Session);
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

#[test]
fn the_table_of_reason_codes_in_the_docs_is_this_one() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let written = std::fs::read_to_string(root.join("docs/reason-codes.md")).unwrap();
    assert_eq!(written, reason_codes_markdown());
}
