//! Who signs: one distinct person of the roster on each seat.

use portcullis_domain::{Name, Role};
use portcullis_statement::{Person, Roster, Signer};

use super::DraftError;

/// One place in the list of signers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// Anybody who holds the role.
    Any(Role),
    /// Anybody who holds the role and signs by touch.
    Touch(Role),
    /// That person, in that role.
    Held(Name, Role),
}

impl Seat {
    const fn role(&self) -> Role {
        match self {
            Self::Any(role) | Self::Touch(role) | Self::Held(_, role) => *role,
        }
    }

    fn admits(&self, person: &Person) -> bool {
        let named = match self {
            Self::Any(_) => true,
            Self::Touch(_) => person.key.is_hardware(),
            Self::Held(name, _) => person.name == *name,
        };
        named && person.roles.contains(&self.role())
    }
}

/// The signers of the first option that the roster can fill with distinct people.
pub(crate) fn fill(roster: &Roster, options: &[Vec<Seat>]) -> Result<Vec<Signer>, DraftError> {
    let found = options.iter().find_map(|seats| fill_all(roster.people(), seats, &mut Vec::new()));
    found.ok_or_else(|| {
        let option = options.first().map_or(&[][..], Vec::as_slice);
        let text = |seat: &Seat| match seat {
            Seat::Any(role) => role.name().to_owned(),
            Seat::Touch(role) => format!("{} with a hardware key", role.name()),
            Seat::Held(name, role) => format!("{} ({name})", role.name()),
        };
        DraftError::NoSigner(option.iter().map(text).collect::<Vec<_>>().join(" + "))
    })
}

/// Fills the seats in order, and takes a choice back where a later seat stays empty for it.
fn fill_all<'a>(
    people: &'a [Person],
    seats: &[Seat],
    taken: &mut Vec<&'a Name>,
) -> Option<Vec<Signer>> {
    let Some((seat, rest)) = seats.split_first() else { return Some(Vec::new()) };
    for person in people.iter().filter(|person| seat.admits(person)) {
        if taken.contains(&&person.name) {
            continue;
        }
        taken.push(&person.name);
        if let Some(mut others) = fill_all(people, rest, taken) {
            others.insert(0, person.signer(seat.role()));
            return Some(others);
        }
        taken.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use portcullis_statement::EndpointKind;

    use super::*;
    use crate::testing::{key, name, token};

    #[test]
    fn nobody_sits_on_two_seats_and_a_hasty_choice_is_taken_back() {
        let person = |text: &str, roles: &[Role]| Person {
            name: name(text),
            roles: roles.to_vec(),
            key: key(text).public(),
        };
        let both = person("ada", &[Role::Operator, Role::Approver]);
        let one = person("bob", &[Role::Operator]);
        let roster = Roster::new(vec![both, one], None, EndpointKind::Simulated).unwrap();
        let names = |seats: &[Seat]| {
            let signers = fill(&roster, &[seats.to_vec()]);
            signers.map(|signers| signers.iter().map(|s| s.person.to_string()).collect::<Vec<_>>())
        };
        let (operator, approver) = (Seat::Any(Role::Operator), Seat::Any(Role::Approver));
        assert_eq!(names(&[operator.clone(), approver.clone()]).unwrap(), ["bob", "ada"]);
        assert_eq!(names(std::slice::from_ref(&operator)).unwrap(), ["ada"]);
        let held = Seat::Held(name("bob"), Role::Operator);
        assert_eq!(names(&[held]).unwrap(), ["bob"]);
        // A token is asked for by its seat, and no key in a file sits there.
        let mut with_token = roster.people().to_vec();
        let touched = [Seat::Touch(Role::Operator)];
        assert!(fill(&roster, &[touched.to_vec()]).unwrap_err().cause().contains("hardware key"));
        with_token[1].key = token();
        let with_token = Roster::new(with_token, None, EndpointKind::Simulated).unwrap();
        let signers = fill(&with_token, &[touched.to_vec()]).unwrap();
        assert_eq!(signers[0].person, name("bob"));
        let three = names(&[operator.clone(), operator, approver.clone()]);
        assert_eq!(three.unwrap_err().code(), "SIGNER_MISSING");
        let held = names(&[Seat::Held(name("bob"), Role::Approver), approver]).unwrap_err();
        assert!(held.cause().contains("approver (bob)"));
    }
}
