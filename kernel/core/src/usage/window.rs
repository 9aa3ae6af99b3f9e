//! Where the market stood within a window of time.

use std::collections::VecDeque;

use portcullis_domain::BootNs;
use portcullis_gate::{PriceWindow, Quote};

/// Lowest and highest middle of the quotes of the last `length_ns`, each in amortised constant
/// time: of two middles the later one outlives the earlier, so an earlier one that is not more
/// extreme can be forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Middles {
    length_ns: i64,
    lows: VecDeque<(BootNs, i64)>,
    highs: VecDeque<(BootNs, i64)>,
}

impl Middles {
    pub(crate) fn new(length_ns: i64) -> Self {
        Self { length_ns, ..Self::default() }
    }

    /// Takes in a quote. One that is crossed or does not fit says nothing about a middle.
    pub(crate) fn see(&mut self, quote: Quote) {
        let Quote { bid, ask, received } = quote;
        let Some(twice) = bid.units().checked_add(ask.units()).filter(|_| bid < ask) else {
            return;
        };
        while self.lows.back().is_some_and(|(_, low)| *low >= twice) {
            self.lows.pop_back();
        }
        while self.highs.back().is_some_and(|(_, high)| *high <= twice) {
            self.highs.pop_back();
        }
        self.lows.push_back((received, twice));
        self.highs.push_back((received, twice));
        self.forget(received);
    }

    /// The extremes of the window that ends now; `None` where nothing was quoted in it.
    pub(crate) fn extremes(&self, now: BootNs) -> Option<PriceWindow> {
        let inside = |(at, _): &&(BootNs, i64)| now.since_ns(*at) <= self.length_ns;
        let low_twice = self.lows.iter().find(inside)?.1;
        let high_twice = self.highs.iter().find(inside)?.1;
        Some(PriceWindow { low_twice, high_twice })
    }

    fn forget(&mut self, now: BootNs) {
        for side in [&mut self.lows, &mut self.highs] {
            while side.front().is_some_and(|(at, _)| now.since_ns(*at) > self.length_ns) {
                side.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Px;

    /// Feeds middles (time, units) and asks at `now`.
    #[track_caller]
    fn check(middles: &[(i64, i64)], now: i64, expect: Option<(i64, i64)>) {
        let mut window = Middles::new(10);
        for (at, middle) in middles {
            let px = |units| Px::new(units).unwrap();
            let (bid, ask) = (px(middle - 1), px(middle + 1));
            window.see(Quote { bid, ask, received: BootNs(*at) });
        }
        let seen = window.extremes(BootNs(now)).map(|w| (w.low_twice / 2, w.high_twice / 2));
        assert_eq!(seen, expect);
    }

    #[test]
    fn the_extremes_are_those_of_the_window_and_of_nothing_else() {
        check(&[], 0, None);
        check(&[(0, 100)], 10, Some((100, 100)));
        check(&[(0, 100)], 11, None);
        check(&[(0, 100), (5, 90), (6, 120)], 6, Some((90, 120)));
        check(&[(0, 80), (5, 90), (6, 120)], 11, Some((90, 120)));
        check(&[(0, 80), (5, 130), (6, 120), (14, 110)], 14, Some((110, 130)));
        check(&[(0, 80), (5, 130), (6, 120), (14, 110)], 16, Some((110, 120)));
    }

    #[test]
    fn a_crossed_quote_has_no_middle() {
        let mut window = Middles::new(10);
        let px = |units| Px::new(units).unwrap();
        window.see(Quote { bid: px(2), ask: px(2), received: BootNs(0) });
        assert_eq!(window.extremes(BootNs(0)), None);
    }
}
