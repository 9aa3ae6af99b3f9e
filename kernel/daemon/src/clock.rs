//! The two clocks. The only place of the daemon that reads one.

use portcullis_domain::{BootNs, Now, WallNs};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The present moment on both clocks.
pub(crate) fn now() -> Now {
    Now { wall: wall(), boot: BootNs(nanoseconds(clock_gettime(ClockId::Boottime))) }
}

/// The wall clock alone.
pub(crate) fn wall() -> WallNs {
    WallNs(nanoseconds(clock_gettime(ClockId::Realtime)))
}

fn nanoseconds(at: Timespec) -> i64 {
    at.tv_sec.saturating_mul(1_000_000_000).saturating_add(at.tv_nsec)
}
