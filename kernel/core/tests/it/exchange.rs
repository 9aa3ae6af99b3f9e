//! A venue that tells the truth, late, twice or not at all; and plugins that ask for anything.

use std::collections::BTreeMap;

use portcullis_core::{Effect, Input, VenueOrder};
use portcullis_domain::frame::{IntentRecord, intent_kind};
use portcullis_domain::{
    Amendment, ClOrdId, ExecType, ExecutionReport, MarketEvent, Money, OrderIntent, Phase, Side,
    StreamId,
};
use portcullis_gate::DenyCode;

use crate::people::{money, px, qty};
use crate::world::{
    ALPHA, BETA, Out, SECOND_NS, World, amend, bracketed, buy, cancel, report, sell, trade,
};

/// A small generator with a seed: the same numbers in every run.
#[derive(Debug)]
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn int(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }
}

/// What the venue holds.
#[derive(Debug)]
pub(crate) struct Exchange {
    open: BTreeMap<ClOrdId, (OrderIntent, i64)>,
    fills: Vec<ExecutionReport>,
    balances: BTreeMap<String, Money>,
    /// Ids that ever arrived: an order arrives once.
    arrived: BTreeMap<ClOrdId, u32>,
}

impl Exchange {
    fn new() -> Self {
        let balance = |currency: &str, amount| (currency.to_owned(), money(amount));
        Self {
            open: BTreeMap::new(),
            fills: Vec::new(),
            balances: BTreeMap::from([balance("USDT", "1000"), balance("BTC", "5")]),
            arrived: BTreeMap::new(),
        }
    }

    /// Fills a part of an order, or all of it.
    fn fill(&mut self, id: ClOrdId, part: i64, at: portcullis_domain::WallNs) -> ExecutionReport {
        let (intent, leaves) = self.open.get_mut(&id).unwrap();
        let units = part.min(*leaves);
        *leaves -= units;
        let price = intent.price.map_or(10_000, portcullis_domain::Px::units);
        let signed = intent.side.signed(qty(units));
        let instrument = crate::people::instrument();
        let value = Money::notional(px(price), qty(units), &instrument).unwrap();
        // 10^-5 of base currency is 10^13 of its smallest unit of money.
        *self.balances.get_mut("BTC").unwrap() =
            Money(self.balances["BTC"].0 + i128::from(signed) * 10_000_000_000_000);
        let paid = if intent.side == Side::Buy { -value.0 } else { value.0 };
        *self.balances.get_mut("USDT").unwrap() = Money(self.balances["USDT"].0 + paid);
        if *leaves == 0 {
            self.open.remove(&id);
        }
        let told = report(id, trade(&format!("x{}", self.fills.len()), units, price), at);
        self.fills.push(told.clone());
        told
    }

    /// Changes an order as it was asked, or says why not.
    fn amend(&mut self, change: Amendment) -> ExecType {
        let Amendment { cl_ord_id, qty, price } = change;
        let Some((intent, leaves)) = self.open.get_mut(&cl_ord_id) else {
            return ExecType::ReplaceRejected;
        };
        let filled = intent.qty.units() - *leaves;
        if qty.units() <= filled {
            self.open.remove(&cl_ord_id);
            return ExecType::Canceled;
        }
        *leaves = qty.units() - filled;
        (intent.qty, intent.price) = (qty, Some(price));
        ExecType::Replaced { qty, price }
    }

    fn listed(&self) -> Vec<VenueOrder> {
        let line = |(id, (intent, leaves)): (&ClOrdId, &(OrderIntent, i64))| VenueOrder {
            side: Some(intent.side),
            price: intent.price,
            qty: Some(intent.qty),
            cum_qty: Some(qty(intent.qty.units() - leaves)),
            ..crate::world::resting(*id, *leaves)
        };
        self.open.iter().map(line).collect()
    }

    fn snapshot(&self, asked: portcullis_domain::Now) -> Input {
        Input::Account(portcullis_core::AccountSnapshot {
            asked_at: Some(asked),
            open_orders: self.listed(),
            fills: self.fills.clone(),
            fills_since: Some(portcullis_domain::WallNs(0)),
            balances: self.balances.clone(),
            ..portcullis_core::AccountSnapshot::default()
        })
    }
}

/// A long session that a seed decides: every kind of event that a venue and plugins can cause.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) world: World,
    venue: Exchange,
    draw: Draw,
    phase: Phase,
    reference: u64,
    up: bool,
    /// Things that happened and have not been told yet.
    late: Vec<Input>,
}

impl Play {
    pub(crate) fn new(seed: u64, phase: Phase) -> Self {
        let world = World::open(phase);
        let (venue, draw) = (Exchange::new(), Draw(seed));
        let up = phase != Phase::Shadow;
        Self { world, venue, draw, phase, reference: 0, up, late: Vec::new() }
    }

