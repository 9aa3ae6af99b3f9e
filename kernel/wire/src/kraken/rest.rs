//! Answers of the REST door: typed, or a refusal from a closed list, or unreadable.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis_domain::time::NS_PER_S;
use portcullis_domain::{ExecId, OrderId, Side, WallNs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::execution::ord_type;
use super::frame::{FRAME_BYTES_MAX, invalid, missing, moment, read};
use super::moment::parse_unix_seconds;
use super::number::NumberText;
use super::private::Refused;
use super::public::side;
use super::record::{OrderRecord, RecordStatus, asset_name};
use super::refusal::SystemStatus;
use crate::{WireError, WireFault};

/// Why a REST call gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestFailure {
    /// The venue said no, in its own words.
    Refused(Refused),
    /// The answer could not be read: whether the request had its effect is not known.
    Unreadable(WireError),
}

impl RestFailure {
    /// Whether the request may have had its effect all the same.
    #[must_use]
    pub const fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Refused(refused) => refused.refusal.is_outcome_unknown(),
            Self::Unreadable(_) => true,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.refusal.code(),
            Self::Unreadable(error) => error.code(),
        }
    }
}

impl From<WireError> for RestFailure {
    fn from(error: WireError) -> Self {
        Self::Unreadable(error)
    }
}

/// One currency of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The common name of the currency.
    pub currency: String,
    /// All of it.
    pub total: NumberText,
    /// The part that open orders hold.
    pub held: NumberText,
}

/// One fill in the venue's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeRecord {
    /// FIX 17.
    pub exec_id: ExecId,
    /// FIX 37.
    pub order_id: OrderId,
    /// The pair in the words of the REST door; see [`super::record::names_pair`].
    pub pair: String,
    /// FIX 54.
    pub side: Side,
    /// FIX 31.
    pub price: NumberText,
    /// FIX 32.
    pub qty: NumberText,
    /// Charged, in the quote currency.
    pub fee: NumberText,
    /// Whether the order rested; `None` if the venue did not say.
    pub maker: Option<bool>,
    /// FIX 60.
    pub transact_time: WallNs,
}

/// A token for the private socket.
#[derive(Clone, PartialEq, Eq)]
pub struct WsToken {
    /// A secret, as long as it lives.
    pub token: String,
    /// Seconds within which it has to be used.
    pub expires_s: u64,
}

impl std::fmt::Debug for WsToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WsToken").field("expires_s", &self.expires_s).finish_non_exhaustive()
    }
}

/// The venue's dead-man switch, as it confirmed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadMan {
    /// The venue's time.
    pub current: WallNs,
    /// When it will cancel everything; `None` if it is off.
    pub trigger: Option<WallNs>,
}

/// Answer of `Time`.
pub fn server_time(body: &[u8]) -> Result<WallNs, RestFailure> {
    #[derive(Deserialize)]
    struct Time {
        unixtime: i64,
    }
    let time: Time = read(result_of(body)?)?;
    let ns = time.unixtime.checked_mul(NS_PER_S);
    Ok(WallNs(ns.ok_or_else(|| invalid("unixtime", &time.unixtime.to_string()))?))
}

/// Answer of `SystemStatus`.
pub fn system_status(body: &[u8]) -> Result<SystemStatus, RestFailure> {
    #[derive(Deserialize)]
    struct Status<'a> {
        #[serde(borrow)]
        status: Cow<'a, str>,
    }
    let status: Status<'_> = read(result_of(body)?)?;
    let known = SystemStatus::from_name(&status.status);
    Ok(known.ok_or_else(|| invalid("status", &status.status))?)
}

/// Answer of `GetWebSocketsToken`.
pub fn ws_token(body: &[u8]) -> Result<WsToken, RestFailure> {
    #[derive(Deserialize)]
    struct Token {
        token: String,
        expires: u64,
    }
    let token: Token = read(result_of(body)?)?;
    if token.token.is_empty() {
        return Err(missing("token").into());
    }
    Ok(WsToken { token: token.token, expires_s: token.expires })
}

/// Answer of `BalanceEx`, sorted by the venue's code of the currency.
pub fn balances(body: &[u8]) -> Result<Vec<Balance>, RestFailure> {
    #[derive(Deserialize)]
    struct Entry<'a> {
        #[serde(borrow)]
        balance: &'a RawValue,
        #[serde(borrow)]
        hold_trade: &'a RawValue,
    }
    let entries: BTreeMap<Cow<'_, str>, Entry<'_>> = read(result_of(body)?)?;
    let balance = |(code, entry): (Cow<'_, str>, Entry<'_>)| {
        Ok(Balance {
            currency: asset_name(&code).to_owned(),
            total: NumberText::from_raw("balance", entry.balance)?,
            held: NumberText::from_raw("hold_trade", entry.hold_trade)?,
        })
    };
    entries.into_iter().map(balance).collect()
}

/// Answer of `OpenOrders`, sorted by order id.
pub fn open_orders(body: &[u8]) -> Result<Vec<OrderRecord>, RestFailure> {
    #[derive(Deserialize)]
    struct Open<'a> {
        #[serde(borrow)]
        open: BTreeMap<Cow<'a, str>, OrderData<'a>>,
    }
    let orders: Open<'_> = read(result_of(body)?)?;
    records(orders.open)
}

/// Answer of `ClosedOrders`: one page, sorted by order id.
pub fn closed_orders(body: &[u8]) -> Result<Vec<OrderRecord>, RestFailure> {
    #[derive(Deserialize)]
    struct Closed<'a> {
        #[serde(borrow)]
        closed: BTreeMap<Cow<'a, str>, OrderData<'a>>,
    }
    let orders: Closed<'_> = read(result_of(body)?)?;
    records(orders.closed)
}

