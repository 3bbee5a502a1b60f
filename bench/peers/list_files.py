"""delta-rs: opens a table and lists its active files. Arguments: the table, and `uris` or `actions`."""

import sys

from deltalake import DeltaTable

from sample import paths_answer, sample

table, how = sys.argv[1:]


def uris():
    return DeltaTable(table).file_uris()


def actions():
    return DeltaTable(table).get_add_actions()


def answer(result):
    if how == "uris":
        paths = [uri[len(table) + 1 :] for uri in result]
    else:
        paths = result.column("path").to_pylist()
    return paths_answer(paths)


sample(uris if how == "uris" else actions, answer)
