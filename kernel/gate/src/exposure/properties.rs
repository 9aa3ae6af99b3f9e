//! In every seeded world the book says what a recount of everything says.

use portcullis_domain::order::{OrderEvent, Resting};
use portcullis_domain::{
    BootNs, InstrumentId, Money, Order, Origin, PluginId, Position, Qty, Side,
};

use super::naive::{Expect, Naive};
use super::testing::{Seeded, instruments, limit, market, px, qty};
use super::{Cell, Claim, ExposureBook, Holding, Owner, Totals, Traded};

const OWNERS: [Owner; 3] =
    [Owner::Whole, Owner::Strategy(PluginId(0)), Owner::Strategy(PluginId(1))];
const ORIGINS: [Origin; 4] =
    [Origin::Plugin(PluginId(0)), Origin::Plugin(PluginId(1)), Origin::Person, Origin::House];
const IDS: [InstrumentId; 4] = [InstrumentId(0), InstrumentId(1), InstrumentId(2), InstrumentId(3)];
const ENDS: [OrderEvent; 8] = [
    OrderEvent::New,
    OrderEvent::Canceled,
    OrderEvent::Rejected,
    OrderEvent::Expired,
    OrderEvent::CancelRequested,
    OrderEvent::CancelRejected { rests: Resting::New },
    OrderEvent::NotSent,
    OrderEvent::Lost,
];

/// A random session, told to the book and to the recount.
struct World {
    random: Seeded,
    book: ExposureBook,
    naive: Naive,
    /// How many fills came after the end of their order.
    late: u32,
}

fn empty_book() -> ExposureBook {
    let (instruments, conversions) = instruments();
    ExposureBook::new(&instruments, 2, &conversions)
}

impl World {
    fn new(seed: u64) -> Self {
        let (random, naive) = (Seeded(seed), Naive::default());
        Self { random, book: empty_book(), naive, late: 0 }
    }

    fn step(&mut self) {
        match self.random.between(1, 12) {
            1..=3 => self.approve(),
            4..=6 => self.fill(),
            7 | 8 => self.advance(),
            9 => self.amend(),
            10 if self.random.one_in(4) => self.seed(),
            _ => self.mark(),
        }
    }

    fn approve(&mut self) {
        let sequence = u32::try_from(self.naive.orders.len()).unwrap();
        let (origin, side) = (self.random.pick(&ORIGINS), self.random.side());
        let (units, price) = (self.random.between(1, 50), self.random.between(95, 105));
        let make = if self.random.one_in(5) { market } else { limit };
        let mut order = make(sequence, origin, side, units, price);
        order.intent.instrument = self.random.pick(&IDS);
        let instrument = order.intent.instrument;
        let claim = Claim::of(&order, &instruments().0[index(instrument)]).unwrap();
        let fresh = Claim::new(side, order.intent.qty, claim.value);
        assert_eq!(claim, fresh);
        let owners = OWNERS.into_iter().filter(|owner| match owner {
            Owner::Whole => true,
            Owner::Strategy(plugin) => origin == Origin::Plugin(*plugin),
        });
        let foreseen: Vec<_> = owners
            .map(|owner| (owner, self.book.exposure_with(owner, instrument, &claim)))
            .collect();
        self.book.order_changed(None, &order).unwrap();
        self.naive.orders.push(order);
        for (owner, worst) in foreseen {
            let cell = self.book.cell(owner, instrument).unwrap();
            let gross = self.book.totals(owner).unwrap().gross;
            assert_eq!(worst.map(|it| (it.instrument, it.gross)), cell.exposure.zip(gross));
        }
    }

    /// A fill of any order that can still be filled, ended ones included.
    fn fill(&mut self) {
        let Some(at) = self.any_order() else { return };
        let before = self.naive.orders[at].clone();
        let left = before.intent.qty.units().saturating_sub(before.cum_qty.units());
        let units = self.random.between(left.min(1), left);
        let event = OrderEvent::Trade { complete: units == left };
        let Ok(status) = before.status.after(event) else { return };
        if units == 0 {
            return;
        }
        self.late = self.late.saturating_add(u32::from(!before.status.is_open()));
        let traded = Traded {
            origin: before.intent.origin,
            instrument: before.intent.instrument,
            side: before.intent.side,
            px: px(self.random.between(90, 110)),
            qty: qty(units),
            fee: Money(i128::from(self.random.between(-1_000, 1_000_000))),
        };
        let mut after = before.clone();
        (after.status, after.cum_qty) = (status, after.cum_qty.plus(qty(units)).unwrap());
        if self.random.one_in(2) {
            self.book.filled(&traded).unwrap();
            self.change(at, after);
        } else {
            self.change(at, after);
            self.book.filled(&traded).unwrap();
        }
        self.naive.trades.push(traded);
    }

