//! What differs between two sets of limits, key by key, for people to read and for the core to
//! compare across sessions.

use std::collections::BTreeMap;

use super::{LimitTable, Limits};
use crate::ids::InstrumentId;
use crate::instrument::Instrument;

/// Which way a key changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It admits less.
    Stricter,
    /// It may admit more: so it counts for whatever is not provably stricter.
    Looser,
}

impl Change {
    /// `stricter` or `looser`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stricter => "stricter",
            Self::Looser => "looser",
        }
    }
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedKey {
    /// Table and key, such as `instruments.BTC-USD.price_min`.
    pub path: String,
    /// What it was; `-` for nothing.
    pub before: String,
    /// What it is; `-` for nothing.
    pub after: String,
    /// Which way.
    pub change: Change,
}

/// What stands where one side has no such key.
const NOTHING: &str = "-";

impl Limits {
    /// Every key in which `self` differs from `old`, in the order of the tables.
    #[must_use]
    pub fn changes_from(&self, old: &Self, instruments: &[Instrument]) -> Vec<ChangedKey> {
        let mut list = Changes { list: Vec::new() };
        list.text("rules.currency", &old.currency, &self.currency);
        list.conversions(old, self);
        list.table("rules", None, Some(&old.rules), Some(&self.rules));
        for (name, old, new) in [
            ("account", &old.account, &self.account),
            ("venue", &old.venue, &self.venue),
            ("host", &old.host, &self.host),
        ] {
            list.table(name, None, Some(&old.activity), Some(&new.activity));
            list.table(name, None, Some(&old.standing), Some(&new.standing));
        }
        for name in both(&old.strategies, &self.strategies) {
            let (old, new) = (old.strategies.get(name), self.strategies.get(name));
            list.table(&format!("strategies.{name}"), None, old, new);
        }
        for id in both(&old.instruments, &self.instruments) {
            let instrument = instruments.iter().find(|instrument| instrument.id == *id);
            let symbol = instrument.map_or_else(|| id.0.to_string(), |i| i.symbol.clone());
            let (old, new) = (old.instruments.get(id), self.instruments.get(id));
            list.table(&format!("instruments.{symbol}"), instrument, old, new);
        }
        list.list
    }

    /// The same limits with the instruments numbered as in `to`. One that has no equal there, by
    /// symbol and by decimals, gets a number that nothing there has: it cannot be compared.
    #[must_use]
    pub fn renumbered(&self, from: &[Instrument], to: &[Instrument]) -> Self {
        let beyond = to.iter().map(|i| i.id.0).max().map_or(0, |last| last.saturating_add(1));
        let number = |id: &InstrumentId| {
            let ours = from.iter().find(|instrument| instrument.id == *id)?;
            to.iter().find(|theirs| theirs.is_measured_as(ours)).map(|theirs| theirs.id)
        };
        let unknown = |id: &InstrumentId| InstrumentId(beyond.saturating_add(id.0));
        let entry = |(id, limits): (&InstrumentId, &_)| {
            (number(id).unwrap_or_else(|| unknown(id)), Clone::clone(limits))
        };
        Self { instruments: self.instruments.iter().map(entry).collect(), ..self.clone() }
    }

    /// These limits without what `other` does not speak of at all: one file serves sessions of
    /// several instruments and strategies.
    #[must_use]
    pub fn shared_with(&self, other: &Self) -> Self {
        let mut shared = self.clone();
        shared.strategies.retain(|name, _| other.strategies.contains_key(name));
        shared.instruments.retain(|id, _| other.instruments.contains_key(id));
        shared
    }
}

impl Instrument {
    /// Whether limits of one can be compared with limits of the other.
    fn is_measured_as(&self, other: &Self) -> bool {
        self.symbol == other.symbol
            && self.price_scale == other.price_scale
            && self.qty_scale == other.qty_scale
            && self.quote == other.quote
    }
}

fn both<'a, K: Ord, V>(one: &'a BTreeMap<K, V>, other: &'a BTreeMap<K, V>) -> Vec<&'a K> {
    let mut keys: Vec<&K> = one.keys().chain(other.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

struct Changes {
    list: Vec<ChangedKey>,
}

impl Changes {
    fn push(&mut self, path: String, before: String, after: String, change: Change) {
        self.list.push(ChangedKey { path, before, after, change });
    }

    /// What has no direction counts as a loosening.
    fn text(&mut self, path: &str, before: &str, after: &str) {
        if before != after {
            self.push(path.to_owned(), before.to_owned(), after.to_owned(), Change::Looser);
        }
    }

    fn conversions(&mut self, old: &Limits, new: &Limits) {
        for currency in both(&old.conversions, &new.conversions) {
            let text = |limits: &Limits| {
                limits.conversions.get(currency).map_or_else(
                    || NOTHING.to_owned(),
                    |held| format!("{} as of {}", held.rate.text(), held.as_of.rfc3339()),
                )
            };
            self.text(&format!("conversions.{currency}"), &text(old), &text(new));
        }
    }

    /// An entry that came is looser in every key, one that went is stricter.
    fn table<T: LimitTable>(
        &mut self,
        table: &str,
        of: Option<&Instrument>,
        old: Option<&T>,
        new: Option<&T>,
    ) {
        let text = |number: Option<i128>, unit: super::Unit| {
            number.map_or_else(|| NOTHING.to_owned(), |number| unit.text(number, of))
        };
        for row in T::ROWS {
            let (before, after) = (old.map(row.get), new.map(row.get));
            let stricter = match (before, after) {
                (Some(before), Some(after)) => row.stricter.is_at_least_as_strict(after, before),
                (Some(_), None) => true,
                (None, _) => false,
            };
            if before != after {
                let change = if stricter { Change::Stricter } else { Change::Looser };
                let path = format!("{table}.{}", row.name);
                self.push(path, text(before, row.unit), text(after, row.unit), change);
            }
        }
    }
}
