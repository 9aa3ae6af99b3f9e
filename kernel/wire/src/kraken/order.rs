//! The independent decoder of orders: what the bytes of an `add_order` request really say.
//!
//! It shares nothing with the encoder. The writer's last check compares its result with the
//! recorded intent, and the simulated exchange reads orders through it.

use std::borrow::Cow;

use portcullis_domain::{ClOrdId, Instrument, OrdType, Px, Qty, Side, TimeInForce, WallNs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::execution::ord_type;
use super::frame::{FRAME_BYTES_MAX, invalid, missing, moment};
use super::number::NumberText;
use super::public::side;
use crate::{WireError, WireFault};

/// An `add_order` request as it stands on the wire, before any instrument gives it a scale.
#[derive(Clone, PartialEq, Eq)]
pub struct AddOrder {
    /// The number of the request.
    pub req_id: Option<u64>,
    /// The secret that names the account.
    pub token: String,
    /// FIX 11, whoever's.
    pub cl_ord_id: Option<String>,
    /// The venue's name of the instrument.
    pub symbol: String,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59; the venue's default is good till canceled.
    pub time_in_force: TimeInForce,
    /// FIX 38, as text.
    pub qty: NumberText,
    /// FIX 44, as text; present exactly for limit orders.
    pub price: Option<NumberText>,
    /// After this the venue must not take it.
    pub deadline: Option<WallNs>,
    /// Refuse it rather than let it take.
    pub post_only: bool,
    /// Only against a margin position.
    pub reduce_only: bool,
    /// Check it and do nothing.
    pub validate: bool,
}

impl std::fmt::Debug for AddOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddOrder")
            .field("req_id", &self.req_id)
            .field("cl_ord_id", &self.cl_ord_id)
            .field("symbol", &self.symbol)
            .field("side", &self.side)
            .field("qty", &self.qty)
            .field("price", &self.price)
            .finish_non_exhaustive()
    }
}

/// An order of ours as its bytes say it, in the instrument's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedOrder {
    /// FIX 11.
    pub cl_ord_id: ClOrdId,
    /// The venue's name of the instrument.
    pub symbol: String,
    /// FIX 54.
    pub side: Side,
    /// FIX 40.
    pub ord_type: OrdType,
    /// FIX 59; the venue's default is good till canceled.
    pub time_in_force: TimeInForce,
    /// FIX 38.
    pub qty: Qty,
    /// FIX 38 exactly as written.
    pub qty_text: NumberText,
    /// FIX 44; present exactly for limit orders.
    pub price: Option<Px>,
    /// FIX 44 exactly as written.
    pub price_text: Option<NumberText>,
    /// After this the venue must not take it.
    pub deadline: Option<WallNs>,
    /// Refuse it rather than let it take.
    pub post_only: bool,
    /// Only against a margin position.
    pub reduce_only: bool,
    /// Check it and do nothing.
    pub validate: bool,
}

/// Reads the bytes of an `add_order` request of ours.
///
/// Strict: unknown or doubled fields, numbers in quotes or with exponents, another symbol, an id
/// that is not ours, a price on a market order or none on a limit order are refused.
pub fn decode_add_order(frame: &[u8], instrument: &Instrument) -> Result<DecodedOrder, WireError> {
    AddOrder::read(frame)?.decoded(instrument)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Params<'a>,
    #[serde(default)]
    req_id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params<'a> {
    #[serde(borrow)]
    order_type: Cow<'a, str>,
    #[serde(borrow)]
    side: Cow<'a, str>,
    #[serde(borrow)]
    order_qty: &'a RawValue,
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(borrow, default)]
    limit_price: Option<&'a RawValue>,
    #[serde(borrow, default)]
    time_in_force: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cl_ord_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    deadline: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    fee_preference: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stp_type: Option<Cow<'a, str>>,
    #[serde(default)]
    post_only: bool,
    #[serde(default)]
    reduce_only: bool,
    #[serde(default)]
    validate: bool,
}

