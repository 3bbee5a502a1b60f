"""The sources of a load as a stream of Spark: the driver plans batches, the executors read their parts."""

import json
import zlib

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition

from delta_load_bytes import Place
from delta_load_columnar import read_columns
from delta_load_csv import read_csv
from delta_load_jsonl import WiderRows, read_jsonl
from delta_load_plan import Planner
from delta_load_rows import kept_rows

ROW, BAD, PLAN, COUNT, WIDER = 0, 1, 2, 3, 4


def letter_json(part, record, fault):
    number, line, offset, _ = record
    return json.dumps(
        {"file": part["url"], "byte_offset": offset, "line": line, "record": number, "column": fault.column}
        | {"code": fault.code, "reason": fault.reason, "parser": part["parser"]}
    )


def read_part(part, config):
    """An Arrow table of a part's rows or None, and its bad records as (record, Fault)."""
    if "file" in part:
        return read_columns(part, config)
    data = zlib.decompress(part["text"]) if "text" in part else Place(part["path"], config["s3"]).read(part["start"], part["end"])
    return (read_csv if part["format"] == "csv" else read_jsonl)(part, data, config)


def grouped(parts, most):
    """Parts of small files together, each group for one task and one file of rows."""
    group, size = [], 0
    for part in parts:
        own = part["end"] - part["start"] if "end" in part else 4 * len(part["text"]) if "text" in part else most
        if group and size + own > most:
            yield group
            group, size = [], 0
        group.append(part)
        size += own
    if group:
        yield group


class LoadSource(DataSource):
    @classmethod
    def name(cls):
        return "delta_table_load"

    def streamReader(self, schema):
        return LoadReader(self.options, schema)


class LoadReader(DataSourceStreamReader):
    """Offsets are the numbers of batches: the place itself is in the table, and each run begins from there."""

    def __init__(self, options, schema):
        self.options, self.schema = dict(options), schema
        self.planner, self.plans = None, {}

    def initialOffset(self):
        return {"batch": 0}

    def latestOffset(self):
        if self.planner is None:
            config = json.loads(self.options["config"])
            self.part_bytes = config["batchBytes"] // config["partCount"]
            with open(self.options["begin"]) as file:
                self.planner = Planner(config, json.load(file))
        batch = self.planner.next_batch()
        number = max(self.plans, default=0)
        if batch is None:
            return {"batch": number}
        self.plans[number + 1] = batch
        return {"batch": number + 1}

    def partitions(self, start, end):
        made = []
        for number in range(start["batch"] + 1, end["batch"] + 1):
            batch = self.plans[number]
            made += [InputPartition({"plan": json.dumps(batch["plan"])})]
            parts = [{"order": i, **part} for i, part in enumerate(batch["parts"])]
            made += [InputPartition({"parts": group}) for group in grouped(parts, self.part_bytes)]
        return made

    def commit(self, end):
        for number in [number for number in self.plans if number < end["batch"]]:
            del self.plans[number]

    def read(self, partition):
        import pyarrow
        from pyspark.sql.pandas.types import to_arrow_schema

        arrow = to_arrow_schema(self.schema)
        names, value = [field.name for field in self.schema.fields], partition.value
        count = len(names) - 4

        def batches(kind, number, texts, raws, values):
            size = len(number)
            columns = [pyarrow.array([kind] * size, pyarrow.int32()), pyarrow.array(number, pyarrow.int64())]
            columns += [pyarrow.array(texts, pyarrow.string()), pyarrow.array(raws, pyarrow.binary())]
            columns += values or [pyarrow.nulls(size)] * count
            columns = [column.cast(field.type) for column, field in zip(columns, arrow)]
            yield from pyarrow.table(columns, schema=arrow).to_batches(max_chunksize=10_000)

        if "plan" in value:
            yield from batches(PLAN, [0], [value["plan"]], [None], None)
            return
        config = json.loads(self.options["config"])
        for part in value["parts"]:
            try:
                rows, bad = read_part(part, config)
            except WiderRows as found:
                yield from batches(WIDER, [part["order"]], [json.dumps(found.shape)], [None], None)
                continue
            found = 0 if rows is None else rows.num_rows
            rows = None if rows is None else kept_rows(rows, config["columns"], config["where"])
            loaded = 0 if rows is None else rows.num_rows
            yield from batches(COUNT, [loaded], [str(found - loaded)], [None], None)
            if loaded:
                empty = [None] * loaded
                yield from batches(ROW, range(loaded), empty, empty, rows.columns)
            if bad:
                orders = [(part["order"] << 40) + i for i in range(len(bad))]
                letters = [letter_json(part, record, fault) for record, fault in bad]
                yield from batches(BAD, orders, letters, [record[3] for record, _ in bad], None)
