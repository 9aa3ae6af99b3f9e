//! The core from outside: real signatures, whole sessions, one event after the other.
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "tests reckon with small known numbers"),
    expect(clippy::wildcard_enum_match_arm, reason = "a test picks the effects it is about")
)]

#[cfg(test)]
mod amend;
#[cfg(test)]
mod blocked;
#[cfg(test)]
mod bracket;
#[cfg(test)]
mod burned;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod findings;
#[cfg(test)]
mod flatten;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_stops;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod large;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod many;
#[cfg(test)]
mod mismatch;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod out;
#[cfg(test)]
mod paper;
#[cfg(test)]
#[path = "../../../gate/tests/it/people.rs"]
mod people;
#[cfg(test)]
mod people_orders;
#[cfg(test)]
mod plugin;
#[cfg(test)]
mod protect;
#[cfg(test)]
mod recon;
#[cfg(test)]
mod release;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod safety;
#[cfg(test)]
mod shadow;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod stop_play;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod triggers;
#[cfg(test)]
mod wide_safety;
#[cfg(test)]
mod witness;
#[cfg(test)]
mod world;
