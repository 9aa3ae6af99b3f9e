//! What the account has used of the limits that live across sessions: the day and the week.
//!
//! Profit here is that of the account's whole life, fills and marks and fees, in the account's
//! currency. What a day has earned is its distance from where it stood when the day began, which is
//! the last figure known before; so a position that loses between two sessions loses in the day.

use portcullis_domain::{Money, WallNs};

use crate::snapshot::kept_fields;

const NS_PER_DAY: i64 = 86_400 * portcullis_domain::time::NS_PER_S;

/// Where the account stood when the day and the week began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Across {
    /// The day that is counted, in days since 1970 (UTC).
    pub(crate) day: i64,
    /// The last profit that was known.
    pub(crate) profit: Option<Money>,
    /// Profit when the day began.
    pub(crate) base_day: Option<Money>,
    /// Profit when the week began.
    pub(crate) base_week: Option<Money>,
    /// Value of the orders approved on the day; unknown once one could not be added.
    pub(crate) notional: Option<Money>,
}

kept_fields!(Across { day, profit, base_day, base_week, notional });

/// The day of a moment, in days since 1970 (UTC).
pub(crate) const fn day_of(at: WallNs) -> i64 {
    at.0.div_euclid(NS_PER_DAY)
}

/// The week of a day. Weeks begin on Monday, and 1970 began on a Thursday.
const fn week_of(day: i64) -> i64 {
    day.saturating_add(3).div_euclid(7)
}

impl Across {
    /// Moves on to the day of `now` and takes in the present profit. `true` if a base was set.
    pub(crate) fn reckon(&mut self, now: WallNs, profit: Option<Money>) -> bool {
        let before = *self;
        let day = day_of(now);
        // A day never comes back: the clock of the core does not run backwards.
        if day > self.day {
            // What was known last is where the new day begins; if nothing was, the first figure is.
            self.base_day = self.profit;
            if week_of(day) > week_of(self.day) {
                self.base_week = self.profit;
            }
            self.notional = Some(Money::ZERO);
            self.day = day;
        }
        if profit.is_some() {
            self.base_day = self.base_day.or(profit);
            self.base_week = self.base_week.or(profit);
            self.profit = profit;
        }
        (before.day, before.base_day, before.base_week) != (self.day, self.base_day, self.base_week)
    }

    /// Takes on what was put on record. A day that begins with it has no orders yet.
    pub(crate) fn restore(
        &mut self,
        day: i64,
        (base_day, base_week): (Option<Money>, Option<Money>),
        profit: Option<Money>,
    ) {
        if day > self.day {
            self.notional = Some(Money::ZERO);
        }
        *self = Self { day, profit, base_day, base_week, notional: self.notional };
    }

    /// An order of that value was approved at `now`.
    pub(crate) fn approved(&mut self, now: WallNs, value: Option<Money>) {
        self.reckon(now, None);
        self.notional = self.notional.zip(value).and_then(|(sum, value)| sum.plus(value));
    }

    /// What the day and the week have earned with the present profit.
    pub(crate) fn earned(&self, profit: Option<Money>) -> (Option<Money>, Option<Money>) {
        let since = |base: Option<Money>| profit?.minus(base?);
        (since(self.base_day), since(self.base_week))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> WallNs {
        WallNs(day.saturating_mul(NS_PER_DAY).saturating_add(1))
    }

    #[test]
    fn a_day_begins_where_the_last_one_was_left() {
        let mut across = Across::default();
        assert!(across.reckon(at(4), Some(Money(100))));
        assert!(!across.reckon(at(4), Some(Money(70))));
        assert_eq!(across.earned(Some(Money(70))), (Some(Money(-30)), Some(Money(-30))));
        // 1970-01-06 is a Tuesday: another day of the same week. The gap over night counts.
        assert!(across.reckon(at(5), Some(Money(60))));
        assert_eq!(across.earned(Some(Money(60))), (Some(Money(-10)), Some(Money(-40))));
        // 1970-01-12 is a Monday.
        assert!(across.reckon(at(11), None));
        assert_eq!(across.earned(Some(Money(60))), (Some(Money(0)), Some(Money(0))));
        assert_eq!(across.earned(None), (None, None));
    }

    #[test]
    fn a_value_that_cannot_be_added_makes_the_day_unknown_and_a_new_day_known_again() {
        let mut across = Across::default();
        across.approved(at(4), Some(Money(5)));
        across.approved(at(4), Some(Money(6)));
        assert_eq!(across.notional, Some(Money(11)));
        across.approved(at(4), None);
        across.approved(at(4), Some(Money(1)));
        assert_eq!(across.notional, None);
        across.approved(at(5), Some(Money(1)));
        assert_eq!(across.notional, Some(Money(1)));
    }
}
