//! Who has to be alive, and how much of the size is back after a kill.

use std::collections::BTreeSet;

use portcullis_domain::policy::guards::{Guard, Reach, guards_required};
use portcullis_domain::policy::safety::Safety;
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{Now, WallNs};
use portcullis_gate::GuardState;

use crate::state::{Core, Turn};

/// The words in status and packs.
pub(crate) const fn guard_words(state: GuardState) -> &'static str {
    match state {
        GuardState::NotRequired => "not required",
        GuardState::Alive => "alive",
        GuardState::Missing => "missing",
    }
}

impl Core {
    /// The policy taken on at the start; `None` before it.
    pub(crate) fn safety(&self) -> Option<&Safety> {
        self.identity.as_ref().map(|identity| &identity.start.safety)
    }

    /// The latest word of a guard counts, also when it holds for less long than the one before: a
    /// dead-man switch that was turned off must not look alive.
    /// A witness is heard of by its signatures alone and the scribe by its claims, so their beats
    /// say nothing.
    pub(crate) fn on_beat(&mut self, guard: Guard, valid_until: WallNs, turn: &Turn) {
        let longest = i64::from(guard.beat_ms_max()).saturating_mul(NS_PER_MS);
        let until = valid_until.min(turn.now.wall.plus_ns(longest));
        self.beats.insert(guard, until);
    }

    /// Where a guard stands. Without an open session nothing is required of anybody.
    #[must_use]
    pub fn guard_state(&self, guard: Guard) -> GuardState {
        if !self.guards_required().contains(&guard) {
            GuardState::NotRequired
        } else if guard == Guard::Witness {
            self.witness_state()
        } else if guard == Guard::Scribe && !self.copies_suffice() {
            GuardState::Missing
        } else if self.alive_until(guard).is_some_and(|until| until > self.place.at.wall) {
            GuardState::Alive
        } else {
            GuardState::Missing
        }
    }

    /// Everybody who has to be alive for the open session.
    pub(crate) fn guards_required(&self) -> BTreeSet<Guard> {
        let Some(live) = self.live.as_ref() else { return BTreeSet::new() };
        let approval = live.gate.approval();
        let outside = approval.endpoint_kind.is_outside();
        let reach = if outside { Reach::Outside } else { Reach::Inside };
        guards_required(self.safety().map(|safety| &safety.guards), approval.phase, reach)
    }

    /// Until when the last beat of a guard holds; `None` if there was none in this run.
    ///
    /// The dead-man switch has to be fresh by one renewal more: what fires before the next
    /// renewal can be confirmed is as good as fired (D13).
    pub(crate) fn alive_until(&self, guard: Guard) -> Option<WallNs> {
        if guard == Guard::Witness {
            return self.witnessed_until();
        }
        if guard == Guard::Scribe {
            return self.claimed_until();
        }
        let until = *self.beats.get(&guard)?;
        let renewal_ms = match guard {
            Guard::DeadMan => self.safety()?.guards.dead_man_renewal_ms,
            Guard::Guardian | Guard::Witness | Guard::Presence | Guard::Scribe => 0,
        };
        Some(until.plus_ns(i64::from(renewal_ms).saturating_mul(NS_PER_MS).saturating_neg()))
    }

    /// The share of the limits that new exposure may use, in percent: 0 while killed and in the
    /// cooldown after it, 100 when there never was a kill.
    #[must_use]
    pub fn size_percent(&self, now: Now) -> u32 {
        if self.kill.is_some() {
            return 0;
        }
        let Some(at) = self.returned_at else { return 100 };
        let since_ns = now.wall.0.saturating_sub(at.0);
        self.safety().map_or(0, |safety| safety.returning.percent(since_ns))
    }
}
