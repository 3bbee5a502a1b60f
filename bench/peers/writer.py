"""delta-rs: one of several writers; a conflict that it hands to its caller is tried again. Arguments: the table, its number, appends."""

import os
import sys

from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from rows import rows

path, number, appends = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
batches = [rows((number + 1) * 100_000 + n * 10, 10) for n in range(appends)]
table = DeltaTable(path)
print("ready", flush=True)
sys.stdin.readline()
for batch in batches:
    while True:
        try:
            write_deltalake(table, batch, mode="append")
            break
        except CommitFailedError:
            table = DeltaTable(path)
os._exit(0)
