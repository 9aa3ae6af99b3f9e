//! The only place that asks the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_domain::WallNs;

/// Now, in nanoseconds since 1970. A clock before 1970 reads as zero.
#[expect(clippy::disallowed_methods, reason = "this is the clock module")]
pub(crate) fn wall_now() -> WallNs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallNs(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
