//! A24: tightening any limit never turns a no into a yes.

use portcullis_domain::{OrdType, Phase, Position, Side};
use portcullis_gate::{Quote, Working};

use crate::fixture::Case;
use crate::people::{money, px, qty};

/// A small generator with a seed: the same numbers in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % bound).unwrap()
    }

    fn count(&mut self, bound: u64) -> u32 {
        u32::try_from(self.below(bound)).unwrap()
    }

    fn case(&mut self) -> Case {
        let mut case = Case::new(Phase::Paper);
        case.intent.side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        case.intent.qty = qty(self.below(12_000) * 10);
        case.intent.price = Some(px(9_900 + self.below(20) * 10));
        if self.below(4) == 0 {
            (case.intent.ord_type, case.intent.price) = (OrdType::Market, None);
        }
        case.at.position = Position(self.below(500_000) - 250_000);
        case.at.working = Working {
            buy_qty: qty(self.below(100_000)),
            sell_qty: qty(self.below(100_000)),
            reserved_quote: money(&self.below(1_100).to_string()),
            open_orders: self.count(12),
            any_unknown: self.below(20) == 0,
        };
        case.at.submits_last_second = self.count(24);
        let received = case.at.now.boot.plus_ns(-self.below(2_500_000_000));
        case.at.quote = Some(Quote {
            bid: px(9_950 + self.below(60)),
            ask: px(10_000 + self.below(60)),
            received,
        });
        self.limits(&mut case);
        case
    }

    fn limits(&mut self, case: &mut Case) {
        let limits = case.limits();
        limits.order_qty_max = qty(self.below(120_000));
        limits.order_notional_max = money(&self.below(120).to_string());
        limits.position_qty_max = qty(self.below(400_000));
        limits.price_collar_bps = self.count(100);
        limits.market_data_age_ms_max = self.count(3_000);
        let account = case.account_limits();
        account.open_orders_max = self.count(14);
        account.messages_per_second_max = self.count(28);
    }

    /// Makes one limit smaller, by some amount; names it.
    fn tighten(&mut self, case: &mut Case) -> &'static str {
        let narrow = |value: u32, by: u32| value.saturating_sub(by);
        let by = self.count(1_000) + 1;
        match self.below(7) {
            0 => {
                let limits = case.limits();
                let smaller = limits.order_qty_max.units() - i64::from(by) * 50;
                limits.order_qty_max = qty(smaller.max(0));
                "order_qty_max"
            }
            1 => {
                let limits = case.limits();
                let less = limits.order_notional_max.minus(money(&(by / 10).to_string()));
                limits.order_notional_max = less.unwrap().max(money("0"));
                "order_notional_max"
            }
            2 => {
                let limits = case.limits();
                let smaller = limits.position_qty_max.units() - i64::from(by) * 200;
                limits.position_qty_max = qty(smaller.max(0));
                "position_qty_max"
            }
            3 => {
                let limits = case.limits();
                limits.price_collar_bps = narrow(limits.price_collar_bps, by / 10);
                "price_collar_bps"
            }
            4 => {
                let limits = case.limits();
                limits.market_data_age_ms_max = narrow(limits.market_data_age_ms_max, by);
                "market_data_age_ms_max"
            }
            5 => {
                let account = case.account_limits();
                account.open_orders_max = narrow(account.open_orders_max, by / 100);
                "open_orders_max"
            }
            _ => {
                let account = case.account_limits();
                account.messages_per_second_max = narrow(account.messages_per_second_max, by / 50);
                "messages_per_second_max"
            }
        }
    }
}

#[test]
fn a24_tightening_any_limit_never_turns_a_no_into_a_yes() {
    let mut draw = Draw(0x5eed_0001);
    let (mut yes, mut turned) = (0, 0);
    for round in 0..1_500 {
        let mut case = draw.case();
        let before = case.answer();
        let key = draw.tighten(&mut case);
        let after = case.answer();
        yes += u32::from(before == "APPROVE");
        turned += u32::from(before == "APPROVE" && after != "APPROVE");
        assert!(
            before == "APPROVE" || after != "APPROVE",
            "round {round}: a smaller {key} turned {before} into {after}: {case:?}"
        );
    }
    // The draws reach both answers, and tightening has an effect.
    assert!(yes > 50 && turned > 5, "{yes} approved, {turned} turned");
}
