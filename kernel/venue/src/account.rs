//! The account as the venue sees it, for the comparison with what the house believes.

use std::collections::BTreeMap;

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{
    ClOrdId, ExecId, ExecType, ExecutionReport, Instrument, LedgerEntry, LedgerEntryId, Money,
    OrderId, Position, Px, Qty, Side, WallNs,
};
use portcullis_lifeline::{PrivateDoor, VenueFault, VenueOrderLine};
use portcullis_wire::WireError;
use portcullis_wire::kraken::record::names_pair;
use portcullis_wire::kraken::request::PrivateCall;
use portcullis_wire::kraken::{
    LedgerRecord, MarginPosition, RestFailure, TradeRecord, balances, closed_orders, ledgers,
    open_orders, open_positions, trades_history,
};

/// Fills, or entries of the ledger, of one page of history.
const PAGE: usize = 50;
/// Pages that are read at most.
const PAGES_MAX: u32 = 200;
/// How often the account is read anew because something was filled or booked meanwhile.
const READS_MAX: u32 = 3;

type Page<T> = Result<Vec<T>, RestFailure>;

/// One open order. Figures that are in the units of no instrument of the session are left out: what
/// rests on the account is told all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// FIX 37.
    pub order_id: OrderId,
    /// FIX 11, if the order carries an id of our form.
    pub cl_ord_id: Option<ClOrdId>,
    /// FIX 54.
    pub side: Side,
    /// FIX 151; zero where the figures are left out.
    pub leaves_qty: Qty,
    /// FIX 44; `None` if the order has none.
    pub price: Option<Px>,
    /// FIX 38.
    pub qty: Option<Qty>,
    /// FIX 14.
    pub cum_qty: Option<Qty>,
}

/// The account between whose parts nothing was filled and nothing booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// Every open order, ours or not.
    pub open_orders: Vec<OpenOrder>,
    /// Fills of orders that carry an id of ours, oldest first.
    pub fills: Vec<ExecutionReport>,
    /// Fills that could not be placed: of orders of others, of instruments that are not in the
    /// session, or of ended orders that neither the caller nor the venue's latest page names.
    pub unplaced: Vec<TradeRecord>,
    /// Every balance, all of it. On this venue the balance of a currency is the spot position in it.
    pub balances: BTreeMap<String, Money>,
    /// What was bought or sold on credit and is not closed, by `margin`, pair and side: the house
    /// never does that, so none of these names is one of its instruments.
    pub positions: BTreeMap<String, Position>,
    /// What the venue booked besides fills from the moment that was asked for, oldest first; an
    /// entry or two before that may be among them.
    pub ledger: Vec<LedgerEntry>,
}

/// Fills and entries of the ledger, by the venue's ids.
#[derive(Clone, Debug)]
struct History {
    trades: BTreeMap<ExecId, TradeRecord>,
    ledger: BTreeMap<LedgerEntryId, LedgerRecord>,
}

impl History {
    fn agrees(&self, other: &Self) -> bool {
        self.trades.keys().eq(other.trades.keys()) && self.ledger.keys().eq(other.ledger.keys())
    }
}

/// Asks for the account by REST. Independent of the socket, and of the thread that writes to it.
#[derive(Clone, Debug)]
pub struct AccountReader {
    door: PrivateDoor,
    instruments: Vec<Instrument>,
}

impl AccountReader {
    /// A reader for orders in these instruments.
    #[must_use]
    pub const fn new(door: PrivateDoor, instruments: Vec<Instrument>) -> Self {
        Self { door, instruments }
    }

