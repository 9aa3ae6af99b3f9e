//! Orders, positions, balances and profit of one account.

use std::collections::BTreeMap;

use portcullis_domain::number::pow10;
use portcullis_domain::order::{OrderChange, OrderEvent};
use portcullis_domain::{
    ClOrdId, ExecType, ExecutionReport, Instrument, Money, OrdStatus, Order, OrderFault,
    OrderTable, Position, Px, Qty, Side,
};
use portcullis_gate::{Balance, Working, with_fee};

/// What is held of one instrument, and what it has earned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Signed base quantity.
    pub position: Position,
    /// What the position cost, signed like it: positive for a long one.
    pub cost: Money,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Fees paid.
    pub fees: Money,
}

impl Holding {
    /// Books one fill. `None` on overflow.
    #[must_use]
    pub fn after(self, side: Side, fill: Fill<'_>) -> Option<Self> {
        let signed = side.signed(fill.qty);
        let held = self.position.0;
        let closing = held.signum() != 0 && held.signum() != signed.signum();
        let mut next = self;
        next.fees = self.fees.plus(fill.fee)?;
        next.position = self.position.plus(signed)?;
        let value = |units: i64| Money::value(fill.px, Position(units), fill.instrument);
        if !closing {
            next.cost = self.cost.plus(value(signed)?)?;
            return Some(next);
        }
        // The closed part takes its share of the cost with it; whatever is beyond opens anew.
        let closed = held.abs().min(signed.abs());
        let closed_signed = closed.checked_mul(held.signum())?;
        let share = self.cost.0.checked_mul(i128::from(closed))?;
        let share = Money(share.checked_div(i128::from(held.abs()))?);
        let earned = value(closed_signed)?.minus(share)?;
        next.realised = self.realised.plus(earned)?;
        let opened = signed.checked_add(closed_signed)?;
        next.cost = self.cost.minus(share)?.plus(value(opened)?)?;
        Some(next)
    }

    /// Average price of what is held; `None` when flat.
    #[must_use]
    pub fn avg_px(&self, instrument: &Instrument) -> Option<Px> {
        let places = instrument.price_scale.checked_add(instrument.qty_scale)?;
        let unit = pow10(Money::SCALE.checked_sub(places)?)?;
        let per_unit = self.cost.0.checked_div(unit)?.checked_div(i128::from(self.position.0))?;
        Px::new(i64::try_from(per_unit).ok()?)
    }

    /// Profit with the position marked at `mark`, fees taken off. `None` on overflow.
    #[must_use]
    pub fn profit(&self, mark: Option<Px>, instrument: &Instrument) -> Option<Money> {
        let closed = self.realised.minus(self.fees)?;
        if self.position == Position::FLAT {
            return Some(closed);
        }
        let value = Money::value(mark?, self.position, instrument)?;
        closed.plus(value.minus(self.cost)?)
    }
}

/// One fill to book.
#[derive(Clone, Copy, Debug)]
pub struct Fill<'a> {
    /// FIX 31.
    pub px: Px,
    /// FIX 32.
    pub qty: Qty,
    /// In the quote currency.
    pub fee: Money,
    /// Of what.
    pub instrument: &'a Instrument,
}

