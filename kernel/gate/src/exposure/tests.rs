//! Who an order counts for, what is unknown, and what breaks a book.

use portcullis_domain::policy::Converter;
use portcullis_domain::{
    BootNs, Instrument, InstrumentId, InstrumentKind, Money, OrdStatus, Order, Origin, PluginId,
    Position, Px, Qty, Side,
};

use super::testing::{instrument, instruments, limit, market, px, qty};
use super::{Claim, ExposureBook, Holding, Owner, Traded, Worst};

const A: Origin = Origin::Plugin(PluginId(0));
const OF_A: Owner = Owner::Strategy(PluginId(0));
const OF_B: Owner = Owner::Strategy(PluginId(1));
const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const ODD: InstrumentId = InstrumentId(3);

fn book() -> ExposureBook {
    let (instruments, conversions) = instruments();
    ExposureBook::new(&instruments, 2, &conversions)
}

fn usd(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn traded(instrument: InstrumentId, side: Side, units: i64, price: i64) -> Traded {
    let fee = Money::ZERO;
    Traded { origin: A, instrument, side, px: px(price), qty: qty(units), fee }
}

fn ended(order: &Order, status: OrdStatus) -> Order {
    Order { status, ..order.clone() }
}

fn gross(book: &ExposureBook, owner: Owner) -> Option<Money> {
    book.totals(owner).unwrap().gross
}

#[test]
fn an_order_counts_from_its_approval_to_its_end() {
    let mut book = book();
    // 2 at 100: prices in cents, quantities in thousandths.
    let order = limit(1, A, Side::Buy, 2_000, 10_000);
    book.order_changed(None, &order).unwrap();
    for owner in [Owner::Whole, OF_A] {
        let cell = *book.cell(owner, BTC).unwrap();
        assert_eq!((cell.exposure, cell.open_orders), (Some(usd("200")), 1));
        assert_eq!((gross(&book, owner), cell.buys.qty), (Some(usd("200")), qty(2_000)));
    }
    assert_eq!(gross(&book, OF_B), Some(Money::ZERO));
    assert_eq!(book.reserved_quote(BTC), Some(usd("200.4")));
    book.order_changed(Some(&order), &ended(&order, OrdStatus::Unknown)).unwrap();
    assert_eq!(book.totals(Owner::Whole).unwrap().unknown_orders, 1);
    assert_eq!(gross(&book, Owner::Whole), Some(usd("200")));
    let unknown = ended(&order, OrdStatus::Unknown);
    book.order_changed(Some(&unknown), &ended(&order, OrdStatus::Canceled)).unwrap();
    assert_eq!(book, self::book());
}

#[test]
fn what_people_and_the_house_ask_for_counts_in_the_account_alone() {
    for origin in [Origin::Person, Origin::House] {
        let mut book = book();
        book.order_changed(None, &limit(1, origin, Side::Sell, 1_000, 10_000)).unwrap();
        book.filled(&Traded { origin, ..traded(BTC, Side::Sell, 1_000, 10_000) }).unwrap();
        let whole = book.cell(Owner::Whole, BTC).unwrap();
        assert_eq!((whole.holding.position, whole.open_orders), (Position(-1_000), 1));
        assert!(!book.cell(OF_A, BTC).unwrap().is_touched());
    }
}

#[test]
fn exposure_is_the_worse_side_and_one_side_hides_nothing() {
    let mut book = book();
    book.marked(BTC, px(10_000), BootNs(7)).unwrap();
    book.filled(&traded(BTC, Side::Buy, 1_000, 9_000)).unwrap();
    book.order_changed(None, &limit(1, A, Side::Buy, 1_000, 9_900)).unwrap();
    book.order_changed(None, &limit(2, A, Side::Sell, 1_000, 10_100)).unwrap();
    let cell = book.cell(OF_A, BTC).unwrap();
    assert_eq!((cell.exposure, cell.pnl), (Some(usd("199")), Some(usd("10"))));
    let more = Claim::new(Side::Sell, qty(3_000), usd("303"));
    let worst = Worst { instrument: usd("304"), gross: usd("304") };
    assert_eq!(book.exposure_with(OF_A, BTC, &more), Some(worst));
    assert_eq!(book.mark(BTC), Some((px(10_000), BootNs(7))));
}

#[test]
fn a_position_without_a_mark_or_a_conversion_has_no_value_and_no_total() {
    let mut book = book();
    book.filled(&traded(BTC, Side::Buy, 1_000, 10_000)).unwrap();
    let totals = book.totals(OF_A).unwrap();
    assert_eq!((totals.gross, totals.pnl, totals.exposure_unknown), (None, None, 1));
    assert_eq!(book.held().collect::<Vec<_>>(), [(BTC, None)]);
    let claim = Claim::new(Side::Buy, qty(1), usd("1"));
    assert_eq!(book.exposure_with(OF_A, BTC, &claim), None);
    assert_eq!(book.exposure_with(OF_A, ETH, &claim), None);
    book.marked(BTC, px(10_000), BootNs(7)).unwrap();
    assert_eq!(gross(&book, OF_A), Some(usd("100")));
    assert_eq!(book.held().collect::<Vec<_>>(), [(BTC, Some(BootNs(7)))]);
    // The mark is known here and the currency is not.
    book.marked(ODD, px(10_000), BootNs(8)).unwrap();
    book.filled(&traded(ODD, Side::Buy, 1_000, 10_000)).unwrap();
    let totals = book.totals(OF_A).unwrap();
    assert_eq!((totals.gross, totals.pnl, totals.fees), (None, None, Some(Money::ZERO)));
    assert_eq!((totals.exposure_unknown, totals.pnl_unknown), (1, 1));
    // Nothing held and nothing earned is nothing in any currency.
    book.filled(&traded(ODD, Side::Sell, 1_000, 10_000)).unwrap();
    assert_eq!(gross(&book, OF_A), Some(usd("100")));
}

#[test]
fn a_value_beyond_measure_is_unknown_and_comes_back() {
    let conversions = [Converter::new(portcullis_domain::Rate(i64::MAX), 0)];
    let mut coarse = instrument(0, "X", "Y", InstrumentKind::Linear);
    (coarse.price_scale, coarse.qty_scale) = (0, 0);
    let mut book = ExposureBook::new(&[coarse], 1, &conversions);
    book.filled(&traded(BTC, Side::Buy, 1, 1)).unwrap();
    book.marked(BTC, px(i64::MAX), BootNs(1)).unwrap();
    assert_eq!((gross(&book, Owner::Whole), book.is_broken()), (None, false));
    book.marked(BTC, px(1), BootNs(2)).unwrap();
    assert!(gross(&book, Owner::Whole).is_some());
}

#[test]
fn our_own_orders_are_crossed_at_their_price_and_beyond() {
    use Side::{Buy, Sell};
    let mut book = book();
    let offer = limit(1, A, Sell, 1, 102);
    for order in [&offer, &limit(2, A, Sell, 1, 104), &limit(3, A, Buy, 1, 98)] {
        book.order_changed(None, order).unwrap();
    }
    let crosses = |book: &ExposureBook, side, price| book.would_cross(BTC, side, Px::new(price));
    assert!(crosses(&book, Buy, 102) && !crosses(&book, Buy, 101));
    assert!(crosses(&book, Sell, 98) && !crosses(&book, Sell, 99));
    assert!(book.would_cross(BTC, Buy, None) && book.would_cross(BTC, Sell, None));
    assert!(!book.would_cross(ETH, Buy, None));
    let mut higher = offer.clone();
    higher.intent.price = Px::new(103);
    book.order_changed(Some(&offer), &higher).unwrap();
    assert!(crosses(&book, Buy, 103) && !crosses(&book, Buy, 102));
    book.order_changed(Some(&higher), &ended(&higher, OrdStatus::Filled)).unwrap();
    assert!(crosses(&book, Buy, 104) && !crosses(&book, Buy, 103));
    book.order_changed(None, &market(4, A, Sell, 1, 100)).unwrap();
    assert!(crosses(&book, Buy, 1));
    assert!(book.would_cross(InstrumentId(9), Buy, Px::new(1)), "unknown is not safe");
}

#[test]
fn a_currency_is_reserved_once_wherever_it_is_spent() {
    let mut book = book();
    // ETH is sold for euros and for the odd currency: both take from the same balance.
    let sell = |sequence, instrument| {
        let mut order = limit(sequence, A, Side::Sell, 2_500, 10_000);
        order.intent.instrument = instrument;
        order
    };
    book.order_changed(None, &sell(1, ETH)).unwrap();
    book.order_changed(None, &sell(2, ODD)).unwrap();
    assert_eq!(book.reserved_base(ETH), Some(usd("5")));
    assert_eq!(book.reserved_base(ODD), book.reserved_quote(InstrumentId(2)));
    // A derivative delivers nothing.
    let mut linear = limit(3, A, Side::Buy, 1_000, 10_000);
    linear.intent.instrument = InstrumentId(2);
    book.order_changed(None, &linear).unwrap();
    assert_eq!(book.reserved_quote(InstrumentId(2)), Some(usd("5")));
}

/// Whatever was asked of a broken book, it does not know.
#[track_caller]
fn check_broken(mut book: ExposureBook, change: impl FnOnce(&mut ExposureBook) -> Option<()>) {
    assert!(!book.is_broken());
    assert_eq!(change(&mut book), None);
    assert!(book.is_broken());
    let claim = Claim::new(Side::Buy, Qty::ZERO, Money::ZERO);
    assert_eq!(book.cell(Owner::Whole, ETH), None);
    assert_eq!(book.totals(Owner::Whole), None);
    assert_eq!(book.exposure_with(Owner::Whole, ETH, &claim), None);
    assert_eq!((book.reserved_quote(ETH), book.reserved_base(ETH)), (None, None));
    assert_eq!(book.mark(ETH), None);
    assert!(book.would_cross(ETH, Side::Buy, Px::new(1)));
    assert_eq!(book.held().filter(|(_, marked)| marked.is_none()).count(), 4);
    // It stays so: no later change mends it.
    assert_eq!(book.order_changed(None, &limit(9, A, Side::Buy, 1, 1)), None);
    assert_eq!(book.filled(&traded(ETH, Side::Buy, 1, 1)), None);
    assert_eq!(book.seed(ETH, Holding::default()), None);
    assert_eq!(book.marked(ETH, px(1), BootNs(1)), None);
    assert_eq!(book.marked(ETH, px(1), BootNs(2)), None);
    assert!(book.is_broken());
}

#[test]
fn an_overflow_breaks_the_book_and_never_wraps() {
    let held = |units| Holding { position: Position(units), ..Holding::default() };
    let mut full = book();
    full.seed(BTC, held(i64::MAX)).unwrap();
    check_broken(full.clone(), |book| book.filled(&traded(BTC, Side::Buy, 1, 1)));
    let mut paid = book();
    let fees = Money(i128::MAX);
    paid.seed(BTC, Holding { fees, ..Holding::default() }).unwrap();
    check_broken(paid.clone(), |book| {
        book.filled(&Traded { fee: Money(1), ..traded(BTC, Side::Buy, 1, 1) })
    });
    // The total of two fees that fit alone.
    check_broken(paid, |book| book.seed(ETH, Holding { fees: Money(9), ..Holding::default() }));
    let large = |sequence| limit(sequence, A, Side::Buy, i64::MAX, 1);
    let mut asked = book();
    asked.order_changed(None, &large(1)).unwrap();
    check_broken(asked, |book| book.order_changed(None, &large(2)));
    let endless = limit(1, A, Side::Buy, i64::MAX, i64::MAX);
    check_broken(book(), |book| book.order_changed(None, &endless));
}

#[test]
fn a_mark_that_overflows_a_total_breaks_the_book() {
    let coarse: Vec<Instrument> = (0..4)
        .map(|id| {
            let mut instrument = instrument(id, "X", "USD", InstrumentKind::Linear);
            (instrument.price_scale, instrument.qty_scale) = (0, 0);
            instrument
        })
        .collect();
    let mut book = ExposureBook::new(&coarse, 0, &[Some(Converter::SAME); 4]);
    for id in [BTC, ETH] {
        book.filled(&Traded { origin: Origin::Person, ..traded(id, Side::Buy, 15, 1) }).unwrap();
    }
    book.marked(BTC, px(i64::MAX), BootNs(1)).unwrap();
    check_broken(book, |book| book.marked(ETH, px(i64::MAX), BootNs(1)));
}

#[test]
fn what_does_not_add_up_breaks_the_book() {
    let order = limit(1, A, Side::Buy, 10, 100);
    let canceled = ended(&order, OrdStatus::Canceled);
    check_broken(book(), |book| book.order_changed(Some(&order), &canceled));
    let mut known = book();
    known.order_changed(None, &order).unwrap();
    let claims_more = limit(1, A, Side::Buy, 11, 100);
    check_broken(known.clone(), |book| book.order_changed(Some(&claims_more), &canceled));
    let elsewhere = limit(1, A, Side::Buy, 10, 99);
    check_broken(known.clone(), |book| book.order_changed(Some(&elsewhere), &canceled));
    for other in [
        limit(2, A, Side::Buy, 10, 100),
        limit(1, A, Side::Sell, 10, 100),
        limit(1, Origin::Person, Side::Buy, 10, 100),
    ] {
        check_broken(known.clone(), |book| book.order_changed(Some(&order), &other));
    }
}

#[test]
fn what_is_not_of_the_session_breaks_the_book() {
    let stranger = Origin::Plugin(PluginId(2));
    check_broken(book(), |b| b.order_changed(None, &limit(1, stranger, Side::Buy, 1, 1)));
    check_broken(book(), |book| {
        book.filled(&Traded { origin: stranger, ..traded(BTC, Side::Buy, 1, 1) })
    });
    let mut nowhere = limit(1, A, Side::Buy, 1, 1);
    nowhere.intent.instrument = InstrumentId(4);
    check_broken(book(), |book| book.order_changed(None, &nowhere));
    check_broken(book(), |book| book.filled(&traded(InstrumentId(4), Side::Buy, 1, 1)));
    check_broken(book(), |book| book.seed(InstrumentId(4), Holding::default()));
}

#[test]
fn nobody_else_owns_anything() {
    let (mut book, stranger) = (book(), Owner::Strategy(PluginId(2)));
    book.order_changed(None, &limit(1, A, Side::Buy, 1, 1)).unwrap();
    let claim = Claim::new(Side::Buy, qty(1), usd("1"));
    for id in [BTC, ETH, InstrumentId(4)] {
        assert_eq!((book.cell(stranger, id), book.totals(stranger)), (None, None));
        assert_eq!(book.exposure_with(stranger, id, &claim), None);
    }
    let elsewhere = InstrumentId(4);
    assert_eq!((book.cell(Owner::Whole, elsewhere), book.mark(elsewhere)), (None, None));
    assert_eq!((book.reserved_quote(elsewhere), book.reserved_base(elsewhere)), (None, None));
}

#[test]
fn a_mark_of_another_instrument_changes_nothing() {
    let mut book = book();
    assert_eq!(book.marked(InstrumentId(4), px(1), BootNs(1)), None);
    assert_eq!(book, self::book());
}

#[test]
fn instruments_out_of_place_make_no_book() {
    let (mut listed, conversions) = instruments();
    listed.swap(0, 1);
    assert!(ExposureBook::new(&listed, 1, &conversions).is_broken());
    // A conversion that nobody gave is not known.
    let mut bare = ExposureBook::new(&instruments().0, 1, &[]);
    bare.order_changed(None, &limit(1, A, Side::Buy, 1, 1)).unwrap();
    assert_eq!(gross(&bare, Owner::Whole), None);
}
