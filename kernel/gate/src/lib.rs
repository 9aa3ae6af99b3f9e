//! The pre-trade gate: checks, deny codes, proofs. Pure.
