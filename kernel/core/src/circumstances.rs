//! Everything the gate judges by, as it stands at this event. Nothing here walks over orders.

use portcullis_domain::policy::guards::Guard;
use portcullis_domain::{
    Instrument, InstrumentId, InstrumentKind, Money, OrderIntent, Origin, PluginId, Position, Px,
    StopMode,
};
use portcullis_gate::exposure::{Cell, Claim, ExposureBook, Owner, Worst};
use portcullis_gate::{
    Circumstances, Gate, Guards, Standing, StandingUsage, Usage, VenueStatus, Working,
};
use portcullis_statement::EndpointKind;

use crate::bracket::LegRef;
use crate::ledger::Ledger;
use crate::state::{Core, LiveSession, Turn};
use crate::submit::Door;

/// The session's parts that every question is put to.
#[derive(Clone, Copy)]
struct Desk<'a> {
    live: &'a LiveSession,
    ledger: &'a Ledger,
    book: &'a ExposureBook,
}

impl Core {
    /// Everything the gate behind that door judges by.
    pub(crate) fn circumstances(
        &self,
        intent: &OrderIntent,
        door: Door,
        turn: &Turn,
    ) -> Circumstances {
        let known = match door {
            Door::Session => self.session_circumstances(intent, turn),
            Door::Closing => self.closing_circumstances(intent, turn),
        };
        let mut at = known.unwrap_or_else(|| Circumstances::unknown(turn.now));
        self.mark_slice(intent, &mut at);
        at
    }

    /// After a session the streams are down and nothing is tallied: what is left is what the
    /// account holds and what works on it.
    fn closing_circumstances(&self, intent: &OrderIntent, turn: &Turn) -> Option<Circumstances> {
        let gate = self.gate(Door::Closing)?;
        let instrument = gate.instrument(intent.instrument)?;
        let ledger = self.ledger_behind(Door::Closing);
        Some(Circumstances {
            killed: self.kill.is_some(),
            evidence_writable: !self.evidence_full,
            position: Some(ledger.holding(&instrument.symbol).position),
            working: ledger.working(&instrument.symbol),
            balance: self.account_read.and_then(|read| ledger.balance_for(instrument, read)),
            reconciled: !self.recon_blocks(&instrument.symbol),
            reducible: Some(self.reducible(&instrument.symbol)),
            ..Circumstances::unknown(turn.now)
        })
    }

    fn session_circumstances(&self, intent: &OrderIntent, turn: &Turn) -> Option<Circumstances> {
        let live = self.live.as_ref()?;
        let ledger = self.ledger();
        let book = ledger.session.as_ref()?.book();
        let desk = Desk { live, ledger, book };
        let (instrument, now) = (intent.instrument, turn.now);
        let market = live.market.get(instrument);
        let approved = live.gate.instrument(instrument);
        let cell = book.cell(Owner::Whole, instrument);
        let claim = desk.claim(intent);
        let worst = claim.and_then(|claim| book.exposure_with(Owner::Whole, instrument, &claim));
        let plugin = intent.origin.plugin();
        let plugin_desk = plugin.and_then(|id| live.desks.get(usize::from(id.0)));
        Some(Circumstances {
            now,
            killed: self.stop_for(intent.origin, instrument) == Some(StopMode::CancelAll),
            closing: live.closing.is_some(),
            reduce_only: live.reduce_only
                || self.stop_for(intent.origin, instrument).is_some()
                || self.size_percent(now) == 0,
            flatten: false,
            size_percent: self.size_percent(now),
            // Reservations that cannot be added up are a fault of the house: deny everything.
            evidence_writable: !self.evidence_full && !book.is_broken(),
            clock_offset_ns: self.clock_offset_ns,
            guards: self.guards(),
            standing: match plugin {
                // The kernel asks for the exits of a plugin that is gone: what protects stays (D7).
                Some(_) if LegRef::of(intent).is_some() => Standing::Running,
                Some(_) => plugin_desk.map_or(Standing::Suspended, |desk| desk.standing),
                // A person has no process that could have failed.
                None => Standing::Running,
            },
            component: plugin_desk.map(|desk| desk.component),
            warming_up: false,
            disabled: plugin.is_some_and(|plugin| live.usage.is_disabled(plugin)),
            reference_used: match plugin_desk {
                Some(desk) => desk.references.contains(&intent.reference),
                None => live.references.contains_key(&(intent.origin, intent.reference)),
            },
            same_approved: live.usage.same_approved(intent),
            quote: market.and_then(|market| market.quote),
            window: live.usage.window(instrument, now.boot),
            book_valid: market.is_some_and(|market| market.book.is_valid()),
            feed: self.feed(),
            venue_status: self.status_of_venue(),
            metadata_read: Some(live.metadata_read),
            reduced: live.usage.reduced(instrument),
            position: cell.map(|cell| cell.holding.position),
            reducible: approved.map(|instrument| self.reducible(&instrument.symbol)),
            working: cell.and_then(|cell| {
                Some(Working {
                    buy_qty: cell.buys.qty,
                    sell_qty: cell.sells.qty,
                    reserved_quote: book.reserved_quote(instrument)?,
                    any_unknown: cell.unknown_orders > 0,
                })
            }),
            crosses_own: book.would_cross(instrument, intent.side, intent.price),
            balance: approved
                .zip(self.account_read(turn))
                .and_then(|(instrument, read)| ledger.balance_for(instrument, read)),
            reconciled: self.agrees_on(approved),
            marks_fresh: desk.marks_fresh(turn),
            exposure: worst.map(|worst| worst.instrument),
            whole: desk.whole(instrument, worst, turn),
            strategy: plugin.and_then(|plugin| desk.strategy(plugin, instrument, claim, turn)),
            across: desk.across(turn),
        })
    }

