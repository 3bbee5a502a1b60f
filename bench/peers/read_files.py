"""How many files a table has, and their rows, as JSON. Argument: the table."""

import sys

from deltalake import DeltaTable

from sample import print_and_exit

actions = DeltaTable(sys.argv[1]).get_add_actions()
print_and_exit({"files": actions.num_rows, "rows": sum(actions.column("num_records").to_pylist())})
