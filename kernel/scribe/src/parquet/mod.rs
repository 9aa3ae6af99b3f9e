//! Tables as Parquet, column by column, without a float anywhere.
//!
//! Moments are `TIMESTAMP(NANOS, UTC)`; prices, quantities and money are `DECIMAL(38, 18)`. A
//! number that does not fit there exactly is refused: nothing is rounded.

mod executions;
mod market;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType,
    Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use portcullis_domain::number::{NumberError, parse_scaled_wide, pow10};

use super::source::{Evidence, refused};
use crate::CliError;

pub(super) use executions::write as write_executions;
pub(super) use market::write as write_market;

/// Digits of a decimal, before and after the point.
const PRECISION: u8 = 38;
/// Digits after the point.
const SCALE: u8 = 18;
/// Rows that are collected before they are written.
const GROUP_ROWS: usize = 65_536;

/// What a column holds. Every column may be empty in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// Nanoseconds since 1970, UTC.
    Moment,
    /// Units of 10^-18.
    Decimal,
    /// 64 bits without sign.
    Count,
    /// 64 bits with sign.
    Int,
    Flag,
}

impl Kind {
    /// The field in the language of Parquet schemas.
    fn field(self, name: &str) -> String {
        let (physical, logical) = match self {
            Self::Text => ("binary", " (STRING)"),
            Self::Moment => ("int64", " (TIMESTAMP(NANOS,true))"),
            Self::Decimal => ("fixed_len_byte_array(16)", " (DECIMAL(38,18))"),
            Self::Count => ("int64", " (INTEGER(64,false))"),
            Self::Int => ("int64", " (INTEGER(64,true))"),
            Self::Flag => ("boolean", ""),
        };
        format!("optional {physical} {name}{logical};")
    }
}

/// One value of a row; its column says which of these it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    Empty,
    Text(String),
    Int(i64),
    Decimal(i128),
    Count(u64),
    Flag(bool),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An integer in units of 10^-`scale`.
    fn scaled(units: i64, scale: u8) -> Result<Self, Unfit> {
        let factor = SCALE.checked_sub(scale).and_then(pow10).ok_or(Unfit::Scale(scale))?;
        i128::from(units).checked_mul(factor).map_or(Err(Unfit::Range), Self::in_range)
    }

    /// Decimal text.
    fn decimal(text: &str) -> Result<Self, Unfit> {
        parse_scaled_wide(text, SCALE).map_err(Unfit::Number).and_then(Self::in_range)
    }

    fn in_range(units: i128) -> Result<Self, Unfit> {
        let inside =
            pow10(PRECISION).is_some_and(|bound| units.unsigned_abs() < bound.unsigned_abs());
        if inside { Ok(Self::Decimal(units)) } else { Err(Unfit::Range) }
    }
}

/// Why a number is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unfit {
    /// An instrument of that many decimals.
    Scale(u8),
    /// Text that is no number of at most 18 decimals.
    Number(NumberError),
    /// 10^20 or more.
    Range,
}

impl Unfit {
    /// The refusal, with the place of the number.
    fn at(self, evidence: &Evidence, place: &str) -> CliError {
        let cause = match self {
            Self::Scale(scale) => format!("{place}: {scale} decimals, and a column holds 18"),
            Self::Number(error) => format!("{place}: {}", error.cause()),
            Self::Range => format!("{place}: 10^20 or more does not fit into a column"),
        };
        refused("PARQUET_DECIMAL", &evidence.place, &cause)
    }
}