    /// Whether account and house agree on what concerns an instrument. A shadow account is its
    /// own statement.
    fn agrees_on(&self, instrument: Option<&Instrument>) -> bool {
        let agrees = |instrument: &Instrument| !self.recon_blocks(&instrument.symbol);
        self.is_shadow() || instrument.is_some_and(agrees)
    }

    /// When the account was last read. A shadow account is its own statement.
    fn account_read(&self, turn: &Turn) -> Option<portcullis_domain::BootNs> {
        if self.is_shadow() { Some(turn.now.boot) } else { self.account_read }
    }

    /// A shadow session asks no venue for anything.
    fn status_of_venue(&self) -> Option<VenueStatus> {
        if self.is_shadow() { Some(VenueStatus::Online) } else { self.venue_status }
    }

    /// What kind of endpoint the kernel is connected to.
    fn feed(&self) -> Option<EndpointKind> {
        let endpoint = self.endpoint.and_then(|digest| self.endpoints.get(&digest))?;
        Some(endpoint.item().kind)
    }

    fn guards(&self) -> Guards {
        let state = |guard| self.guard_state(guard);
        Guards {
            guardian: state(Guard::Guardian),
            witness: state(Guard::Witness),
            dead_man: state(Guard::DeadMan),
            presence: state(Guard::Presence),
            scribe: state(Guard::Scribe),
        }
    }
}

