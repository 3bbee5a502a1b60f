"""Loads files into a Delta table on Spark, as the configuration beside this file says, going on where delta-table or this job stopped."""

import base64
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import urllib.parse

from py4j.protocol import Py4JJavaError
from pyspark import cloudpickle
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession, functions
from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType, StructField, StructType

import delta_load_bytes
import delta_load_codecs
import delta_load_columnar
import delta_load_csv
import delta_load_done
import delta_load_files
import delta_load_infer
import delta_load_jsonl
import delta_load_open
import delta_load_plan
import delta_load_rows
import delta_load_source
import delta_load_values
from delta_load_codecs import LoadError
from delta_load_delta import Delta, spark_url
from delta_load_infer import bare, widened
from delta_load_letters import Letters
from delta_load_progress import DoneFiles, Store, read_progress, read_restart, remove_abandoned, stage_progress, state_app
from delta_load_progress import step_app, tidy
from delta_load_s3 import claim_by_put, settings_of
from delta_load_source import BAD, COUNT, PLAN, ROW, WIDER, LoadSource

# What Spark's Python processes run comes with the source: they may not have these files.
SHIPPED = [delta_load_bytes, delta_load_codecs, delta_load_columnar, delta_load_csv, delta_load_done, delta_load_files]
SHIPPED += [delta_load_infer, delta_load_jsonl, delta_load_open, delta_load_plan, delta_load_rows, delta_load_source, delta_load_values]
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
STATE_FORMAT = 1
FREE_BAD_RECORDS = 1000
RACES = re.compile(r"\b(Concurrent\w*|MetadataChanged|ProtocolChanged)Exception\b")
# Spark gives a Python process of its own ten seconds to start, however busy the machine is.
LATE_PYTHON = "Python worker failed to connect back"
LATE_STARTS = 5


class LostRace(Exception):
    """Somebody else has moved the job or changed the table: the place is read again."""


class WiderTable(Exception):
    """Rows have columns that the table is given with their batch, which is read again with them."""


def tell(**event):
    print(json.dumps(event), flush=True)


