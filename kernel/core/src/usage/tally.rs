//! What one strategy, or all of them together, have used of their limits in a session.

use std::collections::VecDeque;

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{BootNs, Money};

/// Counts and sums of one session. Figures that were never known stay unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Orders approved.
    pub(crate) orders: u32,
    /// When messages were approved, the last second of them.
    messages: VecDeque<BootNs>,
    /// When executions came in, the last window of them.
    executions: VecDeque<BootNs>,
    /// Whether the throttle has stopped the strategy.
    pub(crate) disabled: bool,
    /// What fills cost against the middle of the quote; `None` once one could not be compared.
    pub(crate) adverse: Adverse,
    /// Profit and fees at the moment from which the session is counted.
    baseline: Option<(Money, Money)>,
    /// Highest profit since the baseline.
    peak: Money,
}

/// A sum that may become unknown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adverse(Option<Money>);

impl Default for Adverse {
    fn default() -> Self {
        Self(Some(Money::ZERO))
    }
}

impl Adverse {
    /// Adds what a fill cost against the market; a better price than the middle takes nothing off.
    pub(crate) fn add(&mut self, cost: Option<Money>) {
        let cost = cost.map(|cost| cost.max(Money::ZERO));
        self.0 = self.0.zip(cost).and_then(|(sum, cost)| sum.plus(cost));
    }

    pub(crate) const fn sum(self) -> Option<Money> {
        self.0
    }
}

/// Profit, drawdown and fees of the session, if they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Result {
    pub(crate) profit: Money,
    pub(crate) drawdown: Money,
    pub(crate) fees: Money,
}

impl Tally {
    /// An order or an amendment was approved.
    pub(crate) fn approved(&mut self, now: BootNs, is_order: bool) {
        if is_order {
            self.orders = self.orders.saturating_add(1);
        }
        self.messages.push_back(now);
        forget(&mut self.messages, now, NS_PER_S);
    }

    /// Messages within the last second.
    pub(crate) fn messages(&self, now: BootNs) -> u32 {
        within(&self.messages, now, NS_PER_S)
    }

    /// An order was executed, wholly or in part.
    pub(crate) fn executed(&mut self, now: BootNs, window_ns: i64) {
        self.executions.push_back(now);
        forget(&mut self.executions, now, window_ns);
    }

    /// Executions within the window.
    pub(crate) fn executions(&self, now: BootNs, window_ns: i64) -> u32 {
        within(&self.executions, now, window_ns)
    }

    /// Takes in the present profit and fees. The first that are known are the baseline.
    pub(crate) fn reckon(&mut self, profit: Option<Money>, fees: Option<Money>) {
        let (Some(profit), Some(fees)) = (profit, fees) else { return };
        let (base, _) = *self.baseline.get_or_insert((profit, fees));
        if let Some(earned) = profit.minus(base) {
            self.peak = self.peak.max(earned);
        }
    }

    /// The session's result with the present profit and fees; `None` where one is unknown.
    pub(crate) fn result(&self, profit: Option<Money>, fees: Option<Money>) -> Option<Result> {
        let (base, base_fees) = self.baseline?;
        let profit = profit?.minus(base)?;
        let drawdown = self.peak.max(profit).minus(profit)?;
        Some(Result { profit, drawdown, fees: fees?.minus(base_fees)? })
    }
}

fn within(times: &VecDeque<BootNs>, now: BootNs, window_ns: i64) -> u32 {
    let recent = times.iter().rev().take_while(|at| now.since_ns(**at) < window_ns);
    u32::try_from(recent.count()).unwrap_or(u32::MAX)
}

fn forget(times: &mut VecDeque<BootNs>, now: BootNs, window_ns: i64) {
    while times.front().is_some_and(|at| now.since_ns(*at) >= window_ns) {
        times.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "every figure may be unknown")]
    fn dollars(units: i128) -> Option<Money> {
        Some(Money(units))
    }

    #[test]
    fn the_first_known_profit_is_the_baseline_and_the_peak_is_remembered() {
        let mut tally = Tally::default();
        tally.reckon(None, dollars(0));
        assert_eq!(tally.result(dollars(5), dollars(0)), None);
        tally.reckon(dollars(100), dollars(7));
        tally.reckon(dollars(130), dollars(8));
        tally.reckon(dollars(90), dollars(9));
        let result = tally.result(dollars(90), dollars(9)).unwrap();
        assert_eq!(
            (result.profit, result.drawdown, result.fees),
            (Money(-10), Money(40), Money(2))
        );
        assert_eq!(tally.result(None, dollars(9)), None);
    }

    #[test]
    fn a_fill_that_could_not_be_compared_makes_the_sum_unknown() {
        let mut adverse = Adverse::default();
        adverse.add(dollars(3));
        adverse.add(dollars(-2));
        assert_eq!(adverse.sum(), dollars(3));
        adverse.add(None);
        adverse.add(dollars(1));
        assert_eq!(adverse.sum(), None);
    }

    #[test]
    fn messages_and_executions_are_those_of_their_window() {
        let mut tally = Tally::default();
        for at in [0, 10, NS_PER_S] {
            tally.approved(BootNs(at), at == 0);
            tally.executed(BootNs(at), 2 * NS_PER_S);
        }
        assert_eq!((tally.orders, tally.messages(BootNs(NS_PER_S))), (1, 2));
        assert_eq!(tally.executions(BootNs(NS_PER_S), 2 * NS_PER_S), 3);
        assert_eq!(tally.executions(BootNs(3 * NS_PER_S), NS_PER_S), 0);
    }
}
