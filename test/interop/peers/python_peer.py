"""delta-rs, and DuckDB on the active files of a table."""

import glob
import json
import os
import sys
import urllib.parse

import duckdb
import deltalake
import pyarrow
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from canonical import arrow_table, table_of
from parquet_files import encrypted_files, parquet_files
from serve import serve


def versions():
    return {
        "python": sys.version.split()[0],
        "deltalake": deltalake.__version__,
        "duckdb": duckdb.__version__,
        "pyarrow": pyarrow.__version__,
    }


def read(path, version=None):
    """delta-rs's own query engine."""
    table = DeltaTable(path, version=version)
    batches = QueryBuilder().register("t", table).execute("select * from t").read_all()
    return table_of(pyarrow.table(batches))


def read_pyarrow(path, version=None):
    """delta-rs's log, pyarrow's Parquet reader."""
    return table_of(DeltaTable(path, version=version).to_pyarrow_table())


def version(path):
    return DeltaTable(path).version()


def file_actions(path):
    """The active files' add actions, by a replay of the JSON commits alone."""
    active = {}
    for commit in sorted(glob.glob(os.path.join(glob.escape(path), "_delta_log", "*.json"))):
        with open(commit, encoding="utf-8") as lines:
            for action in map(json.loads, lines):
                if "add" in action:
                    active[action["add"]["path"]] = action["add"]
                elif "remove" in action:
                    active.pop(action["remove"]["path"], None)
    return list(active.values())


def read_duckdb(path, partitions):
    """The data files' columns, and the partition columns as the text that DuckDB finds in the folder names."""
    files = [os.path.join(path, urllib.parse.unquote(add["path"])) for add in file_actions(path)]
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    query = "select * from read_parquet(?, hive_partitioning = ?, hive_types_autocast = false)"
    relation = connection.execute(query, [[glob.escape(f) for f in files], bool(partitions)])
    return table_of(relation.to_arrow_table())


def write(path, schema, rows, partition_by=None, mode="append", configuration=None):
    table = arrow_table(schema, rows)
    write_deltalake(path, table, mode=mode, partition_by=partition_by, configuration=configuration)


def change(path, verb, rows=None, schema=None, **args):
    """Changes a table by one of delta-rs's verbs; `args` are the verb's own. Gives its metrics, or the files that a vacuum deleted."""
    table = DeltaTable(path)
    if verb == "compact":
        return table.optimize.compact(**args)
    if verb == "z_order":
        return table.optimize.z_order(**args)
    if verb == "merge":
        source = arrow_table(schema, rows)
        merger = table.merge(source, args["predicate"], source_alias="source", target_alias="target")
        return merger.when_matched_update_all().when_not_matched_insert_all().execute()
    return {"delete": table.delete, "update": table.update, "vacuum": table.vacuum}[verb](**args)


def checkpoint(path):
    DeltaTable(path).create_checkpoint()


def compact_log(path, first, last):
    DeltaTable(path).compact_logs(first, last)


TABLES = (versions, read, read_pyarrow, read_duckdb, version, file_actions, write, change, checkpoint, compact_log)
VERBS = (*TABLES, parquet_files, encrypted_files)

if __name__ == "__main__":
    serve({f.__name__: f for f in VERBS})
