"""Makes a table of many files whose state is in one classic checkpoint, laid out as Spark 4.0.1 was seen to do it.

Arguments: the table's folder, how many files. The data files themselves don't exist: nothing here reads them. Values come
from a fixed seed. After the checkpoint come three commits that add and remove a few files.
"""

import json
import os
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq

path, files = sys.argv[1], int(sys.argv[2])
VERSION = 100
TIME = 1_767_225_600_000
# Spark closes a row group at 128 MiB of compressed pages: with statistics like these that is this many files.
ROW_GROUP = 900_000
BATCH = 50_000
rng = random.Random(20260101)

FIELDS = [("id", "long"), ("at", "timestamp"), ("name", "string"), ("value", "double"), ("flag", "boolean")]
SCHEMA_STRING = json.dumps(
    {
        "type": "struct",
        "fields": [
            {"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in [*FIELDS, ("day", "date")]
        ],
    }
)
PROTOCOL = {"minReaderVersion": 1, "minWriterVersion": 2}
METADATA = {
    "id": "0c3f8d5e-5a3c-4b43-9d4e-2f6f7e0d9a11",
    "name": None,
    "description": None,
    "format": {"provider": "parquet", "options": []},
    "schemaString": SCHEMA_STRING,
    "partitionColumns": ["day"],
    "configuration": [],
    "createdTime": TIME,
}

text_map = pa.map_(pa.string(), pa.string())
ADD = pa.struct(
    [
        ("path", pa.string()),
        ("partitionValues", text_map),
        ("size", pa.int64()),
        ("modificationTime", pa.int64()),
        ("dataChange", pa.bool_()),
        ("tags", text_map),
        ("stats", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("txn", pa.struct([("appId", pa.string()), ("version", pa.int64()), ("lastUpdated", pa.int64())])),
        ("add", ADD),
        (
            "remove",
            pa.struct(
                [
                    ("path", pa.string()),
                    ("deletionTimestamp", pa.int64()),
                    ("dataChange", pa.bool_()),
                    ("extendedFileMetadata", pa.bool_()),
                    ("partitionValues", text_map),
                    ("size", pa.int64()),
                ]
            ),
        ),
        (
            "metaData",
            pa.struct(
                [
                    ("id", pa.string()),
                    ("name", pa.string()),
                    ("description", pa.string()),
                    ("format", pa.struct([("provider", pa.string()), ("options", text_map)])),
                    ("schemaString", pa.string()),
                    ("partitionColumns", pa.list_(pa.string())),
                    ("configuration", text_map),
                    ("createdTime", pa.int64()),
                ]
            ),
        ),
        ("protocol", pa.struct([("minReaderVersion", pa.int32()), ("minWriterVersion", pa.int32())])),
    ]
)


def uuid():
    h = f"{rng.getrandbits(128):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def add(n):
    day = f"2026-{n // 31 % 12 + 1:02d}-{n % 28 + 1:02d}"
    first = n * 100_000
    stats = {
        "numRecords": 100_000,
        "minValues": {
            "id": first,
            "at": f"{day}T00:00:{n % 60:02d}.{rng.randrange(1000):03d}Z",
            "name": f"name {rng.randrange(10**9):09d} and so on to s",
            "value": rng.random() * 1000,
        },
        "maxValues": {
            "id": first + 99_999,
            "at": f"{day}T23:59:{n % 60:02d}.{rng.randrange(1000):03d}Z",
            "name": f"zzz {rng.randrange(10**9):09d} and so on to so",
            "value": 1000 + rng.random() * 1000,
        },
        "nullCount": {"id": 0, "at": 0, "name": rng.randrange(100), "value": 0, "flag": rng.randrange(100)},
    }
    return {
        "path": f"day={day}/part-{n % 200:05d}-{uuid()}.c000.snappy.parquet",
        "partitionValues": {"day": day},
        "size": 5_000_000 + rng.randrange(10_000_000),
        "modificationTime": TIME + n,
        "dataChange": False,
        "stats": json.dumps(stats, separators=(",", ":")),
    }


def record_batch(actions):
    columns = {name: [action.get(name) for action in actions] for name in SCHEMA.names}
    return pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def for_checkpoint(action):
    return {**action, "partitionValues": list(action["partitionValues"].items())}


def write_json(version, actions):
    info = {"commitInfo": {"timestamp": TIME + version * 1000, "operation": "WRITE", "operationParameters": {"mode": "Append"}}}
    with open(os.path.join(log, f"{version:020d}.json"), "w", encoding="utf-8") as out:
        for action in [info, *actions]:
            out.write(json.dumps(action, separators=(",", ":")) + "\n")


log = os.path.join(path, "_delta_log")
os.makedirs(log)
checkpoint = os.path.join(log, f"{VERSION:020d}.checkpoint.parquet")
some_paths = []
# Spark gives up a dictionary that doesn't pay, and leaves no trace of it.
with pq.ParquetWriter(checkpoint, SCHEMA, compression="snappy", use_dictionary=["add.partitionValues.key_value.key"]) as writer:
    pending = [record_batch([{"protocol": PROTOCOL}, {"metaData": METADATA}])]
    for start in range(0, files, BATCH):
        adds = [add(n) for n in range(start, min(start + BATCH, files))]
        some_paths.append(adds[len(adds) // 2])
        pending.append(record_batch([{"add": for_checkpoint(a)} for a in adds]))
        if sum(batch.num_rows for batch in pending) >= ROW_GROUP or start + BATCH >= files:
            table = pa.Table.from_batches(pending)
            writer.write_table(table, row_group_size=table.num_rows)
            pending = []
size = os.path.getsize(checkpoint)
write_json(VERSION, [{"add": {**some_paths[0], "dataChange": True}}])
for n in range(3):
    removed = some_paths[n % len(some_paths)]
    remove = {
        "path": removed["path"],
        "deletionTimestamp": TIME,
        "dataChange": True,
        "extendedFileMetadata": True,
        "partitionValues": removed["partitionValues"],
        "size": removed["size"],
    }
    write_json(VERSION + 1 + n, [{"remove": remove}, {"add": {**add(files + n), "dataChange": True}}])
with open(os.path.join(log, "_last_checkpoint"), "w", encoding="utf-8") as out:
    json.dump({"version": VERSION, "size": files + 2, "sizeInBytes": size, "numOfAddFiles": files}, out)
