//! What the open session has used of its limits, kept up with every event, so that judging an
//! intent walks over nothing.

mod across;
mod book;
mod tally;
mod window;

use std::collections::BTreeMap;

use portcullis_domain::policy::ActivityLimits;
use portcullis_domain::time::NS_PER_MS;
use portcullis_domain::{
    BootNs, Instrument, InstrumentId, Money, OrdType, OrderIntent, Origin, PluginId, Position, Px,
    Qty, Side,
};
use portcullis_gate::exposure::{ExposureBook, Owner};
use portcullis_gate::{Gate, PriceWindow, Quote, Usage};

pub(crate) use across::Across;
pub(crate) use book::SessionBook;
use tally::Tally;
use window::Middles;

/// Most contents of orders that are remembered against repetition; the oldest go first.
const CONTENTS_MAX: usize = 1_024;

/// What makes two orders the same order.
type Content = (Origin, InstrumentId, Side, OrdType, Qty, Option<Px>);

/// The tallies of one session.
#[derive(Debug)]
pub(crate) struct UsageDesk {
    whole: Tally,
    strategies: Vec<Tally>,
    middles: Vec<Middles>,
    /// When the position in an instrument was made smaller last.
    reduced: Vec<Option<BootNs>>,
    approved: BTreeMap<Content, BootNs>,
    /// Profit of what the account holds beside the session's instruments; it does not move.
    beside: Option<Money>,
}

/// One fill as the tallies need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Executed<'a> {
    pub(crate) origin: Origin,
    pub(crate) instrument: &'a Instrument,
    pub(crate) side: Side,
    pub(crate) px: Px,
    pub(crate) qty: Qty,
    pub(crate) position_before: Position,
}

impl UsageDesk {
    pub(crate) fn new(gate: &Gate, beside: Option<Money>) -> Self {
        let instruments = gate.instruments();
        let window = |instrument: &Instrument| {
            let limits = gate.limits().instruments.get(&instrument.id);
            Middles::new(limits.map_or(0, |limits| ms(limits.price_collar_window_ms)))
        };
        Self {
            whole: Tally::default(),
            strategies: gate.approval().plugins.iter().map(|_| Tally::default()).collect(),
            middles: instruments.iter().map(window).collect(),
            reduced: vec![None; instruments.len()],
            approved: BTreeMap::new(),
            beside,
        }
    }

    pub(crate) fn quoted(&mut self, instrument: InstrumentId, quote: Quote) {
        if let Some(middles) = at_mut(&mut self.middles, instrument) {
            middles.see(quote);
        }
    }

    pub(crate) fn window(&self, instrument: InstrumentId, now: BootNs) -> Option<PriceWindow> {
        at(&self.middles, instrument)?.extremes(now)
    }

    /// An order was approved: from here on it counts.
    pub(crate) fn ordered(&mut self, intent: &OrderIntent, now: BootNs) {
        self.each(intent.origin, |tally| tally.approved(now, true));
        if self.approved.len() >= CONTENTS_MAX {
            let oldest = self.approved.iter().min_by_key(|(_, at)| **at).map(|(key, _)| *key);
            oldest.map(|key| self.approved.remove(&key));
        }
        self.approved.insert(content(intent), now);
    }

    /// An amendment was approved.
    pub(crate) fn amended(&mut self, origin: Origin, now: BootNs) {
        self.each(origin, |tally| tally.approved(now, false));
    }

    pub(crate) fn same_approved(&self, intent: &OrderIntent) -> Option<BootNs> {
        self.approved.get(&content(intent)).copied()
    }

    /// Takes in a fill, with what the market stood at.
    pub(crate) fn executed(
        &mut self,
        fill: Executed<'_>,
        (gate, book): (&Gate, &ExposureBook),
        now: BootNs,
    ) {
        let mark = book.mark(fill.instrument.id).map(|(px, _)| px);
        let cost = adverse(fill, mark)
            .and_then(|cost| gate.converter(fill.instrument)?.cost(cost.max(Money::ZERO)));
        let window = gate.whole().activity.repeat_window_ms;
        self.whole.executed(now, ms(window));
        self.whole.adverse.add(cost);
        if let Origin::Plugin(plugin) = fill.origin
            && let Some(tally) = self.strategies.get_mut(usize::from(plugin.0))
            && let Some(limits) = gate.strategy_limits(plugin)
        {
            tally.executed(now, ms(limits.repeat_window_ms));
            tally.adverse.add(cost);
            // From here on only a person lets it go on, whatever time passes.
            let seen = tally.executions(now, ms(limits.repeat_window_ms));
            tally.disabled |= seen >= limits.repeat_executions_max;
        }
        let (held, moved) = (fill.position_before.0, fill.side.signed(fill.qty));
        let smaller = held.signum().saturating_mul(moved.signum()) < 0;
        if smaller && let Some(reduced) = at_mut(&mut self.reduced, fill.instrument.id) {
            *reduced = Some(now);
        }
    }

