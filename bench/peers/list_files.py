"""delta-rs: opens a table and lists its active files.

Arguments: the table, its version or `latest`, and `actions`, or `uris` and an SQL predicate that the files must be able to have.
"""

import os
import sys

from deltalake import DeltaTable

from sample import paths_answer, sample

table, at, how, *predicate = sys.argv[1:]
table = os.path.realpath(table)


def task():
    opened = DeltaTable(table, version=None if at == "latest" else int(at))
    if how == "actions":
        return opened.get_add_actions()
    return opened.file_uris(file_pruning_predicate=predicate[0] if predicate else None)


def answer(result):
    paths = result.column("path").to_pylist() if how == "actions" else [uri[len(table) + 1 :] for uri in result]
    return paths_answer(paths)


sample(task, answer)
