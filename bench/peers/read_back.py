"""What is in the table that the append workload made: rows and sums, as JSON."""

import sys

import pyarrow.compute as pc
from deltalake import DeltaTable

from sample import print_and_exit

table = DeltaTable(sys.argv[1])
data = table.to_pyarrow_table()
print_and_exit(
    {
        "rows": data.num_rows,
        "id": pc.sum(data["id"]).as_py(),
        "value": pc.sum(data["value"]).as_py(),
        "flags": pc.sum(data["flag"]).as_py(),
        "names": len(pc.unique(data["name"])),
    }
)
