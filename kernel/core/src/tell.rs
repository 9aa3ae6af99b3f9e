//! What plugins are told: the market, their orders, fills, positions and denials.

use portcullis_domain::frame::{EventRecord, event_kind, side_code};
use portcullis_domain::{
    ClOrdId, MarketEvent, MarketFrame, OrdStatus, PluginId, Px, Qty, Side, WallNs,
};
use portcullis_gate::DenyCode;

use crate::state::{Core, Turn};

impl Core {
    pub(crate) fn tell_denial(
        &mut self,
        plugin: PluginId,
        about: (u64, u32),
        code: DenyCode,
        now: WallNs,
    ) {
        self.tell_leg_denial(plugin, about, (code, 0), now);
    }

    /// A denial of an order, or of an exit of it: which one says the last number.
    pub(crate) fn tell_leg_denial(
        &mut self,
        plugin: PluginId,
        (reference, instrument): (u64, u32),
        (code, extra): (DenyCode, i64),
        now: WallNs,
    ) {
        if let Some(live) = self.live.as_mut() {
            live.count(code.code());
        }
        if let Some(desk) = self.desk(plugin) {
            desk.push(EventRecord {
                time: now.0,
                reference,
                instrument,
                kind: event_kind::DENIAL,
                code: code.number(),
                extra,
                ..EventRecord::default()
            });
        }
    }

    /// Tells the plugin the state of an order of its own.
    pub(crate) fn tell_order(&mut self, id: ClOrdId, turn: &Turn) {
        let Some(order) = self.ledger_of(id).orders.get(id) else { return };
        let (reference, extra) = self.told_number(order);
        let record = EventRecord {
            time: turn.now.wall.0,
            reference,
            instrument: order.intent.instrument.0,
            kind: event_kind::ORDER,
            side: side_of(order.intent.side),
            code: status_code(order.status),
            price: order.intent.price.map_or(0, Px::units),
            qty: order.cum_qty.units(),
            qty2: order.leaves_qty().units(),
            extra,
            ..EventRecord::default()
        };
        let plugin = order.intent.origin.plugin();
        if let Some(desk) = plugin.and_then(|plugin| self.desk(plugin)) {
            desk.push(record);
        }
    }

    pub(crate) fn tell_fill(&mut self, id: ClOrdId, (px, qty): (Px, Qty), turn: &Turn) {
        let ledger = self.ledger_of(id);
        let (Some(order), Some(instrument)) = (ledger.orders.get(id), ledger.instrument_of(id))
        else {
            return;
        };
        let holding = ledger.holding(&instrument.symbol);
        let common = EventRecord {
            time: turn.now.wall.0,
            instrument: order.intent.instrument.0,
            ..EventRecord::default()
        };
        let (reference, extra) = self.told_number(order);
        let fill = EventRecord {
            reference,
            kind: event_kind::FILL,
            side: side_of(order.intent.side),
            price: px.units(),
            qty: qty.units(),
            extra,
            ..common
        };
        let position = EventRecord {
            kind: event_kind::POSITION,
            price: holding.avg_px(instrument).map_or(0, Px::units),
            qty: holding.position.0,
            ..common
        };
        let plugin = order.intent.origin.plugin();
        if let Some(desk) = plugin.and_then(|plugin| self.desk(plugin)) {
            desk.push(fill);
            desk.push(position);
        }
    }
}

/// What a plugin is told of the market: quotes and trades. Levels stay with the house in 0.9.
pub(crate) fn market_record(frame: &MarketFrame, now: WallNs) -> Option<EventRecord> {
    let common =
        EventRecord { time: now.0, instrument: frame.instrument.0, ..EventRecord::default() };
    match &frame.event {
        MarketEvent::Quote { bid, bid_qty, ask, ask_qty } => Some(EventRecord {
            kind: event_kind::QUOTE,
            price: bid.units(),
            qty: bid_qty.units(),
            price2: ask.units(),
            qty2: ask_qty.units(),
            ..common
        }),
        MarketEvent::Trade { aggressor, px, qty, trade_id } => Some(EventRecord {
            kind: event_kind::TRADE,
            side: side_of(*aggressor),
            price: px.units(),
            qty: qty.units(),
            reference: *trade_id,
            ..common
        }),
        MarketEvent::Snapshot { .. } | MarketEvent::Levels { .. } | MarketEvent::Gap { .. } => None,
    }
}

const fn side_of(side: Side) -> u8 {
    match side {
        Side::Buy => side_code::BUY,
        Side::Sell => side_code::SELL,
    }
}

/// `event.code` of an ORDER event; the numbers are those of `wit/`.
const fn status_code(status: OrdStatus) -> u16 {
    match status {
        OrdStatus::PendingNew => 1,
        OrdStatus::New => 2,
        OrdStatus::PartiallyFilled => 3,
        OrdStatus::PendingCancel => 4,
        OrdStatus::Filled => 5,
        OrdStatus::Canceled => 6,
        OrdStatus::Rejected => 7,
        OrdStatus::Expired => 8,
        OrdStatus::Unsent => 9,
        OrdStatus::Unknown => 10,
        OrdStatus::PendingReplace => 11,
    }
}