impl Desk<'_> {
    fn gate(&self) -> &Gate {
        &self.live.gate
    }

    /// What the order would claim; `None` without a price to value it by.
    fn claim(&self, intent: &OrderIntent) -> Option<Claim> {
        let quote = self.live.market.get(intent.instrument).and_then(|market| market.quote);
        let reserve = self.gate().reserve(intent, quote)?;
        Some(Claim::new(intent.side, intent.qty, reserve.notional))
    }

    /// Instruments that would have a position or an order.
    fn positions(&self, owner: Owner, instrument: InstrumentId) -> u32 {
        let touched = self.book.cell(owner, instrument).is_some_and(Cell::is_touched);
        let totals = self.book.totals(owner).map_or(u32::MAX, |totals| totals.instruments);
        totals.saturating_add(u32::from(!touched))
    }

    fn whole(&self, instrument: InstrumentId, worst: Option<Worst>, turn: &Turn) -> Usage {
        let gross = worst.map(|worst| worst.gross);
        let positions = self.positions(Owner::Whole, instrument);
        let desk = (self.gate(), self.book);
        let with = (gross, positions, self.live.proposals.count(None));
        self.live.usage.whole(desk, with, turn.now.boot)
    }

    fn strategy(
        &self,
        plugin: PluginId,
        instrument: InstrumentId,
        claim: Option<Claim>,
        turn: &Turn,
    ) -> Option<Usage> {
        let owner = Owner::Strategy(plugin);
        let worst = claim.and_then(|claim| self.book.exposure_with(owner, instrument, &claim));
        let gross = worst.map(|worst| worst.gross);
        let desk = (self.gate(), self.book);
        let proposals = self.live.proposals.count(Some(Origin::Plugin(plugin)));
        let with = (gross, self.positions(owner, instrument), proposals);
        self.live.usage.strategy(plugin, desk, with, turn.now.boot)
    }

    /// Whether every instrument that is held has a price that is not stale.
    fn marks_fresh(&self, turn: &Turn) -> bool {
        self.book.held().all(|(instrument, marked)| {
            let limits = self.gate().limits().instruments.get(&instrument);
            limits.zip(marked).is_some_and(|(limits, at)| {
                let max = i64::from(limits.market_data_age_ms_max)
                    .saturating_mul(portcullis_domain::time::NS_PER_MS);
                (0..=max).contains(&turn.now.boot.since_ns(at))
            })
        })
    }

    fn across(&self, turn: &Turn) -> StandingUsage {
        let profit = self.live.usage.profit(self.book);
        let mut across = self.ledger.across;
        across.reckon(turn.now.wall, profit);
        let (profit_day, profit_week) = across.earned(profit);
        StandingUsage { notional: across.notional, profit_day, profit_week, equity: self.equity() }
    }

    /// What the account is worth, in its own currency: balances at their marks and conversions,
    /// and what derivatives have earned and not yet paid. A balance without any price is worth
    /// nothing to us.
    fn equity(&self) -> Option<Money> {
        let mut equity = Money::ZERO;
        for (currency, amount) in self.ledger.balances()? {
            equity = equity.plus(self.worth(currency, *amount)?)?;
        }
        let derivatives = self.gate().instruments().iter();
        for instrument in derivatives.filter(|i| i.kind == InstrumentKind::Linear) {
            let held = self.book.cell(Owner::Whole, instrument.id)?.holding;
            if held.position != Position::FLAT {
                let mark = self.book.mark(instrument.id)?.0;
                let value = Money::value(mark, held.position, instrument)?;
                let open = value.minus(held.cost)?;
                equity = equity.plus(self.converted(&instrument.quote, open)?)?;
            }
        }
        Some(equity)
    }

    fn worth(&self, currency: &str, amount: Money) -> Option<Money> {
        if let Some(worth) = self.converted(currency, amount) {
            return Some(worth);
        }
        let mut spot = self.gate().instruments().iter();
        let spot = spot.find(|i| i.kind == InstrumentKind::Spot && i.base == *currency);
        let marked = spot.and_then(|i| Some((i, self.book.mark(i.id)?.0)));
        let Some((instrument, mark)) = marked else { return Some(Money::ZERO) };
        let value = at_price(amount, mark, instrument.price_scale)?;
        Some(self.converted(&instrument.quote, value).unwrap_or(Money::ZERO))
    }

    /// An amount of a currency in the account's, rounded against us.
    fn converted(&self, currency: &str, amount: Money) -> Option<Money> {
        self.gate().limits().converter(currency)?.result(amount)
    }
}

/// `amount` of a base currency at `px`, rounded down. Whole units are multiplied first, so that
/// amounts of millions stay within 128 bits.
fn at_price(amount: Money, px: Px, price_scale: u8) -> Option<Money> {
    let unit = portcullis_domain::number::pow10(price_scale)?;
    let px = i128::from(px.units());
    let whole = amount.0.div_euclid(unit).checked_mul(px)?;
    let rest = amount.0.rem_euclid(unit).checked_mul(px)?.div_euclid(unit);
    whole.checked_add(rest).map(Money)
}
