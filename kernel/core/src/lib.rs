//! The state machine of the kernel: one event in, entries and effects out. Pure.