class Load:
    def __init__(self, spark, config):
        self.spark, self.config, self.job = spark, config, config["job"]
        self.url, self.delta = spark_url(config["table"]), Delta(spark)
        self.letters = Letters(self.delta, self.job, self.url)
        self.columns_before = [one for one in config["columns"] if one["name"] not in config["addedColumns"]]
        self.books = dict.fromkeys(["rowsRead", "rowsLoaded", "rowsDead", "rowsFiltered", "filesDone", "bytesRead"], 0)
        self.batches, self.version, self.failure = 0, None, None
        for module in SHIPPED:
            cloudpickle.register_pickle_by_value(module)
        spark.dataSource.register(LoadSource)

    def run(self):
        self.reach_s3()
        late = 0
        while True:
            is_restart = self.config["restart"] and self.batches == 0
            try:
                return self.go_on(is_restart)
            except WiderTable:
                pass
            except (StreamingQueryException, Py4JJavaError) as error:
                late += 1
                if LATE_PYTHON not in str(error) or late > LATE_STARTS:
                    raise
            except LostRace:
                # Two restarts would double the rows.
                if is_restart:
                    raise LoadError("DELTA_CONCURRENT_TRANSACTION", f'Another run of job "{self.job}" was first. Nothing was loaded.') from None

    def reach_s3(self):
        for name, value in settings_of(self.config["s3"]).items():
            self.spark.conf.set(name, value)
        for url in {self.url, self.letters.url(self.config["deadLetters"] or {"below": ""})}:
            if url.startswith("s3a:"):
                claim_by_put(self.spark, url)

    def go_on(self, is_restart):
        new, self.failure = self.config["newTable"], None
        if not self.delta.log(self.url).tableExists():
            if new is None:
                raise LoadError("DELTA_TABLE_NOT_FOUND", f"{self.url} was a table when this job was written, and isn't any more.")
            schema = StructType.fromJson(json.loads(self.config["schemaString"]))
            self.delta.create(self.url, schema, new["partitionColumns"], new["configuration"])
        snapshot = self.delta.newest(self.url)
        self.check_columns(snapshot)
        self.store = Store(self.spark, self.url)
        self.before = self.known(snapshot, is_restart)
        if self.before:
            self.late_letters(is_restart)
            remove_abandoned(self.store, self.job, self.before)
        if is_restart:
            self.before = read_restart(self.store, snapshot, self.job)
        self.state = self.new_state() if is_restart or not self.before else self.known_state()
        self.done = DoneFiles(self.store, self.job, self.state["files"])
        with tempfile.TemporaryDirectory() as folder:
            self.stream(folder)

    def known(self, snapshot, is_restart):
        try:
            return read_progress(self.store, snapshot, self.job)
        except LoadError as error:
            if is_restart and error.code == "DELTA_LOAD_PROGRESS_LOST":
                return None
            raise

    def late_letters(self, is_restart):
        """Commits the dead letters of the newest step, if a crash came between."""
        dead = self.before["state"].get("dead")
        try:
            if dead:
                self.letters.commit(self.before["step"], dead)
        except LoadError as error:
            if error.code != "DELTA_LOAD_PROGRESS_LOST" or not (is_restart or self.config["ignoreChange"]):
                raise

    def stream(self, folder):
        state, begin = self.state, os.path.join(folder, "begin.json")
        with open(os.path.join(folder, "done"), "wb") as file:
            file.write(self.done.everything())
        place = {"donePath": file.name, "shapes": state["shapes"], "current": state.get("current")}
        with open(begin, "w") as file:
            json.dump(place | {"watermarkMs": state["files"].get("watermarkMs")}, file)
        fields = [("kind", IntegerType()), ("number", LongType()), ("text", StringType()), ("raw", BinaryType())]
        table = StructType.fromJson(json.loads(self.config["schemaString"]))
        fields += [(f"v{i}", field.dataType) for i, field in enumerate(table.fields)]
        self.names = table.fieldNames()
        # Each run begins where the table says: Spark's own checkpoint counts for nothing.
        checkpoint = pathlib.Path(folder, "checkpoint").as_uri()
        reader = self.spark.readStream.format("delta_table_load").schema(StructType([StructField(*one) for one in fields]))
        source = reader.option("config", json.dumps(self.config)).option("begin", begin).load()
        writer = source.writeStream.foreachBatch(self.commit).option("checkpointLocation", checkpoint)
        query = writer.start()
        try:
            query.processAllAvailable()
        except (StreamingQueryException, Py4JJavaError):
            if self.failure is not None:
                raise self.failure from None
            raise
        finally:
            query.stop()

    def check_columns(self, snapshot):
        fields = json.loads(snapshot.schema().json())["fields"]
        facts = lambda columns: [(one["name"], bare(one["type"]), one["nullable"]) for one in columns]
        self.has_new_columns = facts(fields) != facts(self.config["columns"])
        if self.has_new_columns and facts(fields) != facts(self.columns_before):
            raise LoadError("DELTA_LOAD_OPTIONS_CHANGED", f"{self.url} has other columns than when this job was written. Write it again.")
        if any("delta.generationExpression" in one["metadata"] or "delta.identity.start" in one["metadata"] for one in fields):
            raise LoadError("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", f"{self.url} has columns whose values the table makes itself.")

    def widen(self, shapes):
        """Has the next commit add the columns that these show."""
        schema = self.config["schemaString"]
        if not self.has_new_columns:
            # With what Delta itself has said of its columns.
            schema, self.columns_before = self.delta.newest(self.url).metadata().schemaString(), self.config["columns"]
        self.config = widened(self.config, json.loads(schema), shapes)

    def new_state(self):
        files = {"newest": "", "segments": [], "replaced": []}
        empty = dict.fromkeys(self.books, 0)
        return {"options": self.config["options"], "shapes": self.config["shapes"], "files": files, "books": empty}

    def known_state(self):
        state = self.before["state"]
        if state.get("format") != STATE_FORMAT:
            raise LoadError("DELTA_LOAD_OPTIONS_CHANGED", f'The progress of "{self.job}" has a form that this job doesn\'t know.')
        wanted, own = self.config["options"], state["options"]
        names = sorted(name for name in {*wanted, *own} if wanted.get(name) != own.get(name))
        if names and not self.config["ignoreChange"]:
            raise LoadError("DELTA_LOAD_OPTIONS_CHANGED", f'Job "{self.job}" was begun with other options: {", ".join(names)}.')
        shapes = self.config["shapes"] | state["shapes"]
        for kind, shape in self.config["shapes"].items():
            if shapes[kind]["dialect"] != shape["dialect"]:
                raise LoadError("DELTA_LOAD_OPTIONS_CHANGED", f'Job "{self.job}" reads its sources in another way than when this was written. Write it again.')
        return state | {"shapes": shapes}

    def commit(self, frame, batch_id):
        try:
            frame.persist()
            self.commit_batch(frame, batch_id)
        except Py4JJavaError as error:
            text = str(error.java_exception)
            self.failure = LostRace() if RACES.search(text) else error
            raise
        except Exception as error:
            self.failure = error
            raise
        finally:
            frame.unpersist()

    def commit_batch(self, frame, batch_id):
        told = frame.where(frame.kind != ROW).select("kind", "number", "text", "raw").collect()
        wide = sorted((row for row in told if row.kind == WIDER), key=lambda row: row.number)
        if wide:
            self.widen([json.loads(row.text) for row in wide])
            raise WiderTable()
        plans = [json.loads(row.text) for row in told if row.kind == PLAN]
        if not plans:
            return
        (plan,) = plans
        step = (self.before["step"] if self.before else 0) + 1
        bad = sorted((row for row in told if row.kind == BAD), key=lambda row: row.number)
        counts = [row for row in told if row.kind == COUNT]
        loaded, filtered = sum(row.number for row in counts), sum(int(row.text) for row in counts)
        books = self.balanced(plan, loaded, len(bad), filtered)
        unfinished = self.state.get("unfinished", {"rowsRead": 0, "rowsDead": 0})
        unfinished = {name: unfinished[name] + books[name] for name in unfinished}
        self.check_bad(unfinished, bad)
        transaction = self.delta.log(self.url).startTransaction()
        # Read in it, so that another run's step is a conflict.
        recorded = self.before["recorded"] if self.before else (None, None)
        for app, own in zip((step_app(self.job), state_app(self.job)), recorded):
            if transaction.txnVersion(app) != (-1 if own is None else own):
                raise LostRace()
        if self.has_new_columns:
            self.delta.set_schema(transaction, self.config["schemaString"])
        columns = [functions.col(f"v{i}").alias(name) for i, name in enumerate(self.names)]
        adds = self.delta.sequence(self.delta.jvm.java.util.ArrayList())
        if loaded:
            adds = self.delta.write_files(transaction, frame.where(frame.kind == ROW).select(*columns))
        self.staged = None
        try:
            self.check_files(adds, loaded)
            state = self.next_state(plan, books, unfinished, step, bad)
            progress = stage_progress(self.store, self.job, self.before, state)
            moves = [(step_app(self.job), progress["step"]), (state_app(self.job), progress["id"])]
            facts = {"job": self.job, "batch": step, "source": plan["ranges"][:20], "sourceFiles": plan["sourceFiles"], **books}
            version = self.delta.commit(transaction, adds, moves, batch_id, facts)
        except (LoadError, Py4JJavaError) as error:
            # Of another error nobody knows whether it is committed.
            if isinstance(error, LoadError) or RACES.search(str(error.java_exception)):
                self.remove(adds)
                if self.staged:
                    self.letters.discard(self.staged)
            raise
        tidy(self.store, self.job, self.before, state)
        self.before, self.state, self.has_new_columns = progress, state, False
        self.done = DoneFiles(self.store, self.job, state["files"])
        if bad:
            self.letters.commit(step, state["dead"])
        self.batches, self.version = self.batches + 1, version
        self.books = {name: self.books[name] + books[name] for name in books}
        tell(event="commit", job=self.job, **self.books, version=version)

    def next_state(self, plan, books, unfinished, step, bad):
        state = {**self.state, "books": {name: self.state["books"][name] + books[name] for name in books}}
        for name in ("current", "unfinished", "dead", "format", "madeBy"):
            state.pop(name, None)
        retention = self.config["retentionMs"]
        # Not before: files that wait to be loaded may be as old.
        expire_ms = int(time.time() * 1000) - retention if plan["isEnd"] and retention is not None else None
        state["files"] = self.done.stage([base64.b64decode(entry) for entry in plan["finished"]], expire_ms)
        if plan["current"]:
            state["current"] = plan["current"]
        if not plan["isEnd"]:
            state["unfinished"] = unfinished
        if bad:
            state["dead"] = self.staged = self.letters.stage(self.config["deadLetters"], step, bad)
        return {"format": STATE_FORMAT, "madeBy": self.config["madeBy"], **state}

    def balanced(self, plan, loaded, dead, filtered):
        read = sum(one["to"] - one["from"] for one in plan["ranges"])
        if read != loaded + dead + filtered:
            raise LoadError("DELTA_INTERNAL", f"Of {read} records {loaded + dead + filtered} were accounted for. Nothing of this batch was committed.")
        counts = {"rowsRead": read, "rowsLoaded": loaded, "rowsDead": dead, "rowsFiltered": filtered}
        return counts | {"filesDone": len(plan["finished"]), "bytesRead": plan["bytesRead"]}

    def check_files(self, adds, loaded):
        """That the files have the rows, as far as they tell."""
        stats = [json.loads(add["stats"]).get("numRecords") if add.get("stats") else None for add in self.delta.adds_json(adds)]
        if None not in stats and sum(stats) != loaded:
            raise LoadError("DELTA_INTERNAL", f"Of {loaded} rows {sum(stats)} were written. Nothing of this batch was committed.")

    def check_bad(self, run, bad):
        most, ratio = self.config["maxBadRecords"], self.config["maxBadRatio"]
        dead, read = run["rowsDead"], run["rowsRead"]
        is_free = ratio is None and (most is not None or dead <= FREE_BAD_RECORDS)
        if bad and (most is not None and dead > most or not is_free and dead > (0.5 if ratio is None else ratio) * read):
            shown = [json.loads(row.text) for row in bad[:5]]
            first = "; ".join(f"{one['file']}, line {one['line']}: {one['reason']}" for one in shown)
            raise LoadError("DELTA_LOAD_TOO_MANY_BAD_RECORDS", f"There are {dead} bad records among {read}. The batch that holds them isn't committed. The first of it: {first}.")

    def remove(self, adds):
        for add in self.delta.adds_json(adds):
            self.store.delete(urllib.parse.unquote(add["path"]))


def session(config):
    builder = SparkSession.builder.appName(f"delta-table load {config['job']}")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def error_told(error):
    """The job's own error, which Spark may have wrapped; None for another one."""
    found = re.search(r"<<(\w+)\|(.*?)>>", str(error), re.DOTALL)
    return found and {"event": "error", "code": found[1], "message": found[2]}


def result_of(load):
    version = load.version
    if version is None:
        version = load.delta.newest(load.url).version()
    return {"event": "done", "job": load.job, **load.books, "version": version, "batches": load.batches, "isUpToDate": load.batches == 0}


def main():
    with open(sys.argv[1]) as file:
        config = json.load(file)
    spark = session(config)
    config["partCount"] = 2 * spark.sparkContext.defaultParallelism
    load = Load(spark, config)
    try:
        load.run()
    except Exception as error:
        told = error_told(error)
        if told is None:
            raise
        tell(**told)
        sys.exit(1)
    tell(**result_of(load))
    spark.stop()


if __name__ == "__main__":
    main()
