"""A whole process: opens a small table and prints its count. Arguments: the engine, the table."""

import sys

engine, path = sys.argv[1:]
if engine == "polars":
    import polars as pl

    print(pl.scan_delta(path).select(pl.len()).collect().item())
else:
    from deltalake import DeltaTable

    # By the files' statistics, as delta-rs itself gives them.
    print(sum(DeltaTable(path).get_add_actions().column("num_records").to_pylist()))
