"""Loads files into a Delta table on Spark, as the configuration beside this file says, going on where delta-table or this job stopped."""

import base64
import datetime
import json
import os
import re
import sys
import tempfile
import urllib.parse
import uuid

from py4j.protocol import Py4JJavaError
from pyspark import cloudpickle
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession, functions
from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType, StructField, StructType

import delta_load_records
import delta_load_source
from delta_load_progress import DoneFiles, Store, read_progress, recorded, stage_progress, state_app, step_app, tidy
from delta_load_source import BAD, PLAN, ROW, LoadError, LoadSource

STATE_FORMAT = 1
FREE_BAD_RECORDS = 1000
LETTERS = StructType.fromJson(
    {
        "type": "struct",
        "fields": [
            {"name": name, "type": kind, "nullable": True, "metadata": {}}
            for name, kind in (
                [("job", "string"), ("batch", "long"), ("id", "string"), ("file", "string"), ("byte_offset", "long")]
                + [("line", "long"), ("record", "long"), ("column", "string"), ("code", "string"), ("reason", "string")]
                + [("raw", "binary"), ("parser", "string"), ("loaded_at", "timestamp")]
            )
        ],
    }
)
RACES = re.compile(r"\b(Concurrent\w*|MetadataChanged|ProtocolChanged)Exception\b")


class LostRace(Exception):
    """Somebody else has moved the job or changed the table: the place is read again."""


def tell(**event):
    print(json.dumps(event), flush=True)


def spark_url(url):
    return re.sub("^s3:", "s3a:", url)


