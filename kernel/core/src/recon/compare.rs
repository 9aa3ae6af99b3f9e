//! The comparison itself: one reading of the account against the house's books.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use portcullis_domain::{
    ClOrdId, ExecId, Execution, Instrument, InstrumentKind, LedgerEntryId, Money, OrdStatus, Order,
    OrderId, Position, Px, Qty, WallNs,
};

use super::kind::{Difference, DifferenceKind as K};
use crate::input::{AccountSnapshot, VenueOrder};
use crate::ledger::Ledger;

/// A reading, and what the house needs to judge it.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    pub(crate) venue: &'a AccountSnapshot,
    pub(crate) house: &'a Ledger,
    pub(crate) instruments: &'a BTreeMap<String, Instrument>,
    /// Orders of phase 1, that never left the house: of past sessions and of the open one.
    pub(crate) past_shadow: &'a BTreeSet<ClOrdId>,
    pub(crate) live_shadow: Option<&'a Ledger>,
    /// When it was asked for by the wall, or when it arrived: compared with the venue's own times.
    pub(crate) asked: WallNs,
}

impl Reading<'_> {
    fn is_shadow(&self, id: ClOrdId) -> bool {
        let live = self.live_shadow.is_some_and(|ledger| ledger.orders.get(id).is_some());
        live || self.past_shadow.contains(&id)
    }
}

/// A difference with both sides as text; empty where a side has nothing.
fn differs(kind: K, subject: &str, ours: &str, venue: &str) -> Difference {
    let side = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (subject, ours, venue) = (subject.to_owned(), side(ours), side(venue));
    Difference { kind, subject, symbol: None, ours, venue, gap: None }
}

impl Difference {
    fn of(mut self, instrument: Option<&Instrument>) -> Self {
        self.symbol = instrument.map(|instrument| instrument.symbol.clone());
        self
    }
}

/// What the reading's fills say that the house has not booked, or has booked otherwise. Asked
/// before they are booked.
pub(crate) fn fill_differences(reading: &Reading<'_>) -> Vec<Difference> {
    let mut listed: BTreeMap<&ExecId, Execution> = BTreeMap::new();
    let mut differences = Vec::new();
    for (id, there) in reading.venue.fills.iter().filter_map(Execution::of) {
        let before = listed.insert(id, there);
        let here = before.as_ref().or_else(|| reading.house.orders.execution(id));
        let order = there.cl_ord_id;
        let kind = match here {
            Some(here) if here.agrees(&there) && before.is_some() => K::FillDuplicate,
            Some(here) if here.agrees(&there) => continue,
            Some(here) if before.is_some() || here.cl_ord_id != order => K::FillConflicting,
            Some(here) if (here.last_px, here.last_qty) != (there.last_px, there.last_qty) => {
                K::FillPriceOrQuantity
            }
            Some(_) => K::FillFee,
            None if reading.is_shadow(order) => K::OrderMissingHere,
            None if reading.house.orders.get(order).is_none() => K::OrderNeverIssued,
            None => K::FillMissingHere,
        };
        let instrument = reading.house.instrument_of(order);
        let text = |fill: &Execution| fill_text(fill, reading.house.instrument_of(fill.cl_ord_id));
        let (ours, venue) = (here.map_or_else(String::new, text), text(&there));
        let about_order = matches!(kind, K::OrderMissingHere | K::OrderNeverIssued);
        let subject = if about_order { order.to_string() } else { id.0.clone() };
        differences.push(differs(kind, &subject, &ours, &venue).of(instrument));
    }
    differences
}

fn fill_text(fill: &Execution, instrument: Option<&Instrument>) -> String {
    let (qty, px) = (qty_text(fill.last_qty, instrument), px_text(fill.last_px, instrument));
    format!("{qty} @ {px} fee {} of {}", fill.fee.text(), fill.cl_ord_id)
}

/// Everything else that differs, asked after the reading's fills and entries are booked.
pub(crate) fn compare(reading: &Reading<'_>) -> Vec<Difference> {
    let mut differences = order_differences(reading);
    differences.extend(lost_fills(reading));
    differences.extend(position_differences(reading));
    differences.extend(balance_differences(reading));
    differences.extend(lost_entries(reading));
    differences
}

