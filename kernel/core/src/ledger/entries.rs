//! What the venue booked on the account besides fills: deposits, funding, interest and the like.

use std::collections::BTreeMap;

use portcullis_domain::{LedgerEntry, LedgerEntryId, LedgerKind, Money};

use super::Ledger;
use super::balances::{Balances, shift};
use crate::snapshot::kept_parts;

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryChange {
    /// The balance has moved.
    Booked,
    /// It was there before the house first knew any balance, and is part of that balance.
    Opening,
    /// The same entry again, word for word.
    Duplicate,
}

/// An entry that cannot be true. On a fault nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// An id seen before with other content.
    Conflicting,
    /// A sum beyond what money can hold.
    Overflow,
}

impl EntryFault {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Conflicting => "FAULT_CONFLICTING_LEDGER_ENTRY",
            Self::Overflow => "FAULT_LEDGER_OVERFLOW",
        }
    }
}

/// All entries that were ever booked, with their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    known: BTreeMap<LedgerEntryId, LedgerEntry>,
    /// By kind and currency, since the house first knew the balances.
    sums: BTreeMap<(LedgerKind, String), Money>,
    /// By currency: what was earned or paid beside trading.
    carry: Balances,
    /// By currency: what two people had adopted without any entry that explains it.
    adopted: Balances,
}

kept_parts!(Entries { known, sums, carry, adopted });

impl Ledger {
    /// Books an entry of the venue once. On a fault nothing has changed.
    pub fn book_entry(&mut self, entry: &LedgerEntry) -> Result<EntryChange, EntryFault> {
        if let Some(known) = self.entries.known.get(&entry.id) {
            let same = known == entry;
            return if same { Ok(EntryChange::Duplicate) } else { Err(EntryFault::Conflicting) };
        }
        let change = if self.balances.is_some() {
            self.count_entry(entry).ok_or(EntryFault::Overflow)?;
            EntryChange::Booked
        } else {
            EntryChange::Opening
        };
        self.entries.known.insert(entry.id.clone(), entry.clone());
        Ok(change)
    }

    /// Moves balance and sums; `None` on overflow, and nothing has changed then.
    fn count_entry(&mut self, entry: &LedgerEntry) -> Option<()> {
        let LedgerEntry { kind, currency, amount, .. } = entry;
        let mut balances = self.balances.clone()?;
        let (mut sums, mut carry) = (self.entries.sums.clone(), self.entries.carry.clone());
        shift(&mut balances, currency, *amount)?;
        let sum = sums.entry((*kind, currency.clone())).or_insert(Money::ZERO);
        *sum = sum.plus(*amount)?;
        if !kind.is_transfer() {
            shift(&mut carry, currency, *amount)?;
        }
        self.balances = Some(balances);
        (self.entries.sums, self.entries.carry) = (sums, carry);
        Some(())
    }

    /// Moves a balance to what the venue states. A recorded act of two people, never a silent one.
    /// `None` on overflow or where no balance is known, and nothing has changed then.
    pub(crate) fn adopt_gap(&mut self, currency: &str, gap: Money) -> Option<()> {
        let mut balances = self.balances.clone()?;
        let mut adopted = self.entries.adopted.clone();
        shift(&mut balances, currency, gap)?;
        shift(&mut adopted, currency, gap)?;
        self.balances = Some(balances);
        self.entries.adopted = adopted;
        Some(())
    }

    /// All known entries.
    pub fn entries(&self) -> impl Iterator<Item = &LedgerEntry> + '_ {
        self.entries.known.values()
    }

    /// What entries of one kind moved in one currency, since the balances were first known.
    #[must_use]
    pub fn entry_sum(&self, kind: LedgerKind, currency: &str) -> Money {
        let key = (kind, currency.to_owned());
        self.entries.sums.get(&key).copied().unwrap_or(Money::ZERO)
    }

    /// What was earned (above zero) or paid beside trading, by currency: funding, interest,
    /// rebates and fees, and never what was sent to the account or away from it.
    #[must_use]
    pub fn carry(&self) -> &BTreeMap<String, Money> {
        &self.entries.carry
    }

    /// What people had adopted from the venue without an entry that explains it, by currency.
    #[must_use]
    pub fn adopted(&self) -> &BTreeMap<String, Money> {
        &self.entries.adopted
    }
}

#[cfg(test)]
mod tests;
