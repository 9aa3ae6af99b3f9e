//! From a plugin's reply to orders, and from venue reports to the ledger.

use portcullis_domain::frame::{
    IntentRecord, REPLY_INTENTS_MAX, intent_kind, ord_type_code, side_code, tif_code,
};
use portcullis_domain::order::OrderChange;
use portcullis_domain::time::{NS_PER_MS, NS_PER_S};
use portcullis_domain::{
    ClOrdId, ExecutionReport, InstrumentId, MarketFrame, Now, OrdStatus, OrdType, Order,
    OrderIntent, Origin, PluginId, Px, Qty, Side, TimeInForce, WallNs,
};
use portcullis_gate::{Circumstances, Denial, DenyCode, Standing, Verdict};

use crate::account::is_trade;
use crate::effect::{Effect, Submit};
use crate::input::EpochCause;
use crate::outcome::Outcome;
use crate::state::{Core, LiveSession, Turn};
use crate::tell::market_record;

/// A submit that has not left the house after this long must not leave it any more.
const RELEASE_NS_MAX: i64 = 500 * NS_PER_MS;
/// How far the venue's clock may be behind ours, and an answer of it behind its question.
const VENUE_SKEW_NS: i64 = NS_PER_S;
/// Soonest moment for which a plugin can set a timer.
const TIMER_NS_MIN: i64 = NS_PER_MS;
/// A submit that has not reached the venue after this long must be refused there.
const VENUE_DEADLINE_NS: i64 = 5 * NS_PER_S;

