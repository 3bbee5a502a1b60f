"""delta-rs: compacts, lists what a vacuum would delete, or writes a checkpoint. Arguments: the table, a copy to do it to, what."""

import os
import shutil
import sys

from deltalake import DeltaTable

from sample import sample

source, path, what = sys.argv[1:]
shutil.copytree(source, path, copy_function=os.link)


def task():
    table = DeltaTable(path)
    if what == "compact":
        return table.optimize.compact()
    if what == "vacuum":
        return len(table.vacuum(dry_run=True, full=True))
    return table.create_checkpoint()


sample(task, lambda result: {"files": result} if what == "vacuum" else None)
