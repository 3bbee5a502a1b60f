"""delta-rs: one append of many rows to a new table. Arguments: the table, rows."""

import pathlib
import sys

from deltalake import write_deltalake

from rows import rows
from sample import sample

path, count = sys.argv[1], int(sys.argv[2])
data = rows(0, count)


def stored(_):
    return {"storedBytes": sum(f.stat().st_size for f in pathlib.Path(path).rglob("*.parquet"))}


sample(lambda: write_deltalake(path, data), lambda _: None, stored)
