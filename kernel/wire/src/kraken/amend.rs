//! The independent decoder of changes: what the bytes of an `amend_order` request really say.
//!
//! Like the decoder of orders it shares nothing with the encoder: the writer's last check compares
//! its result with the recorded change, and the simulated exchange reads changes through it.

use std::borrow::Cow;

use portcullis_domain::{ClOrdId, Instrument, Px, Qty, WallNs};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::frame::{FRAME_BYTES_MAX, invalid, missing, moment};
use super::number::NumberText;
use crate::{WireError, WireFault};

/// An `amend_order` request as it stands on the wire, before any instrument gives it a scale.
#[derive(Clone, PartialEq, Eq)]
pub struct AmendOrder {
    /// The number of the request.
    pub req_id: Option<u64>,
    /// The secret that names the account.
    pub token: String,
    /// FIX 37, if the order is named by it.
    pub order_id: Option<String>,
    /// FIX 11, if the order is named by it.
    pub cl_ord_id: Option<String>,
    /// FIX 38 afterwards, what is filled included, as text; as before if it is left out.
    pub qty: Option<NumberText>,
    /// FIX 44 afterwards, as text; as before if it is left out.
    pub price: Option<NumberText>,
    /// After this the venue must not take it.
    pub deadline: Option<WallNs>,
    /// Refuse it rather than let it take.
    pub post_only: bool,
}

impl std::fmt::Debug for AmendOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AmendOrder")
            .field("req_id", &self.req_id)
            .field("order_id", &self.order_id)
            .field("cl_ord_id", &self.cl_ord_id)
            .field("qty", &self.qty)
            .field("price", &self.price)
            .finish_non_exhaustive()
    }
}

/// A change of an order of ours as its bytes say it, in the instrument's units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedAmend {
    /// FIX 11 of the order that is meant.
    pub cl_ord_id: ClOrdId,
    /// FIX 38 afterwards, what is filled included.
    pub qty: Qty,
    /// FIX 44 afterwards.
    pub price: Px,
    /// After this the venue must not take it.
    pub deadline: Option<WallNs>,
    /// Refuse it rather than let it take.
    pub post_only: bool,
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
    token: Cow<'a, str>,
    #[serde(borrow, default)]
    order_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cl_ord_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    order_qty: Option<&'a RawValue>,
    #[serde(borrow, default)]
    limit_price: Option<&'a RawValue>,
    #[serde(borrow, default)]
    deadline: Option<Cow<'a, str>>,
    #[serde(default)]
    post_only: bool,
}

impl AmendOrder {
    /// Reads an `amend_order` request of anyone.
    ///
    /// Strict: unknown or doubled fields, numbers in quotes or with exponents, and an order that is
    /// named by both of its ids or by none are refused.
    pub fn read(frame: &[u8]) -> Result<Self, WireError> {
        if frame.len() > FRAME_BYTES_MAX {
            let cause = format!("{} bytes; {FRAME_BYTES_MAX} is the most", frame.len());
            return Err(WireError::new(WireFault::FrameMalformed, cause));
        }
        let request: Request<'_> =
            serde_json::from_slice(frame).map_err(|error| WireError::json(&error))?;
        if request.method != "amend_order" {
            return Err(invalid("method", &request.method));
        }
        let params = request.params;
        if params.order_id.is_some() == params.cl_ord_id.is_some() {
            return Err(missing("one of order_id and cl_ord_id"));
        }
        let number = |field, raw: Option<&RawValue>| {
            raw.map(|raw| NumberText::from_number(field, raw)).transpose()
        };
        Ok(Self {
            req_id: request.req_id,
            qty: number("order_qty", params.order_qty)?,
            price: number("limit_price", params.limit_price)?,
            deadline: match params.deadline.as_deref() {
                Some(text) => Some(moment("deadline", text)?),
                None => None,
            },
            token: params.token.into_owned(),
            order_id: params.order_id.map(Cow::into_owned),
            cl_ord_id: params.cl_ord_id.map(Cow::into_owned),
            post_only: params.post_only,
        })
    }

