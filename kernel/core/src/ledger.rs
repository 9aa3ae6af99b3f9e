//! Orders, positions, balances and profit of one account.

use std::collections::BTreeMap;

use portcullis_domain::number::pow10;
use portcullis_domain::order::{OrderChange, OrderEvent};
use portcullis_domain::{
    Amendment, BootNs, ClOrdId, ExecType, ExecutionReport, Instrument, Money, OrdStatus, Order,
    OrderFault, OrderTable, Qty, Side,
};
use portcullis_gate::{Balance, Fill, Working};

mod balances;
mod entries;

use balances::balances_after;
use entries::Entries;
pub use entries::{EntryChange, EntryFault};

pub use portcullis_gate::Holding;

use crate::entry::EntryError;
use crate::snapshot::{Kept, Part, Sections};
use crate::usage::{Across, SessionBook};

/// The account as the house knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// All orders.
    pub orders: OrderTable,
    /// The instrument under which each order was issued.
    issued: BTreeMap<ClOrdId, Instrument>,
    /// By our symbol.
    holdings: BTreeMap<String, Holding>,
    /// By currency; `None` until the venue or the approval has stated them.
    balances: Option<BTreeMap<String, Money>>,
    /// Day and week of the account.
    pub(crate) across: Across,
    /// What the open session is judged by; kept in step with every order and holding.
    pub(crate) session: Option<SessionBook>,
    /// What the venue booked besides fills.
    entries: Entries,
}

/// The instruments are written once, and each order names its own by number: two sessions may have
/// known one symbol by other steps.
impl Part for Ledger {
    fn keep_part(&self, section: &str, sections: &mut Sections) {
        // The session's book is an open session's.
        let Self { orders, issued, holdings, balances, across, session: _, entries } = self;
        let mut traded: Vec<Instrument> = Vec::new();
        let number = |instrument: &Instrument| {
            let known = traded.iter().position(|known| known == instrument);
            let number = known.unwrap_or(traded.len());
            if known.is_none() {
                traded.push(instrument.clone());
            }
            u64::try_from(number).unwrap_or(u64::MAX)
        };
        let issued: Vec<u64> = issued.values().map(number).collect();
        orders.keep_part(&format!("{section}.orders"), sections);
        traded.keep(&format!("{section}.traded"), sections);
        issued.keep(&format!("{section}.instrument_of_order"), sections);
        holdings.keep(&format!("{section}.holdings"), sections);
        balances.keep(&format!("{section}.balances"), sections);
        across.keep(&format!("{section}.day_and_week"), sections);
        entries.keep_part(&format!("{section}.venue_ledger"), sections);
    }

    fn restore_part(section: &str, sections: &mut Sections) -> Result<Self, EntryError> {
        let bad = EntryError::Value("instrument_of_order");
        let orders = OrderTable::restore_part(&format!("{section}.orders"), sections)?;
        let traded = Vec::<Instrument>::restore(&format!("{section}.traded"), sections)?;
        let numbers = Vec::<u64>::restore(&format!("{section}.instrument_of_order"), sections)?;
        let instrument = |number: u64| traded.get(usize::try_from(number).ok()?).cloned();
        let issued = orders.iter().zip(&numbers);
        let issued = issued.map(|(order, number)| Some((order.cl_ord_id, instrument(*number)?)));
        let issued: BTreeMap<_, _> = issued.collect::<Option<_>>().ok_or(bad)?;
        Ok(Self {
            issued,
            holdings: Kept::restore(&format!("{section}.holdings"), sections)?,
            balances: Kept::restore(&format!("{section}.balances"), sections)?,
            across: Kept::restore(&format!("{section}.day_and_week"), sections)?,
            session: None,
            entries: Part::restore_part(&format!("{section}.venue_ledger"), sections)?,
            orders,
        })
    }
}

impl Ledger {
    /// An account with stated balances.
    #[must_use]
    pub fn with_balances(balances: BTreeMap<String, Money>) -> Self {
        Self { balances: Some(balances), ..Self::default() }
    }

    /// Records an approved order. From here on it counts in every limit.
    pub fn issue(&mut self, order: Order, instrument: &Instrument) -> Result<(), OrderFault> {
        let id = order.cl_ord_id;
        self.orders.insert(order)?;
        self.issued.insert(id, instrument.clone());
        self.follow(None, id);
        Ok(())
    }

    /// What the journal keeps of it. The rest is the open session's, and moves with the market.
    #[must_use]
    pub fn durable(&self) -> Self {
        let across = Across { profit: None, ..self.across };
        Self { session: None, across, ..self.clone() }
    }