    fn advance(&mut self) {
        let Some(at) = self.any_order() else { return };
        let mut after = self.naive.orders[at].clone();
        if let Ok(status) = after.status.after(self.random.pick(&ENDS)) {
            after.status = status;
            self.change(at, after);
        }
    }

    /// Another quantity and price; for market orders another reserve.
    fn amend(&mut self) {
        let Some(at) = self.any_order() else { return };
        let mut after = self.naive.orders[at].clone();
        let more = qty(self.random.between(1, 60));
        after.intent.qty = after.cum_qty.plus(more).unwrap();
        after.reserve_px = px(self.random.between(95, 105));
        after.intent.price = after.intent.price.map(|_| after.reserve_px);
        self.change(at, after);
    }

    fn mark(&mut self) {
        let (id, price) = (self.random.pick(&IDS), px(self.random.between(80, 120)));
        self.book.marked(id, price, BootNs(price.units())).unwrap();
        self.naive.marks.insert(id, price);
    }

    fn seed(&mut self) {
        let (id, held) = (self.random.pick(&IDS), self.random.between(-40, 40));
        let holding = Holding {
            position: Position(held),
            cost: Money(i128::from(held).saturating_mul(990_000_000_000_007)),
            realised: Money(i128::from(self.random.between(-1_000_000, 1_000_000))),
            fees: Money(i128::from(self.random.between(0, 1_000_000))),
        };
        self.book.seed(id, holding).unwrap();
        self.naive.seeds.insert(id, (self.naive.trades.len(), holding));
    }

    fn change(&mut self, at: usize, after: Order) {
        let before = std::mem::replace(&mut self.naive.orders[at], after);
        self.book.order_changed(Some(&before), &self.naive.orders[at]).unwrap();
    }

    fn any_order(&mut self) -> Option<usize> {
        let last = self.naive.orders.len().checked_sub(1)?;
        let at = self.random.between(0, i64::try_from(last).unwrap());
        Some(usize::try_from(at).unwrap())
    }

    fn check(&mut self) {
        for owner in OWNERS {
            let expected = IDS.map(|id| self.naive.expect(owner, id));
            for (id, expect) in IDS.into_iter().zip(&expected) {
                check_cell(self.book.cell(owner, id).unwrap(), expect);
            }
            check_totals(self.book.totals(owner).unwrap(), &expected);
        }
        let (side, price) = (self.random.side(), px(self.random.between(95, 105)));
        let price = (!self.random.one_in(4)).then_some(price);
        for (id, instrument) in IDS.into_iter().zip(instruments().0) {
            let seen = self.book.would_cross(id, side, price);
            assert_eq!(seen, self.naive.would_cross(id, side, price));
            let quote = self.book.reserved_quote(id).unwrap();
            assert_eq!(quote.0, self.naive.reserved(&instrument.quote));
            let base = self.book.reserved_base(id).unwrap();
            assert_eq!(base.0, self.naive.reserved(&instrument.base));
        }
        let held: Vec<_> = self.book.held().collect();
        let mark = |id| self.naive.marks.get(&id).map(|price| BootNs(price.units()));
        let expect: Vec<_> = self.naive.held().into_iter().map(|id| (id, mark(id))).collect();
        assert_eq!(held, expect);
    }

    /// A book that is told the end of the story only.
    fn retold(&self) -> ExposureBook {
        let mut book = empty_book();
        for order in &self.naive.orders {
            book.order_changed(None, order).unwrap();
        }
        for at in 0..=self.naive.trades.len() {
            for (id, (_, holding)) in self.naive.seeds.iter().filter(|(_, seed)| seed.0 == at) {
                book.seed(*id, *holding).unwrap();
            }
            if let Some(traded) = self.naive.trades.get(at) {
                book.filled(traded).unwrap();
            }
        }
        for (id, price) in &self.naive.marks {
            book.marked(*id, *price, BootNs(price.units())).unwrap();
        }
        book
    }
}