    /// One random event and what follows from it.
    pub(crate) fn turn(&mut self) {
        self.world.pass(self.draw.int(300_000_000));
        let out = match self.draw.below(20) {
            0..=5 => self.quote(),
            6 => self.print(),
            7..=12 => self.plugin(),
            13..=15 => self.venue_acts(),
            16..=17 => self.tell(),
            18 => self.world.feed(Input::Tick),
            _ => self.rare(),
        };
        self.follow(out);
        self.check();
    }

    fn quote(&mut self) -> Out {
        let bid = 9_970 + self.draw.int(40);
        self.world.quote(bid, bid + 10 + self.draw.int(20))
    }

    fn print(&mut self) -> Out {
        let event = MarketEvent::Trade {
            aggressor: if self.draw.below(2) == 0 { Side::Buy } else { Side::Sell },
            px: px(9_900 + self.draw.int(200)),
            qty: qty(1 + self.draw.int(50)),
            trade_id: self.draw.below(1 << 40),
        };
        self.world.market(StreamId::TRADES, event)
    }

    fn plugin(&mut self) -> Out {
        let plugin = if self.draw.below(3) == 0 { BETA } else { ALPHA };
        if !self.world.out.contains_key(&plugin) {
            return self.quote();
        }
        let intents = (0..self.draw.below(4)).map(|_| self.intent()).collect();
        self.world.reply(plugin, intents)
    }

    fn intent(&mut self) -> IntentRecord {
        self.reference += 1;
        let (reference, units) = (self.reference, (60 + self.draw.int(400)) * 100);
        let price = 9_950 + self.draw.int(11) * 10;
        match self.draw.below(10) {
            // Of late, so that some of them still work.
            8..=9 => amend(reference.saturating_sub(self.draw.below(10)).max(1), units, price),
            // Every third with exits so near that each of them is met now and then.
            0..=2 if reference % 3 == 0 => {
                bracketed(buy(reference, units, price), price - 20, price + 20)
            }
            0..=2 => buy(reference, units, price),
            3 if reference % 3 == 0 => {
                bracketed(sell(reference, units, price), price + 20, price - 20)
            }
            3..=4 => sell(reference, units, price),
            5 => cancel(1 + self.draw.below(self.reference)),
            6 => IntentRecord {
                reference,
                kind: intent_kind::SET_TIMER,
                time: self.world.now.wall.0 + self.draw.int(3_000_000_000),
                ..IntentRecord::default()
            },
            // Anything at all: an allegation of 64 bytes.
            _ => IntentRecord {
                reference: self.draw.below(u64::MAX),
                instrument: u32::try_from(self.draw.below(3)).unwrap(),
                kind: u8::try_from(self.draw.below(6)).unwrap(),
                side: u8::try_from(self.draw.below(4)).unwrap(),
                ord_type: u8::try_from(self.draw.below(4)).unwrap(),
                time_in_force: u8::try_from(self.draw.below(5)).unwrap(),
                price: self.draw.int(20_000) - 100,
                qty: self.draw.int(100_000) - 100,
                ..IntentRecord::default()
            },
        }
    }

    /// Something happens at the venue; whether it is told now or later is another matter.
    fn venue_acts(&mut self) -> Out {
        let open: Vec<ClOrdId> = self.venue.open.keys().copied().collect();
        let Some(id) = open.get(usize::try_from(self.draw.below(8)).unwrap()) else {
            return self.quote();
        };
        let part = (1 + self.draw.int(200)) * 100;
        let told = Input::Report(self.venue.fill(*id, part, self.world.now.wall));
        self.late.push(told.clone());
        // A report may come at once and then once more.
        if self.draw.below(2) == 0 { self.world.feed(told) } else { self.tell() }
    }

    /// Tells the oldest thing that has not been told.
    fn tell(&mut self) -> Out {
        if self.late.is_empty() {
            return self.world.feed(Input::Tick);
        }
        let input = self.late.remove(0);
        self.world.feed(input)
    }

    fn rare(&mut self) -> Out {
        match self.draw.below(6) {
            0 => self.world.market(StreamId::BOOK, MarketEvent::Gap { expected: 1, found: 3 }),
            1 | 2 => self.world.snapshot(),
            3 if self.phase != Phase::Shadow => {
                self.up = !self.up;
                self.world.feed(Input::VenueLink { up: self.up, cause: "cable".to_owned() })
            }
            _ => self.quote(),
        }
    }