/// A table while it is written.
struct Table<W: Write + Send> {
    columns: Vec<(&'static str, Kind)>,
    writer: SerializedFileWriter<W>,
    rows: Vec<Vec<Cell>>,
}

impl<W: Write + Send> Table<W> {
    /// A table with that many columns, bound to the session by what its file says of itself.
    fn new(
        name: &str,
        columns: Vec<(&'static str, Kind)>,
        (evidence, sink): (&Evidence, W),
    ) -> Result<Self, ParquetError> {
        let fields: String = columns.iter().map(|(name, kind)| kind.field(name)).collect();
        let schema = Arc::new(parse_message_type(&format!("message {name} {{{fields}}}"))?);
        let facts = [
            ("portcullis.origin", evidence.origin.clone()),
            ("portcullis.session", evidence.approval.session.to_string()),
            ("portcullis.session_root", evidence.root.hex()),
            ("portcullis.simulated", evidence.is_simulated().to_string()),
        ];
        let facts = facts.map(|(key, value)| KeyValue::new(key.to_owned(), value));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("portcullis scribe ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(facts.to_vec()));
        let writer = SerializedFileWriter::new(sink, schema, Arc::new(properties.build()))?;
        Ok(Self { columns, writer, rows: Vec::new() })
    }

    /// Adds a row: a cell for every column, in their order.
    fn push(&mut self, row: Vec<Cell>) -> Result<(), ParquetError> {
        if row.len() != self.columns.len() {
            return Err(ParquetError::General("a row of another table".to_owned()));
        }
        self.rows.push(row);
        if self.rows.len() < GROUP_ROWS { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for (at, (name, kind)) in self.columns.iter().enumerate() {
            let cells: Vec<&Cell> = self.rows.iter().filter_map(|row| row.get(at)).collect();
            let column = group.next_column()?;
            let mut column = column.ok_or_else(|| ParquetError::General((*name).to_owned()))?;
            write_column(&mut column, *kind, &cells)?;
            column.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }

    /// Writes what is left and the footer.
    fn finish(mut self) -> Result<(), ParquetError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        self.writer.close().map(drop)
    }
}

fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    kind: Kind,
    cells: &[&Cell],
) -> Result<(), ParquetError> {
    match kind {
        Kind::Text => write_cells(column.typed::<ByteArrayType>(), cells, |cell| match cell {
            Cell::Text(text) => Some(ByteArray::from(text.as_str())),
            Cell::Empty | Cell::Int(_) | Cell::Decimal(_) | Cell::Count(_) | Cell::Flag(_) => None,
        }),
        Kind::Decimal => {
            write_cells(column.typed::<FixedLenByteArrayType>(), cells, |cell| match cell {
                Cell::Decimal(units) => Some(FixedLenByteArray::from(units.to_be_bytes().to_vec())),
                Cell::Empty | Cell::Text(_) | Cell::Int(_) | Cell::Count(_) | Cell::Flag(_) => None,
            })
        }
        Kind::Moment | Kind::Int => {
            write_cells(column.typed::<Int64Type>(), cells, |cell| match cell {
                Cell::Int(number) => Some(*number),
                Cell::Empty | Cell::Text(_) | Cell::Decimal(_) | Cell::Count(_) | Cell::Flag(_) => {
                    None
                }
            })
        }
        Kind::Count => write_cells(column.typed::<Int64Type>(), cells, |cell| match cell {
            // The same 64 bits: the schema says that they have no sign.
            Cell::Count(count) => Some(count.cast_signed()),
            Cell::Empty | Cell::Text(_) | Cell::Int(_) | Cell::Decimal(_) | Cell::Flag(_) => None,
        }),
        Kind::Flag => write_cells(column.typed::<BoolType>(), cells, |cell| match cell {
            Cell::Flag(flag) => Some(*flag),
            Cell::Empty | Cell::Text(_) | Cell::Int(_) | Cell::Decimal(_) | Cell::Count(_) => None,
        }),
    }
}

/// Writes the values that are there, and where there is none.
fn write_cells<T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    cells: &[&Cell],
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let found: Vec<Option<T::T>> = cells.iter().map(|cell| value(cell)).collect();
    let lost = |(cell, value): (&&Cell, &Option<T::T>)| **cell != Cell::Empty && value.is_none();
    if cells.iter().zip(&found).any(lost) {
        return Err(ParquetError::General("a value of another column".to_owned()));
    }
    let levels: Vec<i16> = found.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = found.into_iter().flatten().collect();
    column.write_batch(&values, Some(&levels), None).map(drop)
}

/// The writer failed: the disk, or a row that is none.
fn unwritable(evidence: &Evidence, error: &ParquetError) -> CliError {
    refused("PARQUET_UNWRITABLE", &evidence.place, &error.to_string())
}
