"""delta-rs or polars: reads a table, once to warm up and once for the clock. Arguments: the engine, the table, what, rows."""

import sys

from sample import sample

engine, path, what, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
BOUND = count - count // 20


def delta_rs(what):
    from deltalake import DeltaTable, QueryBuilder

    query = {
        "all": "SELECT * FROM t",
        "sum": "SELECT sum(value) AS total FROM t",
        "filter": f"SELECT * FROM t WHERE id >= {BOUND}",
        "column": "SELECT value FROM t",
    }[what]
    return QueryBuilder().register("t", DeltaTable(path)).execute(query).read_all()


def polars(what):
    import polars as pl

    table = pl.scan_delta(path)
    return {
        "all": lambda: table,
        "sum": lambda: table.select(pl.col("value").sum().alias("total")),
        "filter": lambda: table.filter(pl.col("id") >= BOUND),
        "column": lambda: table.select("value"),
    }[what]().collect().to_arrow()


def answer(table):
    import pyarrow as pa

    table = pa.table(table)
    if what == "sum":
        return {"total": table.column("total")[0].as_py()}
    values = table.column("value")
    import pyarrow.compute as pc

    return {"rows": table.num_rows, "columns": table.num_columns, "total": pc.sum(values).as_py()}


run = {"delta-rs": delta_rs, "polars": polars}[engine]
run("filter")
sample(lambda: run(what), answer)