/// The account as the house knows it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// All orders.
    pub orders: OrderTable,
    /// The instrument under which each order was issued.
    issued: BTreeMap<ClOrdId, Instrument>,
    /// By our symbol.
    holdings: BTreeMap<String, Holding>,
    /// By currency; `None` until the venue or the approval has stated them.
    balances: Option<BTreeMap<String, Money>>,
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
        Ok(())
    }

    /// The instrument of an order.
    #[must_use]
    pub fn instrument_of(&self, id: ClOrdId) -> Option<&Instrument> {
        self.issued.get(&id)
    }

    /// Books a venue report: order, position, balances. On a fault nothing has changed.
    pub fn book(&mut self, report: &ExecutionReport) -> Result<OrderChange, OrderFault> {
        let id = report.cl_ord_id;
        let side = self.orders.get(id).map(|order| order.intent.side);
        if let ExecType::Trade { last_px, last_qty, fee, .. } = &report.exec_type {
            let instrument = self.issued.get(&id).ok_or(OrderFault::UnknownOrder(id))?;
            let side = side.ok_or(OrderFault::UnknownOrder(id))?;
            let fill = Fill { px: *last_px, qty: *last_qty, fee: *fee, instrument };
            // Both are computed before anything changes, so that an overflow changes nothing.
            let overflow = OrderFault::Overfill(id);
            let holding = self.holding(&instrument.symbol).after(side, fill).ok_or(overflow)?;
            let balances = match self.balances.clone() {
                None => None,
                Some(held) => Some(balances_after(held, side, fill).ok_or(overflow)?),
            };
            let symbol = instrument.symbol.clone();
            let change = self.orders.book(report)?;
            if matches!(change, OrderChange::Filled { .. }) {
                self.holdings.insert(symbol, holding);
                self.balances = balances;
            }
            return Ok(change);
        }
        match self.orders.get(id).map(|order| order.status) {
            Some(status) if is_echo(status, &report.exec_type) => Ok(OrderChange::Status(status)),
            _ => self.orders.book(report),
        }
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

    /// The two balances that an instrument needs, if known.
    #[must_use]
    pub fn balance_for(&self, instrument: &Instrument) -> Option<Balance> {
        let balances = self.balances.as_ref()?;
        let amount = |currency: &str| balances.get(currency).copied().unwrap_or(Money::ZERO);
        let unit = pow10(Money::SCALE.checked_sub(instrument.qty_scale)?)?;
        let base = amount(&instrument.base).0.checked_div(unit)?;
        Some(Balance {
            base: Qty::new(i64::try_from(base).ok()?)?,
            quote: amount(&instrument.quote),
        })
    }

    /// What open orders claim: the reservations that the gate counts from the moment of approval.
    #[must_use]
    pub fn working(&self, instrument: &Instrument) -> Option<Working> {
        let mut working = Working::default();
        for order in self.orders.open() {
            let issued = self.issued.get(&order.cl_ord_id)?;
            let leaves = order.leaves_qty();
            working.open_orders = working.open_orders.checked_add(1)?;
            if order.intent.side == Side::Buy && issued.quote == instrument.quote {
                let value = Money::notional(order.reserve_px, leaves, issued)?;
                let cost = with_fee(value, issued.taker_fee)?;
                working.reserved_quote = working.reserved_quote.plus(cost)?;
            }
            if issued.symbol == instrument.symbol {
                working.any_unknown |= order.status == OrdStatus::Unknown;
                match order.intent.side {
                    Side::Buy => working.buy_qty = working.buy_qty.plus(leaves)?,
                    Side::Sell => working.sell_qty = working.sell_qty.plus(leaves)?,
                }
            }
        }
        Some(working)
    }

    /// Moves an order by something other than a report.
    pub fn advance(&mut self, id: ClOrdId, event: OrderEvent) -> Result<OrdStatus, OrderFault> {
        self.orders.advance(id, event)
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
            | OrdStatus::Filled
            | OrdStatus::Rejected
            | OrdStatus::Unsent => self.advance(id, OrderEvent::NotSent),
        }
    }

    /// The wire failed under an order. If the venue has spoken about it already, its word stands.
    pub fn lost(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        let status = self.orders.get(id).ok_or(OrderFault::UnknownOrder(id))?.status;
        let waits = matches!(status, OrdStatus::PendingNew | OrdStatus::PendingCancel);
        if waits { self.advance(id, OrderEvent::Lost) } else { Ok(status) }
    }

    /// The venue does not have the order any more. One that we took back was canceled, and its
    /// late report says so too; any other ran into its deadline.
    pub fn dead(&mut self, id: ClOrdId) -> Result<OrdStatus, OrderFault> {
        let taken_back = self.orders.get(id).is_some_and(|o| o.status == OrdStatus::PendingCancel);
        self.advance(id, if taken_back { OrderEvent::Canceled } else { OrderEvent::Expired })
    }
}