impl AddOrder {
    /// Reads an `add_order` request of anyone.
    pub fn read(frame: &[u8]) -> Result<Self, WireError> {
        if frame.len() > FRAME_BYTES_MAX {
            let cause = format!("{} bytes; {FRAME_BYTES_MAX} is the most", frame.len());
            return Err(WireError::new(WireFault::FrameMalformed, cause));
        }
        let request: Request<'_> =
            serde_json::from_slice(frame).map_err(|error| WireError::json(&error))?;
        if request.method != "add_order" {
            return Err(invalid("method", &request.method));
        }
        let params = request.params;
        params.refuse_what_is_not_modelled()?;
        Ok(Self {
            req_id: request.req_id,
            side: side("side", &params.side)?,
            ord_type: ord_type(&params.order_type)
                .ok_or_else(|| invalid("order_type", &params.order_type))?,
            time_in_force: params.time_in_force()?,
            qty: NumberText::from_number("order_qty", params.order_qty)?,
            price: params.price()?,
            deadline: match params.deadline.as_deref() {
                Some(text) => Some(moment("deadline", text)?),
                None => None,
            },
            token: params.token.into_owned(),
            cl_ord_id: params.cl_ord_id.map(Cow::into_owned),
            symbol: params.symbol.into_owned(),
            post_only: params.post_only,
            reduce_only: params.reduce_only,
            validate: params.validate,
        })
    }

    /// The order in the instrument's units, if it is one of ours and for this instrument.
    pub fn decoded(self, instrument: &Instrument) -> Result<DecodedOrder, WireError> {
        if self.symbol != instrument.venue_symbol {
            let cause = format!("{:?}, not {:?}", self.symbol, instrument.venue_symbol);
            return Err(WireError::new(WireFault::SymbolMismatch, cause));
        }
        let cl_ord_id = self.cl_ord_id.as_deref().ok_or_else(|| missing("cl_ord_id"))?;
        let qty = Qty::parse(self.qty.as_str(), instrument.qty_scale)
            .map_err(|error| WireError::number("order_qty", self.qty.as_str(), error))?;
        let price = match &self.price {
            Some(text) => Some(
                Px::parse(text.as_str(), instrument.price_scale)
                    .map_err(|error| WireError::number("limit_price", text.as_str(), error))?,
            ),
            None => None,
        };
        if qty.is_zero() {
            return Err(invalid("order_qty", self.qty.as_str()));
        }
        Ok(DecodedOrder {
            cl_ord_id: ClOrdId::parse(cl_ord_id).ok_or_else(|| invalid("cl_ord_id", cl_ord_id))?,
            symbol: self.symbol,
            side: self.side,
            ord_type: self.ord_type,
            time_in_force: self.time_in_force,
            qty,
            qty_text: self.qty,
            price,
            price_text: self.price,
            deadline: self.deadline,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            validate: self.validate,
        })
    }
}

impl Params<'_> {
    fn time_in_force(&self) -> Result<TimeInForce, WireError> {
        match self.time_in_force.as_deref() {
            None | Some("gtc" | "GTC") => Ok(TimeInForce::Gtc),
            Some("ioc" | "IOC") => Ok(TimeInForce::Ioc),
            Some(other) => Err(invalid("time_in_force", other)),
        }
    }

    fn price(&self) -> Result<Option<NumberText>, WireError> {
        match (ord_type(&self.order_type), self.limit_price) {
            (Some(OrdType::Limit), Some(raw)) => {
                NumberText::from_number("limit_price", raw).map(Some)
            }
            (Some(OrdType::Limit), None) => Err(missing("limit_price")),
            (Some(OrdType::Market), Some(raw)) => {
                Err(invalid("limit_price of a market order", raw.get()))
            }
            (Some(OrdType::Market) | None, _) => Ok(None),
        }
    }

    /// Fees in the base currency and other self-trade rules would change what a fill means.
    fn refuse_what_is_not_modelled(&self) -> Result<(), WireError> {
        match self.fee_preference.as_deref() {
            None | Some("quote") => {}
            Some(other) => return Err(invalid("fee_preference", other)),
        }
        match self.stp_type.as_deref() {
            None | Some("cancel_newest") => Ok(()),
            Some(other) => Err(invalid("stp_type", other)),
        }
    }
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
