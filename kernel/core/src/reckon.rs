//! Where the account stands: day and week roll over here, and a figure that recovery needs is
//! put on record here.

use crate::outcome::Outcome;
use crate::state::{Core, Turn};

impl Core {
    /// Moves on to the day of this event. A base that was set is recorded at once: the limits of
    /// the day are measured from it, after a restart as well.
    pub(crate) fn reckon(&mut self, turn: &mut Turn) {
        let Some((changed, _)) = self.reckoned(turn) else { return };
        if changed {
            self.record_reckoning(turn);
        }
    }

    /// Records where the account stands now, if that moved since it was last recorded: after a
    /// crash the next day begins from the last of these.
    pub(crate) fn reckon_now(&mut self, turn: &mut Turn) {
        if let Some((_, moved)) = self.reckoned(turn)
            && moved
        {
            self.record_reckoning(turn);
        }
    }

    /// Whether a base changed, and whether the profit moved since it was last recorded.
    fn reckoned(&mut self, turn: &Turn) -> Option<(bool, bool)> {
        let live = self.live.as_mut()?;
        let ledger = live.shadow.as_mut().unwrap_or(&mut self.account);
        let profit = live.usage.profit(ledger.session.as_ref()?.book());
        let changed = ledger.across.reckon(turn.now.wall, profit);
        // A shadow account begins and ends with its session: nothing of it outlives a restart.
        // What was known last, which a figure that nobody knows now does not change.
        let moved = self.recorded_profit != ledger.across.profit;
        live.shadow.is_none().then_some((changed, moved))
    }

    fn record_reckoning(&mut self, turn: &mut Turn) {
        let across = self.account.across;
        self.recorded_profit = across.profit;
        turn.record(&Outcome::Reckoned {
            day: across.day,
            base_day: across.base_day,
            base_week: across.base_week,
            profit: across.profit,
        });
    }
}
