//! Matching, fees and latency for shadow fills and the simulated exchange. Deterministic.
