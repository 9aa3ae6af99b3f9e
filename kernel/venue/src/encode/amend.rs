//! The encoder of changes, and the comparison of what it wrote with what was approved.

use portcullis_domain::{Amendment, Instrument, WallNs};
use portcullis_wire::kraken::moment::rfc3339_micros;
use portcullis_wire::kraken::{AmendOrder, DecodedAmend};

use super::{Mismatch, check, is_in_time};

/// An approved change with all that its bytes are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderChange<'a> {
    pub(crate) change: &'a Amendment,
    pub(crate) instrument: &'a Instrument,
    /// After this the venue must not take it.
    pub(crate) deadline: WallNs,
}

/// The bytes of an `amend_order` request. Both terms are always there, the whole quantity among
/// them, so that no field of the old order is left to be remembered.
pub(crate) fn encode_amend_order(order: &OrderChange<'_>, token: &str, req_id: u64) -> Vec<u8> {
    let OrderChange { change, instrument, deadline } = order;
    format!(
        "{{\"method\":\"amend_order\",\"params\":{{\"cl_ord_id\":\"{}\",\"order_qty\":{},\
         \"limit_price\":{},\"deadline\":\"{}\",\"token\":\"{token}\"}},\"req_id\":{req_id}}}",
        change.cl_ord_id,
        change.qty.text(instrument.qty_scale),
        change.price.text(instrument.price_scale),
        rfc3339_micros(*deadline),
    )
    .into_bytes()
}

/// Re-reads the final bytes with the decoder that shares nothing with the encoder, and compares
/// every field with the approved change.
pub(crate) fn compare_amend(
    order: &OrderChange<'_>,
    token: &str,
    req_id: u64,
    bytes: &[u8],
) -> Result<(), Mismatch> {
    let read = AmendOrder::read(bytes).map_err(Mismatch::Unreadable)?;
    check("req_id", read.req_id == Some(req_id))?;
    check("token", read.token == token)?;
    let DecodedAmend { cl_ord_id, qty, price, deadline, post_only } =
        read.decoded(order.instrument).map_err(Mismatch::Unreadable)?;
    check("cl_ord_id", cl_ord_id == order.change.cl_ord_id)?;
    check("order_qty", qty == order.change.qty)?;
    check("limit_price", price == order.change.price)?;
    check("deadline", is_in_time(order.deadline, deadline))?;
    check("flags", !post_only)
}
