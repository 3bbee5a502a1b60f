"""What is in a table that was changed: rows and sums, as JSON. Argument: the table."""

import sys

from deltalake import DeltaTable, QueryBuilder

from sample import print_and_exit

query = "SELECT count(*) AS rows, sum(id) AS id, sum(value) AS value FROM t"
print_and_exit(QueryBuilder().register("t", DeltaTable(sys.argv[1])).execute(query).read_all().to_struct_array()[0].as_py())
