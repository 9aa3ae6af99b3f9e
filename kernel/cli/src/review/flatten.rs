//! A flatten plan in plain words: what is sold or bought back, how much at once, at which prices.

use portcullis_statement::FlattenPlan;

use super::target;
use crate::out::field;

/// The review of a plan.
pub(super) fn render(body: &FlattenPlan) -> String {
    let mut text = field("account", body.account.as_str());
    text += &target(&body.target);
    for (symbol, slices) in &body.instruments {
        let (qty, pause) = (&slices.slice_qty_max, slices.slice_pause_ms);
        let bps = slices.slippage_bps_max;
        let price = format!("at most {bps} bps worse than the best price at that moment");
        text += &field(symbol, &format!("closed in slices of at most {qty}, {pause} ms apart"));
        text += &field("", &price);
    }
    text +=
        &field("never", "more than is held; only after the venue confirms that no order is left");
    text + &field("reason", &body.reason)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use portcullis_domain::Name;
    use portcullis_statement::{Digest, Slices, Target};

    use super::*;

    #[test]
    fn every_number_of_a_plan_is_shown() {
        let slices = Slices {
            slice_qty_max: "0.25".to_owned(),
            slippage_bps_max: 40,
            slice_pause_ms: 1_500,
        };
        let text = render(&FlattenPlan {
            account: Name::new("acct").unwrap(),
            target: Target::stop(7, Digest::of(b"stop")),
            instruments: BTreeMap::from([("BTC-USDT".to_owned(), slices)]),
            reason: "venue [closes]".to_owned(),
        });
        let entry = Digest::of(b"stop").hex();
        for part in
            ["acct", "number 7", &entry, "BTC-USDT", "0.25", "1500 ms", "40 bps", "[closes]"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
