//! Strict TOML to limits, phase rules and instruments, with the digests that people sign.
