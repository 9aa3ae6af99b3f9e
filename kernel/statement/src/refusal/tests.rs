//! The codes are what documents list and other tools match on.

use std::collections::BTreeSet;

use super::*;

fn one_of_each() -> Vec<Refusal> {
    let person = || Name::new("ada").unwrap();
    vec![
        Refusal::TooLarge,
        Refusal::Malformed(JsonError::NotCanonical),
        Refusal::KindUnknown("x".to_owned()),
        Refusal::KindUnexpected(Kind::Seal),
        Refusal::GenesisMismatch,
        Refusal::RosterInvalid("x".to_owned()),
        Refusal::Expired,
        Refusal::NotYetValid,
        Refusal::SignatureInvalid(SshsigError::Armor),
        Refusal::SignatureMissing(person()),
        Refusal::SignatureUnlisted("SHA256:x".to_owned()),
        Refusal::SignerUnknown(person()),
        Refusal::SignerRole(person(), Role::Risk),
        Refusal::SignerTwice(person()),
        Refusal::SignerMissing("x"),
        Refusal::TouchMissing(person()),
        Refusal::AuthorAlone(person()),
        Refusal::DemoRoster,
        Refusal::RulesBelowFloor(Phase::Paper),
        Refusal::PhaseNotOpenable(Phase::Paper),
        Refusal::WindowTooLong(Phase::Paper),
        Refusal::EndpointForbidden(Phase::Paper, EndpointKind::Real),
        Refusal::EndpointMismatch,
        Refusal::ReleaseMismatch(person()),
        Refusal::AccountMismatch,
    ]
}

#[test]
fn the_list_of_codes_is_complete_and_has_no_double() {
    let codes: Vec<_> = one_of_each().iter().map(Refusal::code).collect();
    assert_eq!(codes, Refusal::ALL_CODES);
    let distinct: BTreeSet<_> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
}

#[test]
fn each_refusal_tells_people_its_cause() {
    for refusal in one_of_each() {
        let cause = refusal.cause();
        assert!(cause.len() > 5 && cause.is_ascii(), "{cause}");
        assert_eq!(refusal.to_string(), format!("{}: {cause}", refusal.code()));
    }
}