impl Core {
    pub(crate) fn on_market(&mut self, frame: &MarketFrame, turn: &mut Turn) {
        let Some(live) = self.live.as_mut() else { return };
        if live.market.get(frame.instrument).is_none() {
            return;
        }
        live.market.apply(frame, turn.now);
        if let Some(record) = market_record(frame, turn.now.wall) {
            for desk in &mut live.desks {
                desk.push(record);
            }
        }
        self.set_baselines();
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
            match record.kind {
                intent_kind::SUBMIT => self.on_submit(plugin, record, turn),
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
        let at = self.circumstances(&intent, turn);
        let Some(desk) = self.desk(plugin) else { return };
        desk.references.insert(intent.reference);
        let Some(id) = self.next_cl_ord_id() else { return };
        let Some(live) = self.live.as_ref() else { return };
        match live.gate.assess(intent.clone(), id, &at) {
            Verdict::Deny(denial) => self.on_denied(intent, denial, turn),
            Verdict::WouldBe(shadow) => {
                let reserve_px = shadow.reserve_px();
                if self.issue(intent, (id, reserve_px), turn) {
                    turn.effect(Effect::ShadowSubmit(shadow));
                }
            }
            Verdict::Approve(order) => {
                let reserve_px = order.reserve_px();
                if self.issue(intent, (id, reserve_px), turn) {
                    let venue_deadline = turn.now.wall.plus_ns(VENUE_DEADLINE_NS);
                    self.orders_may_arrive_from(turn.now);
                    let deadline = turn.now.boot.plus_ns(RELEASE_NS_MAX);
                    let epoch = self.epoch;
                    let submit = Submit { order, epoch, deadline, venue_deadline };
                    turn.effect(Effect::Submit(Box::new(submit)));
                }
            }
        }
    }

    /// Everything the gate judges by, as it stands at this event.
    fn circumstances(&self, intent: &OrderIntent, turn: &Turn) -> Circumstances {
        let live = self.live.as_ref();
        let plugin = intent.origin.plugin();
        let desk = live.zip(plugin).and_then(|(live, id)| live.desks.get(usize::from(id.0)));
        let instrument = live.and_then(|live| live.gate.instrument(intent.instrument));
        let market = live.and_then(|live| live.market.get(intent.instrument));
        let ledger = self.ledger();
        let working = instrument.and_then(|i| ledger.working(i));
        let recent = |live: &LiveSession| {
            let second = |at: &&portcullis_domain::BootNs| turn.now.boot.since_ns(**at) < NS_PER_S;
            u32::try_from(live.submits.iter().filter(second).count()).unwrap_or(u32::MAX)
        };
        Circumstances {
            now: turn.now,
            killed: self.kill.is_some(),
            closing: live.is_none_or(|live| live.closing.is_some()),
            reduce_only: live.is_none_or(|live| live.reduce_only),
            standing: desk.map_or(Standing::Suspended, |desk| desk.standing),
            component: desk.map(|desk| desk.component),
            quote: market.and_then(|market| market.quote),
            book_valid: market.is_some_and(|market| market.book.is_valid()),
            position: instrument
                .map_or(portcullis_domain::Position::FLAT, |i| ledger.holding(&i.symbol).position),
            balance: instrument.and_then(|i| ledger.balance_for(i)),
            // Reservations that cannot be added up are a fault of the house: deny everything.
            working: working.unwrap_or_default(),
            evidence_writable: working.is_some() && !self.evidence_full,
            submits_last_second: live.map_or(u32::MAX, recent),
            reconciled: self.is_shadow()
                || (self.venue_up && self.differences.as_ref().is_some_and(Vec::is_empty)),
            reference_used: desk.is_none_or(|desk| desk.references.contains(&intent.reference)),
        }
    }

    /// An order may be on its way to a venue from now on until its deadline.
    pub(crate) fn orders_may_arrive_from(&mut self, now: Now) {
        let last = &mut self.venue_deadline_last;
        last.wall = last.wall.max(now.wall.plus_ns(VENUE_DEADLINE_NS));
        last.boot = last.boot.max(now.boot.plus_ns(VENUE_DEADLINE_NS));
    }

    /// Whether no order of ours can still reach a venue: each was to be refused before this. A
    /// wall clock that was set forward ends nothing.
    pub(crate) fn past_venue_deadlines(&self, now: Now) -> bool {
        let Now { wall, boot } = self.venue_deadline_last;
        now.wall > wall.plus_ns(VENUE_SKEW_NS) && now.boot > boot.plus_ns(VENUE_SKEW_NS)
    }

    fn next_cl_ord_id(&mut self) -> Option<ClOrdId> {
        let epoch = self.identity.as_ref()?.draw;
        self.orders_issued = self.orders_issued.checked_add(1)?;
        Some(ClOrdId { epoch, sequence: self.orders_issued })
    }

    /// Puts an approved order on record and into every limit, before anything leaves.
    fn issue(&mut self, intent: OrderIntent, (id, px): (ClOrdId, Px), turn: &mut Turn) -> bool {
        let shadow = self.is_shadow();
        let epoch = self.epoch;
        let Some(live) = self.live.as_mut() else { return false };
        let Some(instrument) = live.gate.instrument(intent.instrument).cloned() else {
            return false;
        };
        live.references.insert((intent.origin, intent.reference), id);
        live.submits.push_back(turn.now.boot);
        while live.submits.front().is_some_and(|at| turn.now.boot.since_ns(*at) >= NS_PER_S) {
            live.submits.pop_front();
        }
        live.count("APPROVED");
        let order = Order {
            cl_ord_id: id,
            order_id: None,
            intent,
            reserve_px: px,
            status: OrdStatus::PendingNew,
            cum_qty: Qty::ZERO,
        };
        let symbol = instrument.symbol.clone();
        let recorded = Box::new(order.clone());
        if let Err(fault) = self.ledger_mut().issue(order, &instrument) {
            turn.fault(fault);
            return false;
        }
        turn.record(&Outcome::Ordered { order: recorded, symbol, shadow, epoch });
        self.tell_order(id, turn);
        true
    }

    fn on_denied(&mut self, intent: OrderIntent, denial: Denial, turn: &mut Turn) {
        if let Origin::Plugin(plugin) = intent.origin {
            let about = (intent.reference, intent.instrument.0);
            self.tell_denial(plugin, about, denial.code, turn.now.wall);
        }
        turn.record(&Outcome::Denied { intent: Box::new(intent), denial });
    }

    fn malformed(
        &mut self,
        plugin: PluginId,
        record: &IntentRecord,
        code: DenyCode,
        turn: &mut Turn,
    ) {
        let reference = record.reference;
        turn.record(&Outcome::Malformed { reference, denial: Denial::plain(code) });
        self.tell_denial(plugin, (reference, record.instrument), code, turn.now.wall);
    }

    fn on_plugin_cancel(&mut self, plugin: PluginId, reference: u64, turn: &mut Turn) {
        let references = self.live.as_ref().map(|live| &live.references);
        // A number that never became an order has nothing to take back.
        if let Some(id) =
            references.and_then(|known| known.get(&(Origin::Plugin(plugin), reference)))
        {
            self.cancel(*id, "PLUGIN_ASKED", turn);
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
            .filter(|order| order.intent.origin == Origin::Plugin(plugin) && self.increases(order))
            .map(|order| order.cl_ord_id)
            .collect();
        for id in increasing {
            self.cancel(id, "PLUGIN_STOPPED", turn);
        }
    }

    /// Whether an order can make the position larger, judged with all that works on its side.
    fn increases(&self, order: &Order) -> bool {
        let ledger = self.ledger();
        let Some(instrument) = ledger.instrument_of(order.cl_ord_id) else { return true };
        let held = ledger.holding(&instrument.symbol).position.0;
        let Some(working) = ledger.working(instrument) else {
            return true;
        };
        match order.intent.side {
            Side::Sell => working.sell_qty.units() > held,
            Side::Buy => working.buy_qty.units() > held.saturating_neg(),
        }
    }

    pub(crate) fn on_report(&mut self, report: &ExecutionReport, turn: &mut Turn) {
        let id = report.cl_ord_id;
        if self.past_shadow.contains(&id) {
            return;
        }
        let change = match self.ledger_of_mut(id).book(report) {
            Ok(change) => change,
            Err(fault) => return turn.fault(fault),
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
        self.tell_order(id, turn);
        if status == OrdStatus::Unknown && !is_trade(report) {
            turn.effect(Effect::ReadAccount);
        }
        if let OrderChange::Filled { last_px, last_qty, .. } = change {
            self.tell_fill(id, (last_px, last_qty), turn);
        }
    }

    pub(crate) fn desk(&mut self, plugin: PluginId) -> Option<&mut crate::plugin::PluginDesk> {
        self.live.as_mut()?.desks.get_mut(usize::from(plugin.0))
    }
}

impl LiveSession {
    pub(crate) fn count(&mut self, verdict: &'static str) {
        let counted = self.verdicts.entry(verdict).or_insert(0);
        *counted = counted.saturating_add(1);
    }
}

/// Turns a record, which is an allegation, into an intent of valid shape.
fn order_intent(plugin: PluginId, record: &IntentRecord) -> Result<OrderIntent, DenyCode> {
    let bracket = record.stop_price != 0 || record.target_price != 0;
    if bracket || record.flags != 0 || record.reference == 0 {
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
        bracket: None,
    })
}
