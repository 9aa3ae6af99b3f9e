//! What the venue books on the account besides fills.

use crate::money::Money;
use crate::time::WallNs;

/// The venue's id of one entry; entries are idempotent by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerEntryId(pub String);

/// Why an amount was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerKind {
    /// Somebody sent it to the account. Anybody can.
    Deposit,
    /// It was sent away.
    Withdrawal,
    /// Paid or received for holding a derivative.
    Funding,
    /// Paid or received for credit.
    Interest,
    /// Given back by the venue.
    Rebate,
    /// Charged by the venue outside of any fill.
    Fee,
    /// A rest too small to trade, swept or converted.
    Dust,
}

impl LedgerKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Deposit,
        Self::Withdrawal,
        Self::Funding,
        Self::Interest,
        Self::Rebate,
        Self::Fee,
        Self::Dust,
    ];

    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Funding => "funding",
            Self::Interest => "interest",
            Self::Rebate => "rebate",
            Self::Fee => "fee",
            Self::Dust => "dust",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it only moves money in or out. Such an amount is never profit and never loss:
    /// otherwise anybody could hide a loss behind a deposit.
    #[must_use]
    pub const fn is_transfer(self) -> bool {
        match self {
            Self::Deposit | Self::Withdrawal | Self::Dust => true,
            Self::Funding | Self::Interest | Self::Rebate | Self::Fee => false,
        }
    }
}

/// One entry of the venue's ledger that is no fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The venue's id.
    pub id: LedgerEntryId,
    /// Why.
    pub kind: LedgerKind,
    /// In which currency.
    pub currency: String,
    /// Signed: above zero came in.
    pub amount: Money,
    /// When the venue booked it, by its own clock.
    pub at: WallNs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_back_and_only_transfers_are_no_profit() {
        for kind in LedgerKind::ALL {
            assert_eq!(LedgerKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(LedgerKind::from_name("bonus"), None);
        let transfers: Vec<_> = LedgerKind::ALL.into_iter().filter(|k| k.is_transfer()).collect();
        assert_eq!(transfers, [LedgerKind::Deposit, LedgerKind::Withdrawal, LedgerKind::Dust]);
    }
}
