//! A large house: 10 strategies, 50 instruments and 1 000 open orders, watched by every trigger.

use portcullis_core::{AccountSnapshot, Event, Input};
use portcullis_domain::frame::IntentRecord;
use portcullis_domain::market::Level;
use portcullis_domain::policy::Limits;
use portcullis_domain::{
    ExecType, Instrument, InstrumentId, MarketEvent, MarketFrame, Phase, PluginId, Role, Side,
    StreamId,
};
use portcullis_gate::VenueStatus;
use portcullis_statement::{Digest, Kind, SessionApproval};

use crate::people::{self, instrument, money, px, qty, signers};
use crate::world::{World, buy, trade};

/// Strategies of the session, by number.
pub(crate) const STRATEGIES: [&str; 10] =
    ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-6", "s-7", "s-8", "s-9"];
const INSTRUMENTS: u32 = 50;
/// Orders of each strategy in each instrument.
const ORDERS: i64 = 2;

/// A house with an open session of phase 2 that is quoted and holds a thousand resting orders. Each
/// strategy holds one instrument as well, so that marks move profits.
pub(crate) fn crowded() -> World {
    let mut world = World::new();
    world.start(true, false);
    world.admit_all();
    for plugin in STRATEGIES {
        let by = [("ada", Role::Author), ("gerd", Role::Governance)];
        let body = people::release("ada", plugin, Phase::Continuous).to_value();
        let (signed, _) = world.hand_in(Kind::PluginRelease, &by, &body);
        world.releases.insert(plugin, Digest::of(&signed.bytes));
    }
    world.feed(Input::VenueLink { up: true, cause: "connected".to_owned() });
    world.feed(Input::VenueStatus { status: VenueStatus::Online });
    let balances = [("USDT".to_owned(), money("900000"))].into();
    world.read(AccountSnapshot { balances, ..AccountSnapshot::default() });
    let approval = approval(&mut world);
    let paper = world.paper(Kind::SessionApproval, &signers(Phase::Paper));
    let signed = paper.sign(Some(world.fingerprint()), &approval.to_value());
    assert_eq!(world.open_signed(signed, &STRATEGIES).answers(), ["DONE"]);
    for plugin in plugins() {
        world.feed(Input::PluginReady { plugin });
    }
    let mut market = Market::default();
    for _ in 0..2 {
        for id in 0..INSTRUMENTS {
            let level = |side, units| Level { side, px: px(units), qty: qty(1) };
            let levels = vec![level(Side::Buy, 9_990), level(Side::Sell, 10_010)];
            for event in [MarketEvent::Snapshot { levels }, quoted(9_990)] {
                world.feed(Input::Market(market.frame(InstrumentId(id), event)));
            }
        }
    }
    for plugin in plugins() {
        order_everywhere(&mut world, plugin);
    }
    assert_eq!(world.core.account().orders.open().count(), 1_000);
    world
}

pub(crate) fn plugins() -> impl Iterator<Item = PluginId> {
    (0..).map(PluginId).take(STRATEGIES.len())
}

/// The draft of the tests' scenes, for more strategies and instruments.
fn approval(world: &mut World) -> SessionApproval {
    let of_scene = world.draft("s-1", Phase::Paper);
    let releases = STRATEGIES.map(|plugin| (plugin, world.releases[plugin]));
    let bound = (of_scene.endpoint, of_scene.endpoint_kind);
    let one = |number: u32| Instrument {
        id: InstrumentId(number),
        symbol: format!("C{number:02}-USDT"),
        venue_symbol: format!("C{number:02}USDT"),
        base: format!("C{number:02}"),
        ..instrument()
    };
    let instruments: Vec<Instrument> = (0..INSTRUMENTS).map(one).collect();
    SessionApproval {
        plugins: people::approval(Phase::Paper, bound, &releases).plugins,
        sources: vec![of_scene.sources[0].clone(); instruments.len()],
        instruments,
        limits: limits(),
        ..of_scene
    }
}

fn limits() -> Limits {
    let mut limits = people::limits(&STRATEGIES);
    let mut held = limits.instruments[&InstrumentId(0)].clone();
    // The orders of the beginning take longer than a quote may be old.
    held.market_data_age_ms_max = 600_000;
    limits.instruments = (0..INSTRUMENTS).map(|id| (InstrumentId(id), held.clone())).collect();
    for scope in [&mut limits.account, &mut limits.venue, &mut limits.host] {
        scope.activity.open_orders_max = 2_000;
        scope.activity.orders_per_session_max = 1_000_000;
    }
    limits
}

/// Rests orders of a strategy in every instrument, and fills one that is asked for beside them.
fn order_everywhere(world: &mut World, plugin: PluginId) {
    let own = u32::from(plugin.0);
    let wishes = (0..INSTRUMENTS).flat_map(|id| (0..ORDERS).map(move |step| (id, step)));
    let wishes = wishes.chain([(own, ORDERS)]);
    for (reference, (id, step)) in (1..).zip(wishes) {
        // Two orders with the same content would be a repetition.
        let price = 9_980 - 10 * step;
        let wish = IntentRecord { instrument: id, ..buy(reference, 5_100, price) };
        let out = world.reply(plugin, vec![wish]);
        assert_eq!(out.reasons("denied"), Vec::<&str>::new());
        let id = out.submits()[0];
        world.report(id, ExecType::New);
        if step == ORDERS {
            world.report(id, trade(&format!("fill-{own}"), 5_100, price));
        }
    }
}

/// Numbers frames as the connection does.
#[derive(Debug, Default)]
pub(crate) struct Market {
    frames: u64,
}

impl Market {
    pub(crate) fn frame(&mut self, instrument: InstrumentId, event: MarketEvent) -> MarketFrame {
        self.frames += 1;
        let stream = match event {
            MarketEvent::Quote { .. } => StreamId::QUOTES,
            MarketEvent::Trade { .. } => StreamId::TRADES,
            MarketEvent::Snapshot { .. } | MarketEvent::Levels { .. } | MarketEvent::Gap { .. } => {
                StreamId::BOOK
            }
        };
        MarketFrame { stream, sequence: self.frames, instrument, venue_time: None, event }
    }

    /// As a busy venue sends it: of five events two are quotes, two change the book, and one is a
    /// trade; the instruments take turns and prices move.
    pub(crate) fn events(&mut self, world: &mut World, count: u32) -> Vec<Event> {
        let event = |number: u32| {
            let bid = 9_990 - 10 * i64::from(number / 7 % 3);
            let level = |side, units| Level { side, px: px(units), qty: qty(1 + bid % 9) };
            let event = match number % 5 {
                0 | 2 => quoted(bid),
                4 => MarketEvent::Trade {
                    aggressor: Side::Buy,
                    px: px(bid + 20),
                    qty: qty(3),
                    trade_id: u64::from(number),
                },
                _ => MarketEvent::Levels {
                    levels: vec![level(Side::Buy, bid), level(Side::Sell, bid + 20)],
                },
            };
            world.pass(1_000);
            let frame = self.frame(InstrumentId(number / 5 % INSTRUMENTS), event);
            Event { now: world.now, input: Input::Market(frame) }
        };
        (0..count).map(event).collect()
    }
}

fn quoted(bid: i64) -> MarketEvent {
    let (bid, ask) = (px(bid), px(bid + 20));
    MarketEvent::Quote { bid, bid_qty: qty(1), ask, ask_qty: qty(1) }
}