    /// Opens the book that a session is judged by, with everything that is held and works already.
    pub(crate) fn open_book(&mut self, mut book: SessionBook) {
        for (symbol, holding) in &self.holdings {
            book.seed(symbol, *holding);
        }
        for order in self.orders.open() {
            if let Some(instrument) = self.issued.get(&order.cl_ord_id) {
                book.order_changed(None, order, &instrument.symbol);
            }
        }
        self.session = Some(book);
    }

    /// The order as it stands, if a session has to be told what becomes of it.
    fn followed(&self, id: ClOrdId) -> Option<Order> {
        self.session.as_ref()?;
        self.orders.get(id).cloned()
    }

    /// Takes an order's claim out of the session's book, to be put back before anything else.
    pub(crate) fn set_aside(&mut self, order: &Order) {
        let gone = Order { status: OrdStatus::Canceled, ..order.clone() };
        self.follow_to(Some(order), &gone);
    }

    /// Undoes [`Ledger::set_aside`].
    pub(crate) fn put_back(&mut self, order: &Order) {
        self.follow_to(None, order);
    }

    /// Changes an order by an approved amendment: from here on the worse of both terms counts.
    pub(crate) fn amend(&mut self, change: Amendment) -> Result<OrdStatus, OrderFault> {
        self.moved(change.cl_ord_id, |orders| orders.amend(change))
    }

    /// An amendment was dropped before the wire: the old terms hold.
    pub(crate) fn amend_failed(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        self.moved(id, |orders| orders.amend_failed(id))
    }

    /// Moves an order, and lets the session's book follow.
    fn moved(
        &mut self,
        id: ClOrdId,
        step: impl FnOnce(&mut OrderTable) -> Result<OrdStatus, OrderFault>,
    ) -> Result<OrdStatus, OrderFault> {
        let before = self.followed(id);
        let status = step(&mut self.orders)?;
        self.follow(before.as_ref(), id);
        Ok(status)
    }

    /// Tells the session's book what became of an order.
    fn follow(&mut self, before: Option<&Order>, id: ClOrdId) {
        if let Some(after) = self.orders.get(id).filter(|_| self.session.is_some()).cloned() {
            self.follow_to(before, &after);
        }
    }

    fn follow_to(&mut self, before: Option<&Order>, after: &Order) {
        let instrument = self.issued.get(&after.cl_ord_id);
        if let (Some(book), Some(instrument)) = (self.session.as_mut(), instrument) {
            book.order_changed(before, after, &instrument.symbol);
        }
    }

    /// The instrument of an order.
    #[must_use]
    pub fn instrument_of(&self, id: ClOrdId) -> Option<&Instrument> {
        self.issued.get(&id)
    }

    /// Books a venue report: order, position, balances. On a fault nothing has changed.
    pub fn book(&mut self, report: &ExecutionReport) -> Result<OrderChange, OrderFault> {
        let before = self.followed(report.cl_ord_id);
        let change = self.book_report(report)?;
        self.follow(before.as_ref(), report.cl_ord_id);
        Ok(change)
    }

    fn book_report(&mut self, report: &ExecutionReport) -> Result<OrderChange, OrderFault> {
        let id = report.cl_ord_id;
        let side = self.orders.get(id).map(|order| order.intent.side);
        if let ExecType::Trade { last_px, last_qty, fee, .. } = &report.exec_type {
            let instrument = self.issued.get(&id).ok_or(OrderFault::UnknownOrder(id))?;
            let side = side.ok_or(OrderFault::UnknownOrder(id))?;
            let fill = Fill { px: *last_px, qty: *last_qty, fee: *fee, instrument };
            // Both are computed before anything changes, so that an overflow changes nothing.
            let overflow = OrderFault::Overfill(id);
            let before = self.holding(&instrument.symbol);
            let holding = before.after(side, fill).ok_or(overflow)?;
            let earned = holding.realised.minus(before.realised).ok_or(overflow)?;
            let balances = match self.balances.clone() {
                None => None,
                Some(held) => Some(balances_after(held, side, fill, earned).ok_or(overflow)?),
            };
            let symbol = instrument.symbol.clone();
            let change = self.orders.book(report)?;
            if matches!(change, OrderChange::Filled { .. }) {
                if let (Some(book), Some(order)) = (self.session.as_mut(), self.orders.get(id)) {
                    book.filled(order, &symbol, (*last_px, *last_qty, *fee));
                }
                self.holdings.insert(symbol, holding);
                self.balances = balances;
            }
            return Ok(change);
        }
        // It moves no money and comes after the end of its order. Reads of the account overtake
        // reports on their way, so the house may have learned of the end before.
        let status = self.orders.get(id).map(|order| order.status);
        if let Some(over @ (OrdStatus::Canceled | OrdStatus::Expired)) = status {
            return Ok(OrderChange::Status(over));
        }
        self.orders.book(report)
    }