fn order_differences(reading: &Reading<'_>) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut seen: BTreeSet<(&OrderId, Option<ClOrdId>)> = BTreeSet::new();
    let mut listed: BTreeMap<ClOrdId, &VenueOrder> = BTreeMap::new();
    // A list that moved while it was read shows an order twice, and that is one order.
    for there in &reading.venue.open_orders {
        if !seen.insert((&there.order_id, there.cl_ord_id)) {
            continue;
        }
        let Some(id) = there.cl_ord_id else {
            differences.push(differs(K::OrderForeign, &there.order_id.0, "", ""));
            continue;
        };
        if let Some(twin) = listed.insert(id, there) {
            let both = format!("{} and {}", twin.order_id.0, there.order_id.0);
            let instrument = reading.house.instrument_of(id);
            differences
                .push(differs(K::OrderDuplicateId, &id.to_string(), "", &both).of(instrument));
            continue;
        }
        listed_order(reading, id, there, &mut differences);
    }
    for here in reading.house.orders.open().filter(|order| should_rest(order)) {
        let id = here.cl_ord_id;
        if !listed.contains_key(&id) {
            let instrument = reading.house.instrument_of(id);
            let state = here.status.name();
            differences
                .push(differs(K::OrderMissingThere, &id.to_string(), state, "").of(instrument));
        }
    }
    differences
}

/// Whether the venue must list an order of ours that is open here.
fn should_rest(order: &Order) -> bool {
    match order.status {
        OrdStatus::New | OrdStatus::PartiallyFilled => true,
        // What is not answered, unknown, being changed or being taken back may not be there: the
        // reading after the last deadline ends it, and until then it counts in every limit.
        OrdStatus::PendingNew
        | OrdStatus::PendingCancel
        | OrdStatus::PendingReplace
        | OrdStatus::Unknown
        | OrdStatus::Filled
        | OrdStatus::Canceled
        | OrdStatus::Rejected
        | OrdStatus::Expired
        | OrdStatus::Unsent => false,
    }
}

/// An order that the venue lists under an id of our form.
fn listed_order(
    reading: &Reading<'_>,
    id: ClOrdId,
    there: &VenueOrder,
    differences: &mut Vec<Difference>,
) {
    // Nearly all orders agree: nothing is written down before something differs.
    let (about, instrument) = (|| id.to_string(), reading.house.instrument_of(id));
    let left = |qty| format!("{} left", qty_text(qty, instrument));
    let found = match reading.house.orders.get(id) {
        None if reading.is_shadow(id) => {
            vec![differs(K::OrderMissingHere, &about(), "phase 1", "open")]
        }
        None => vec![differs(K::OrderNeverIssued, &about(), "", &left(there.leaves_qty))],
        Some(here) if here.status == OrdStatus::Unsent => {
            vec![differs(K::OrderMissingHere, &about(), "unsent", "open")]
        }
        Some(here) if !here.status.is_open() => {
            vec![differs(K::OrderState, &about(), here.status.name(), "open")]
        }
        Some(here) => open_order(&by_listed_terms(here, there), there, instrument),
    };
    differences.extend(found.into_iter().map(|difference| difference.of(instrument)));
}

/// While a change is on its way, the venue may list the order by either terms.
fn by_listed_terms<'a>(here: &'a Order, there: &VenueOrder) -> Cow<'a, Order> {
    let Some(change) = here.pending else { return Cow::Borrowed(here) };
    let by_qty = there.qty == Some(change.qty);
    let by_leaves = change.qty.minus(here.cum_qty) == Some(there.leaves_qty);
    let by_price = there.price.is_none_or(|px| px == change.price);
    if !by_price || !(by_qty || by_leaves) {
        return Cow::Borrowed(here);
    }
    let mut order = here.clone();
    (order.intent.qty, order.intent.price) = (change.qty, Some(change.price));
    Cow::Owned(order)
}

/// An order that is open on both sides: every figure that the venue states.
fn open_order(here: &Order, there: &VenueOrder, of: Option<&Instrument>) -> Vec<Difference> {
    let id = || here.cl_ord_id.to_string();
    let mut differences = Vec::new();
    if let Some(side) = there.side.filter(|side| *side != here.intent.side) {
        differences.push(differs(K::OrderSide, &id(), here.intent.side.name(), side.name()));
    }
    if let Some(px) = there.price.filter(|px| Some(*px) != here.intent.price) {
        let ours = here.intent.price.map_or_else(|| "market".to_owned(), |px| px_text(px, of));
        differences.push(differs(K::OrderPrice, &id(), &ours, &px_text(px, of)));
    }
    let mut quantities = |kind, ours: Qty, venue: Option<Qty>| {
        if let Some(venue) = venue.filter(|venue| *venue != ours) {
            differences.push(differs(kind, &id(), &qty_text(ours, of), &qty_text(venue, of)));
        }
    };
    quantities(K::OrderQuantity, here.intent.qty, there.qty);
    quantities(K::OrderFilledQuantity, here.cum_qty, there.cum_qty);
    // What is left differs with one of those two; alone it says that a fill is missing somewhere.
    let explained = differences
        .iter()
        .any(|difference| matches!(difference.kind, K::OrderQuantity | K::OrderFilledQuantity));
    let (ours, venue) = (here.leaves_qty(), there.leaves_qty);
    if ours != venue && !explained {
        let left = |qty| format!("{} left", qty_text(qty, of));
        differences.push(differs(K::OrderFilledQuantity, &id(), &left(ours), &left(venue)));
    }
    differences
}

