//! A simulated exchange on loopback that speaks the protocol of a real one.

fn main() {}
