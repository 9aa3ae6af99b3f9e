//! The people of one installation. One person is one key, and one key is one person.

use portcullis_domain::{Name, Role};

use crate::body::EndpointKind;
use crate::header::Kind;
use crate::json::{Fields, JsonError, Value, object};
use crate::key::PublicKey;
use crate::{Refusal, Signer, Witnesses};

/// Fewest people of a roster: whatever loosens anything needs two.
const PEOPLE_MIN: usize = 2;

/// A roster that is not meant for the world outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Made by the demo, with keys that lie beside it.
    Demo,
    /// Made by a lab run, a replay or a simulation.
    ThrowAway,
}

impl Mark {
    /// The name in the genesis.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::ThrowAway => "throw-away",
        }
    }

    /// The mark of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Demo, Self::ThrowAway].into_iter().find(|mark| mark.name() == name)
    }
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person's name, unique in the roster.
    pub name: Name,
    /// What the person may do.
    pub roles: Vec<Role>,
    /// The person's one key.
    pub key: PublicKey,
}

impl Person {
    /// This person as the signer of a statement, in one role.
    #[must_use]
    pub fn signer(&self, role: Role) -> Signer {
        Signer { person: self.name.clone(), role, key: self.key.fingerprint() }
    }
}

/// The people of one installation and how far they go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    people: Vec<Person>,
    mark: Option<Mark>,
    ladder: EndpointKind,
    witnesses: Witnesses,
}

impl Roster {
    /// People without witnesses.
    ///
    /// Refuses two people of one name, one key under two names, a person without a role, fewer
    /// than two people, and a marked roster whose ladder leads out of the simulation.
    pub fn new(
        people: Vec<Person>,
        mark: Option<Mark>,
        ladder: EndpointKind,
    ) -> Result<Self, Refusal> {
        if people.len() < PEOPLE_MIN {
            return Err(Refusal::RosterInvalid("fewer than two people".to_owned()));
        }
        // One point is one key, wherever its private half is said to live.
        let same = |one: &Person, other: &Person| one.key.bytes() == other.key.bytes();
        for (number, person) in people.iter().enumerate() {
            let name = &person.name;
            let mut others = people.iter().take(number);
            if let Some(other) = others.find(|p| p.name == *name || same(p, person)) {
                let what = if other.name == *name { "name" } else { "key" };
                let cause = format!("{name} and {} have the same {what}", other.name);
                return Err(Refusal::RosterInvalid(cause));
            }
            let repeated = |role| person.roles.iter().filter(|held| **held == role).count() > 1;
            if person.roles.is_empty() || person.roles.iter().any(|role| repeated(*role)) {
                return Err(Refusal::RosterInvalid(format!("{name} has no role, or one twice")));
            }
        }
        if mark.is_some() && ladder.is_outside() {
            return Err(Refusal::DemoRoster);
        }
        Ok(Self { people, mark, ladder, witnesses: Witnesses::default() })
    }

    /// The same people, seen by these witnesses. A witness that signs with a person's key would be
    /// that person once more.
    pub fn witnessed(self, witnesses: Witnesses) -> Result<Self, Refusal> {
        let of = |key: &[u8; 32]| self.people.iter().find(|person| person.key.bytes() == key);
        let twice = witnesses.list().iter().find_map(|it| Some((it, of(it.key.key().bytes())?)));
        if let Some((witness, person)) = twice {
            let cause = format!("{} and {} have the same key", witness.name, person.name);
            return Err(Refusal::RosterInvalid(cause));
        }
        Ok(Self { witnesses, ..self })
    }

    /// Who cosigns the journal, and how many must.
    #[must_use]
    pub const fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// Everybody, in the order of the genesis.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The person of that name.
    #[must_use]
    pub fn person(&self, name: &Name) -> Option<&Person> {
        self.people.iter().find(|person| person.name == *name)
    }

    /// Whether this is a demo or throw-away roster.
    #[must_use]
    pub const fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// The endpoint kind that the ladder aims at.
    #[must_use]
    pub const fn ladder(&self) -> EndpointKind {
        self.ladder
    }

    /// The text of an `allowed_signers` file: every person with the exact namespaces of the kinds
    /// that their roles have a say in. No wildcard, no authority.
    #[must_use]
    pub fn allowed_signers(&self) -> String {
        self.people.iter().fold(String::new(), |text, person| {
            let has_say = |kind: &Kind| person.roles.iter().any(|role| kind.roles().contains(role));
            let kinds = Kind::ALL.into_iter().filter(has_say);
            let namespaces: Vec<_> = kinds.map(Kind::namespace).collect();
            let (name, key) = (&person.name, person.key.openssh_line());
            text + &format!("{name} namespaces=\"{}\" {key}\n", namespaces.join(","))
        })
    }

    pub(crate) fn people_value(&self) -> Value {
        self.people.iter().map(person_value).collect::<Vec<_>>().into()
    }
}

fn person_value(person: &Person) -> Value {
    object([
        ("key", person.key.openssh_line().into()),
        ("name", person.name.as_str().into()),
        ("roles", Value::List(person.roles.iter().map(|role| role.name().into()).collect())),
    ])
}

pub(crate) fn read_person(value: &Value) -> Result<Person, JsonError> {
    let read = || {
        let mut fields = Fields::new(value)?;
        let name = fields.name("name")?;
        let key = PublicKey::parse_openssh(fields.text("key")?)
            .map_err(|error| JsonError::field("key", error.cause()))?;
        let roles = fields.list("roles")?.iter().map(read_role).collect::<Result<_, _>>()?;
        fields.finish()?;
        Ok(Person { name, roles, key })
    };
    read().map_err(|error: JsonError| error.within("people"))
}

fn read_role(value: &Value) -> Result<Role, JsonError> {
    let role = Role::from_name(crate::json::text_of("roles", value)?);
    role.ok_or_else(|| JsonError::field("roles", "holds an unknown role"))
}

#[cfg(test)]
mod tests;