/// Fills that the house has booked and that the venue does not list, where it lists all.
fn lost_fills(reading: &Reading<'_>) -> Vec<Difference> {
    let Some(since) = reading.venue.fills_since else { return Vec::new() };
    let listed: BTreeSet<&ExecId> =
        reading.venue.fills.iter().filter_map(|fill| Some(Execution::of(fill)?.0)).collect();
    let covered = |at: WallNs| since <= at && at < reading.asked;
    let lost = |(id, here): (&ExecId, &Execution)| {
        let lacks = covered(here.transact_time) && !listed.contains(id);
        let instrument = reading.house.instrument_of(here.cl_ord_id);
        let text = || fill_text(here, instrument);
        lacks.then(|| differs(K::FillMissingThere, &id.0, &text(), "").of(instrument))
    };
    reading.house.orders.executions().filter_map(lost).collect()
}

/// Positions, where the venue was asked for them. Of spot it states none: there the balances are
/// the positions, and are compared as such.
fn position_differences(reading: &Reading<'_>) -> Vec<Difference> {
    let Some(venue) = &reading.venue.positions else { return Vec::new() };
    let spot = |symbol: &str| {
        reading.instruments.get(symbol).is_some_and(|i| i.kind == InstrumentKind::Spot)
    };
    let ours = reading.house.holdings().map(|(symbol, _)| symbol).filter(|symbol| !spot(symbol));
    let symbols: BTreeSet<&str> = ours.chain(venue.keys().map(String::as_str)).collect();
    let differs_in = |symbol: &str| {
        let here = reading.house.holding(symbol).position;
        let there = venue.get(symbol).copied().unwrap_or(Position::FLAT);
        let kind = match (here, there) {
            _ if here == there => return None,
            _ if here.0.signum() == there.0.signum().saturating_neg() => K::PositionSign,
            _ => K::PositionSize,
        };
        let instrument = reading.instruments.get(symbol);
        let text = |position: Position| match instrument {
            Some(instrument) => position.text(instrument.qty_scale),
            None => format!("{} units", position.0),
        };
        // A position in what the house does not know is about the account: somebody trades here.
        Some(differs(kind, symbol, &text(here), &text(there)).of(instrument))
    };
    symbols.into_iter().filter_map(differs_in).collect()
}

fn balance_differences(reading: &Reading<'_>) -> Vec<Difference> {
    let nothing = BTreeMap::new();
    let ours = reading.house.balances().unwrap_or(&nothing);
    let venue = &reading.venue.balances;
    let amount = |side: &BTreeMap<String, Money>, currency: &str| {
        side.get(currency).copied().unwrap_or(Money::ZERO)
    };
    let currencies: BTreeSet<&String> = ours.keys().chain(venue.keys()).collect();
    let differs_in = |currency: &String| {
        let (here, there) = (amount(ours, currency), amount(venue, currency));
        let text = |amount: Money| amount.text();
        let mut difference = differs(K::BalanceAmount, currency, &text(here), &text(there));
        difference.gap = there.minus(here);
        (here != there).then_some(difference)
    };
    currencies.into_iter().filter_map(differs_in).collect()
}

/// Entries that the house has booked and that the venue does not list, where it lists all.
fn lost_entries(reading: &Reading<'_>) -> Vec<Difference> {
    let Some(since) = reading.venue.ledger_since else { return Vec::new() };
    let listed: BTreeSet<&LedgerEntryId> =
        reading.venue.ledger.iter().map(|entry| &entry.id).collect();
    let covered = |at: WallNs| since <= at && at < reading.asked;
    let entries = reading.house.entries();
    let lost = entries.filter(|here| covered(here.at) && !listed.contains(&here.id));
    lost.map(|here| {
        let ours = format!("{} {} {}", here.kind.name(), here.amount.text(), here.currency);
        differs(K::LedgerVenueLacks, &here.id.0, &ours, "")
    })
    .collect()
}

fn px_text(px: Px, of: Option<&Instrument>) -> String {
    of.map_or_else(|| format!("{} units", px.units()), |of| px.text(of.price_scale))
}

fn qty_text(qty: Qty, of: Option<&Instrument>) -> String {
    of.map_or_else(|| format!("{} units", qty.units()), |of| qty.text(of.qty_scale))
}
