"""delta-rs or Spark: deletes, updates or merges rows of a copy of a table. Arguments: the engine, the table, the copy, what, rows, jars."""

import os
import resource
import shutil
import sys
import time

import pyarrow as pa

from rows import rows
from sample import print_and_exit

engine, source, path, what, count = sys.argv[1:5] + [int(sys.argv[5])]
shutil.copytree(source, path, copy_function=os.link)
each = count // 200
WHERE = "id % 100 = 7"


def merged():
    """The same rows as bench/rows.ts makes."""
    ids = [i * 200 if i < each else count + i - each for i in range(2 * each)]
    start = rows(0, 1).column("at")[0].value
    size = len(ids)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "at": pa.array([start + id * 1_000_000 for id in ids], pa.timestamp("us", "UTC")),
            "name": ["merged"] * size,
            "value": [i / 8 for i in range(size)],
            "flag": [True] * size,
            "category": ["d"] * size,
        }
    )


def delta_rs():
    from deltalake import DeltaTable

    table, new = DeltaTable(path), merged()

    def merge():
        merger = table.merge(new, "s.id = t.id", source_alias="s", target_alias="t")
        merger.when_matched_update_all().when_not_matched_insert_all().execute()

    changes = {
        "delete": lambda: table.delete(WHERE),
        "update": lambda: table.update(updates={"value": "value + 1"}, predicate=WHERE),
        "merge": merge,
    }
    return changes[what], lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def spark():
    from spark_session import peak_of_jvm, session

    spark, table = session(sys.argv[6]), f"delta.`{path}`"
    spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    new = spark.createDataFrame(merged().to_pylist(), schema=spark.table(table).schema).cache()
    new.count()
    new.createOrReplaceTempView("merged")
    changes = {
        "delete": f"DELETE FROM {table} WHERE {WHERE}",
        "update": f"UPDATE {table} SET value = value + 1 WHERE {WHERE}",
        "merge": f"""MERGE INTO {table} AS t USING merged AS s ON s.id = t.id
                     WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *""",
    }
    return lambda: spark.sql(changes[what]), lambda: peak_of_jvm(spark)


task, peak = delta_rs() if engine == "delta-rs" else spark()
start = time.perf_counter()
task()
ms = (time.perf_counter() - start) * 1000
print_and_exit({"ms": ms, "peakRssBytes": peak(), "answer": None})
