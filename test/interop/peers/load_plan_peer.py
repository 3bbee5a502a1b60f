"""Plans and reads the batches of loads as Spark's driver and executors do, without Spark."""

import json
import os
import sys

# Nothing is left beside the package's own files.
sys.dont_write_bytecode = True
sys.path[:0] = [sys.argv[1], os.path.dirname(__file__)]

from deltalake import write_deltalake

import delta_load_source
from delta_load_infer import widened
from delta_load_jsonl import WiderRows
from delta_load_plan import Planner
from delta_load_rows import kept_rows
from serve import serve


def plan(config, target, folder, env):
    """Each batch: its plan, its letters, how many rows were kept out. The rows go to a table."""
    os.environ.update(env)
    config = config | {"partCount": 2}
    done, found = os.path.join(folder, "done"), []
    open(done, "wb").close()
    planner = Planner(config, {"donePath": done, "shapes": config["shapes"]})
    while (batch := planner.next_batch()) is not None:
        letters, filtered = [], 0
        config = wide_enough(batch["parts"], config)
        for part in batch["parts"]:
            rows, bad = delta_load_source.read_part(part, config)
            letters += [json.loads(delta_load_source.letter_json(part, *one)) | {"raw": one[0][3].hex()} for one in bad]
            if rows is None:
                continue
            kept = kept_rows(rows, config["columns"], config["where"])
            filtered += rows.num_rows - kept.num_rows
            if kept.num_rows:
                write_deltalake(target, kept.rename_columns([column["name"] for column in config["columns"]]), mode="append", schema_mode="merge")
        found.append({"plan": batch["plan"], "letters": letters, "filtered": filtered})
    return found


def wide_enough(parts, config):
    """The configuration with all columns that the parts show, as the driver has it once they were read."""
    while shapes := [shape for part in parts for shape in shapes_of(part, config)]:
        config = widened(config, json.loads(config["schemaString"]), shapes)
    return config


def shapes_of(part, config):
    try:
        delta_load_source.read_part(part, config)
    except WiderRows as found:
        return [found.shape]
    return []


serve({"plan": plan})