    /// Reads the account. `orders` names the orders that are known already: the venue's list of
    /// fills names an order by its own id alone, and its list of ended orders is short. The ledger
    /// is read from `ledger_since` on, by the venue's clock.
    ///
    /// # Errors
    /// Any [`VenueFault`]; nothing is known then. An unreadable number, and an account that does
    /// not hold still, are [`VenueFault::Protocol`].
    pub fn read_account(
        &self,
        orders: &BTreeMap<OrderId, ClOrdId>,
        ledger_since: WallNs,
    ) -> Result<AccountState, VenueFault> {
        let mut history = self.history(ledger_since)?;
        for _ in 0..READS_MAX {
            let open = self.door.call(&PrivateCall::OpenOrders, open_orders)?;
            let positions = self.door.call(&PrivateCall::OpenPositions, open_positions)?;
            let held = self.door.call(&PrivateCall::BalanceEx, balances)?;
            let again = self.history(ledger_since)?;
            if again.agrees(&history) {
                let open_orders = open
                    .iter()
                    .map(|order| open_order(&self.instruments, order))
                    .collect::<Result<_, _>>()?;
                let (fills, unplaced) = self.placed(history.trades, &open, orders)?;
                let balance = |balance: portcullis_wire::kraken::Balance| {
                    let total = balance.total.money();
                    let money = total.map_err(|error| {
                        WireError::number("balance", balance.total.as_str(), error)
                    })?;
                    Ok((balance.currency, money))
                };
                let balances = held.into_iter().map(balance).collect::<Result<_, VenueFault>>()?;
                let (positions, ledger) = (on_margin(positions)?, booked(&history.ledger)?);
                return Ok(AccountState {
                    open_orders,
                    fills,
                    unplaced,
                    balances,
                    positions,
                    ledger,
                });
            }
            history = again;
        }
        let cause = "fills or entries kept coming while the account was read";
        Err(VenueFault::Protocol(cause.to_owned()))
    }

    fn history(&self, ledger_since: WallNs) -> Result<History, VenueFault> {
        let trades = self.pages(|offset| PrivateCall::TradesHistory { offset }, trades_history)?;
        // The venue leaves out the very second that it is given.
        let after_s = ledger_since.0.div_euclid(NS_PER_S).saturating_sub(1);
        let ledger = self.pages(|offset| PrivateCall::Ledgers { after_s, offset }, ledgers)?;
        Ok(History {
            trades: trades.into_iter().map(|trade| (trade.exec_id.clone(), trade)).collect(),
            ledger: ledger.into_iter().map(|entry| (entry.id.clone(), entry)).collect(),
        })
    }

    /// All pages of a history. One that moved while it was read shows something twice.
    fn pages<T>(
        &self,
        call: impl Fn(u32) -> PrivateCall,
        read: fn(&[u8]) -> Page<T>,
    ) -> Result<Vec<T>, VenueFault> {
        let mut all = Vec::new();
        let mut offset = 0_u32;
        for _ in 0..PAGES_MAX {
            let page = self.door.call(&call(offset), read)?;
            let count = page.len();
            all.extend(page);
            if count < PAGE {
                return Ok(all);
            }
            offset = offset.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
        Err(VenueFault::Protocol(format!("more than {PAGES_MAX} pages of history")))
    }

    /// Fills as reports about our orders, oldest first, and the rest.
    fn placed(
        &self,
        trades: BTreeMap<ExecId, TradeRecord>,
        open: &[VenueOrderLine],
        known: &BTreeMap<OrderId, ClOrdId>,
    ) -> Result<(Vec<ExecutionReport>, Vec<TradeRecord>), VenueFault> {
        let mut ours = known.clone();
        learn(&mut ours, open);
        if trades.values().any(|trade| !ours.contains_key(&trade.order_id)) {
            learn(&mut ours, &self.door.call(&PrivateCall::ClosedOrders, closed_orders)?);
        }
        let mut trades: Vec<TradeRecord> = trades.into_values().collect();
        trades.sort_by(|a, b| (a.transact_time, &a.exec_id).cmp(&(b.transact_time, &b.exec_id)));
        let (mut fills, mut unplaced) = (Vec::new(), Vec::new());
        for trade in trades {
            match (ours.get(&trade.order_id), self.instrument(&trade.pair)) {
                (Some(id), Some(instrument)) => fills.push(report(*id, trade, instrument)?),
                (Some(_) | None, _) => unplaced.push(trade),
            }
        }
        Ok((fills, unplaced))
    }

    fn instrument(&self, pair: &str) -> Option<&Instrument> {
        named(&self.instruments, pair)
    }
}

fn named<'a>(instruments: &'a [Instrument], pair: &str) -> Option<&'a Instrument> {
    instruments.iter().find(|instrument| names_pair(instrument, pair))
}

