//! The order encoder, and the comparison of what it wrote with what was approved.

use portcullis_domain::{ClOrdId, Instrument, OrderIntent, WallNs};
use portcullis_wire::WireError;
use portcullis_wire::kraken::moment::rfc3339_micros;
use portcullis_wire::kraken::{AddOrder, DecodedOrder};

mod amend;
pub(crate) use amend::{OrderChange, compare_amend, encode_amend_order};

/// Nanoseconds that the wire's deadline does not carry.
const DEADLINE_CUT_NS: i64 = 1_000;

/// An approved order with all that its bytes are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewOrder<'a> {
    pub(crate) cl_ord_id: ClOrdId,
    pub(crate) intent: &'a OrderIntent,
    pub(crate) instrument: &'a Instrument,
    /// After this the venue must not take it.
    pub(crate) deadline: WallNs,
}

/// Bytes that do not say what was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// The independent decoder could not read them.
    Unreadable(WireError),
    /// This field is another one.
    Field(&'static str),
}

/// The bytes of an `add_order` request. Numbers are bare and carry every decimal of their scale.
///
/// Symbol and token hold nothing that would need an escape; see [`is_plain`]. If one did, the
/// decoder would find it.
pub(crate) fn encode_add_order(order: &NewOrder<'_>, token: &str, req_id: u64) -> Vec<u8> {
    let NewOrder { cl_ord_id, intent, instrument, deadline } = order;
    let price = intent.price.map_or_else(String::new, |px| {
        format!("\"limit_price\":{},", px.text(instrument.price_scale))
    });
    format!(
        "{{\"method\":\"add_order\",\"params\":{{\"order_type\":\"{}\",\"side\":\"{}\",\
         \"order_qty\":{},{price}\"symbol\":\"{}\",\"time_in_force\":\"{}\",\
         \"cl_ord_id\":\"{cl_ord_id}\",\"deadline\":\"{}\",\"token\":\"{token}\"}},\
         \"req_id\":{req_id}}}",
        intent.ord_type.name(),
        intent.side.name(),
        intent.qty.text(instrument.qty_scale),
        instrument.venue_symbol,
        intent.time_in_force.name(),
        rfc3339_micros(*deadline),
    )
    .into_bytes()
}

/// Re-reads the final bytes with the decoder that shares nothing with the encoder, and compares
/// every field with the approved order.
pub(crate) fn compare(
    order: &NewOrder<'_>,
    token: &str,
    req_id: u64,
    bytes: &[u8],
) -> Result<(), Mismatch> {
    let read = AddOrder::read(bytes).map_err(Mismatch::Unreadable)?;
    check("req_id", read.req_id == Some(req_id))?;
    check("token", read.token == token)?;
    compare_fields(order, &read.decoded(order.instrument).map_err(Mismatch::Unreadable)?)
}

fn compare_fields(order: &NewOrder<'_>, read: &DecodedOrder) -> Result<(), Mismatch> {
    let intent = order.intent;
    check("cl_ord_id", read.cl_ord_id == order.cl_ord_id)?;
    check("instrument", intent.instrument == order.instrument.id)?;
    check("symbol", read.symbol == order.instrument.venue_symbol)?;
    check("side", read.side == intent.side)?;
    check("order_type", read.ord_type == intent.ord_type)?;
    check("time_in_force", read.time_in_force == intent.time_in_force)?;
    check("order_qty", read.qty == intent.qty)?;
    check("limit_price", read.price == intent.price)?;
    check("deadline", is_in_time(order.deadline, read.deadline))?;
    check("flags", !read.post_only && !read.reduce_only && !read.validate)
}

/// Cut to the wire's microseconds: never later than approved, and no more than that earlier.
fn is_in_time(approved: WallNs, read: Option<WallNs>) -> bool {
    let early_ns = read.map(|deadline| approved.0.saturating_sub(deadline.0));
    early_ns.is_some_and(|early| (0..DEADLINE_CUT_NS).contains(&early))
}

const fn check(field: &'static str, holds: bool) -> Result<(), Mismatch> {
    if holds { Ok(()) } else { Err(Mismatch::Field(field)) }
}

/// Whether `text` can stand between quotes as it is.
pub(crate) fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests;
