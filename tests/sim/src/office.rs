//! What people do by hand while the house trades, and after it was stopped: orders, stops and their
//! end, plans to leave by, and words about what account and house disagree on.

use portcullis_core::{EpochCause, FindingState, Input, PersonCommand, PersonOrder, PersonRequest};
use portcullis_domain::{
    ClOrdId, OrdType, OrderIntent, Origin, Px, Qty, Side, Stop, StopMode, StopScope, TimeInForce,
};
use portcullis_statement::Target;

use crate::approvals::bounds;
use crate::bug::Bug;
use crate::line::{Request, Sky};
use crate::people::name;
use crate::world::World;

const SCOPES: [&str; 6] =
    ["all", "venue", "account", "strategy:alpha", "strategy:beta", "instrument:BTC-USDT"];
/// Who asks by hand: an operator, somebody of risk, and one who may not.
const ASKERS: [&str; 4] = ["olga", "olga", "rita", "anna"];
/// Ids of what the planted bug sends begin here, far beyond those that the house gives.
const PAST_GATE_FIRST: u32 = 1_000_000;

impl World {
    /// One thing that people do while nothing else is to be done first.
    pub(crate) fn office(&mut self) {
        match self.draw.below(36) {
            0..=1 => self.close(),
            2..=9 => self.by_hand(),
            10 => self.stop_some(),
            11..=20 => self.lift_stop(),
            21..=23 => self.plan(),
            24..=26 => self.word_on_finding(),
            _ => {}
        }
    }

    /// What people do while the kill stands.
    pub(crate) fn after_kill(&mut self) {
        match self.draw.below(6) {
            0 => self.by_hand(),
            1..=2 => self.plan(),
            _ => self.lift_kill(),
        }
    }

    /// A person's order, change, cancel or exit.
    fn by_hand(&mut self) {
        let command = match self.draw.below(8) {
            0..=2 => PersonCommand::Submit(self.order_by_hand()),
            3 => match self.some_order() {
                Some(cl_ord_id) => self.amend_by_hand(cl_ord_id),
                None => PersonCommand::CancelAll,
            },
            4 => match self.some_order() {
                Some(cl_ord_id) => PersonCommand::Cancel { cl_ord_id },
                None => PersonCommand::CancelAll,
            },
            5 if self.draw.happens(200) => PersonCommand::CancelAll,
            _ => {
                let part = self.draw.happens(300).then(|| self.qty_text());
                let price = self.draw.happens(500).then(|| self.price_text());
                let symbol = bounds().instrument.symbol;
                PersonCommand::Close { symbol, qty: part, price }
            }
        };
        let who = name(ASKERS[self.draw.index(ASKERS.len())]);
        let request = self.next_request();
        if let Some(house) = &self.house {
            let asked = PersonRequest { request, who, command };
            house.hands.control(Input::Person(Box::new(asked)));
        }
    }

    fn order_by_hand(&mut self) -> PersonOrder {
        let order = PersonOrder {
            symbol: bounds().instrument.symbol,
            side: if self.draw.happens(500) { Side::Buy } else { Side::Sell },
            qty: self.qty_text(),
            price: self.draw.happens(900).then(|| self.price_text()),
            time_in_force: if self.draw.happens(500) { TimeInForce::Ioc } else { TimeInForce::Gtc },
            reduce_only: self.draw.happens(200),
        };
        if self.bug == Some(Bug::HandPastGate) {
            self.send_past_gate(&order);
        }
        order
    }

    fn amend_by_hand(&mut self, cl_ord_id: ClOrdId) -> PersonCommand {
        let qty = self.draw.happens(600).then(|| self.qty_text());
        let price = self.draw.happens(600).then(|| self.price_text());
        PersonCommand::Amend { cl_ord_id, qty, price }
    }

    fn qty_text(&mut self) -> String {
        let qty = Qty::new(self.draw.between(1, 110) * 1_000).expect("above zero");
        qty.text(bounds().instrument.qty_scale)
    }

    fn price_text(&mut self) -> String {
        let px = Px::new(self.venue.middle() + self.draw.between(-3, 3) * 10).expect("above zero");
        px.text(bounds().instrument.price_scale)
    }

    /// An order of late, or one that nobody ever issued.
    fn some_order(&mut self) -> Option<ClOrdId> {
        let house = self.house.as_ref()?;
        let orders = &house.core.account().orders;
        let mut ids: Vec<ClOrdId> = orders.open().map(|order| order.cl_ord_id).collect();
        ids.extend(orders.iter().last().map(|order| order.cl_ord_id));
        if self.draw.happens(50) {
            return Some(ClOrdId { epoch: 7, sequence: 7 });
        }
        (!ids.is_empty()).then(|| ids[self.draw.index(ids.len())])
    }

