//! `executions.jsonl`: what became of every intent, line by line.

use portcullis_domain::Instrument;
use portcullis_domain::number::format_scaled;
use portcullis_statement::json::{Fields, JsonError, Value, count, object};

use super::fault::RenderFault;
use super::item::Item;
use super::session::Session;
use crate::text::{escape_terminal, escape_value};

/// The kinds that make a line.
const KINDS: [&str; 19] = [
    "proposed",
    "proposal-ended",
    "ordered",
    "denied",
    "leg-denied",
    "stop-fired",
    "amend-requested",
    "amend-denied",
    "amend-sent",
    "amend-not-sent",
    "cancel-requested",
    "sent",
    "not-sent",
    "lost",
    "report",
    "shadow-report",
    "booked",
    "order-overdue",
    "order-dead",
];

/// One value per line, in the order of the entries.
pub(super) fn lines(session: &Session) -> Result<Vec<Value>, RenderFault> {
    let mut lines = Vec::new();
    for item in session.items.iter().filter(|item| KINDS.contains(&item.kind())) {
        if let Some(fill) = session.fills.get(&item.seq)
            && fill.told.is("account")
        {
            // A fill that came to light in a reading of the account has no report of its own.
            let numbers = trade(session.instrument_of(&fill.cl_ord_id), &fill.report);
            let numbers = numbers.map_err(|error| fault(&fill.told, error))?;
            let told = (&fill.told, fill.cl_ord_id.as_str());
            lines.push(line(told, "account-fill", "trade", (numbers, &fill.report)));
        }
        let numbers = numbers(session, item).map_err(|error| fault(item, error))?;
        let of = (item, item.entry.corr.as_str());
        lines.push(line(of, item.kind(), reason(item)?, (numbers, &item.entry.body)));
    }
    Ok(lines)
}

fn fault(item: &Item, error: JsonError) -> RenderFault {
    RenderFault::Field { seq: item.seq, error }
}

fn line(
    (item, corr): (&Item, &str),
    kind: &str,
    reason: &str,
    (numbers, what): (Value, &Value),
) -> Value {
    let at = item.entry.place.at;
    object([
        ("boot_ns", at.boot.0.to_string().into()),
        ("corr", escape_terminal(corr).into()),
        ("input", count(item.entry.place.input)),
        ("kind", kind.into()),
        ("numbers", numbers),
        ("reason", escape_terminal(reason).into()),
        ("seq", count(item.seq)),
        ("time", item.utc().into()),
        ("what", escape_value(what)),
    ])
}

/// The code that says why. Inputs have only been received; their own code says more.
fn reason(item: &Item) -> Result<&str, RenderFault> {
    match item.kind() {
        "not-sent" | "amend-not-sent" => item.body(|body| body.text("code")),
        "report" | "shadow-report" => item.body(|body| body.text("exec_type")),
        _ => Ok(&item.entry.reason),
    }
}

/// The integers of the entry as decimals, where its instrument is known.
fn numbers(session: &Session, item: &Item) -> Result<Value, JsonError> {
    let mut body = Fields::new(&item.entry.body)?;
    match item.kind() {
        "ordered" => {
            let instrument = session.instrument(body.text("symbol")?);
            intent(instrument, body.value("intent")?)
        }
        "denied" | "leg-denied" | "proposed" => {
            let asked = body.value("intent")?;
            if *asked == Value::Null {
                return Ok(Value::Null);
            }
            let id = Fields::new(asked)?.uint("instrument")?;
            let mut known = session.approval.item.instruments.iter();
            intent(known.find(|instrument| u64::from(instrument.id.0) == id), asked)
        }
        "amend-requested" => {
            let instrument = session.instrument_of(&item.entry.corr);
            Ok(object([
                ("after", terms(instrument, body.value("after")?)?),
                ("before", terms(instrument, body.value("before")?)?),
                ("symbol", symbol(instrument)),
            ]))
        }
        "amend-denied" => {
            let instrument = session.instrument_of(&item.entry.corr);
            let after = terms(instrument, body.value("after")?)?;
            Ok(object([("after", after), ("symbol", symbol(instrument))]))
        }
        "report" | "shadow-report" => {
            let instrument = session.instrument_of(&item.entry.corr);
            match body.optional("replaced") {
                Some(replaced) => {
                    let after = terms(instrument, replaced)?;
                    Ok(object([("after", after), ("symbol", symbol(instrument))]))
                }
                None => trade(instrument, &item.entry.body),
            }
        }
        "booked" => {
            let instrument = session.instrument_of(&item.entry.corr);
            let qty_scale = |instrument: &Instrument| instrument.qty_scale;
            Ok(object([
                ("cum_qty", decimal(body.value("cum_qty")?, instrument.map(qty_scale))),
                ("position", decimal(body.value("position")?, instrument.map(qty_scale))),
                ("symbol", symbol(instrument)),
            ]))
        }
        _ => Ok(Value::Null),
    }
}

fn intent(instrument: Option<&Instrument>, intent: &Value) -> Result<Value, JsonError> {
    let mut fields = Fields::new(intent)?;
    Ok(object([
        ("price", decimal(fields.value("price")?, instrument.map(|i| i.price_scale))),
        ("qty", decimal(fields.value("qty")?, instrument.map(|i| i.qty_scale))),
        ("symbol", symbol(instrument)),
    ]))
}

/// Whole quantity and price of an order before or after a change.
fn terms(instrument: Option<&Instrument>, terms: &Value) -> Result<Value, JsonError> {
    let mut fields = Fields::new(terms)?;
    Ok(object([
        ("price", decimal(fields.value("price")?, instrument.map(|i| i.price_scale))),
        ("qty", decimal(fields.value("qty")?, instrument.map(|i| i.qty_scale))),
    ]))
}

fn trade(instrument: Option<&Instrument>, report: &Value) -> Result<Value, JsonError> {
    let mut fields = Fields::new(report)?;
    if *fields.value("trade")? == Value::Null {
        return Ok(Value::Null);
    }
    let mut trade = fields.fields("trade")?;
    Ok(object([
        ("fee", escape_terminal(trade.text("fee")?).into()),
        ("last_px", decimal(trade.value("last_px")?, instrument.map(|i| i.price_scale))),
        ("last_qty", decimal(trade.value("last_qty")?, instrument.map(|i| i.qty_scale))),
        ("symbol", symbol(instrument)),
    ]))
}

fn symbol(instrument: Option<&Instrument>) -> Value {
    instrument.map_or(Value::Null, |instrument| escape_terminal(&instrument.symbol).into())
}

/// Null where there is no number, or no instrument that tells how many decimals it has.
fn decimal(units: &Value, scale: Option<u8>) -> Value {
    match (units, scale) {
        (Value::Int(units), Some(scale)) => format_scaled(i128::from(*units), scale).into(),
        _ => Value::Null,
    }
}
