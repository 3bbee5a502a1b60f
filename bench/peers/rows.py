"""The same rows as bench/rows.ts makes, as Arrow."""

import duckdb
import pyarrow as pa


def rows(first, count):
    made = duckdb.sql(
        f"""
        SELECT id, TIMESTAMP '2026-01-01' + to_seconds(id) AS at, 'name ' || id % 97 AS name, id % 1000 / 8 AS value,
               id % 3 = 0 AS flag, ['a', 'b', 'c'][id % 3 + 1] AS category
        FROM range({first}, {first + count}) AS ids(id)
        """
    ).to_arrow_table()
    at = made.schema.get_field_index("at")
    return made.set_column(at, "at", made.column("at").cast(pa.timestamp("us", "UTC")))