fn open_order(instruments: &[Instrument], line: &VenueOrderLine) -> Result<OpenOrder, VenueFault> {
    let mut order = OpenOrder {
        order_id: line.order_id.clone(),
        cl_ord_id: line.ours(),
        side: line.side,
        leaves_qty: Qty::ZERO,
        price: None,
        qty: None,
        cum_qty: None,
    };
    // Somebody else's order, or one in somebody else's instrument, must not keep the account
    // from being read: that it is there is what counts.
    let instrument = order.cl_ord_id.and_then(|_| named(instruments, &line.pair));
    let Some(instrument) = instrument else { return Ok(order) };
    let read = |field, text: &str| {
        Qty::parse(text, instrument.qty_scale)
            .map_err(|error| WireError::number(field, text, error))
    };
    let (qty, cum_qty) =
        (read("vol", line.qty.as_str())?, read("vol_exec", line.cum_qty.as_str())?);
    let leaves_qty = qty.minus(cum_qty);
    order.leaves_qty = leaves_qty
        .ok_or_else(|| VenueFault::Protocol("an order filled beyond itself".to_owned()))?;
    if let Some(price) = &line.price {
        let px = Px::parse(price.as_str(), instrument.price_scale);
        let px = px.map_err(|error| WireError::number("price", price.as_str(), error))?;
        order.price = Some(px);
    }
    (order.qty, order.cum_qty) = (Some(qty), Some(cum_qty));
    Ok(order)
}

/// What is open on credit. Sides are told apart: they do not cancel each other out.
fn on_margin(listed: Vec<MarginPosition>) -> Result<BTreeMap<String, Position>, VenueFault> {
    let mut positions: BTreeMap<String, Position> = BTreeMap::new();
    let too_large = || VenueFault::Protocol("a position beyond what can be counted".to_owned());
    for MarginPosition { pair, side, units, .. } in listed {
        let sum = positions.entry(format!("margin {pair} {}", side.name())).or_default();
        let next = match side {
            Side::Buy => sum.0.checked_add(units),
            Side::Sell => sum.0.checked_sub(units),
        };
        *sum = Position(next.ok_or_else(too_large)?);
    }
    Ok(positions)
}

/// What the ledger books besides fills, oldest first.
fn booked(ledger: &BTreeMap<LedgerEntryId, LedgerRecord>) -> Result<Vec<LedgerEntry>, VenueFault> {
    let entries = ledger.values().map(LedgerRecord::entries).collect::<Result<Vec<_>, _>>()?;
    let mut entries: Vec<LedgerEntry> = entries.into_iter().flatten().collect();
    entries.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    Ok(entries)
}

fn learn(ours: &mut BTreeMap<OrderId, ClOrdId>, lines: &[VenueOrderLine]) {
    for line in lines {
        if let Some(id) = line.ours() {
            ours.entry(line.order_id.clone()).or_insert(id);
        }
    }
}

fn report(
    cl_ord_id: ClOrdId,
    trade: TradeRecord,
    instrument: &Instrument,
) -> Result<ExecutionReport, VenueFault> {
    let number = |field, text: &str, error| VenueFault::from(WireError::number(field, text, error));
    let (price, qty, fee) = (trade.price.as_str(), trade.qty.as_str(), &trade.fee);
    let maker = trade.maker;
    let maker = maker.ok_or_else(|| VenueFault::Protocol("a fill without maker".to_owned()))?;
    let exec_type = ExecType::Trade {
        last_px: Px::parse(price, instrument.price_scale)
            .map_err(|error| number("price", price, error))?,
        last_qty: Qty::parse(qty, instrument.qty_scale)
            .map_err(|error| number("vol", qty, error))?,
        fee: fee.money().map_err(|error| number("fee", fee.as_str(), error))?,
        maker,
        exec_id: trade.exec_id,
    };
    Ok(ExecutionReport {
        cl_ord_id,
        order_id: Some(trade.order_id),
        exec_type,
        cum_qty: None,
        transact_time: trade.transact_time,
        text: String::new(),
    })
}

#[cfg(test)]
mod tests;
