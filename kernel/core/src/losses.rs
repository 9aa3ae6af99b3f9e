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
    /// The losses of the open session as of the last event, fees and unrealised profit included.
    pub(crate) fn losses(&self) -> Losses {
        let Some(profit) = self.watch.profit else { return Losses::default() };
        Losses {
            drawdown: self.watch.peak.max(profit).minus(profit),
            day: Money::ZERO.minus(profit),
        }
    }

    /// Profit of all instruments together; `None` where one is not known, or where they are not
    /// in one currency.
    pub(crate) fn session_profit(&self) -> Option<Money> {
        let live = self.live.as_ref()?;
        let instruments = live.gate.instruments();
        let quote = &instruments.first()?.quote;
        instruments.iter().try_fold(Money::ZERO, |sum, instrument| {
            let profit = self.profit(instrument).filter(|_| instrument.quote == *quote)?;
            sum.plus(profit)
        })
    }

    /// Whether the ledger that is traded on holds anything.
    pub(crate) fn holds_anything(&self) -> bool {
        self.ledger().holdings().any(|(_, holding)| holding.position != Position::FLAT)
    }
}
