//! A release in plain words: the one order that would leave, and the market it was shown in.

use portcullis_statement::{Release, ShownProposal};

use crate::out::field;

/// The review of a release.
pub(super) fn render(body: &Release) -> String {
    let mut text = field("account", body.account.as_str());
    text += &field("journal", &body.origin);
    text += &shown(&body.shown);
    text += &field("market shown", &format!("bid {}, ask {}", body.bid, body.ask));
    text + &field("digest", &format!("sha256 {}", body.digest))
}

/// What is asked for, by whom, value by value.
pub(crate) fn shown(shown: &ShownProposal) -> String {
    let mut text = field("proposal", &shown.proposal.to_string());
    text += &field("session", shown.session.as_str());
    text += &field("asked by", &shown.asked_by);
    text += &field("order", &order(shown));
    let leg = |leg: &Option<String>| leg.clone().unwrap_or_else(|| "none".to_owned());
    text += &field("stop", &leg(&shown.stop));
    text + &field("target", &leg(&shown.target))
}

/// The order in one line.
pub(crate) fn order(shown: &ShownProposal) -> String {
    let at = shown.price.as_ref().map_or_else(|| "market".to_owned(), |px| format!("limit {px}"));
    let (side, qty, symbol) = (shown.side.name(), &shown.qty, &shown.symbol);
    let reduces = if shown.reduce_only { ", reduce-only" } else { "" };
    format!("{side} {qty} {symbol} at {at}, {}{reduces}", shown.time_in_force.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::word;

    #[test]
    fn every_value_of_a_release_is_shown() {
        let text = render(&word());
        let digest = word().digest.hex();
        for part in [
            "acct",
            "portcullis/host-1/acct/1/simulated",
            "pc0000000700000003",
            "s1",
            "plugin ema-cross",
            "buy 0.1 BTC-USDT at limit 61837.60, gtc",
            "60000",
            "none",
            "bid 61837.50, ask 61837.70",
            &digest,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let mut other = word().shown;
        (other.price, other.reduce_only) = (None, true);
        assert!(shown(&other).contains("at market, gtc, reduce-only"));
    }
}
