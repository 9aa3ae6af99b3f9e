//! Limits in plain words: all of them in an approval, only what differs in a change.

use portcullis_domain::Instrument;
use portcullis_domain::policy::{Change, ChangedKey, LimitTable, Limits, ScopeLimits};
use portcullis_statement::LimitsChange;

use crate::out::{field, indented};

/// Every key of a table, one line each.
pub(crate) fn table<T: LimitTable>(limits: &T, of: Option<&Instrument>) -> String {
    let line = |row: &portcullis_domain::policy::LimitRow<T>| {
        indented(&format!("{:<24} {} {}", row.name, row.text(limits, of), row.unit.name()))
    };
    T::ROWS.iter().map(line).collect()
}

fn scope(name: &str, limits: &ScopeLimits) -> String {
    let head = format!("\nlimits of the {name}\n");
    head + &table(&limits.activity, None) + &table(&limits.standing, None)
}

/// What holds whatever is traded: rules, prices of currencies, account, venue, host.
pub(crate) fn common(limits: &Limits) -> String {
    let mut text = "\nrules\n".to_owned();
    text += &indented(&format!("{:<24} {}", "currency", limits.currency));
    text += &indented(&format!("{:<24} UTC", "trading_day"));
    text += &table(&limits.rules, None);
    for (currency, price) in &limits.conversions {
        let (rate, as_of) = (price.rate.text(), price.as_of.rfc3339());
        text += &indented(&format!("one {currency} is {rate} {} as of {as_of}", limits.currency));
    }
    text += &scope("account", &limits.account);
    text += &scope("venue", &limits.venue);
    text + &scope("host", &limits.host)
}

/// Every value of a set of limits.
pub(crate) fn whole(limits: &Limits, instruments: &[Instrument]) -> String {
    let mut text = common(limits);
    for (strategy, held) in &limits.strategies {
        text += &["\nlimits of strategy ", strategy.as_str(), "\n"].concat();
        text += &table(held, None);
    }
    for instrument in instruments {
        if let Some(held) = limits.instruments.get(&instrument.id) {
            text += &["\nlimits of ", &instrument.symbol, "\n"].concat();
            text += &table(held, Some(instrument));
        }
    }
    text
}

/// The keys that differ, looser ones first: they are what signatures are for.
pub(crate) fn changes(keys: &[ChangedKey]) -> String {
    let of = |change: Change| keys.iter().filter(move |key| key.change == change);
    let line = |key: &ChangedKey| {
        let ChangedKey { path, before, after, change } = key;
        indented(&format!("{:<8} {path}: {before} -> {after}", change.name().to_uppercase()))
    };
    of(Change::Looser).chain(of(Change::Stricter)).map(line).collect()
}

/// A change that people are to sign.
pub(super) fn change(body: &LimitsChange) -> String {
    let keys = body.after_limits.changes_from(&body.before_limits, &body.instruments);
    let looser = keys.iter().filter(|key| key.change == Change::Looser).count();
    let mut text = field("account", body.account.as_str());
    text += &field("applies", "from the next session on");
    text += &field("before", &format!("sha256 {}", body.before));
    text += &field("after", &format!("sha256 {}", body.after));
    let stricter = keys.len().saturating_sub(looser);
    text +=
        &field("changes", &format!("{looser} looser, {stricter} stricter; all other keys stay"));
    text += "\n";
    text + &changes(&keys)
}