    /// The change in the instrument's units, if it is one of ours: named by our id, and with both
    /// of its terms.
    pub fn decoded(&self, instrument: &Instrument) -> Result<DecodedAmend, WireError> {
        let cl_ord_id = self.cl_ord_id.as_deref().ok_or_else(|| missing("cl_ord_id"))?;
        let qty = self.qty.as_ref().ok_or_else(|| missing("order_qty"))?.as_str();
        let price = self.price.as_ref().ok_or_else(|| missing("limit_price"))?.as_str();
        let decoded = DecodedAmend {
            cl_ord_id: ClOrdId::parse(cl_ord_id).ok_or_else(|| invalid("cl_ord_id", cl_ord_id))?,
            qty: Qty::parse(qty, instrument.qty_scale)
                .map_err(|error| WireError::number("order_qty", qty, error))?,
            price: Px::parse(price, instrument.price_scale)
                .map_err(|error| WireError::number("limit_price", price, error))?,
            deadline: self.deadline,
            post_only: self.post_only,
        };
        if decoded.qty.is_zero() { Err(invalid("order_qty", qty)) } else { Ok(decoded) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kraken::testing::{instrument, shared};

    const FULL: &str = r#"{"method":"amend_order","params":{"cl_ord_id":"pc0000000100000002","order_qty":0.02000000,"limit_price":30000.5,"deadline":"2024-05-18T12:05:50.293682Z","token":"T"},"req_id":42}"#;

    #[test]
    fn every_field_is_read() {
        let raw = AmendOrder::read(FULL.as_bytes()).unwrap();
        assert_eq!((raw.req_id, raw.token.as_str(), raw.order_id.as_ref()), (Some(42), "T", None));
        assert!(!format!("{raw:?}").contains("token"), "a token is not shown");
        let change = raw.decoded(&instrument()).unwrap();
        assert_eq!(change.cl_ord_id, ClOrdId { epoch: 1, sequence: 2 });
        assert_eq!((change.qty.units(), change.price.units()), (2_000_000, 300_005));
        assert_eq!(change.deadline.map(|at| at.0), Some(1_716_033_950_293_682_000));
        assert!(!change.post_only);
    }

    #[test]
    fn what_the_change_could_not_have_meant_is_refused() {
        let check = |from: &str, to: &str, code: &str| {
            assert!(FULL.contains(from), "{from}");
            let read = AmendOrder::read(FULL.replace(from, to).as_bytes());
            let error = read.and_then(|read| read.decoded(&instrument())).unwrap_err();
            assert_eq!(error.code(), code, "{from} -> {to}: {error}");
        };
        check("amend_order", "add_order", "FIELD_INVALID");
        check("\"cl_ord_id\":\"pc0000000100000002\",", "", "FIELD_INVALID");
        check("\"token\"", "\"order_id\":\"O1\",\"token\"", "FIELD_INVALID");
        check("pc0000000100000002", "someone-else", "FIELD_INVALID");
        check("\"order_qty\":0.02000000,", "", "FIELD_INVALID");
        check("\"limit_price\":30000.5,", "", "FIELD_INVALID");
        check("0.02000000", "\"0.02000000\"", "NUMBER_INVALID");
        check("0.02000000", "2e-2", "NUMBER_INVALID");
        check("0.02000000", "0.020000001", "NUMBER_INVALID");
        check("0.02000000", "0", "FIELD_INVALID");
        check("30000.5", "30000.05", "NUMBER_INVALID");
        check("30000.5", "0", "NUMBER_INVALID");
        check("\"token\":\"T\"", "\"token\":\"T\",\"display_qty\":1", "FIELD_INVALID");
        check("\"token\":\"T\"", "\"token\":\"T\",\"token\":\"U\"", "FIELD_INVALID");
        check("\"req_id\":42}", "\"req_id\":42", "FRAME_MALFORMED");
    }

    /// What a third party's client sends is read for the exchange.
    #[test]
    fn other_clients_changes_are_read() {
        let Some(text) = shared("messages/kraken/nautilus/ws_amend_order_request.json") else {
            return;
        };
        let change = AmendOrder::read(text.as_bytes()).unwrap();
        assert_eq!((change.order_id.as_deref(), change.price), (Some("OABCDE-12345-FGHIJ"), None));
        assert_eq!(change.qty.unwrap().as_str(), "0.005");
    }
}
