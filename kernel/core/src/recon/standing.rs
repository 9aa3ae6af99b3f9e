//! What reconciliation means for the gate and for people, as it stands now.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::number::pow10;
use portcullis_domain::{InstrumentKind, LedgerEntryId, Money, Name, Position, Qty, WallNs};

use super::findings::{Finding, FindingState, Findings};
use super::kind::{Difference, DifferenceKind};
use crate::snapshot::{kept_fields, kept_parts};
use crate::state::Core;

/// What reconciliation knows.
#[derive(Debug, Default)]
pub(crate) struct Recon {
    pub(crate) findings: Findings,
    /// What counts since the last reading.
    pub(crate) standing: Vec<Difference>,
    /// Whether the last reading listed an order that is not ours: then nobody may take back
    /// everything that rests on the account.
    pub(crate) foreign: bool,
    /// When the last reading was asked for, by the wall, that stated the venue's ledger.
    pub(crate) ledger_read: Option<WallNs>,
    /// When the link last came up or went down.
    pub(crate) link_changed: WallNs,
    /// Whether a reading was asked for since then: what was true before may not be true now.
    pub(crate) fresh: bool,
    /// Entries of the venue's ledger that were found to be impossible: said once a run.
    pub(crate) impossible: BTreeSet<LedgerEntryId>,
    /// Positions and balances as the venue stated them last.
    pub(crate) venue: Option<Stated>,
}

/// What the venue stated last.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) positions: Option<BTreeMap<String, Position>>,
    pub(crate) balances: BTreeMap<String, Money>,
}

kept_fields!(Stated { positions, balances });
kept_parts!(Recon {
    findings,
    standing,
    foreign,
    ledger_read,
    link_changed,
    fresh,
    impossible,
    venue,
});

/// How reconciliation stands, for the classification of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReconColour {
    /// Compared, and nothing was found.
    Green,
    /// Something was found, and all of it is explained by one person and confirmed by another, or
    /// was booked by a recorded act.
    Yellow,
    /// Not compared, or something is not explained.
    Red,
}

impl ReconColour {
    /// The name in evidence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Green => "GREEN",
            Self::Yellow => "YELLOW",
            Self::Red => "RED",
        }
    }
}

impl Recon {
    /// What outlives a run: the rest is about readings of that run.
    pub(crate) fn outlived(self) -> Self {
        Self { findings: self.findings, ledger_read: self.ledger_read, ..Self::default() }
    }
}

impl Core {
    /// All findings of reconciliation in this journal.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.recon.findings
    }

    /// When the last reading was asked for, by the wall, that stated the venue's ledger whole from
    /// some moment on; of this run or of one before it.
    #[must_use]
    pub const fn ledger_read(&self) -> Option<WallNs> {
        self.recon.ledger_read
    }

    /// What differs between account and house, as of the last reading.
    #[must_use]
    pub fn standing_differences(&self) -> &[Difference] {
        &self.recon.standing
    }

    /// Whether there is a link, the account was read over it, and nothing differs.
    #[must_use]
    pub fn account_agrees(&self) -> bool {
        self.is_compared() && self.differences.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether the account was read since the link came up.
    pub(crate) fn is_compared(&self) -> bool {
        self.venue_up && self.recon.fresh && self.differences.is_some()
    }

    /// How reconciliation stands for a session: its own findings, and all that wait for people.
    #[must_use]
    pub fn recon_colour(&self, session: Option<&Name>) -> ReconColour {
        if self.differences.is_none() {
            return ReconColour::Red;
        }
        let own = |f: &&Finding| session.is_some() && f.session.as_ref() == session;
        let colour = |f: &Finding| match f.state {
            FindingState::Open | FindingState::Explained { .. } => ReconColour::Red,
            FindingState::Adopted | FindingState::Confirmed { .. } => ReconColour::Yellow,
        };
        let counting = |f: &&Finding| own(f) || f.shown || !f.state.is_settled();
        let worst = self.recon.findings.iter().filter(counting).map(colour).max();
        worst.unwrap_or(ReconColour::Green)
    }

    /// Whether reconciliation forbids new exposure in an instrument, by our symbol: there is no
    /// link, nothing was compared over it yet, or something differs that is about this instrument
    /// or about the whole account. Phase 1 has no account to compare.
    #[must_use]
    pub fn recon_blocks(&self, symbol: &str) -> bool {
        let differs = || self.recon.standing.iter().any(|difference| difference.blocks(symbol));
        !self.is_shadow() && (!self.is_compared() || differs())
    }

    /// How much of a position may be reduced, by our symbol, even while account and house differ:
    /// what both say is there, and nothing where they disagree on the side. More could open the
    /// other side.
    #[must_use]
    pub fn reducible(&self, symbol: &str) -> Qty {
        let ours = self.ledger().holding(symbol).position;
        if self.is_shadow() {
            return ours.magnitude();
        }
        match self.venue_position(symbol, ours) {
            Some(venue) if venue.0.signum() == ours.0.signum() => {
                ours.magnitude().min(venue.magnitude())
            }
            Some(_) | None => Qty::ZERO,
        }
    }

    /// The position as the venue would state it; `None` where it has said nothing that proves one.
    fn venue_position(&self, symbol: &str, ours: Position) -> Option<Position> {
        let stated = self.recon.venue.as_ref()?;
        let instrument = self.instruments.get(symbol)?;
        let listed = stated.positions.as_ref();
        match instrument.kind {
            InstrumentKind::Linear => Some(listed?.get(symbol).copied().unwrap_or(Position::FLAT)),
            // Where the venue keeps spot positions by itself, its word is the position.
            InstrumentKind::Spot if listed.is_some_and(|all| all.contains_key(symbol)) => {
                listed?.get(symbol).copied()
            }
            InstrumentKind::Spot if self.balance_agrees(&instrument.base) => Some(ours),
            // The balance differs: what is there can be sold, and nothing can be bought back.
            InstrumentKind::Spot => {
                let unit = pow10(Money::SCALE.checked_sub(instrument.qty_scale)?)?;
                let there = stated.balances.get(&instrument.base)?.0.checked_div(unit)?;
                i64::try_from(there).ok().filter(|there| *there >= 0).map(Position)
            }
        }
    }

    fn balance_agrees(&self, currency: &str) -> bool {
        let differs = |difference: &Difference| {
            difference.kind == DifferenceKind::BalanceAmount && difference.subject == currency
        };
        self.differences.is_some() && !self.recon.standing.iter().any(differs)
    }
}
