//! Who asks, where the user of the socket could be several people.

use portcullis_core::PersonVerb;
use portcullis_statement::{EndpointKind, Person, SigningKey};

use super::*;

fn roster(people: &[(&str, &[Role])]) -> Roster {
    let person = |(seed, (name, roles)): (u8, &(&str, &[Role]))| Person {
        name: Name::new(name).unwrap(),
        roles: roles.to_vec(),
        key: SigningKey::from_seed([seed; 32]).public(),
    };
    let people = (1..).zip(people).map(person).collect();
    Roster::new(people, None, EndpointKind::Simulated).unwrap()
}

#[track_caller]
fn check(people: &[(&str, &[Role])], named: Option<&str>, expect: Result<&str, &str>) {
    let roles = PersonVerb::Cancel.roles();
    let found = person(&roster(people), named.and_then(Name::new), roles);
    let found = found.map(|name| name.to_string()).map_err(|(code, _)| code);
    assert_eq!(found, expect.map(str::to_owned));
}

/// B5: nobody is taken for somebody else in silence.
#[test]
fn b5_the_only_person_who_may_is_taken_and_of_several_one_has_to_be_named() {
    let one: &[(&str, &[Role])] = &[("olga", &[Role::Operator]), ("gerd", &[Role::Governance])];
    let two: &[(&str, &[Role])] = &[("olga", &[Role::Operator]), ("rita", &[Role::Risk])];
    let none: &[(&str, &[Role])] = &[("ada", &[Role::Author]), ("gerd", &[Role::Governance])];
    check(one, None, Ok("olga"));
    check(two, None, Err("PERSON_AMBIGUOUS"));
    check(two, Some("rita"), Ok("rita"));
    check(none, None, Err("ROLE_FORBIDS"));
    // Whoever is named goes to the core, which knows the roster as well and keeps the record.
    check(none, Some("ada"), Ok("ada"));
}
