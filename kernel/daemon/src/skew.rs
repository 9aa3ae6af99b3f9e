//! How far the venue's clock is off: read at each connect and from then on once in a while, in a
//! thread of its own. A venue that does not answer it must not hold up the account.

use std::thread::sleep;
use std::time::Duration;

use portcullis_core::Input;
use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{BootNs, Now};
use portcullis_venue::{ClockReader, SimulatedEndpoint};

use crate::clock;
use crate::house::House;

/// Between two readings, at least.
const CLOCK_PAUSE_NS: i64 = 10 * NS_PER_S;
/// Between two looks whether it is time for one.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

/// Tells the core the offset while the private socket is up. A clock that cannot be read grows old,
/// and the core says so.
pub(crate) fn keep_clock(house: &House, endpoint: SimulatedEndpoint, generation: u64) {
    let mut reader = ClockReader::new(endpoint, clock::now);
    let mut asked = None;
    while house.venue.is_link(generation) {
        if is_due(&mut asked, house.venue.is_up(), clock::now())
            && let Ok(reading) = reader.read()
            && house.venue.is_link(generation)
        {
            // The worse end of what the offset can be.
            let doubt = if reading.offset_ns < 0 {
                reading.doubt_ns.saturating_neg()
            } else {
                reading.doubt_ns
            };
            let offset_ns = reading.offset_ns.saturating_add(doubt);
            house.report(Input::VenueClock { offset_ns });
        }
        sleep(LOOK_PAUSE);
    }
}

/// Whether to ask now, and if so, notes it. A line that went down begins anew.
fn is_due(asked: &mut Option<BootNs>, up: bool, now: Now) -> bool {
    let rested = asked.is_none_or(|asked| now.boot.since_ns(asked) >= CLOCK_PAUSE_NS);
    let due = up && rested;
    *asked = match (up, due) {
        (false, _) => None,
        (true, true) => Some(now.boot),
        (true, false) => *asked,
    };
    due
}

#[cfg(test)]
mod tests {
    use portcullis_domain::WallNs;

    use super::*;

    #[test]
    fn it_is_read_at_each_connect_and_every_ten_seconds() {
        let mut asked = None;
        let mut check = |up: bool, second: i64, expect: bool| {
            let boot = BootNs(second.saturating_mul(NS_PER_S));
            // What is set on the wall does not matter.
            let now = Now { wall: WallNs(second.saturating_neg()), boot };
            assert_eq!(is_due(&mut asked, up, now), expect, "second {second}");
        };
        check(false, 0, false);
        check(true, 1, true);
        check(true, 10, false);
        check(true, 11, true);
        check(true, 12, false);
        check(false, 13, false);
        check(true, 14, true);
    }
}
