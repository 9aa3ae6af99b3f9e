//! The way back after a kill: first nothing new, then part of the size, then all of it.

use crate::time::NS_PER_MS;

/// One step on the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnStep {
    /// Milliseconds after the end of the cooldown.
    pub after_ms: u32,
    /// Share of the limits that new exposure may use from then on, in percent.
    pub percent: u32,
}

/// How size comes back after an unkill. Made by [`ReturnPlan::new`] alone: there is no plan whose
/// steps go down or that never ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPlan {
    cooldown_ms: u32,
    steps: Vec<ReturnStep>,
}

impl ReturnPlan {
    /// `None` unless the first step comes at once, times and shares rise, and the last is 100.
    #[must_use]
    pub fn new(cooldown_ms: u32, steps: Vec<ReturnStep>) -> Option<Self> {
        let first = steps.first()?;
        let begins = first.after_ms == 0 && first.percent > 0;
        let mut pairs = steps.iter().zip(steps.iter().skip(1));
        let rises = pairs.all(|(a, b)| a.after_ms < b.after_ms && a.percent < b.percent);
        let whole = steps.last()?.percent == 100;
        (begins && rises && whole).then_some(Self { cooldown_ms, steps })
    }

    /// Milliseconds after an unkill in which nothing new is allowed at all.
    #[must_use]
    pub const fn cooldown_ms(&self) -> u32 {
        self.cooldown_ms
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[ReturnStep] {
        &self.steps
    }

    /// The share that holds `since_ns` nanoseconds after the unkill; 0 in the cooldown, and for
    /// clocks that contradict themselves.
    #[must_use]
    pub fn percent(&self, since_ns: i64) -> u32 {
        let cooldown = i64::from(self.cooldown_ms).saturating_mul(NS_PER_MS);
        let since = since_ns.saturating_sub(cooldown);
        let reached = |step: &&ReturnStep| {
            since >= 0 && i64::from(step.after_ms).saturating_mul(NS_PER_MS) <= since
        };
        self.steps.iter().rev().find(reached).map_or(0, |step| step.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::NS_PER_S;

    fn plan(steps: &[(u32, u32)]) -> Option<ReturnPlan> {
        let step = |(after_ms, percent): &(u32, u32)| ReturnStep {
            after_ms: *after_ms,
            percent: *percent,
        };
        ReturnPlan::new(300_000, steps.iter().map(step).collect())
    }

    /// The runbook's own: 300 s of nothing, half at once, three quarters and all an hour apart.
    #[test]
    fn size_comes_back_in_steps_after_the_cooldown() {
        let plan = plan(&[(0, 50), (3_600_000, 75), (7_200_000, 100)]).unwrap();
        for (seconds, percent) in [
            (-1, 0),
            (0, 0),
            (299, 0),
            (300, 50),
            (3_899, 50),
            (3_900, 75),
            (7_499, 75),
            (7_500, 100),
            (i64::MAX / NS_PER_S, 100),
        ] {
            assert_eq!(plan.percent(seconds * NS_PER_S), percent, "after {seconds} s");
        }
    }

    #[test]
    fn a_plan_begins_rises_and_ends() {
        for bad in [
            &[][..],
            &[(1, 100)],
            &[(0, 0), (1, 100)],
            &[(0, 50)],
            &[(0, 101)],
            &[(0, 50), (0, 100)],
            &[(0, 50), (10, 40), (20, 100)],
        ] {
            assert_eq!(plan(bad), None, "{bad:?}");
        }
        assert!(plan(&[(0, 100)]).is_some());
    }
}
