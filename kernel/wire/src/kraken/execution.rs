//! One element of an executions frame.

use std::borrow::Cow;

use portcullis_domain::{
    ClOrdId, ExecId, ExecType, ExecutionReport, Instrument, Money, OrdType, OrderId,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::frame::{invalid, missing, moment};
use super::number::{NumberText, px, qty};
use super::public::side;
use super::record::{OrderRecord, RecordStatus};
use crate::{WireError, WireFault};

#[derive(Debug, Deserialize)]
pub(crate) struct ExecutionData<'a> {
    #[serde(borrow)]
    pub(crate) order_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) exec_type: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) cl_ord_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) symbol: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    order_status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    side: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    order_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    order_qty: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cum_qty: Option<&'a RawValue>,
    #[serde(borrow, default)]
    limit_price: Option<&'a RawValue>,
    #[serde(borrow, default)]
    exec_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    last_qty: Option<&'a RawValue>,
    #[serde(borrow, default)]
    last_price: Option<&'a RawValue>,
    #[serde(borrow, default)]
    liquidity_ind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    fees: Option<Vec<Fee<'a>>>,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Fee<'a> {
    #[serde(borrow)]
    asset: Cow<'a, str>,
    #[serde(borrow)]
    qty: &'a RawValue,
}

/// What an update says, in our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The venue has it.
    New,
    /// A fill.
    Trade,
    /// Taken back.
    Canceled,
    /// Ended by time.
    Expired,
    /// Refused after all.
    Rejected,
    /// Its terms are others now.
    Amended,
    /// The end of a filled order. Its fills came before, each as a trade.
    Filled,
    /// On its way into the book, or changed without money or state moving.
    Other,
}

impl ExecutionData<'_> {
    pub(crate) fn meaning(&self) -> Result<Meaning, WireError> {
        match self.exec_type.as_ref() {
            "new" => Ok(Meaning::New),
            "trade" => Ok(Meaning::Trade),
            "canceled" => Ok(Meaning::Canceled),
            "expired" => Ok(Meaning::Expired),
            "rejected" => Ok(Meaning::Rejected),
            "filled" => Ok(Meaning::Filled),
            "amended" => Ok(Meaning::Amended),
            "pending_new" | "restated" | "status" | "iceberg_refill" => Ok(Meaning::Other),
            other => Err(invalid("exec_type", other)),
        }
    }

    /// The report about an order of ours; `None` where nothing moved that the house books.
    pub(crate) fn report(
        &self,
        meaning: Meaning,
        cl_ord_id: ClOrdId,
        instrument: Option<&Instrument>,
    ) -> Result<Option<ExecutionReport>, WireError> {
        let exec_type = match meaning {
            Meaning::New => ExecType::New,
            Meaning::Canceled => ExecType::Canceled,
            Meaning::Expired => ExecType::Expired,
            Meaning::Rejected => ExecType::Rejected,
            Meaning::Trade => self.trade(instrument)?,
            Meaning::Amended => self.amended(instrument)?,
            Meaning::Filled | Meaning::Other => return Ok(None),
        };
        let timestamp = self.timestamp.as_deref().ok_or_else(|| missing("timestamp"))?;
        Ok(Some(ExecutionReport {
            cl_ord_id,
            order_id: Some(OrderId(self.order_id.clone().into_owned())),
            exec_type,
            transact_time: moment("timestamp", timestamp)?,
            text: self.reason.clone().unwrap_or_default().into_owned(),
        }))
    }

    /// The terms that hold now. Half of them would be a guess at the other half.
    fn amended(&self, instrument: Option<&Instrument>) -> Result<ExecType, WireError> {
        let instrument = instrument.ok_or_else(unplaced)?;
        let whole = self.order_qty.ok_or_else(|| missing("order_qty"))?;
        let limit = self.limit_price.ok_or_else(|| missing("limit_price"))?;
        Ok(ExecType::Replaced {
            qty: qty("order_qty", whole, instrument.qty_scale)?,
            price: px("limit_price", limit, instrument.price_scale)?,
        })
    }

    fn trade(&self, instrument: Option<&Instrument>) -> Result<ExecType, WireError> {
        let instrument = instrument.ok_or_else(unplaced)?;
        let last_px = self.last_price.ok_or_else(|| missing("last_price"))?;
        let last_qty = self.last_qty.ok_or_else(|| missing("last_qty"))?;
        let exec_id = self.exec_id.clone().ok_or_else(|| missing("exec_id"))?;
        let maker = match self.liquidity_ind.as_deref() {
            Some("m") => true,
            Some("t") => false,
            other => return Err(invalid("liquidity_ind", other.unwrap_or("(none)"))),
        };
        Ok(ExecType::Trade {
            exec_id: ExecId(exec_id.into_owned()),
            last_px: px("last_price", last_px, instrument.price_scale)?,
            last_qty: qty("last_qty", last_qty, instrument.qty_scale)?,
            fee: self.fee(instrument)?,
            maker,
        })
    }

    /// The fee in the quote currency. A fee in another one would be money that nobody booked.
    fn fee(&self, instrument: &Instrument) -> Result<Money, WireError> {
        let mut sum = Money::ZERO;
        for fee in self.fees.as_ref().ok_or_else(|| missing("fees"))? {
            if fee.asset != instrument.quote {
                return Err(invalid("fees.asset", &fee.asset));
            }
            let text = NumberText::from_number("fees.qty", fee.qty)?;
            let money = text
                .money()
                .map_err(|error| WireError::number("fees.qty", text.as_str(), error))?;
            sum = sum.plus(money).ok_or_else(|| invalid("fees.qty", text.as_str()))?;
        }
        Ok(sum)
    }

    /// The order that an element of a snapshot lists; `None` for past trades.
    pub(crate) fn open_order(&self) -> Result<Option<OrderRecord>, WireError> {
        if self.meaning()? == Meaning::Trade {
            return Ok(None);
        }
        let status = self.order_status.as_deref().ok_or_else(|| missing("order_status"))?;
        let symbol = self.symbol.as_deref().ok_or_else(|| missing("symbol"))?;
        let side_text = self.side.as_deref().ok_or_else(|| missing("side"))?;
        let qty = self.order_qty.ok_or_else(|| missing("order_qty"))?;
        let cum_qty = self.cum_qty.ok_or_else(|| missing("cum_qty"))?;
        let price = self.limit_price.map(|raw| NumberText::from_number("limit_price", raw));
        Ok(Some(OrderRecord {
            order_id: OrderId(self.order_id.clone().into_owned()),
            cl_ord_id: self.cl_ord_id.clone().map(Cow::into_owned),
            pair: symbol.to_owned(),
            side: side("side", side_text)?,
            ord_type: ord_type(self.order_type.as_deref().unwrap_or_default()),
            status: RecordStatus::from_name(status)
                .ok_or_else(|| invalid("order_status", status))?,
            qty: NumberText::from_number("order_qty", qty)?,
            cum_qty: NumberText::from_number("cum_qty", cum_qty)?,
            price: price.transpose()?,
        }))
    }
}

fn unplaced() -> WireError {
    WireError::new(WireFault::SymbolMismatch, "numbers of an unknown symbol")
}

/// The kinds that the house sends; `None` for all others.
pub(crate) fn ord_type(name: &str) -> Option<OrdType> {
    match name {
        "limit" => Some(OrdType::Limit),
        "market" => Some(OrdType::Market),
        _ => None,
    }
}
