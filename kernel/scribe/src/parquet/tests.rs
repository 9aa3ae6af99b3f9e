//! Tables read back by the tools that people use, and numbers that are refused.

use std::fs::{self, File};
use std::path::Path;

use portcullis_domain::number::NumberError;
use portcullis_statement::json::{self, Value};

use super::*;
use crate::testing::{Scratch, evidence, tools};

const COLUMNS: [(&str, Kind); 6] = [
    ("text", Kind::Text),
    ("moment", Kind::Moment),
    ("decimal", Kind::Decimal),
    ("count", Kind::Count),
    ("int", Kind::Int),
    ("flag", Kind::Flag),
];

/// The largest decimal.
const MOST: &str = "99999999999999999999.999999999999999999";

fn row(text: &str, moment: i64, decimal: &str, (count, int): (u64, i64), flag: bool) -> Vec<Cell> {
    vec![
        Cell::text(text),
        Cell::Int(moment),
        Cell::decimal(decimal).unwrap(),
        Cell::Count(count),
        Cell::Int(int),
        Cell::Flag(flag),
    ]
}

fn written(path: &Path, rows: &[Vec<Cell>]) {
    let evidence = evidence();
    let sink = File::create(path).unwrap();
    let mut table = Table::new("extremes", COLUMNS.to_vec(), (&evidence, sink)).unwrap();
    for row in rows {
        table.push(row.clone()).unwrap();
    }
    table.finish().unwrap();
}

/// C15: what the tools read is what was written, to the last decimal and nanosecond.
#[test]
#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn c15_three_tools_read_the_exact_values() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let Some(mut python) = tools::python(project) else {
        return eprintln!("{}", tools::NO_PYTHON);
    };
    let least = format!("-{MOST}");
    let rows = [
        row("=cmd()", 1_723_161_253_937_085_768, MOST, (u64::MAX, i64::MAX), true),
        row("", -1, &least, (0, i64::MIN), false),
        row("\u{1b}\u{202e}价\"\\", 0, "0.000000000000000001", (1 << 63, 0), true),
        row("NULL", 9_214_646_400_000_000_001, "-0.000000000000000001", (1, -1), false),
        vec![Cell::Empty; COLUMNS.len()],
        row("scale 0", 1, "9223372036854775807", (1, 1), true),
    ];
    let scratch = Scratch::new("parquet");
    let path = scratch.path().join("extremes.parquet");
    written(&path, &rows);
    let script = project.join("tests/python/read_tables.py");
    let output = python.arg(script).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = |cell: &Cell| match cell {
        Cell::Empty => serde_json::Value::Null,
        Cell::Text(text) => text.as_str().into(),
        Cell::Int(number) => number.to_string().into(),
        Cell::Decimal(units) => portcullis_domain::number::format_scaled(*units, SCALE).into(),
        Cell::Count(count) => count.to_string().into(),
        Cell::Flag(flag) => flag.to_string().into(),
    };
    let expect: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    for tool in ["duckdb", "polars", "pyarrow"] {
        assert_eq!(read[tool], serde_json::json!(expect), "{tool}");
    }
}

/// More rows than one group holds, and the same rows are the same bytes.
#[test]
#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn groups_follow_each_other_and_bytes_repeat() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let count = u64::try_from(GROUP_ROWS).unwrap() + 1;
    let rows: Vec<Vec<Cell>> = (0..count).map(|n| row("x", 7, "1.5", (n, 0), true)).collect();
    let scratch = Scratch::new("parquet");
    let paths = ["a.parquet", "b.parquet"].map(|name| scratch.path().join(name));
    for path in &paths {
        written(path, &rows);
    }
    let [one, other] = paths.each_ref().map(|path| fs::read(path).unwrap());
    assert!(one == other, "the same rows are other bytes");
    let Some(mut python) = tools::python(project) else {
        return eprintln!("{}", tools::NO_PYTHON);
    };
    let sum = "import duckdb,sys;print(*duckdb.sql(f\"select count(*), sum(count)::varchar, \
               sum(decimal)::varchar from '{sys.argv[1]}'\").fetchall()[0])";
    let output = python.args(["-c", sum]).arg(&paths[0]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let fault = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.trim(), "65537 2147516416 98305.500000000000000000", "{fault}");
}

/// C15: no scale from 0 to 18 loses anything, and beyond it nothing is written.
#[test]
fn c15_what_does_not_fit_is_refused_and_never_rounded() {
    for scale in 0..=SCALE {
        for units in [i64::MAX, i64::MIN, 1, -1, 0] {
            let Ok(Cell::Decimal(written)) = Cell::scaled(units, scale) else { panic!("{scale}") };
            let back = written / 10_i128.pow(u32::from(SCALE - scale));
            assert_eq!(back, i128::from(units), "scale {scale}");
        }
    }
    assert_eq!(Cell::scaled(1, 19), Err(Unfit::Scale(19)));
    let refused = |text: &str, expect| assert_eq!(Cell::decimal(text), Err(expect), "{text}");
    refused("0.0000000000000000001", Unfit::Number(NumberError::TooPrecise));
    refused("100000000000000000000", Unfit::Range);
    refused("-100000000000000000000", Unfit::Range);
    refused("1000000000000000000000000", Unfit::Number(NumberError::TooLarge));
    refused("1e3", Unfit::Number(NumberError::Malformed));
    assert_eq!(Cell::decimal("1.000000000000000000000"), Cell::decimal("1"));
}

#[test]
fn a_line_that_does_not_fit_names_entry_and_column() {
    let evidence = evidence();
    let line = |numbers: &str| {
        let text = format!(r#"{{"kind":"ordered","numbers":{numbers},"seq":7}}"#);
        json::parse_canonical(text.as_bytes()).unwrap()
    };
    let code = |line: &Value| executions::row(&evidence, line).unwrap_err();
    let error = code(&line(r#"{"price":"0.1000000000000000001"}"#));
    assert_eq!(error.code, "PARQUET_DECIMAL");
    assert!(error.cause.starts_with("entry 7, price: "), "{}", error.cause);
    assert_eq!(code(&line(r#"{"price":1}"#)).code, "ENTRY_MALFORMED");
    assert!(executions::row(&evidence, &line(r#"{"price":"0.1"}"#)).is_ok());
}

/// A value of another column is a fault of ours, never an empty cell.
#[test]
fn a_value_in_the_wrong_column_is_refused() {
    let evidence = evidence();
    let mut table = Table::new("t", COLUMNS.to_vec(), (&evidence, Vec::new())).unwrap();
    let mut wrong = row("x", 1, "1", (1, 1), true);
    wrong.swap(0, 1);
    table.push(wrong).unwrap();
    assert!(table.finish().is_err());
    let mut table = Table::new("t", COLUMNS.to_vec(), (&evidence, Vec::new())).unwrap();
    assert!(table.push(vec![Cell::Empty]).is_err());
}
