//! What threads share in the kernel, under every order in which they can meet.
//!
//! The files of the kernel are included as they are; only their `sync` is another one here: types
//! that a model checker drives. It runs a model once for each order of events that the memory
//! model allows, so a claim that holds here does not hang on luck or on this machine's timing.
//! Beside each claim stands the same model with a fault in it, which must be found: a model that
//! cannot fail proves nothing.

#[cfg(test)]
#[path = "../../../kernel/path/src/authority.rs"]
mod authority;
#[cfg(test)]
#[path = "../../../kernel/core/src/epoch.rs"]
mod epoch;
#[cfg(test)]
mod explore;
#[cfg(test)]
mod gate_closed;
#[cfg(test)]
mod house;
#[cfg(test)]
mod lifted;
#[cfg(test)]
mod raised;
#[cfg(test)]
mod sync;
