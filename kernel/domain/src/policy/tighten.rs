//! The proof that one set of limits admits nothing that another does not.

use std::collections::BTreeMap;

use super::{LimitTable, Limits};

/// The first key that is not provably at least as strict. Then the change is a loosening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTighter {
    /// Where it stands, such as `account` or `instruments.3`.
    pub table: String,
    /// Which key.
    pub key: &'static str,
}

impl Limits {
    /// Proves key by key that `self` is at least as strict as `old`. Whatever has no direction has
    /// to be equal, and a key that only one side has is no proof.
    pub fn check_tightens(&self, old: &Self) -> Result<(), NotTighter> {
        let not = |table: &str, key| NotTighter { table: table.to_owned(), key };
        if self.currency != old.currency {
            return Err(not("rules", "currency"));
        }
        if self.conversions != old.conversions {
            return Err(not("conversions", "rate"));
        }
        each("rules", &self.rules, &old.rules)?;
        for (name, new, old) in [
            ("account", &self.account, &old.account),
            ("venue", &self.venue, &old.venue),
            ("host", &self.host, &old.host),
        ] {
            each(name, &new.activity, &old.activity)?;
            each(name, &new.standing, &old.standing)?;
        }
        each_of(|name| format!("strategies.{name}"), &self.strategies, &old.strategies)?;
        each_of(|id| format!("instruments.{}", id.0), &self.instruments, &old.instruments)
    }
}

fn each<T: LimitTable>(table: &str, new: &T, old: &T) -> Result<(), NotTighter> {
    let looser = T::ROWS
        .iter()
        .find(|row| !row.stricter.is_at_least_as_strict((row.get)(new), (row.get)(old)));
    match looser {
        Some(row) => Err(NotTighter { table: table.to_owned(), key: row.name }),
        None => Ok(()),
    }
}

/// Taking an entry away forbids what it allowed; adding one allows what nobody did.
fn each_of<K: Ord, T: LimitTable>(
    label: impl Fn(&K) -> String,
    new: &BTreeMap<K, T>,
    old: &BTreeMap<K, T>,
) -> Result<(), NotTighter> {
    for (name, limits) in new {
        let table = label(name);
        let Some(old) = old.get(name) else {
            return Err(NotTighter { table, key: "(new entry)" });
        };
        each(&table, limits, old)?;
    }
    Ok(())
}
