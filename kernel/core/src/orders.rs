//! From a plugin's reply to orders, and from venue reports to the ledger.

use portcullis_domain::frame::{
    IntentRecord, REPLY_INTENTS_MAX, cancel_flag, intent_kind, ord_type_code, side_code, tif_code,
};
use portcullis_domain::order::OrderChange;
use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{
    Bracket, ClOrdId, ExecutionReport, InstrumentId, MarketEvent, MarketFrame, Now, OrdStatus,
    OrdType, Order, OrderFault, OrderIntent, Origin, PluginId, Position, Px, Qty, Side,
    TimeInForce, WallNs,
};
use portcullis_gate::exposure::Owner;
use portcullis_gate::{Denial, DenyCode, Scope, Standing, approve_cancel};

use crate::account::is_trade;
use crate::bracket::LegRef;
use crate::effect::Effect;
use crate::input::EpochCause;
use crate::outcome::Outcome;
use crate::state::{Core, Turn};
use crate::submit::{Door, is_past};
use crate::tell::market_record;
use crate::usage::Executed;

/// Soonest moment for which a plugin can set a timer.
const TIMER_NS_MIN: i64 = NS_PER_MS;

impl Core {
    pub(crate) fn on_market(&mut self, frame: &MarketFrame, turn: &mut Turn) {
        if let Some(market) = self.flatten_market() {
            market.apply(frame, turn.now);
        }
        let Some(live) = self.live.as_mut() else { return };
        if live.market.get(frame.instrument).is_none() {
            return;
        }
        live.market.apply(frame, turn.now);
        self.mark(frame);
        let Some(live) = self.live.as_mut() else { return };
        if let Some(record) = market_record(frame, turn.now.wall) {
            for desk in &mut live.desks {
                desk.push(record);
            }
        }
        self.set_baselines();
    }

    /// Values what is held at the middle of a new quote.
    fn mark(&mut self, frame: &MarketFrame) {
        let MarketEvent::Quote { .. } = frame.event else { return };
        let Some(live) = self.live.as_mut() else { return };
        let id = frame.instrument;
        let Some(quote) = live.market.get(id).and_then(|market| market.quote) else { return };
        live.usage.quoted(id, quote);
        let ledger = live.shadow.as_mut().unwrap_or(&mut self.account);
        let (Some(px), Some(book)) = (live.market.mark(id), ledger.session.as_mut()) else {
            return;
        };
        let before = book.book().mark(id).map(|(px, _)| px);
        book.marked(id, px, quote.received);
        // A profit moves with a mark only where something is held.
        let held =
            book.book().cell(Owner::Whole, id).is_none_or(|cell| cell.holding.position.0 != 0);
        if before.is_none() || (held && before != Some(px)) {
            live.usage.reckon(book.book());
        }
    }

    pub(crate) fn on_plugin_ready(&mut self, plugin: PluginId) {
        if let Some(desk) = self.desk(plugin) {
            desk.set_ready();
        }
    }

    /// Commit on return: the whole reply is judged, intent by intent, in the plugin's order.
    pub(crate) fn on_plugin_reply(
        &mut self,
        (plugin, batch, fuel): (PluginId, u32, u64),
        intents: &[IntentRecord],
        turn: &mut Turn,
    ) {
        let Some(desk) = self.desk(plugin) else { return };
        if !desk.answered(batch, fuel) {
            let cause = "the reply answers no batch that is out";
            return self.on_plugin_failed(plugin, "PLUGIN_PROTOCOL", cause, turn);
        }
        if intents.len() > REPLY_INTENTS_MAX {
            let cause = "the reply holds more intents than one may";
            return self.on_plugin_failed(plugin, "PLUGIN_OUTPUT", cause, turn);
        }
        if !desk.within_budget(turn.now.boot, intents.len()) {
            let cause = "more intents within a second than any plugin may ask for";
            return self.on_plugin_failed(plugin, "PLUGIN_FLOOD", cause, turn);
        }
        for record in intents {
            let names_order = record.kind != intent_kind::SET_TIMER;
            if names_order && LegRef::is_reserved(record.reference) {
                // Numbers of the kernel's own: what protects is not the plugin's to touch.
                self.malformed(plugin, record, DenyCode::OrderTypeNotAllowed, turn);
                continue;
            }
            match record.kind {
                intent_kind::SUBMIT => self.on_submit(plugin, record, turn),
                intent_kind::AMEND => self.on_amend(plugin, record, turn),
                intent_kind::CANCEL if record.flags == cancel_flag::EXITS => {
                    self.on_plugin_release(plugin, record.reference, turn);
                }
                intent_kind::CANCEL => self.on_plugin_cancel(plugin, record.reference, turn),
                intent_kind::SET_TIMER => self.on_set_timer(plugin, record, turn),
                _ => self.malformed(plugin, record, DenyCode::OrderTypeNotAllowed, turn),
            }
        }
    }

