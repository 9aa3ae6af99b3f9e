//! The approval of a session in plain words: every value that the gate will hold.

use portcullis_domain::Instrument;
use portcullis_statement::SessionApproval;

use super::{limits, moment};
use crate::draft::loss_limit;
use crate::out::field;

/// Every value of the approval; digests at the end.
pub(super) fn render(body: &SessionApproval) -> String {
    let phase = body.phase;
    let mut text = field("session", body.session.as_str());
    text += &field("phase", &format!("{} ({})", phase.number(), phase.name()));
    text += &field("account", &format!("{} on host {}", body.account, body.host));
    let (opens, closes) = (moment(body.window_opens), moment(body.window_closes));
    text += &field("window", &format!("{opens} to {closes}"));
    text += &field("endpoint", &format!("{}, sha256 {}", body.endpoint_kind.name(), body.endpoint));
    text += &field("worst case", &worst_case(body));
    text += &field("loss limit", &loss_stop(body));
    let cap = format!("at most {} {}", body.equity_max.text(), body.limits.currency);
    text += &field("account worth", &cap);
    text += &plugins(body);
    for (instrument, source) in body.instruments.iter().zip(&body.sources) {
        text += &instrument_text(body, instrument, source);
    }
    text += &account(body);
    text += &limits::common(&body.limits);
    text += "\n";
    text += &field("closing rights", "operator alone: cancel and reduce until flat");
    text += &field("on drop", "protective orders stay");
    text += &field("witness", &body.witness);
    text += &field("compile record", &body.compile_record);
    text += &field("build", &body.build);
    text += &field("paper latency", &format!("{} ns each way", body.latency_ns));
    text += &field("fuel per batch", &body.fuel_per_batch_max.to_string());
    text += &field("limits file", &format!("sha256 {}", body.limits_digest));
    text += &field("phases file", &format!("sha256 {}", body.phases_digest));
    text += &field("safety file", &format!("sha256 {}", body.safety_digest));
    let journal = &body.journal;
    text += &field("journal", &format!("{}, {} entries", journal.origin, journal.size));
    text += &field("checkpoint key", &journal.key);
    text += &field("journal root", &journal.root.hex());
    text + &field("kills so far", &body.kill_seq.to_string())
}

fn worst_case(body: &SessionApproval) -> String {
    format!(
        "{} {}: the largest holding becomes worthless, fees both ways",
        body.worst_case_loss.text(),
        body.limits.currency
    )
}

/// What ends the session while it can still trade, beside what can be lost although it does.
fn loss_stop(body: &SessionApproval) -> String {
    let limit = loss_limit(&body.limits).text();
    format!(
        "{limit} {}: no new risk from there on; it sells nothing by itself",
        body.limits.currency
    )
}

fn plugins(body: &SessionApproval) -> String {
    let mut text = String::new();
    for plugin in &body.plugins {
        text += "\n";
        text += &field("plugin", plugin.name.as_str());
        text += &field("  component", &format!("sha256 {}", plugin.component));
        text += &field("  release", &format!("sha256 {}", plugin.release));
        for (key, value) in &plugin.params {
            text += &field("  parameter", &format!("{key} = {value}"));
        }
        text += &match body.limits.strategies.get(&plugin.name) {
            Some(held) => limits::table(held, None),
            None => field("  limits", "NONE: it may not trade"),
        };
    }
    text
}

fn instrument_text(body: &SessionApproval, instrument: &Instrument, source: &str) -> String {
    let (px, qty) = (instrument.price_scale, instrument.qty_scale);
    let (base, quote) = (&instrument.base, &instrument.quote);
    let mut text = "\n".to_owned();
    text += &field("instrument", &format!("{} ({})", instrument.symbol, instrument.venue_symbol));
    text += &match body.limits.instruments.get(&instrument.id) {
        Some(limits) => limits::table(limits, Some(instrument)),
        None => field("  limits", "NONE: nothing can be traded"),
    };
    let steps = format!(
        "tick {} {quote}, lot {} {base}",
        instrument.tick.text(px),
        instrument.lot.text(qty)
    );
    text += &field("  steps", &steps);
    let least = format!(
        "{} {base}, {} {quote}",
        instrument.qty_min.text(qty),
        instrument.notional_min.text()
    );
    text += &field("  least order", &least);
    let fees =
        format!("maker {}, taker {}", instrument.maker_fee.text(), instrument.taker_fee.text());
    text += &field("  fees", &fees);
    text + &field("  source", source)
}

fn account(body: &SessionApproval) -> String {
    let mut text = "\n".to_owned();
    for (currency, amount) in &body.balances {
        text += &field("balance", &format!("{} {currency}", amount.text()));
    }
    if body.carried.is_empty() {
        text += &field("carried", "nothing");
    }
    for carried in &body.carried {
        let mut instruments = body.instruments.iter();
        let Some(instrument) = instruments.find(|i| i.id == carried.instrument) else { continue };
        let price = carried.avg_px.map(|px| px.text(instrument.price_scale));
        let price = price.unwrap_or_else(|| "an unknown price".to_owned());
        let qty = carried.position.text(instrument.qty_scale);
        text += &field("carried", &format!("{qty} {} at {price}", instrument.symbol));
    }
    text
}
