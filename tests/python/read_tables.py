"""Reads one Parquet file with three tools and prints, for each, every value as exact text.

usage: read_tables.py FILE          prints {"duckdb": [...], "polars": [...], "pyarrow": [...]}
A row is a list of texts or nulls: decimals with all 18 decimals, moments as nanoseconds since 1970.
"""
import decimal
import json
import sys

import duckdb
import polars
import pyarrow
import pyarrow.parquet


def text(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    raise TypeError(type(value))


def rows(columns):
    return [[text(value) for value in row] for row in zip(*columns)]


def with_duckdb(path):
    source = duckdb.read_parquet(path)
    wanted = []
    for name, kind in zip(source.columns, source.types):
        kind = str(kind)
        if "TIMESTAMP" in kind:
            assert "NS" in kind and "TZ" in kind, kind
            wanted.append(f'epoch_ns("{name}")')
        else:
            wanted.append(f'"{name}"')
    found = source.project(", ".join(wanted)).fetchall()
    return [[text(value) for value in row] for row in found]


def with_polars(path):
    table = polars.read_parquet(path)
    columns = []
    for column in table:
        if column.dtype == polars.Datetime:
            assert column.dtype == polars.Datetime("ns", "UTC"), column.dtype
            column = column.to_physical()
        if column.dtype == polars.Decimal:
            assert column.dtype == polars.Decimal(38, 18), column.dtype
        columns.append(column.to_list())
    return rows(columns)


def with_pyarrow(path):
    table = pyarrow.parquet.read_table(path)
    columns = []
    for column in table.columns:
        if pyarrow.types.is_timestamp(column.type):
            assert column.type == pyarrow.timestamp("ns", "UTC"), column.type
            column = column.cast(pyarrow.int64())
        if pyarrow.types.is_decimal(column.type):
            assert column.type == pyarrow.decimal128(38, 18), column.type
        columns.append(column.to_pylist())
    return rows(columns)


path = sys.argv[1]
print(json.dumps({
    "duckdb": with_duckdb(path),
    "polars": with_polars(path),
    "pyarrow": with_pyarrow(path),
}))
