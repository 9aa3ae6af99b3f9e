//! The outbox loop from outside: what leaves, what does not, and why. The proofs are real: signed,
//! approved by the gate, recorded by a journal.

#[cfg(test)]
mod authority;
#[cfg(test)]
#[path = "../../../gate/tests/it/fixture.rs"]
#[expect(dead_code, reason = "shared with the gate's tests, which use all of it")]
mod fixture;
#[cfg(test)]
mod outbox;
#[cfg(test)]
#[expect(dead_code, reason = "the narrow limits are for the scenes of gate and core")]
#[path = "../../../gate/tests/it/people.rs"]
mod people;