    /// What is held of a symbol.
    #[must_use]
    pub fn holding(&self, symbol: &str) -> Holding {
        self.holdings.get(symbol).copied().unwrap_or_default()
    }

    /// Everything that was ever held.
    pub fn holdings(&self) -> impl Iterator<Item = (&str, &Holding)> + '_ {
        self.holdings.iter().map(|(symbol, holding)| (symbol.as_str(), holding))
    }

    /// All balances, if known.
    #[must_use]
    pub fn balances(&self) -> Option<&BTreeMap<String, Money>> {
        self.balances.as_ref()
    }

    /// Takes the venue's balances for true. A recorded act, never a silent one.
    pub fn adopt_balances(&mut self, balances: BTreeMap<String, Money>) {
        self.balances = Some(balances);
    }

    /// The two balances that an instrument needs, if known, as read at `read`.
    #[must_use]
    pub fn balance_for(&self, instrument: &Instrument, read: BootNs) -> Option<Balance> {
        let balances = self.balances.as_ref()?;
        let amount = |currency: &str| balances.get(currency).copied().unwrap_or(Money::ZERO);
        let unit = pow10(Money::SCALE.checked_sub(instrument.qty_scale)?)?;
        let base = amount(&instrument.base).0.checked_div(unit)?;
        Some(Balance {
            base: Qty::new(i64::try_from(base).ok()?)?,
            quote: amount(&instrument.quote),
            read,
        })
    }

    /// What open orders of a symbol can still trade, by walking over them: for the rare question
    /// that no session's book answers. `None` where it cannot be added up.
    #[must_use]
    pub fn working(&self, symbol: &str) -> Option<Working> {
        let mut working = Working::default();
        for order in self.orders.open() {
            if self.issued.get(&order.cl_ord_id)?.symbol == symbol {
                // While a change is on its way, the worse of both terms counts.
                let claim = order.claim_qty();
                working.any_unknown |= order.status == OrdStatus::Unknown;
                match order.intent.side {
                    Side::Buy => working.buy_qty = working.buy_qty.plus(claim)?,
                    Side::Sell => working.sell_qty = working.sell_qty.plus(claim)?,
                }
            }
        }
        Some(working)
    }

    /// Moves an order by something other than a report.
    pub fn advance(&mut self, id: ClOrdId, event: OrderEvent) -> Result<OrdStatus, OrderFault> {
        self.moved(id, |orders| orders.advance(id, event))
    }

    /// The writer's word that an order never left. If the link went down first, the order was
    /// taken for unknown meanwhile; then this ends it.
    pub fn not_sent(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        let status = self.orders.get(id).ok_or(OrderFault::UnknownOrder(id))?.status;
        match status {
            OrdStatus::Unknown => self.advance(id, OrderEvent::Expired),
            // Its deadline had passed before the writer came to it, and it was taken for dead:
            // both say that it does not live.
            OrdStatus::Canceled | OrdStatus::Expired => Ok(status),
            OrdStatus::PendingNew
            | OrdStatus::New
            | OrdStatus::PartiallyFilled
            | OrdStatus::PendingCancel
            | OrdStatus::PendingReplace
            | OrdStatus::Filled
            | OrdStatus::Rejected
            | OrdStatus::Unsent => self.advance(id, OrderEvent::NotSent),
        }
    }

    /// The wire failed under an order. If the venue has spoken about it already, its word stands.
    pub fn lost(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        let status = self.orders.get(id).ok_or(OrderFault::UnknownOrder(id))?.status;
        if waits_for_answer(status) { self.advance(id, OrderEvent::Lost) } else { Ok(status) }
    }

    /// The venue does not have the order any more. One that we took back was canceled, and its
    /// late report says so too; any other ran into its deadline.
    pub fn dead(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        let taken_back = self.orders.get(id).is_some_and(|o| o.status == OrdStatus::PendingCancel);
        self.advance(id, if taken_back { OrderEvent::Canceled } else { OrderEvent::Expired })
    }
}

/// Whether the venue was asked something about the order and has not answered.
pub(crate) const fn waits_for_answer(status: OrdStatus) -> bool {
    use OrdStatus::{PendingCancel, PendingNew, PendingReplace};
    matches!(status, PendingNew | PendingCancel | PendingReplace)
}