class Load:
    def __init__(self, spark, config):
        self.spark, self.jvm, self.config, self.job = spark, spark._jvm, config, config["job"]
        self.url = spark_url(config["table"])
        self.books = dict.fromkeys(["rowsRead", "rowsLoaded", "rowsDead", "rowsFiltered", "filesDone", "bytesRead"], 0)
        self.batches, self.version, self.failure = 0, None, None

    def log(self, url):
        return self.jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.spark._jsparkSession, url)

    def newest(self, log):
        none = self.jvm.scala.Option.empty()
        return log.update(False, none, none)

    def create(self, url, schema, partition_by=(), properties=None):
        if self.log(url).tableExists():
            return
        session = self.spark._jsparkSession
        builder = self.jvm.io.delta.tables.DeltaTable.createIfNotExists(session).location(url)
        builder = builder.addColumns(session.parseDataType(schema.json()))
        if partition_by:
            names = self.spark.sparkContext._gateway.new_array(self.jvm.java.lang.String, len(partition_by))
            for i, name in enumerate(partition_by):
                names[i] = name
            builder = builder.partitionedBy(names)
        for name, value in (properties or {}).items():
            builder = builder.property(name, value)
        builder.execute()

    def run(self):
        while True:
            try:
                return self.go_on()
            except LostRace:
                continue

    def go_on(self):
        config, new = self.config, self.config["newTable"]
        if not self.log(self.url).tableExists():
            if new is None:
                raise LoadError("DELTA_TABLE_NOT_FOUND", f"{self.url} was a table when this job was written, and isn't any more.")
            schema = StructType.fromJson(json.loads(new["schemaString"]))
            self.create(self.url, schema, new["partitionColumns"], new["configuration"])
        snapshot = self.newest(self.log(self.url))
        self.check_columns(snapshot)
        self.store = Store(self.spark, self.url)
        self.before = read_progress(self.store, snapshot, self.job)
        self.state = self.known_state() if self.before else self.new_state()
        if self.before and self.state.get("dead"):
            self.commit_letters(self.before["step"], self.state["dead"])
        self.done = DoneFiles(self.store, self.job, self.state["files"])
        with tempfile.TemporaryDirectory() as folder:
            self.stream(folder)

    def stream(self, folder):
        state, begin = self.state, os.path.join(folder, "begin.json")
        with open(os.path.join(folder, "done"), "wb") as file:
            file.write(self.done.everything())
        place = {"donePath": file.name, "shapes": state["shapes"], "current": state.get("current")}
        with open(begin, "w") as file:
            json.dump(place | {"watermarkMs": state["files"].get("watermarkMs")}, file)
        fields = [("kind", IntegerType()), ("number", LongType()), ("text", StringType()), ("raw", BinaryType())]
        table = StructType.fromJson(json.loads(self.newest(self.log(self.url)).schema().json()))
        fields += [(f"v{i}", field.dataType) for i, field in enumerate(table.fields)]
        self.names = table.fieldNames()
        # Each run begins where the table says: what a killed one left counts for nothing.
        checkpoint = f"_delta_log/_loads/.spark/{uuid.uuid4()}"
        reader = self.spark.readStream.format("delta_table_load").schema(StructType([StructField(*one) for one in fields]))
        source = reader.option("config", json.dumps(self.config)).option("begin", begin).load()
        writer = source.writeStream.foreachBatch(self.commit).option("checkpointLocation", f"{self.url}/{checkpoint}")
        query = writer.start()
        try:
            query.processAllAvailable()
        except (StreamingQueryException, Py4JJavaError):
            if self.failure is not None:
                raise self.failure from None
            raise
        finally:
            query.stop()
            self.store.delete(checkpoint)

    def check_columns(self, snapshot):
        fields = json.loads(snapshot.schema().json())["fields"]
        found = [(field["name"], field["type"], field["nullable"]) for field in fields]
        if found != [(one["name"], one["type"], one["nullable"]) for one in self.config["columns"]]:
            raise LoadError("DELTA_LOAD_OPTIONS_CHANGED", f"{self.url} has other columns than when this job was written. Write it again.")
        if any("delta.generationExpression" in one["metadata"] or "delta.identity.start" in one["metadata"] for one in fields):
            raise LoadError("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", f"{self.url} has columns whose values the table makes itself.")

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
        plans = [json.loads(row.text) for row in frame.where(frame.kind == PLAN).collect()]
        if not plans:
            return
        (plan,) = plans
        step = (self.before["step"] if self.before else 0) + 1
        bad = sorted(frame.where(frame.kind == BAD).select("number", "text", "raw").collect(), key=lambda row: row.number)
        rows = frame.where(frame.kind == ROW).select(*[functions.col(f"v{i}").alias(name) for i, name in enumerate(self.names)])
        books = self.balanced(plan, rows.count(), len(bad))
        state = {**self.state, "books": {name: self.state["books"][name] + books[name] for name in books}}
        for name in ("current", "unfinished", "dead", "format", "madeBy"):
            state.pop(name, None)
        unfinished = self.state.get("unfinished", {"rowsRead": 0, "rowsDead": 0})
        unfinished = {name: unfinished[name] + books[name] for name in unfinished}
        self.check_bad(unfinished, bad)
        log = self.log(self.url)
        transaction = log.startTransaction()
        # Read in it, so that another run's step is a conflict.
        for app, own in ((step_app(self.job), "step"), (state_app(self.job), "id")):
            if transaction.txnVersion(app) != (self.before[own] if self.before else -1):
                raise self.lost_race()
        adds = transaction.writeFiles(rows._jdf)
        try:
            state["files"] = self.done.stage([base64.b64decode(entry) for entry in plan["finished"]])
            if plan["current"]:
                state["current"] = plan["current"]
            if not plan["isEnd"]:
                state["unfinished"] = unfinished
            if bad:
                state["dead"] = self.stage_letters(step, bad)
            state = {"format": STATE_FORMAT, "madeBy": self.config["madeBy"], **state}
            progress = stage_progress(self.store, self.job, self.before, state)
            moves = [(step_app(self.job), progress["step"]), (state_app(self.job), progress["id"])]
            facts = {"job": self.job, "batch": step, "source": plan["ranges"][:20], **books}
            version = self.commit_actions(transaction, adds, moves, batch_id, facts)
        except Py4JJavaError as error:
            if RACES.search(str(error.java_exception)):
                self.remove(adds)
            raise
        tidy(self.store, self.job, self.before, state)
        self.before, self.state = progress, state
        self.done = DoneFiles(self.store, self.job, state["files"])
        if bad:
            self.commit_letters(step, state["dead"])
        self.batches, self.version = self.batches + 1, version
        self.books = {name: self.books[name] + books[name] for name in books}
        tell(event="commit", job=self.job, **self.books, version=version)

    def lost_race(self):
        self.failure = LostRace()
        return self.failure

    def balanced(self, plan, loaded, dead):
        read = sum(one["to"] - one["from"] for one in plan["ranges"])
        if read != loaded + dead:
            raise LoadError("DELTA_INTERNAL", f"Of {read} records {loaded + dead} were accounted for. Nothing of this batch was committed.")
        counts = {"rowsRead": read, "rowsLoaded": loaded, "rowsDead": dead, "rowsFiltered": 0}
        return counts | {"filesDone": len(plan["finished"]), "bytesRead": plan["bytesRead"]}

    def check_bad(self, run, bad):
        most, ratio = self.config["maxBadRecords"], self.config["maxBadRatio"]
        dead, read = run["rowsDead"], run["rowsRead"]
        is_free = ratio is None and (most is not None or dead <= FREE_BAD_RECORDS)
        if bad and (most is not None and dead > most or not is_free and dead > (0.5 if ratio is None else ratio) * read):
            first = "; ".join(f"{one['file']}, line {one['line']}: {one['reason']}" for one in (json.loads(row.text) for row in bad[:5]))
            raise LoadError("DELTA_LOAD_TOO_MANY_BAD_RECORDS", f"There are {dead} bad records among {read}. The batch that holds them isn't committed. The first of it: {first}.")

    def commit_actions(self, transaction, adds, moves, batch_id, facts):
        actions = self.jvm.java.util.ArrayList()
        for i in range(adds.length()):
            actions.add(adds.apply(i))
        now = self.jvm.scala.Option.apply(self.jvm.java.lang.Long.valueOf(int(datetime.datetime.now().timestamp() * 1000)))
        for app, version in moves:
            actions.add(self.jvm.org.apache.spark.sql.delta.actions.SetTransaction(app, version, now))
        operations = getattr(self.jvm.org.apache.spark.sql.delta, "DeltaOperations$StreamingUpdate")
        append = self.jvm.org.apache.spark.sql.streaming.OutputMode.Append()
        metadata = self.jvm.scala.Option.apply(json.dumps(facts))
        operation = operations(append, step_app(self.job), batch_id, metadata)
        return transaction.commit(self.jvm.scala.jdk.javaapi.CollectionConverters.asScala(actions).toSeq(), operation)

    def letters_url(self, place):
        return f"{self.url}/{place['below'].rstrip('/')}" if "below" in place else spark_url(place["url"])

    def stage_letters(self, step, bad):
        place, now = self.config["deadLetters"], datetime.datetime.now(datetime.timezone.utc)
        if place is None:
            raise LoadError("DELTA_LOAD_TOO_MANY_BAD_RECORDS", "There are bad records, and no place for dead letters.")
        url = self.letters_url(place)
        self.create(url, LETTERS)
        rows = []
        for number, row in enumerate(bad):
            letter = json.loads(row.text) | {"job": self.job, "batch": step, "id": f"{self.job}/{step}/{number}"}
            rows.append(tuple((letter | {"raw": row.raw, "loaded_at": now})[name] for name in LETTERS.fieldNames()))
        adds = self.log(url).startTransaction().writeFiles(self.spark.createDataFrame(rows, LETTERS).coalesce(1)._jdf)
        found = [json.loads(adds.apply(i).json())["add"] for i in range(adds.length())]
        return {"location": place, "adds": found, "rowCount": len(rows)}

    def commit_letters(self, step, dead):
        """Commits a step's dead letters, unless they are committed already."""
        url = self.letters_url(dead["location"])
        self.create(url, LETTERS)
        log = self.log(url)
        known = recorded(self.newest(log), step_app(self.job))
        if known is not None and known >= step:
            return
        store = Store(self.spark, url)
        for add in dead["adds"]:
            if not store.exists(urllib.parse.unquote(add["path"])):
                raise LoadError("DELTA_LOAD_PROGRESS_LOST", f'Job "{self.job}": dead letters of batch {step} were staged in {url} and are gone.')
        transaction = log.startTransaction()
        if transaction.txnVersion(step_app(self.job)) >= step:
            return
        codec = getattr(getattr(self.jvm.org.apache.spark.sql.delta.actions, "Action$"), "MODULE$")
        adds = self.jvm.java.util.ArrayList()
        for add in dead["adds"]:
            adds.add(codec.fromJson(json.dumps({"add": add})))
        adds = self.jvm.scala.jdk.javaapi.CollectionConverters.asScala(adds).toSeq()
        facts = {"job": self.job, "batch": step, "deadLetters": True}
        try:
            self.commit_actions(transaction, adds, [(step_app(self.job), step)], step, facts)
        except Py4JJavaError as error:
            if "ConcurrentTransactionException" not in str(error.java_exception):
                raise

    def remove(self, adds):
        for i in range(adds.length()):
            self.store.delete(urllib.parse.unquote(adds.apply(i).path()))


def main():
    with open(sys.argv[1]) as file:
        config = json.load(file)
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    }
    builder = SparkSession.builder.appName(f"delta-table load {config['job']}")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    config["partCount"] = 2 * spark.sparkContext.defaultParallelism
    # What Spark's Python processes run comes with the source: they may not have these files.
    for module in (delta_load_records, delta_load_source):
        cloudpickle.register_pickle_by_value(module)
    spark.dataSource.register(LoadSource)
    load = Load(spark, config)
    try:
        load.run()
    except Exception as error:
        found = re.search(r"<<(\w+)\|(.*?)>>", str(error), re.DOTALL)
        if found is None:
            raise
        tell(event="error", code=found[1], message=found[2])
        sys.exit(1)
    version = load.version
    if version is None:
        version = load.newest(load.log(load.url)).version()
    tell(event="done", job=load.job, **load.books, version=version, batches=load.batches, isUpToDate=load.batches == 0)
    spark.stop()


if __name__ == "__main__":
    main()
