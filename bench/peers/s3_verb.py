"""delta-rs: one call on a table on S3. Arguments: the table, `open`, `append` or `read`; the environment says how to reach S3."""

import os
import sys

from deltalake import DeltaTable, write_deltalake

from rows import rows

url, verb = sys.argv[1:]
if verb == "open":
    DeltaTable(url).version()
elif verb == "append":
    write_deltalake(url, rows(20_000, 100), mode="append")
else:
    DeltaTable(url).to_pyarrow_table()

# pyarrow's threads may still be reading ahead: Python's own way out sometimes aborts then.
sys.stdout.flush()
os._exit(0)