/// Answer of `TradesHistory`: one page of fills, the oldest first.
pub fn trades_history(body: &[u8]) -> Result<Vec<TradeRecord>, RestFailure> {
    #[derive(Deserialize)]
    struct History<'a> {
        #[serde(borrow)]
        trades: BTreeMap<Cow<'a, str>, TradeData<'a>>,
    }
    let history: History<'_> = read(result_of(body)?)?;
    let records = history.trades.into_iter().map(|(id, data)| data.record(&id));
    let mut records = records.collect::<Result<Vec<_>, WireError>>()?;
    records.sort_by(|a, b| (a.transact_time, &a.exec_id).cmp(&(b.transact_time, &b.exec_id)));
    Ok(records)
}

/// Answer of `CancelOrder` and `CancelAll`: how many orders were canceled.
pub fn cancel_count(body: &[u8]) -> Result<u64, RestFailure> {
    #[derive(Deserialize)]
    struct Count {
        count: u64,
    }
    let count: Count = read(result_of(body)?)?;
    Ok(count.count)
}

/// Answer of `CancelAllOrdersAfter`.
pub fn dead_man(body: &[u8]) -> Result<DeadMan, RestFailure> {
    #[derive(Deserialize)]
    struct Times<'a> {
        #[serde(borrow, rename = "currentTime")]
        current: Cow<'a, str>,
        #[serde(borrow, rename = "triggerTime")]
        trigger: Cow<'a, str>,
    }
    let times: Times<'_> = read(result_of(body)?)?;
    let trigger = match times.trigger.as_ref() {
        "0" => None,
        text => Some(moment("triggerTime", text)?),
    };
    Ok(DeadMan { current: moment("currentTime", &times.current)?, trigger })
}

/// The result of an envelope, or the refusal in it. Warnings (`W…`) are no refusal.
pub(crate) fn result_of(body: &[u8]) -> Result<&RawValue, RestFailure> {
    #[derive(Deserialize)]
    struct RestEnvelope<'a> {
        #[serde(borrow)]
        error: Vec<Cow<'a, str>>,
        #[serde(borrow, default)]
        result: Option<&'a RawValue>,
    }
    if body.len() > FRAME_BYTES_MAX {
        let cause = format!("{} bytes; {FRAME_BYTES_MAX} is the most", body.len());
        return Err(WireError::new(WireFault::FrameMalformed, cause).into());
    }
    let envelope: RestEnvelope<'_> =
        serde_json::from_slice(body).map_err(|error| WireError::json(&error))?;
    if let Some(text) = envelope.error.iter().find(|text| !text.starts_with('W')) {
        return Err(RestFailure::Refused(Refused::from_text(text)));
    }
    Ok(envelope.result.ok_or_else(|| missing("result"))?)
}

#[derive(Deserialize)]
struct OrderData<'a> {
    #[serde(borrow, default)]
    cl_ord_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    descr: Descr<'a>,
    #[serde(borrow)]
    vol: &'a RawValue,
    #[serde(borrow)]
    vol_exec: &'a RawValue,
}

#[derive(Deserialize)]
struct Descr<'a> {
    #[serde(borrow)]
    pair: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    side: Cow<'a, str>,
    #[serde(borrow)]
    ordertype: Cow<'a, str>,
    #[serde(borrow)]
    price: &'a RawValue,
}

fn records(orders: BTreeMap<Cow<'_, str>, OrderData<'_>>) -> Result<Vec<OrderRecord>, RestFailure> {
    let records = orders.into_iter().map(|(id, data)| data.record(&id));
    Ok(records.collect::<Result<Vec<_>, WireError>>()?)
}

impl OrderData<'_> {
    fn record(self, id: &str) -> Result<OrderRecord, WireError> {
        let price = NumberText::from_raw("descr.price", self.descr.price)?;
        let priced = price.scaled(0) != Ok(0);
        Ok(OrderRecord {
            order_id: OrderId(id.to_owned()),
            cl_ord_id: self.cl_ord_id.map(Cow::into_owned),
            pair: self.descr.pair.into_owned(),
            side: side("descr.type", &self.descr.side)?,
            ord_type: ord_type(&self.descr.ordertype),
            status: RecordStatus::from_name(&self.status)
                .ok_or_else(|| invalid("status", &self.status))?,
            qty: NumberText::from_raw("vol", self.vol)?,
            cum_qty: NumberText::from_raw("vol_exec", self.vol_exec)?,
            price: priced.then_some(price),
        })
    }
}

#[derive(Deserialize)]
struct TradeData<'a> {
    #[serde(borrow)]
    ordertxid: Cow<'a, str>,
    #[serde(borrow)]
    pair: Cow<'a, str>,
    #[serde(borrow)]
    time: &'a RawValue,
    #[serde(borrow, rename = "type")]
    side: Cow<'a, str>,
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    fee: &'a RawValue,
    #[serde(borrow)]
    vol: &'a RawValue,
    #[serde(default)]
    maker: Option<bool>,
}

impl TradeData<'_> {
    fn record(self, id: &str) -> Result<TradeRecord, WireError> {
        let time = self.time.get();
        Ok(TradeRecord {
            exec_id: ExecId(id.to_owned()),
            order_id: OrderId(self.ordertxid.into_owned()),
            pair: self.pair.into_owned(),
            side: side("type", &self.side)?,
            price: NumberText::from_raw("price", self.price)?,
            qty: NumberText::from_raw("vol", self.vol)?,
            fee: NumberText::from_raw("fee", self.fee)?,
            maker: self.maker,
            transact_time: parse_unix_seconds(time)
                .map_err(|error| WireError::number("time", time, error))?,
        })
    }
}

#[cfg(test)]
#[path = "rest_tests.rs"]
mod tests;
