//! What has been lost, as the triggers ask for it.

use portcullis_domain::{Money, Position};

use crate::state::Core;

/// The figures of money that triggers watch. `None` is "not known", never "nothing lost".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// The fall from the highest profit; zero or more.
    pub(crate) drawdown: Option<Money>,
    /// The loss; a profit is below zero.
    pub(crate) day: Option<Money>,
}

impl Core {
    /// The losses as the limits reckon them: the session's drawdown, and what the day has lost
    /// across all sessions, fees and unrealised profit included.
    pub(crate) fn losses(&self) -> Losses {
        let book = self.ledger().session.as_ref().map(crate::usage::SessionBook::book);
        let Some((live, book)) = self.live.as_ref().zip(book) else { return Losses::default() };
        let profit = live.usage.profit(book);
        let mut across = self.ledger().across;
        across.reckon(self.place.at.wall, profit);
        let (day, _) = across.earned(profit);
        Losses {
            drawdown: live.usage.session(book).map(|(_, drawdown)| drawdown),
            day: day.and_then(|earned| Money::ZERO.minus(earned)),
        }
    }

    /// Whether the ledger that is traded on holds anything.
    pub(crate) fn holds_anything(&self) -> bool {
        self.ledger().holdings().any(|(_, holding)| holding.position != Position::FLAT)
    }
}