    fn on_submit(&mut self, plugin: PluginId, record: &IntentRecord, turn: &mut Turn) {
        let intent = match order_intent(plugin, record) {
            Ok(intent) => intent,
            Err(code) => return self.malformed(plugin, record, code, turn),
        };
        self.submit(intent, Door::Session, turn);
    }

    /// Whether no order of ours can still reach a venue: each was to be refused before this.
    pub(crate) fn past_venue_deadlines(&self, at: Now) -> bool {
        is_past(self.venue_deadline_last, at)
    }

    /// Whether this one cannot: it was to be refused before this. Orders of earlier runs have no
    /// deadline on record and count from the start.
    pub(crate) fn past_venue_deadline(&self, id: ClOrdId, at: Now) -> bool {
        let deadline = self.venue_deadlines.get(&id).copied();
        is_past(deadline.unwrap_or(self.venue_deadline_start), at)
    }

    pub(crate) fn malformed(
        &mut self,
        plugin: PluginId,
        record: &IntentRecord,
        code: DenyCode,
        turn: &mut Turn,
    ) {
        let reference = record.reference;
        turn.record(&Outcome::Malformed { reference, denial: Denial::plain(code, Scope::Order) });
        self.tell_denial(plugin, (reference, record.instrument), code, turn.now.wall);
    }

    fn on_plugin_cancel(&mut self, plugin: PluginId, reference: u64, turn: &mut Turn) {
        let by = Origin::Plugin(plugin);
        if let Some(waits) = self.proposal_of(by, reference) {
            self.revoke_proposal(waits, "PLUGIN_ASKED", turn);
            return;
        }
        let Some(live) = self.live.as_mut() else { return };
        // A number that never became an order has nothing to take back.
        let Some(id) = live.references.get(&(by, reference)).copied() else { return };
        let asked = live.cancels_asked.insert(id, turn.now.boot);
        let lately = asked.is_some_and(|at| turn.now.boot.since_ns(at) < NS_PER_S);
        let Some(order) = self.ledger_of(id).orders.get(id) else { return };
        let instrument = order.intent.instrument;
        match approve_cancel(order, by, lately) {
            Ok(_) => self.cancel(id, "PLUGIN_ASKED", turn),
            // An order that has ended is no mistake of the plugin: it may not know yet.
            Err(_) if !order.status.is_open() => {}
            Err(denial) => {
                self.tell_denial(plugin, (reference, instrument.0), denial.code, turn.now.wall);
                turn.record(&Outcome::CancelDenied { cl_ord_id: id, denial });
            }
        }
    }

    /// A plugin wants to leave by itself what an entry of its own has built up.
    fn on_plugin_release(&mut self, plugin: PluginId, reference: u64, turn: &mut Turn) {
        let by = Origin::Plugin(plugin);
        let id = self.live.as_ref().and_then(|live| live.references.get(&(by, reference)).copied());
        if let Some(id) = id {
            self.release_bracket(id, turn);
        }
    }