/// Whether a report moves no money and comes after the end of its order. Reads of the account
/// overtake reports on their way, so the house may have learned of the end before.
fn is_echo(status: OrdStatus, exec_type: &ExecType) -> bool {
    let over = matches!(status, OrdStatus::Canceled | OrdStatus::Expired);
    over && !matches!(exec_type, ExecType::Trade { .. })
}

/// Balances after a fill; `None` on overflow.
fn balances_after(
    mut balances: BTreeMap<String, Money>,
    side: Side,
    fill: Fill<'_>,
) -> Option<BTreeMap<String, Money>> {
    let Instrument { base, quote, .. } = fill.instrument;
    let value = Money::notional(fill.px, fill.qty, fill.instrument)?;
    let amount = base_amount(fill.qty, fill.instrument)?;
    let (base_change, quote_change) = match side {
        Side::Buy => (amount, Money(value.0.checked_neg()?)),
        Side::Sell => (Money(amount.0.checked_neg()?), value),
    };
    let mut shift = |currency: &str, change: Money| {
        let held = balances.entry(currency.to_owned()).or_insert(Money::ZERO);
        *held = held.plus(change)?;
        Some(())
    };
    shift(base, base_change)?;
    shift(quote, quote_change.minus(fill.fee)?)?;
    Some(balances)
}

/// A base quantity as an amount of money.
fn base_amount(qty: Qty, instrument: &Instrument) -> Option<Money> {
    let unit = pow10(Money::SCALE.checked_sub(instrument.qty_scale)?)?;
    i128::from(qty.units()).checked_mul(unit).map(Money)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::{InstrumentId, InstrumentKind, Rate};

    fn instrument() -> Instrument {
        Instrument {
            id: InstrumentId(0),
            symbol: "X-USD".into(),
            venue_symbol: "XUSD".into(),
            base: "X".into(),
            quote: "USD".into(),
            kind: InstrumentKind::Spot,
            price_scale: 0,
            qty_scale: 0,
            tick: Px::new(1).unwrap(),
            lot: Qty::new(1).unwrap(),
            qty_min: Qty::new(1).unwrap(),
            notional_min: Money::ZERO,
            maker_fee: Rate(0),
            taker_fee: Rate(0),
        }
    }

    /// Fills (side, qty, px), then position, average price, realised and total profit at `mark`.
    #[track_caller]
    fn check(fills: &[(Side, i64, i64)], mark: i64, expect: (i64, Option<i64>, &str, &str)) {
        let instrument = instrument();
        let mut holding = Holding::default();
        for (side, qty, px) in fills {
            let fill = Fill {
                px: Px::new(*px).unwrap(),
                qty: Qty::new(*qty).unwrap(),
                fee: Money::ZERO,
                instrument: &instrument,
            };
            holding = holding.after(*side, fill).unwrap();
        }
        let profit = holding.profit(Px::new(mark), &instrument).unwrap();
        let seen = (
            holding.position.0,
            holding.avg_px(&instrument).map(Px::units),
            holding.realised.text(),
            profit.text(),
        );
        assert_eq!(seen, (expect.0, expect.1, expect.2.to_owned(), expect.3.to_owned()));
    }

    /// F11: long, short, partial cover and a flip through zero.
    #[test]
    fn f11_positions_and_profit_hold_for_long_short_cover_and_flip() {
        use Side::{Buy, Sell};
        check(&[(Buy, 1, 100)], 100, (1, Some(100), "0", "0"));
        check(&[(Buy, 2, 100), (Sell, 1, 110)], 110, (1, Some(100), "10", "20"));
        check(&[(Sell, 2, 100), (Buy, 1, 90)], 90, (-1, Some(100), "10", "20"));
        check(&[(Buy, 1, 100), (Sell, 3, 110)], 100, (-2, Some(110), "10", "30"));
        check(&[(Buy, 1, 100), (Buy, 1, 200)], 150, (2, Some(150), "0", "0"));
        check(&[(Buy, 1, 100), (Sell, 1, 90)], 1, (0, None, "-10", "-10"));
    }
}
