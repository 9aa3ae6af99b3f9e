//! The door from outside: proofs that were really minted, venues that misbehave, and the simulated
//! exchange itself.

#[cfg(test)]
mod clock;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod minted;
#[cfg(test)]
mod venue_double;