    fn on_set_timer(&mut self, plugin: PluginId, record: &IntentRecord, turn: &mut Turn) {
        // Not at once: a timer that is due when it is set would be a loop without any time in it.
        let at = WallNs(record.time).max(turn.now.wall.plus_ns(TIMER_NS_MIN));
        let set = self.desk(plugin).is_some_and(|desk| desk.set_timer(at, record.reference));
        if !set {
            self.malformed(plugin, record, DenyCode::MaxMsgRate, turn);
        }
    }

    /// A plugin that failed is gone: its exposure-increasing orders are taken back, and nothing
    /// else in the house changes.
    pub(crate) fn on_plugin_failed(
        &mut self,
        plugin: PluginId,
        code: &str,
        cause: &str,
        turn: &mut Turn,
    ) {
        let Some(desk) = self.desk(plugin) else { return };
        if desk.standing == Standing::Suspended {
            return;
        }
        desk.suspend();
        let name = desk.name.to_string();
        let (code, cause) = (code.to_owned(), cause.to_owned());
        turn.record(&Outcome::PluginStopped { plugin: name, code, cause });
        turn.effect(Effect::StopPlugin { plugin });
        turn.effect(Effect::RaiseEpoch(EpochCause::PluginStopped));
        let increasing: Vec<ClOrdId> = self
            .ledger()
            .orders
            .open()
            .filter(|order| order.intent.origin == Origin::Plugin(plugin) && !Self::is_exit(order))
            .filter(|order| self.increases(order))
            .map(|order| order.cl_ord_id)
            .collect();
        for id in increasing {
            self.cancel(id, "PLUGIN_STOPPED", turn);
        }
    }

    /// Whether an order can make the position larger, judged with all that works on its side.
    pub(crate) fn increases(&self, order: &Order) -> bool {
        let ledger = self.ledger_of(order.cl_ord_id);
        let Some(instrument) = ledger.instrument_of(order.cl_ord_id) else { return true };
        let symbol = &instrument.symbol;
        let book = ledger.session.as_ref();
        let (held, buys, sells) = if let Some(cell) = book.and_then(|book| book.cell_of(symbol)) {
            (cell.holding.position.0, cell.buys.qty, cell.sells.qty)
        } else {
            let Some(working) = ledger.working(symbol) else { return true };
            (ledger.holding(symbol).position.0, working.buy_qty, working.sell_qty)
        };
        match order.intent.side {
            Side::Sell => sells.units() > held,
            Side::Buy => buys.units() > held.saturating_neg(),
        }
    }

    pub(crate) fn on_report(&mut self, report: &ExecutionReport, turn: &mut Turn) {
        let id = report.cl_ord_id;
        if self.past_shadow.contains(&id) {
            return;
        }
        let before = self.position_of(id);
        let change = match self.ledger_of_mut(id).book(report) {
            Ok(change) => change,
            Err(fault) => {
                // A fill that no order explains is watched on its own.
                if matches!(fault, OrderFault::UnknownOrder(_)) && is_trade(report) {
                    self.watch.fill_unexplained();
                }
                return turn.fault(fault);
            }
        };
        let ledger = self.ledger_of(id);
        let symbol = ledger.instrument_of(id).map(|i| i.symbol.clone()).unwrap_or_default();
        let position = ledger.holding(&symbol).position;
        let Some(order) = ledger.orders.get(id) else { return };
        let (status, cum_qty) = (order.status, order.cum_qty.units());
        if change == OrderChange::Duplicate {
            return;
        }
        turn.record(&Outcome::Booked { cl_ord_id: id, status, cum_qty, position });
        self.stir_bracket(id);
        self.tell_order(id, turn);
        // A report that leaves the fate of its order open: the venue's list tells.
        if status == OrdStatus::Unknown && !is_trade(report) {
            turn.effect(Effect::ReadAccount);
        }
        if let OrderChange::Filled { last_px, last_qty, .. } = change {
            self.tell_fill(id, (last_px, last_qty), turn);
            self.count_fill(id, (last_px, last_qty), before, turn);
            self.reduce_again(turn);
        }
    }

