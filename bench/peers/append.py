"""delta-rs: appends one by one to a table. Arguments: the table, how many appends, and `open` (one handle) or `reopened`."""

import datetime
import sys
import time

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from sample import sample

path, appends, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def rows(n):
    """The same rows as bench/rows.ts makes."""
    ids = range(n * 100, n * 100 + 100)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "at": pa.array([START + datetime.timedelta(seconds=i) for i in ids], pa.timestamp("us", "UTC")),
            "name": pa.array([f"name {i % 97}" for i in ids]),
            "value": pa.array([i % 1000 / 8 for i in ids], pa.float64()),
            "flag": pa.array([i % 3 == 0 for i in ids]),
            "category": pa.array(["abc"[i % 3] for i in ids]),
        }
    )


batches = [rows(n) for n in range(appends + 1)]
write_deltalake(path, batches[0])
handle = DeltaTable(path)


def task():
    times = []
    for batch in batches[1:]:
        start = time.perf_counter()
        write_deltalake(handle if how == "open" else path, batch, mode="append")
        times.append((time.perf_counter() - start) * 1000)
    return times


sample(task, lambda _: None, lambda times: {"latencies": times})
