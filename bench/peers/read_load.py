"""What is in the table that the load workload made: rows and sums, as JSON, by delta-rs's query engine."""

import sys

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from sample import print_and_exit

QUERY = """
select count(*) as rows, sum(id) as id, sum(value) as value, sum(case when flag then 1 else 0 end) as flags,
  count(distinct name) as names, min(category) as first, cast(max(at) as varchar) as last from loaded
"""
result = QueryBuilder().register("loaded", DeltaTable(sys.argv[1])).execute(QUERY).read_all()
print_and_exit(pa.table(result).to_pylist()[0])
