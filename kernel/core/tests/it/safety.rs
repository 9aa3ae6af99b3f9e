//! Policies and acts that the tests of stops, guards, triggers and plans share.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::EpochCause;
use portcullis_domain::policy::guards::{Guard, GuardRules};
use portcullis_domain::policy::returning::{ReturnPlan, ReturnStep};
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::policy::triggers::Triggers;
use portcullis_domain::{Phase, Role, Stop, StopMode, StopScope};
use portcullis_statement::{Kind, SignedStatement, Target, Unkill};

use crate::wide_safety::wide_safety;
use crate::world::{ALPHA, Out, World, buy};

pub(crate) const TWO: [(&str, Role); 2] = [("olga", Role::Operator), ("rita", Role::Risk)];

/// Rows so wide that nothing fires; each test narrows the one it is about.
pub(crate) fn wide() -> Triggers {
    wide_safety().triggers
}

/// The runbook's way back: 300 s of nothing, then half, three quarters and all.
pub(crate) fn returning() -> ReturnPlan {
    let step = |(after_ms, percent)| ReturnStep { after_ms, percent };
    let steps = [(0, 50), (3_600_000, 75), (7_200_000, 100)].map(step);
    ReturnPlan::new(300_000, steps.to_vec()).unwrap()
}

/// A policy that asks for `guards` in phase 2.
pub(crate) fn policy(guards: &[Guard], triggers: Triggers) -> Safety {
    let guards: BTreeSet<Guard> = guards.iter().copied().collect();
    let more = if guards.is_empty() { vec![] } else { vec![(Phase::Paper, guards)] };
    let more: BTreeMap<_, _> = more.into_iter().collect();
    let guards = GuardRules { more, ..wide_safety().guards };
    Safety { guards, triggers, returning: returning(), seal_hours_max: 24 }
}

impl World {
    /// Started under a policy, linked to the venue.
    pub(crate) fn started_with(safety: Safety) -> Self {
        let mut world = Self::new();
        world.safety = safety;
        world.start(true, false);
        world.admit_all();
        world.link_up();
        world
    }

    /// With an open session under a policy.
    pub(crate) fn open_under(safety: Safety) -> Self {
        let mut world = Self::started_with(safety);
        world.open_session("s-1", Phase::Paper);
        world
    }

    /// A stop from a person, as the kill socket raises it.
    pub(crate) fn stop(&mut self, mode: StopMode, scope: &str) -> Out {
        let stop = Stop { mode, scope: StopScope::parse(scope).unwrap() };
        let request = Some(self.next_request());
        let raised = self.raised(EpochCause::stop(stop, ("rita", "DRILL"), request));
        self.feed(raised)
    }

    /// What an unkill has to name for that stop.
    pub(crate) fn target(&self, seq: u64) -> Target {
        let entry = self.core.stops().find(|(number, ..)| *number == seq).unwrap().2;
        Target::stop(seq, entry)
    }

    /// Two people lift a stop.
    pub(crate) fn lift(&mut self, target: Target) -> (SignedStatement, Out) {
        let body = Unkill { target, reason: "drill over".to_owned() };
        self.hand_in(Kind::Unkill, &TWO, &body.to_value())
    }

    /// Buys and is filled at 100.00.
    pub(crate) fn hold(&mut self, units: i64) {
        let id = self.reply(ALPHA, vec![buy(1, units, 10_000)]).submits()[0];
        self.fill(id, "held", units, 10_000);
        self.reply(ALPHA, vec![]);
    }
}
