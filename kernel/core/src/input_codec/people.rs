//! What people ask for by hand, as entries: numbers stay the text that they were.

use portcullis_domain::{ClOrdId, Side, TimeInForce};
use portcullis_statement::json::{Fields, Value};

use super::Read;
use crate::entry::{EntryError, as_text, int};
use crate::people::{PersonCommand, PersonOrder, PersonRequest};

const SUBMIT: &str = "person-submit";
const AMEND: &str = "person-amend";
const CANCEL: &str = "person-cancel";
const CANCEL_ALL: &str = "person-cancel-all";
const CLOSE: &str = "person-close";

/// The kinds of entry that [`person`] reads.
pub(super) const KINDS: [&str; 5] = [SUBMIT, AMEND, CANCEL, CANCEL_ALL, CLOSE];

/// Kind and body of a request.
pub(super) fn person_value(asked: &PersonRequest) -> (&'static str, Value) {
    let id = |id: &ClOrdId| ("cl_ord_id", id.to_string().into());
    let (kind, more) = match &asked.command {
        PersonCommand::Submit(order) => (
            SUBMIT,
            vec![
                ("price", optional(order.price.as_ref())),
                ("qty", order.qty.as_str().into()),
                ("reduce_only", Value::Bool(order.reduce_only)),
                ("side", order.side.name().into()),
                ("symbol", order.symbol.as_str().into()),
                ("time_in_force", order.time_in_force.name().into()),
            ],
        ),
        PersonCommand::Amend { cl_ord_id, qty, price } => (
            AMEND,
            vec![
                id(cl_ord_id),
                ("price", optional(price.as_ref())),
                ("qty", optional(qty.as_ref())),
            ],
        ),
        PersonCommand::Cancel { cl_ord_id } => (CANCEL, vec![id(cl_ord_id)]),
        PersonCommand::CancelAll => (CANCEL_ALL, vec![]),
        PersonCommand::Close { symbol, qty, price } => (
            CLOSE,
            vec![
                ("price", optional(price.as_ref())),
                ("qty", optional(qty.as_ref())),
                ("symbol", symbol.as_str().into()),
            ],
        ),
    };
    let common = [("request", int(asked.request)), ("who", asked.who.as_str().into())];
    let entries = common.into_iter().chain(more);
    (kind, Value::Object(entries.map(|(key, value)| (key.to_owned(), value)).collect()))
}

/// Reads a request back.
pub(super) fn person(kind: &str, body: &Value) -> Read<PersonRequest> {
    let mut body = Fields::new(body)?;
    let command = match kind {
        SUBMIT => PersonCommand::Submit(PersonOrder {
            symbol: body.text("symbol")?.to_owned(),
            side: side(body.text("side")?)?,
            qty: body.text("qty")?.to_owned(),
            price: optional_text(body.value("price")?)?,
            time_in_force: time_in_force(body.text("time_in_force")?)?,
            reduce_only: body.bool("reduce_only")?,
        }),
        AMEND => PersonCommand::Amend {
            cl_ord_id: super::cl_ord_id(&mut body)?,
            qty: optional_text(body.value("qty")?)?,
            price: optional_text(body.value("price")?)?,
        },
        CANCEL => PersonCommand::Cancel { cl_ord_id: super::cl_ord_id(&mut body)? },
        CANCEL_ALL => PersonCommand::CancelAll,
        CLOSE => PersonCommand::Close {
            symbol: body.text("symbol")?.to_owned(),
            qty: optional_text(body.value("qty")?)?,
            price: optional_text(body.value("price")?)?,
        },
        other => return Err(EntryError::UnknownKind(other.to_owned())),
    };
    let asked = PersonRequest { request: body.uint("request")?, who: body.name("who")?, command };
    body.finish()?;
    Ok(asked)
}

fn optional(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| text.as_str().into())
}

fn optional_text(value: &Value) -> Read<Option<String>> {
    match (value, as_text(value)) {
        (Value::Null, _) => Ok(None),
        (_, Some(text)) => Ok(Some(text.to_owned())),
        (_, None) => Err(EntryError::Value("text")),
    }
}

pub(super) fn side(name: &str) -> Read<Side> {
    let mut sides = [Side::Buy, Side::Sell].into_iter();
    sides.find(|side| side.name() == name).ok_or(EntryError::Value("side"))
}

pub(super) fn time_in_force(name: &str) -> Read<TimeInForce> {
    let mut all = [TimeInForce::Gtc, TimeInForce::Ioc].into_iter();
    all.find(|tif| tif.name() == name).ok_or(EntryError::Value("time_in_force"))
}