    /// Planted: what a person asks for is on the wire before anybody has said yes to it.
    fn send_past_gate(&mut self, order: &PersonOrder) {
        let instrument = bounds().instrument;
        self.requests += 1;
        let sequence = PAST_GATE_FIRST + u32::try_from(self.requests).expect("few requests");
        let price = order.price.as_ref().and_then(|text| Px::parse(text, 2).ok());
        let intent = OrderIntent {
            origin: Origin::Person,
            reference: 1,
            instrument: instrument.id,
            side: order.side,
            ord_type: if price.is_some() { OrdType::Limit } else { OrdType::Market },
            time_in_force: order.time_in_force,
            qty: Qty::parse(&order.qty, instrument.qty_scale).expect("as it was written"),
            price,
            reduce_only: order.reduce_only,
            bracket: None,
        };
        let id = ClOrdId { epoch: 0xbad, sequence };
        let moment = self.moment();
        self.wire.left(id, &intent, &moment);
        let Self { draw, weather, line, now, .. } = self;
        let request = Request::Submit(id, intent, now.wall);
        line.send(request, &mut Sky { draw, weather, now: now.boot });
    }

    /// A stop of any mode over any scope; over everything it is the kill.
    fn stop_some(&mut self) {
        let mode = StopMode::ALL[self.draw.index(StopMode::ALL.len())];
        let scope = StopScope::parse(SCOPES[self.draw.index(SCOPES.len())]).expect("a scope");
        let request = Some(self.next_request());
        let forgets = self.bug == Some(Bug::ForgetsStop);
        if let Some(house) = &mut self.house {
            let stop = Stop { mode, scope };
            if forgets && !stop.is_kill() {
                house.hands.stops.raise(u64::MAX - self.requests, stop);
                return;
            }
            house.hands.raise(EpochCause::stop(stop, ("rita", "DRILL"), request));
        }
    }

    /// Two people lift one of the stops that stand, the kill aside.
    pub(crate) fn lift_stop(&mut self) {
        let Some(house) = &self.house else { return };
        let standing: Vec<_> = house.core.stops().map(|(seq, _, entry)| (seq, entry)).collect();
        if standing.is_empty() {
            return;
        }
        let (seq, entry) = standing[self.draw.index(standing.len())];
        let signed = self.people.lift(Target::stop(seq, entry));
        self.hand_in(signed);
    }

    /// Two people lift the kill that is on record.
    fn lift_kill(&mut self) {
        let Some(house) = &self.house else { return };
        let Some(entry) = house.core.kill_entry() else { return };
        let signed = self.people.lift(Target::kill(house.core.kill_seq(), entry));
        self.hand_in(signed);
    }

    /// Two people sign the way out of the position, after the kill or after one of the stops.
    fn plan(&mut self) {
        let Some(house) = &self.house else { return };
        let core = &house.core;
        let kill = core.kill_entry().map(|entry| Target::kill(core.kill_seq(), entry));
        let stops = core.stops().filter(|(_, stop, _)| stop.mode == StopMode::CancelAll);
        let targets: Vec<Target> =
            kill.into_iter().chain(stops.map(|(seq, _, entry)| Target::stop(seq, entry))).collect();
        if targets.is_empty() {
            return;
        }
        let target = targets[self.draw.index(targets.len())];
        let pause_ms = u32::try_from(self.draw.between(1, 4) * 250).expect("a short pause");
        let qty = self.qty_text();
        let signed = self.people.plan(target, qty, pause_ms);
        self.hand_in(signed);
    }

    /// One person explains a finding, or one confirms what was explained; now and then the same.
    pub(crate) fn word_on_finding(&mut self) {
        let Some(house) = &self.house else { return };
        let waiting = house.core.findings().iter().filter(|finding| !finding.state.is_settled());
        let waiting: Vec<(u64, bool)> = waiting
            .map(|f| (f.number, matches!(f.state, FindingState::Explained { .. })))
            .collect();
        if waiting.is_empty() {
            return;
        }
        let (finding, explained) = waiting[self.draw.index(waiting.len())];
        let who = name(if self.draw.happens(300) { "rita" } else { "olga" });
        let (request, reason) = (self.next_request(), "a deposit".to_owned());
        let input = if explained && self.draw.happens(800) {
            Input::ConfirmFinding { request, finding, who }
        } else {
            Input::ExplainFinding { request, finding, who, reason }
        };
        if let Some(house) = &self.house {
            house.hands.control(input);
        }
    }

    fn hand_in(&mut self, signed: portcullis_statement::SignedStatement) {
        let request = self.next_request();
        if let Some(house) = &self.house {
            house.hands.control(Input::Statement { request, signed });
        }
    }
}
