//! A24: tightening any limit never turns a no into a yes, and nothing but a tightening is one.

use std::collections::BTreeSet;

use portcullis_domain::policy::{Direction, LimitTable, Limits, Unit};
use portcullis_domain::{Money, Origin, Phase, PluginId, Position, Side};
use portcullis_gate::{Quote, Usage, Working};

use crate::fixture::{BOOT, Case, word};
use crate::people::{px, qty};

/// A small generator with a seed: the same numbers in every run.
struct Draw(u64);

type Get = dyn Fn(&mut Limits) -> i128;
type Put = dyn Fn(&mut Limits, i128);

/// One key of one table.
struct Key {
    name: String,
    unit: Unit,
    stricter: Direction,
    get: Box<Get>,
    put: Box<Put>,
}

fn table<T: LimitTable>(table: &str, of: fn(&mut Limits) -> &mut T) -> Vec<Key> {
    let key = |row: &'static portcullis_domain::policy::LimitRow<T>| Key {
        name: format!("{table}.{}", row.name),
        unit: row.unit,
        stricter: row.stricter,
        get: Box::new(move |limits| (row.get)(of(limits))),
        put: Box::new(move |limits, number| (row.put)(of(limits), number).unwrap()),
    };
    T::ROWS.iter().map(key).collect()
}

/// Every key that there is.
fn keys() -> Vec<Key> {
    let mut keys = table("rules", |l| &mut l.rules);
    keys.extend(table("account", |l| &mut l.account.activity));
    keys.extend(table("account", |l| &mut l.account.standing));
    keys.extend(table("venue", |l| &mut l.venue.activity));
    keys.extend(table("venue", |l| &mut l.venue.standing));
    keys.extend(table("host", |l| &mut l.host.activity));
    keys.extend(table("host", |l| &mut l.host.standing));
    keys.extend(table("strategies", |l| l.strategies.values_mut().next().unwrap()));
    keys.extend(table("instruments", |l| l.instruments.values_mut().next().unwrap()));
    keys
}

impl Draw {
    fn below(&mut self, bound: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % bound).unwrap()
    }

    fn count(&mut self, bound: u64) -> u32 {
        u32::try_from(self.below(bound)).unwrap()
    }

    /// Once in `bound` times.
    fn once_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn money(&mut self, bound: u64) -> Money {
        Money(i128::from(self.below(bound * 100)) * 10_i128.pow(16))
    }

    /// A figure, known but for once in two hundred times.
    fn figure(&mut self, bound: u64) -> Option<Money> {
        let money = self.money(bound);
        (!self.once_in(200)).then_some(money)
    }

    fn profit(&mut self) -> Option<Money> {
        Some(Money(self.figure(60)?.0 - Money::parse("30").unwrap().0))
    }

    /// A number near to what the cases below use of it.
    fn number(&mut self, key: &Key) -> i128 {
        let number = match key.unit {
            Unit::Count => 1 + self.below(12),
            Unit::Milliseconds => 1 + self.below(2_500),
            Unit::BasisPoints => 1 + self.below(200),
            Unit::Percent if key.name.ends_with("cancel_share_percent") => 20 + self.below(80),
            Unit::Percent => 1 + self.below(100),
            Unit::Hundredths => 1 + self.below(400),
            Unit::Qty => 1 + self.below(40_000),
            Unit::Px if key.stricter == Direction::LargerIsStricter => 9_800 + self.below(200),
            Unit::Px => 10_000 + self.below(200),
            Unit::QuoteMoney | Unit::Money => return self.money(40).0 + 1,
        };
        i128::from(number)
    }

    fn usage(&mut self) -> Usage {
        Usage {
            gross: self.figure(30),
            positions: self.count(6),
            open_orders: self.count(8),
            proposals: self.count(6),
            orders: self.count(10),
            messages: self.count(8),
            profit: self.profit(),
            drawdown: self.figure(30),
            adverse: self.figure(30),
            fees: self.figure(30),
            executions: self.count(8),
        }
    }

    fn ago(&mut self, bound_ms: u64) -> portcullis_domain::BootNs {
        BOOT.plus_ns(-self.below(bound_ms) * 1_000_000)
    }

    fn intent(&mut self, case: &mut Case) {
        let origins = [Origin::Plugin(PluginId(0)), Origin::Person, Origin::House];
        case.intent.origin = origins[usize::try_from(self.below(6)).unwrap().saturating_sub(3)];
        case.intent.side = if self.once_in(2) { Side::Buy } else { Side::Sell };
        case.intent.qty = qty(5_000 + self.below(2_000) * 10);
        case.intent.price = Some(px(9_950 + self.below(10) * 10));
        case.intent.reduce_only = self.once_in(8);
        if self.once_in(3) {
            case.at_market();
        }
    }

    /// An order and a world, both anything but calm.
    fn case(&mut self, phase: Phase) -> Case {
        let mut case = Case::new(phase);
        self.intent(&mut case);
        let at = &mut case.at;
        at.flatten = self.once_in(4);
        at.killed = self.once_in(40);
        at.reduce_only = self.once_in(20);
        at.reconciled = !self.once_in(20);
        at.reducible = Some(qty(self.below(20_000)));
        at.size_percent = [50, 75, 100, 100][usize::try_from(self.below(4)).unwrap()];
        at.clock_offset_ns = Some(self.below(2_000) * 1_000_000 - 1_000_000_000);
        at.same_approved = self.once_in(3).then(|| self.ago(3_000));
        at.reduced = self.once_in(3).then(|| self.ago(3_000));
        at.position = (!self.once_in(40)).then(|| Position(self.below(60_000) - 30_000));
        at.working = Some(Working {
            buy_qty: qty(self.below(3_000)),
            sell_qty: qty(self.below(3_000)),
            reserved_quote: self.money(100),
            any_unknown: self.once_in(30),
        });
        let (bid, received) = (9_950 + self.below(60), self.ago(2_010));
        let quote = Quote { bid: px(bid), ask: px(bid + self.below(60) + 1), received };
        at.quote = (!self.once_in(30)).then_some(quote);
        let window = at.window.as_mut().unwrap();
        window.low_twice -= self.below(200);
        window.high_twice += self.below(200);
        at.balance.as_mut().unwrap().read = self.ago(2_100);
        at.exposure = self.figure(30);
        (at.whole, at.strategy) = (self.usage(), Some(self.usage()));
        at.across.notional = self.figure(30);
        (at.across.profit_day, at.across.profit_week) = (self.profit(), self.profit());
        at.across.equity = self.figure(1_000);
        case
    }
}

