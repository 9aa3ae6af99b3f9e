//! A safety policy under which nothing fires by itself and all size is back at once, so that a test
//! shows by its own words what it narrows. The tests of other crates use this file too.

use std::collections::BTreeMap;

use portcullis_domain::policy::guards::GuardRules;
use portcullis_domain::policy::returning::{ReturnPlan, ReturnStep};
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::policy::triggers::{CountRow, LastingRow, LossRow, SkewRow, Triggers};
use portcullis_domain::{Money, StopMode};

pub(crate) fn wide_safety() -> Safety {
    let (ms, action) = (86_400_000, StopMode::BlockNew);
    let loss = LossRow { loss: Money::parse("1000000").unwrap(), unknown_ms: ms, action };
    let lasting = LastingRow { ms, action };
    Safety {
        seal_hours_max: 24,
        guards: GuardRules {
            more: BTreeMap::new(),
            dead_man_renewal_ms: 20_000,
            unreplicated_bytes_max: BTreeMap::new(),
        },
        triggers: Triggers {
            drawdown: loss,
            daily_loss: loss,
            heartbeat: lasting,
            disconnects: CountRow { count: 1_000, window_ms: ms, action },
            stale_feed: lasting,
            clock_skew: SkewRow { offset_ms: ms, age_ms: ms, action },
            unexplained_fill: action,
            evidence: lasting,
        },
        returning: ReturnPlan::new(0, vec![ReturnStep { after_ms: 0, percent: 100 }]).unwrap(),
    }
}
