//! The gate from outside: opened by real signatures, asked one question at a time.
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "tests reckon with small known numbers")
)]

#[cfg(test)]
mod allocation;
#[cfg(test)]
mod amend;
#[cfg(test)]
mod boundary;
#[cfg(test)]
mod bracket;
#[cfg(test)]
mod cancels;
#[cfg(test)]
mod cells;
#[cfg(test)]
mod closing;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod holes;
#[cfg(test)]
mod missing;
#[cfg(test)]
mod monotone;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod overflow;
#[cfg(test)]
mod people;
#[cfg(test)]
mod proposals;
#[cfg(test)]
mod release;
#[cfg(test)]
mod scopes;
#[cfg(test)]
mod unknown;
#[cfg(test)]
mod verdicts;