/// Whether something may come of it, at once or after a person's word.
fn is_yes(answer: &str) -> bool {
    matches!(answer, "APPROVE" | "WOULD_BE" | "PROPOSE")
}

/// What a whole run reached.
#[derive(Default)]
struct Reached {
    answers: BTreeSet<&'static str>,
    tightened: BTreeSet<String>,
    yes: u32,
    turned: u32,
    refused: u32,
}

/// One gate under random limits, tightened again and again, and asked the same questions before
/// and after.
fn check(draw: &mut Draw, phase: Phase, keys: &[Key], reached: &mut Reached) {
    let cases: Vec<Case> = (0..24).map(|_| draw.case(phase)).collect();
    let mut house = Case::new(phase).house;
    for key in keys {
        if draw.once_in(40) {
            (key.put)(&mut house.approval.limits, draw.number(key));
        }
    }
    let mut gate = house.open().unwrap();
    let mut before: Vec<_> = cases.iter().map(|case| word(&case.ask(&gate))).collect();
    for _ in 0..40 {
        let mut limits = gate.limits().clone();
        let key = &keys[usize::try_from(draw.below(keys.len().try_into().unwrap())).unwrap()];
        let (old, new) = ((key.get)(&mut limits), draw.number(key));
        (key.put)(&mut limits, new);
        let stricter = key.stricter.is_at_least_as_strict(new, old);
        assert_eq!(limits.check_tightens(gate.limits()).is_ok(), stricter, "{}", key.name);
        let (held, refused) = (gate.limits().clone(), gate.tighten(limits.clone()).is_err());
        assert_eq!(refused, !stricter, "{}", key.name);
        assert_eq!(gate.limits(), if refused { &held } else { &limits });
        reached.refused += u32::from(refused);
        if !refused && new != old {
            reached.tightened.insert(key.name.clone());
        }
        let after: Vec<_> = cases.iter().map(|case| word(&case.ask(&gate))).collect();
        for ((before, after), case) in before.iter().zip(&after).zip(&cases) {
            let (was, is) = (is_yes(before), is_yes(after));
            assert!(was || !is, "{} from {old} to {new}: {before}, {after}: {case:?}", key.name);
            reached.turned += u32::from(was && !is);
            reached.answers.insert(after);
        }
        reached.yes += after.iter().map(|after| u32::from(is_yes(after))).sum::<u32>();
        before = after;
    }
}

#[test]
fn a24_tightening_any_limit_never_turns_a_no_into_a_yes() {
    let (mut draw, keys, mut reached) = (Draw(0x5eed_0001), keys(), Reached::default());
    for _ in 0..8 {
        for phase in [Phase::Shadow, Phase::Paper, Phase::ManualLive] {
            check(&mut draw, phase, &keys, &mut reached);
        }
    }
    // Every key was tightened, most codes were heard, and tightening had an effect.
    let names: BTreeSet<String> = keys.into_iter().map(|key| key.name).collect();
    assert_eq!(reached.tightened, names);
    assert!(reached.answers.len() > 30, "{:?}", reached.answers);
    assert!(
        reached.turned > 100 && reached.refused > 100,
        "{} {}",
        reached.turned,
        reached.refused
    );
}

/// A mixed edit is no tightening, however much of it is stricter: nothing of it holds.
#[test]
fn a24_a_mixed_edit_changes_nothing() {
    let case = Case::new(Phase::Paper);
    let mut gate = case.house.open().unwrap();
    let held = gate.limits().clone();
    let mut mixed = held.clone();
    mixed.account.activity.open_orders_max = 1;
    // A shorter rest admits more.
    mixed.host.activity.repeat_window_ms = 0;
    let refused = gate.tighten(mixed).unwrap_err();
    assert_eq!((refused.table.as_str(), refused.key), ("host", "repeat_window_ms"));
    assert_eq!(gate.limits(), &held);
}

/// An order at the market reserves up to the collar that people signed. A narrower one does not
/// make it cheaper, or a no would turn into a yes.
#[test]
fn a24_a_narrower_collar_makes_no_market_order_cheaper() {
    let mut case = Case::new(Phase::Paper);
    case.at_market();
    case.limits().order_notional_max = Money::parse("10.11").unwrap();
    let mut gate = case.house.open().unwrap();
    assert_eq!(word(&case.ask(&gate)), "MAX_ORDER_NOTIONAL");
    let mut limits = gate.limits().clone();
    for held in limits.instruments.values_mut() {
        held.price_collar_bps = 20;
    }
    gate.tighten(limits).unwrap();
    assert_eq!(word(&case.ask(&gate)), "MAX_ORDER_NOTIONAL");
    let reserve = gate.reserve(&case.intent, case.at.quote).unwrap();
    assert_eq!(reserve.px, px(10_111));
}
