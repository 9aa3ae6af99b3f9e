//! A large house: 10 strategies, 50 instruments and 1 000 open orders. The bench uses it too.

use portcullis_domain::policy::{Converter, Limits};
use portcullis_domain::{
    ClOrdId, Instrument, InstrumentId, Order, OrderIntent, Origin, Phase, PluginId, Role,
};
use portcullis_gate::exposure::{Claim, ExposureBook, Owner};
use portcullis_gate::{Approved, Circumstances, Gate, Usage, Verdict, Working};
use portcullis_statement::{Digest, EndpointKind, Kind};

use crate::fixture::{BOOT, Case, House};
use crate::people::{self, NOW, Paper, floors, instrument, money, px, qty};

pub(crate) const STRATEGIES: [&str; 10] =
    ["s-0", "s-1", "s-2", "s-3", "s-4", "s-5", "s-6", "s-7", "s-8", "s-9"];
pub(crate) const INSTRUMENTS: u32 = 50;

/// An open gate, and the book that it judges by.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) gate: Gate,
    pub(crate) book: ExposureBook,
    /// What does not depend on the order.
    pub(crate) at: Circumstances,
    /// What the orders have in common.
    intent: OrderIntent,
    /// Orders so far.
    issued: u32,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        Self::under(|_| {})
    }

    /// As people change the limits before they sign.
    pub(crate) fn under(change: impl FnOnce(&mut Limits)) -> Self {
        let mut case = Case::new(Phase::Paper);
        case.balance().quote = money("1000000");
        case.house.components.clear();
        let releases = STRATEGIES.map(|plugin| admit(&mut case.house, plugin));
        let bound = (case.house.approval.endpoint, EndpointKind::Simulated);
        let approval = &mut case.house.approval;
        *approval = people::approval(Phase::Paper, bound, &releases);
        approval.instruments = (0..INSTRUMENTS).map(one_of_many).collect();
        approval.sources = vec![approval.sources[0].clone(); approval.instruments.len()];
        let limits = &mut approval.limits;
        let held = limits.instruments[&InstrumentId(0)].clone();
        limits.instruments = (0..INSTRUMENTS).map(|id| (InstrumentId(id), held.clone())).collect();
        for scope in [&mut limits.account, &mut limits.venue, &mut limits.host] {
            scope.activity.open_orders_max = 2_000;
        }
        change(limits);
        let same = vec![Some(Converter::SAME); approval.instruments.len()];
        let book = ExposureBook::new(&approval.instruments, 10, &same);
        let gate = case.house.open().unwrap();
        let mut crowd = Self { gate, book, at: case.at, intent: case.intent, issued: 0 };
        for id in (0..INSTRUMENTS).map(InstrumentId) {
            crowd.book.marked(id, px(10_000), BOOT).unwrap();
        }
        for number in 0..1_000 {
            let Verdict::Approve(approved) = crowd.ask(crowd.wish(number)) else {
                panic!("order {number} is denied");
            };
            crowd.count(&approved);
        }
        crowd
    }

    /// Buys some of an instrument for a strategy, at one of several prices.
    pub(crate) fn wish(&self, number: u32) -> OrderIntent {
        OrderIntent {
            origin: Origin::Plugin(PluginId(u16::try_from(number % 10).unwrap())),
            reference: u64::from(number) + 1,
            instrument: InstrumentId(number / 10 % INSTRUMENTS),
            qty: qty(6_000),
            price: Some(px(9_920 + 10 * i64::from(number / 10 % 7))),
            ..self.intent.clone()
        }
    }

    /// Has an order judged by what the book says, as the core does.
    pub(crate) fn ask(&self, intent: OrderIntent) -> Verdict {
        let at = self.circumstances(&intent);
        self.gate.assess(intent, ClOrdId { epoch: 7, sequence: self.issued + 1 }, &at)
    }

    /// From here on an approved order counts in every limit.
    pub(crate) fn count(&mut self, approved: &Approved<OrderIntent>) -> Order {
        self.issued += 1;
        let order =
            Order::new(approved.cl_ord_id(), approved.item().clone(), approved.reserve_px());
        self.book.order_changed(None, &order).unwrap();
        order
    }

    /// What the core reads from the book for an order.
    pub(crate) fn circumstances(&self, intent: &OrderIntent) -> Circumstances {
        let (id, plugin) = (intent.instrument, intent.origin.plugin().unwrap());
        let cell = self.book.cell(Owner::Whole, id).unwrap();
        let notional = self.gate.reserve(intent, self.at.quote).unwrap().notional;
        let claim = Claim::new(intent.side, intent.qty, notional);
        let used = |owner| {
            let (worst, totals) =
                (self.book.exposure_with(owner, id, &claim), self.book.totals(owner).unwrap());
            let usage = Usage {
                gross: worst.map(|worst| worst.gross),
                positions: totals.instruments,
                open_orders: totals.open_orders,
                profit: totals.pnl,
                ..self.at.whole
            };
            (worst, usage)
        };
        let (worst, whole) = used(Owner::Whole);
        let (_, strategy) = used(Owner::Strategy(plugin));
        Circumstances {
            component: Some(self.gate.approval().plugins[usize::from(plugin.0)].component),
            position: Some(cell.holding.position),
            working: Some(Working {
                buy_qty: cell.buys.qty,
                sell_qty: cell.sells.qty,
                reserved_quote: self.book.reserved_quote(id).unwrap(),
                any_unknown: cell.unknown_orders > 0,
            }),
            crosses_own: self.book.would_cross(id, intent.side, intent.price),
            marks_fresh: self.book.held().all(|(_, mark)| mark.is_some()),
            exposure: worst.map(|worst| worst.instrument),
            whole,
            strategy: Some(strategy),
            ..self.at.clone()
        }
    }
}

/// Has a release of that plugin signed and verified.
fn admit(house: &mut House, plugin: &'static str) -> (&'static str, Digest) {
    let by = [("ada", Role::Author), ("gerd", Role::Governance)];
    let body = people::release("ada", plugin, Phase::Continuous).to_value();
    let nonce = 100 + u64::try_from(house.releases.len()).unwrap();
    let signed = Paper::new(Kind::PluginRelease, nonce, &by).sign(Some(house.genesis), &body);
    let verified = house.trust.verify(&signed, &floors(), NOW).unwrap();
    let release = verified.into_plugin_release().unwrap();
    let digest = release.digest();
    house.components.push(release.item().component);
    house.releases.insert(digest, release);
    (plugin, digest)
}

fn one_of_many(number: u32) -> Instrument {
    Instrument {
        id: InstrumentId(number),
        symbol: format!("C{number:02}-USDT"),
        venue_symbol: format!("C{number:02}USDT"),
        base: format!("C{number:02}"),
        ..instrument()
    }
}
