//! Where the market stood within a window of time.

use std::collections::VecDeque;

use portcullis_domain::BootNs;
use portcullis_gate::{PriceWindow, Quote};

/// One middle, doubled, and until when the market stood there: until the next quote.
#[derive(Clone, Copy, Debug)]
struct Stood {
    twice: i64,
    until: Option<BootNs>,
}

/// Lowest and highest middle at which the market stood in the last `length_ns`, each in amortised
/// constant time: of two middles the later one outlives the earlier, so an earlier one that is not
/// more extreme can be forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Middles {
    length_ns: i64,
    lows: VecDeque<Stood>,
    highs: VecDeque<Stood>,
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
        let length_ns = self.length_ns;
        let not_lower: fn(&i64, &i64) -> bool = i64::ge;
        let not_higher: fn(&i64, &i64) -> bool = i64::le;
        for (side, outdone) in [(&mut self.lows, not_lower), (&mut self.highs, not_higher)] {
            // The newest middle is always the last of both sides: it ends where this one begins.
            if let Some(last) = side.back_mut() {
                last.until = Some(received);
            }
            while side.back().is_some_and(|stood| outdone(&stood.twice, &twice)) {
                side.pop_back();
            }
            side.push_back(Stood { twice, until: None });
            while side.front().is_some_and(|stood| !stood.reaches(received, length_ns)) {
                side.pop_front();
            }
        }
    }

    /// The extremes of the window that ends now; `None` before the first quote.
    pub(crate) fn extremes(&self, now: BootNs) -> Option<PriceWindow> {
        let inside = |stood: &&Stood| stood.reaches(now, self.length_ns);
        let low_twice = self.lows.iter().find(inside)?.twice;
        let high_twice = self.highs.iter().find(inside)?.twice;
        Some(PriceWindow { low_twice, high_twice })
    }
}

impl Stood {
    /// Whether the market still stood there when the window of that length began.
    fn reaches(&self, now: BootNs, length_ns: i64) -> bool {
        self.until.is_none_or(|until| now.since_ns(until) <= length_ns)
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
            let (bid, ask) = (px(middle.saturating_sub(1)), px(middle.saturating_add(1)));
            window.see(Quote { bid, ask, received: BootNs(*at) });
        }
        let seen = window.extremes(BootNs(now)).map(|w| (w.low_twice / 2, w.high_twice / 2));
        assert_eq!(seen, expect);
    }

    #[test]
    fn the_extremes_are_those_of_the_window_and_of_nothing_else() {
        check(&[], 0, None);
        check(&[(0, 100)], 10, Some((100, 100)));
        // Nothing else was quoted since: the market stands there still.
        check(&[(0, 100)], 11, Some((100, 100)));
        check(&[(0, 100), (5, 90), (6, 120)], 6, Some((90, 120)));
        check(&[(0, 80), (5, 90), (6, 120)], 15, Some((80, 120)));
        check(&[(0, 80), (5, 90), (6, 120)], 16, Some((90, 120)));
        check(&[(0, 80), (5, 130), (6, 120), (14, 110)], 16, Some((110, 130)));
        check(&[(0, 80), (5, 130), (6, 120), (14, 110)], 17, Some((110, 120)));
    }

    #[test]
    fn a_crossed_quote_has_no_middle() {
        let mut window = Middles::new(10);
        let px = |units| Px::new(units).unwrap();
        window.see(Quote { bid: px(2), ask: px(2), received: BootNs(0) });
        assert_eq!(window.extremes(BootNs(0)), None);
    }
}
