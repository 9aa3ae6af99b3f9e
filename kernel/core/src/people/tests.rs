//! The two tables, cell by cell.

use super::*;

/// B5: one role is not another. Every role against every verb.
#[test]
fn b5_the_table_of_roles() {
    use PersonVerb as V;
    use Role as R;
    let may = |verb: V, role: R| match (verb, role) {
        (_, R::Operator) | (V::Cancel | V::CancelAll | V::Close, R::Risk) => true,
        (V::Submit | V::Amend | V::Release, R::Risk)
        | (_, R::Author | R::Governance | R::Approver) => false,
    };
    for verb in V::ALL {
        for role in R::ALL {
            assert_eq!(verb.roles().contains(&role), may(verb, role), "{verb:?} by {role:?}");
        }
    }
}

#[test]
fn every_phase_says_what_people_may_do_by_hand() {
    use ByHand as B;
    let expect = [
        B::Forbidden,
        B::Forbidden,
        B::Free,
        B::Free,
        B::Forbidden,
        B::Released,
        B::Released,
        B::Released,
    ];
    assert_eq!(Phase::ALL.map(by_hand), expect);
}