    pub(crate) fn reduced(&self, instrument: InstrumentId) -> Option<BootNs> {
        *at(&self.reduced, instrument)?
    }

    pub(crate) fn is_disabled(&self, plugin: PluginId) -> bool {
        self.strategies.get(usize::from(plugin.0)).is_none_or(|tally| tally.disabled)
    }

    /// Takes in where everything stands now. Called after whatever moves a profit.
    pub(crate) fn reckon(&mut self, book: &ExposureBook) {
        let profit = self.profit(book);
        let fees = book.totals(Owner::Whole).and_then(|totals| totals.fees);
        self.whole.reckon(profit, fees);
        for (number, tally) in (0..).map(PluginId).zip(&mut self.strategies) {
            if let Some(totals) = book.totals(Owner::Strategy(number)) {
                tally.reckon(totals.pnl, totals.fees);
            }
        }
    }

    /// Profit of the account's whole life, if it is known.
    pub(crate) fn profit(&self, book: &ExposureBook) -> Option<Money> {
        book.totals(Owner::Whole)?.pnl?.plus(self.beside?)
    }

    /// Profit and drawdown of the session, if they are known.
    pub(crate) fn session(&self, book: &ExposureBook) -> Option<(Money, Money)> {
        let fees = book.totals(Owner::Whole)?.fees;
        let result = self.whole.result(self.profit(book), fees)?;
        Some((result.profit, result.drawdown))
    }

    /// Usage of all strategies together, with so many proposals that wait. `gross` and `positions`
    /// are as if the order worked.
    pub(crate) fn whole(
        &self,
        (gate, book): (&Gate, &ExposureBook),
        (gross, positions, proposals): (Option<Money>, u32, u32),
        now: BootNs,
    ) -> Usage {
        let profit = self.profit(book);
        let limits = &gate.whole().activity;
        let used = Used { gross, positions, proposals, profit, now };
        usage(&self.whole, book.totals(Owner::Whole), limits, used)
    }

    /// Usage of one strategy; `None` where there is no such or it has no limits.
    pub(crate) fn strategy(
        &self,
        plugin: PluginId,
        (gate, book): (&Gate, &ExposureBook),
        (gross, positions, proposals): (Option<Money>, u32, u32),
        now: BootNs,
    ) -> Option<Usage> {
        let tally = self.strategies.get(usize::from(plugin.0))?;
        let totals = book.totals(Owner::Strategy(plugin));
        let profit = totals.and_then(|totals| totals.pnl);
        let used = Used { gross, positions, proposals, profit, now };
        Some(usage(tally, totals, gate.strategy_limits(plugin)?, used))
    }

    fn each(&mut self, origin: Origin, change: impl Fn(&mut Tally)) {
        change(&mut self.whole);
        let plugin = origin.plugin().map(|plugin| usize::from(plugin.0));
        if let Some(tally) = plugin.and_then(|plugin| self.strategies.get_mut(plugin)) {
            change(tally);
        }
    }
}

/// The part of a usage that only the moment knows.
#[derive(Clone, Copy)]
struct Used {
    gross: Option<Money>,
    positions: u32,
    proposals: u32,
    profit: Option<Money>,
    now: BootNs,
}

fn usage(
    tally: &Tally,
    totals: Option<portcullis_gate::exposure::Totals>,
    limits: &ActivityLimits,
    used: Used,
) -> Usage {
    let result = tally.result(used.profit, totals.and_then(|totals| totals.fees));
    Usage {
        gross: used.gross,
        positions: used.positions,
        // A book that does not add up admits no further order.
        open_orders: totals.map_or(u32::MAX, |totals| totals.open_orders),
        proposals: used.proposals,
        orders: tally.orders,
        messages: tally.messages(used.now),
        profit: result.map(|result| result.profit),
        drawdown: result.map(|result| result.drawdown),
        adverse: tally.adverse.sum(),
        fees: result.map(|result| result.fees),
        executions: tally.executions(used.now, ms(limits.repeat_window_ms)),
    }
}

/// What a fill cost against the market, in the quote currency: below zero for a better price.
fn adverse(fill: Executed<'_>, mark: Option<Px>) -> Option<Money> {
    let paid = Money::notional(fill.px, fill.qty, fill.instrument)?;
    let worth = Money::notional(mark?, fill.qty, fill.instrument)?;
    match fill.side {
        Side::Buy => paid.minus(worth),
        Side::Sell => worth.minus(paid),
    }
}

fn content(intent: &OrderIntent) -> Content {
    let OrderIntent { origin, instrument, side, ord_type, qty, price, .. } = intent;
    (*origin, *instrument, *side, *ord_type, *qty, *price)
}

fn ms(ms: u32) -> i64 {
    i64::from(ms).saturating_mul(NS_PER_MS)
}

fn at<T>(of: &[T], instrument: InstrumentId) -> Option<&T> {
    of.get(usize::try_from(instrument.0).ok()?)
}

fn at_mut<T>(of: &mut [T], instrument: InstrumentId) -> Option<&mut T> {
    of.get_mut(usize::try_from(instrument.0).ok()?)
}