fn index(id: InstrumentId) -> usize {
    usize::try_from(id.0).unwrap()
}

fn check_cell(cell: &Cell, expect: &Expect) {
    let pair = |leaves: super::Leaves| (i128::from(leaves.qty.units()), leaves.value.0);
    let seen = Expect {
        position: cell.holding.position.0.into(),
        cash: cell.holding.realised.minus(cell.holding.cost).unwrap().0,
        paid: cell.holding.fees.0,
        buys: pair(cell.buys),
        sells: pair(cell.sells),
        open: cell.open_orders,
        unknown: cell.unknown_orders,
        exposure: cell.exposure.map(|it| it.0),
        pnl: cell.pnl.map(|it| it.0),
        fees: cell.fees.map(|it| it.0),
    };
    assert_eq!(seen, *expect);
}

fn check_totals(totals: Totals, cells: &[Expect]) {
    let sum = |part: fn(&Expect) -> Option<i128>| {
        cells.iter().map(part).try_fold(0_i128, |sum, one| sum.checked_add(one?)).map(Money)
    };
    let count = |holds: fn(&Expect) -> bool| {
        u32::try_from(cells.iter().filter(|cell| holds(cell)).count()).unwrap()
    };
    let expect = Totals {
        gross: sum(|cell| cell.exposure),
        pnl: sum(|cell| cell.pnl),
        fees: sum(|cell| cell.fees),
        open_orders: cells.iter().map(|cell| cell.open).fold(0, u32::saturating_add),
        unknown_orders: cells.iter().map(|cell| cell.unknown).fold(0, u32::saturating_add),
        instruments: count(|cell| cell.position != 0 || cell.open > 0),
        exposure_unknown: count(|cell| cell.exposure.is_none()),
        pnl_unknown: count(|cell| cell.pnl.is_none()),
    };
    assert_eq!(totals, expect);
}

/// After every step of every world the book is what a recount would be.
#[test]
fn the_book_is_what_a_recount_of_everything_says() {
    let (mut late, mut known) = (0_u32, 0_u32);
    for seed in 0..1_500 {
        let mut world = World::new(seed);
        for _ in 0..60 {
            world.step();
            world.check();
            let gross = world.book.totals(Owner::Whole).unwrap().gross;
            known = known.saturating_add(u32::from(gross.is_some_and(|it| it > Money::ZERO)));
        }
        assert_eq!(world.book, world.retold(), "seed {seed}");
        late = late.saturating_add(world.late);
    }
    assert!(late > 1_000, "only {late} late fills: the test would show little");
    assert!(known > 5_000, "only {known} known totals: the test would show little");
}

/// When every order has ended and every position is closed, nothing is left over.
#[test]
fn a_book_that_is_emptied_is_empty() {
    for seed in 0..300 {
        let mut world = World::new(seed);
        for _ in 0..40 {
            world.step();
        }
        for at in 0..world.naive.orders.len() {
            let mut after = world.naive.orders[at].clone();
            if let Ok(status) = after.status.after(OrderEvent::Canceled) {
                after.status = status;
                world.change(at, after);
            }
        }
        for id in IDS {
            world.book.seed(id, Holding::default()).unwrap();
            world.book.marked(id, px(100), BootNs(0)).unwrap();
        }
        let nothing = Totals {
            gross: Some(Money::ZERO),
            pnl: Some(Money::ZERO),
            fees: Some(Money::ZERO),
            ..Totals::default()
        };
        assert_eq!(world.book.totals(Owner::Whole), Some(nothing), "seed {seed}");
        assert_eq!(world.book.held().count(), 0);
        for id in IDS {
            assert_eq!(world.book.reserved_quote(id), Some(Money::ZERO));
            assert!(!world.book.would_cross(id, Side::Buy, None));
            let cell = world.book.cell(Owner::Whole, id).unwrap();
            assert_eq!((cell.buys.qty, cell.sells.qty), (Qty::ZERO, Qty::ZERO));
        }
    }
}