    /// Carries out what the core asked for, as a venue with a bad line would.
    pub(crate) fn follow(&mut self, out: Out) {
        let mut next = Vec::new();
        for effect in out.effects {
            match effect {
                Effect::Submit(submit) => {
                    let id = submit.order.cl_ord_id();
                    next.push(self.arrive(id, submit.order.item().clone()));
                }
                Effect::ShadowSubmit(shadow) => {
                    let id = shadow.cl_ord_id();
                    next.push(self.arrive(id, shadow.item().clone()));
                }
                Effect::Amend(amend) => next.push(self.change(*amend.order.item())),
                Effect::ShadowAmend(shadow) => next.push(self.change(*shadow.item())),
                Effect::Cancel(request) => self.taken_back(request.cl_ord_id),
                Effect::ShadowCancel(id) => self.taken_back(id),
                Effect::CancelAll => {
                    for id in self.venue.open.keys().copied().collect::<Vec<_>>() {
                        self.taken_back(id);
                    }
                }
                Effect::ReadAccount if self.up => {
                    next.push(self.venue.snapshot(self.world.now));
                }
                _ => {}
            }
        }
        for input in next {
            let out = self.world.feed(input);
            self.follow(out);
        }
    }

    fn arrive(&mut self, id: ClOrdId, intent: OrderIntent) -> Input {
        if self.phase != Phase::Shadow {
            match self.draw.below(12) {
                0 => return Input::NotSent { cl_ord_id: id, code: DenyCode::ReleaseRevoked },
                1 => return Input::Lost { cl_ord_id: id },
                _ if !self.up => return Input::Lost { cl_ord_id: id },
                _ => {}
            }
        }
        *self.venue.arrived.entry(id).or_insert(0) += 1;
        let leaves = intent.qty.units();
        self.venue.open.insert(id, (intent, leaves));
        self.late.push(Input::Report(report(id, ExecType::New, self.world.now.wall)));
        // The answer of the wire itself may be lost although the order has arrived.
        let lost = self.phase != Phase::Shadow && self.draw.below(10) == 0;
        if lost { Input::Lost { cl_ord_id: id } } else { Input::Sent { cl_ord_id: id } }
    }

    /// A change goes out, and may be dropped, lost or told of late.
    fn change(&mut self, change: Amendment) -> Input {
        let id = change.cl_ord_id;
        let lossy = self.phase != Phase::Shadow;
        let fate = if lossy { self.draw.below(12) } else { 11 };
        match fate {
            0 => return Input::AmendNotSent { cl_ord_id: id, code: DenyCode::ReleaseRevoked },
            1 => return Input::Lost { cl_ord_id: id },
            _ if lossy && !self.up => return Input::Lost { cl_ord_id: id },
            _ => {}
        }
        let told = self.venue.amend(change);
        self.late.push(Input::Report(report(id, told, self.world.now.wall)));
        // The answer of the wire itself may be lost although the change has arrived.
        if fate == 2 { Input::Lost { cl_ord_id: id } } else { Input::AmendSent { cl_ord_id: id } }
    }

    fn taken_back(&mut self, id: ClOrdId) {
        if self.venue.open.remove(&id).is_some() {
            self.late.push(Input::Report(report(id, ExecType::Canceled, self.world.now.wall)));
        }
    }

    /// What holds after every event, whatever the seed.
    fn check(&self) {
        assert!(!self.world.core.is_killed(), "{:?}", self.world.core.view());
        assert!(self.venue.arrived.values().all(|times| *times == 1), "an order arrived twice");
        let account = self.world.core.account();
        let held = account.holding("BTC-USDT").position.0;
        let leaves = |side| {
            let open = account.orders.open().filter(|order| order.intent.side == side);
            open.map(|order| order.leaves_qty().units()).sum::<i64>()
        };
        assert!(held + leaves(Side::Buy) <= 200_000, "more than may be held");
        assert!(leaves(Side::Sell) - held <= 200_000, "shorter than may be");
        if let Some(balances) = account.balances() {
            assert!(balances["USDT"] >= Money::ZERO, "spent more than there was");
        }
    }

    /// Tells everything that is late.
    pub(crate) fn catch_up(&mut self) {
        while !self.late.is_empty() {
            let out = self.tell();
            self.follow(out);
        }
    }

    /// Tells everything that is late, and closes the session in order.
    pub(crate) fn finish(&mut self) {
        if !self.up && self.phase != Phase::Shadow {
            self.up = true;
            let out = self.world.feed(Input::VenueLink { up: true, cause: "cable".to_owned() });
            self.follow(out);
        }
        let out = self.world.close();
        self.follow(out);
        for _ in 0..40 {
            self.catch_up();
            self.world.pass(SECOND_NS);
            let out = self.world.feed(Input::Tick);
            self.follow(out);
        }
        assert_eq!(self.world.core.open_session(), None, "{:?}", self.world.core.view());
        assert!(!self.world.core.is_killed());
    }

    /// What the venue holds, for comparison with the house.
    pub(crate) fn balances(&self) -> &BTreeMap<String, Money> {
        &self.venue.balances
    }
}