    fn position_of(&self, id: ClOrdId) -> Position {
        let ledger = self.ledger_of(id);
        let symbol = ledger.instrument_of(id).map(|instrument| &instrument.symbol);
        symbol.map_or(Position::FLAT, |symbol| ledger.holding(symbol).position)
    }

    /// Takes a fill into what the session has used of its limits.
    fn count_fill(
        &mut self,
        id: ClOrdId,
        (px, qty): (Px, Qty),
        position_before: Position,
        turn: &Turn,
    ) {
        let shadow = self.is_shadow_order(id);
        let Some(live) = self.live.as_mut() else { return };
        let ledger = match (&live.shadow, shadow) {
            (Some(ledger), true) => ledger,
            // A fill of the account while a shadow session is open is none of that session.
            (Some(_), false) => return,
            (None, _) => &self.account,
        };
        let (Some(order), Some(book)) = (ledger.orders.get(id), ledger.session.as_ref()) else {
            return;
        };
        let symbol = ledger.instrument_of(id).map(|instrument| instrument.symbol.as_str());
        let instrument = live.gate.instruments().iter().find(|i| Some(i.symbol.as_str()) == symbol);
        let Some(instrument) = instrument else { return };
        let origin = if book.is_own(order) { order.intent.origin } else { Origin::House };
        let side = order.intent.side;
        let fill = Executed { origin, instrument, side, px, qty, position_before };
        live.usage.executed(fill, (&live.gate, book.book()), turn.now.boot);
        live.usage.reckon(book.book());
    }

    pub(crate) fn desk_of(&self, plugin: PluginId) -> Option<&crate::plugin::PluginDesk> {
        self.live.as_ref()?.desks.get(usize::from(plugin.0))
    }

    pub(crate) fn desk(&mut self, plugin: PluginId) -> Option<&mut crate::plugin::PluginDesk> {
        self.live.as_mut()?.desks.get_mut(usize::from(plugin.0))
    }
}

/// Turns a record, which is an allegation, into an intent of valid shape.
fn order_intent(plugin: PluginId, record: &IntentRecord) -> Result<OrderIntent, DenyCode> {
    if record.flags != 0 || record.reference == 0 {
        return Err(DenyCode::OrderTypeNotAllowed);
    }
    let side = match record.side {
        side_code::BUY => Side::Buy,
        side_code::SELL => Side::Sell,
        _ => return Err(DenyCode::OrderTypeNotAllowed),
    };
    let (ord_type, price) = match (record.ord_type, record.price) {
        (ord_type_code::MARKET, 0) => (OrdType::Market, None),
        (ord_type_code::LIMIT, price) => {
            (OrdType::Limit, Some(Px::new(price).ok_or(DenyCode::TickSize)?))
        }
        _ => return Err(DenyCode::OrderTypeNotAllowed),
    };
    let time_in_force = match record.time_in_force {
        tif_code::GTC => TimeInForce::Gtc,
        tif_code::IOC => TimeInForce::Ioc,
        _ => return Err(DenyCode::OrderTypeNotAllowed),
    };
    Ok(OrderIntent {
        origin: Origin::Plugin(plugin),
        reference: record.reference,
        instrument: InstrumentId(record.instrument),
        side,
        ord_type,
        time_in_force,
        qty: Qty::new(record.qty).ok_or(DenyCode::LotSize)?,
        price,
        reduce_only: false,
        bracket: bracket(record)?,
    })
}

/// The exits that a record asks for. Where they may stand is the gate's question.
fn bracket(record: &IntentRecord) -> Result<Option<Bracket>, DenyCode> {
    let leg = |units: i64| match units {
        0 => Ok(None),
        _ => Px::new(units).map(Some).ok_or(DenyCode::TickSize),
    };
    let (stop_px, target_px) = (leg(record.stop_price)?, leg(record.target_price)?);
    let any = stop_px.is_some() || target_px.is_some();
    Ok(any.then_some(Bracket { stop_px, target_px }))
}
