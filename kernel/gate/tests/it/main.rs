//! The gate from outside: opened by real signatures, asked one question at a time.
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "tests reckon with small known numbers")
)]

#[cfg(test)]
mod assess;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod monotone;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod people;
#[cfg(test)]
mod reduce;
#[cfg(test)]
mod slices;
