//! `executions.parquet`: the lines of `executions.jsonl`, one row each.

use std::collections::BTreeMap;
use std::io::Write;

use portcullis_statement::json::Value;

use super::{Cell, Kind, Table, unwritable};
use crate::CliError;
use crate::line::{at, moment};
use crate::source::{Evidence, json_lines, refused};

/// The part of a pack that is made into the table.
const PART: &str = "executions.jsonl";

/// A column: its name, what it holds, and where that stands in a line, first place first.
type Column = (&'static str, Kind, &'static [&'static [&'static str]]);

/// `what` is the whole of what the entry says: nothing is lost that has no column.
const COLUMNS: [Column; 29] = [
    ("seq", Kind::Count, &[&["seq"]]),
    ("input", Kind::Count, &[&["input"]]),
    ("time", Kind::Moment, &[&["time"]]),
    ("boot_ns", Kind::Int, &[&["boot_ns"]]),
    ("kind", Kind::Text, &[&["kind"]]),
    ("reason", Kind::Text, &[&["reason"]]),
    ("corr", Kind::Text, &[&["corr"]]),
    ("symbol", Kind::Text, &[&["numbers", "symbol"]]),
    ("side", Kind::Text, &[&["what", "intent", "side"]]),
    ("ord_type", Kind::Text, &[&["what", "intent", "ord_type"]]),
    ("time_in_force", Kind::Text, &[&["what", "intent", "time_in_force"]]),
    ("price", Kind::Decimal, &[&["numbers", "price"], &["numbers", "after", "price"]]),
    ("qty", Kind::Decimal, &[&["numbers", "qty"], &["numbers", "after", "qty"]]),
    ("price_before", Kind::Decimal, &[&["numbers", "before", "price"]]),
    ("qty_before", Kind::Decimal, &[&["numbers", "before", "qty"]]),
    ("value", Kind::Decimal, &[&["what", "value"]]),
    ("last_px", Kind::Decimal, &[&["numbers", "last_px"]]),
    ("last_qty", Kind::Decimal, &[&["numbers", "last_qty"]]),
    ("fee", Kind::Decimal, &[&["numbers", "fee"]]),
    ("maker", Kind::Flag, &[&["what", "trade", "maker"]]),
    ("cum_qty", Kind::Decimal, &[&["numbers", "cum_qty"]]),
    ("position", Kind::Decimal, &[&["numbers", "position"]]),
    ("exec_type", Kind::Text, &[&["what", "exec_type"]]),
    ("exec_id", Kind::Text, &[&["what", "trade", "exec_id"]]),
    ("order_id", Kind::Text, &[&["what", "order_id"]]),
    ("transact_time", Kind::Moment, &[&["what", "transact_time"]]),
    ("limit", Kind::Text, &[&["what", "limit"]]),
    ("observed", Kind::Text, &[&["what", "observed"]]),
    ("what", Kind::Text, &[&["what"]]),
];

/// Writes the table.
pub(crate) fn write(
    evidence: &Evidence,
    parts: &BTreeMap<String, Vec<u8>>,
    sink: impl Write + Send,
) -> Result<(), CliError> {
    let fault = |error| unwritable(evidence, &error);
    let part = parts.get(PART).map(Vec::as_slice).unwrap_or_default();
    let columns = COLUMNS.map(|(name, kind, _)| (name, kind)).to_vec();
    let mut table = Table::new("executions", columns, (evidence, sink)).map_err(fault)?;
    for line in json_lines(&evidence.place, part)? {
        table.push(row(evidence, &line)?).map_err(fault)?;
    }
    table.finish().map_err(fault)
}

pub(super) fn row(evidence: &Evidence, line: &Value) -> Result<Vec<Cell>, CliError> {
    let cell = |(name, kind, places): &Column| {
        let found = places.iter().find_map(|place| at(line, place));
        let place = || {
            format!(
                "entry {}, {name}",
                at(line, &["seq"]).map_or_else(String::new, Value::canonical_text)
            )
        };
        match found {
            None => Ok(Cell::Empty),
            Some(value) => match (kind, value) {
                (Kind::Decimal, Value::Text(text)) => {
                    Cell::decimal(text).map_err(|unfit| unfit.at(evidence, &place()))
                }
                _ => plain(*kind, value)
                    .ok_or_else(|| refused("ENTRY_MALFORMED", &evidence.place, &place())),
            },
        }
    };
    COLUMNS.iter().map(cell).collect()
}

/// A value that is no decimal; `None` if it is not of that kind.
fn plain(kind: Kind, value: &Value) -> Option<Cell> {
    match (kind, value) {
        (Kind::Text, Value::Text(text)) => Some(Cell::text(text)),
        (Kind::Text, Value::Object(_)) => Some(Cell::text(value.canonical_text())),
        (Kind::Moment, Value::Text(text)) => moment(text).map(|time| Cell::Int(time.0)),
        (Kind::Int, Value::Text(text)) => text.parse().ok().map(Cell::Int),
        (Kind::Count, Value::Int(number)) => u64::try_from(*number).ok().map(Cell::Count),
        (Kind::Flag, Value::Bool(flag)) => Some(Cell::Flag(*flag)),
        _ => None,
    }
}
