"""delta-rs: polars reads a CSV file in a stream and writes it as a table. Arguments: the CSV file, the table."""

import sys

import polars as pl

from sample import sample

source, table = sys.argv[1:]
SCHEMA = {
    "id": pl.Int64,
    "at": pl.Datetime("us", "UTC"),
    "name": pl.String,
    "value": pl.Float64,
    "flag": pl.Boolean,
    "category": pl.String,
}


def load():
    as_text = {**SCHEMA, "at": pl.String}
    time = pl.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
    pl.scan_csv(source, schema=as_text).with_columns(time).sink_delta(table)


sample(load, lambda _: None)
