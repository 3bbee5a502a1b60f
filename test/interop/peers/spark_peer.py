"""Spark with Delta's own implementation, in one JVM on the loopback address."""

import glob
import json
import os
import sys
import time

import pyspark
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession, functions
from pyspark.sql.types import StructType, VariantType

from canonical import arrow_table, table_of
from serve import serve

JARS = sys.argv[1]
SCRATCH = sys.argv[2]

# Python's own conversions of times use the process's zone.
os.environ["TZ"] = "UTC"
time.tzset()
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"

SETTINGS = {
    "spark.jars": ",".join(sorted(glob.glob(os.path.join(glob.escape(JARS), "*.jar")))),
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1500m",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Tables are small, and each statement is another one: compiling it takes longer than running it.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.local.dir": SCRATCH,
    "spark.sql.warehouse.dir": SCRATCH,
    # The proleptic calendar on both sides: dates before 1582 are the same days everywhere.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
}


def start():
    builder = SparkSession.builder.master("local[2]").appName("interop")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


spark = start()


def versions():
    return {"spark": spark.version, "pyspark": pyspark.__version__, "java": spark._jvm.System.getProperty("java.version")}


def frame(path, version=None):
    reader = spark.read.format("delta")
    return (reader if version is None else reader.option("versionAsOf", version)).load(path)


def read(path, version=None):
    rows = frame(path, version)
    variants = [field.name for field in rows.schema if isinstance(field.dataType, VariantType)]
    for name in variants:
        rows = rows.withColumn(name, functions.to_json(name))
    content = table_of(rows.toArrow())
    for name in variants:
        content["types"][name] = "variant"
        for row in content["rows"]:
            row[name] = row[name] and variant(row[name].removeprefix("string:"))
    return content


def variant(text):
    return "variant:" + json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def changes(path, first, last):
    reader = spark.read.format("delta").option("readChangeFeed", "true")
    return table_of(reader.option("startingVersion", first).option("endingVersion", last).load(path).toArrow())


def write(path, schema, rows, partition_by=None, mode="append", configuration=None):
    data = spark.createDataFrame(arrow_table(schema, rows), StructType.fromJson(schema)).coalesce(1)
    writer = data.write.format("delta").mode(mode).partitionBy(*(partition_by or []))
    for name, value in (configuration or {}).items():
        writer = writer.option(name, value)
    writer.save(path)


def create(path, columns, partitionBy=()):
    """Creates a table whose columns' metadata says more than SQL can."""
    columns = [{"nullable": True, "metadata": {}, **column} for column in columns]
    schema = spark._jvm.org.apache.spark.sql.types.DataType.fromJson(json.dumps({"type": "struct", "fields": columns}))
    names = spark._sc._gateway.new_array(spark._jvm.String, len(partitionBy))
    for i, name in enumerate(partitionBy):
        names[i] = name
    builder = spark._jvm.io.delta.tables.DeltaTable.create(spark._jsparkSession).location(path)
    builder.addColumns(schema).partitionedBy(names).execute()


def features():
    """The names of all table features that this Delta knows, in lower case."""
    names = spark._jvm.org.apache.spark.sql.delta.TableFeature.allSupportedFeaturesMap().keys().iterator()
    found = []
    while names.hasNext():
        found.append(names.next())
    return found


def delta_log(path):
    return spark._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, path)


def version(path):
    return delta_log(path).update(False, spark._jvm.scala.Option.empty(), spark._jvm.scala.Option.empty()).version()


def checkpoint(path):
    delta_log(path).checkpoint()


def stream(source, target, checkpoint, source_format="delta", schema=None, options=None, one_batch=False, unique=None):
    """Streams what there is, or its first batch only, into a Delta table. Gives the stream's id."""
    reader = spark.readStream.format(source_format).options(**(options or {}))
    if schema is not None:
        reader = reader.schema(StructType.fromJson(schema))
    rows = reader.load(source)
    if unique is not None:
        rows = rows.dropDuplicates(unique)
    trigger = {"processingTime": "1 hour"} if one_batch else {"availableNow": True}
    writer = rows.writeStream.format("delta").option("checkpointLocation", checkpoint).trigger(**trigger)
    query = writer.start(target)
    try:
        if not one_batch:
            query.awaitTermination()
        while one_batch and not query.recentProgress:
            if query.exception() is not None:
                raise query.exception()
            time.sleep(0.05)
    finally:
        query.stop()
    return query.id


def sql(text):
    """For what has no writer call: deletes, updates. Gives the rows as JSON text."""
    return [json.loads(row) for row in spark.sql(text).toJSON().collect()]


def save(path, query, mode, options=None, partition_by=None):
    """Saves a query's rows in a table, as a data frame is saved."""
    writer = spark.sql(query).write.format("delta").mode(mode).options(**(options or {}))
    (writer.partitionBy(*partition_by) if partition_by else writer).save(path)


def scanned(path, conditions):
    """By condition: the files that a scan of its rows is planned to read, and those that have any, as all rows say; paths' last parts."""
    rows = frame(path)
    last = lambda text: text.rsplit("/", 1)[-1]
    planned = [sorted(last(file) for file in rows.where(text).inputFiles()) for text in conditions]
    # Values beside the file's name: there is no condition to plan by.
    marks = [functions.max(functions.expr(f"coalesce(({text}), false)")).alias(f"c{i}") for i, text in enumerate(conditions)]
    found = rows.groupBy(functions.input_file_name().alias("file")).agg(*marks).collect()
    having = [sorted(last(row["file"]) for row in found if row[f"c{i}"]) for i in range(len(conditions))]
    return [{"planned": p, "having": h} for p, h in zip(planned, having)]


def evaluate(path, expressions):
    """The values of each expression for the rows of a table, by id; of one that fails for some row, or that makes no sense, the error."""
    rows = frame(path).orderBy("id").coalesce(1)

    def values(some):
        try:
            content = table_of(rows.selectExpr(*[f"{text} AS c{i}" for i, text in enumerate(some)]).toArrow())
        except Exception as error:
            if len(some) == 1:
                return [{"error": str(error)[:300]}]
            middle = len(some) // 2
            return values(some[:middle]) + values(some[middle:])
        names = [f"c{i}" for i in range(len(some))]
        return [{"type": content["types"][name], "values": [row[name] for row in content["rows"]]} for name in names]

    return values(expressions)


TRANSACTIONS = {}


def begin(path, conditions, adds=(), changes_data=True):
    """Stages a transaction that has read the files of some conditions (null: none), removes those, and adds files to partitions."""
    delta = spark._jvm.org.apache.spark.sql.delta
    delta.DeltaLog.clearCache()
    none = spark._jvm.scala.Option.empty()
    txn = delta.DeltaLog.forTable(spark._jsparkSession, path).startTransaction(none, none)
    actions = []
    if conditions is not None:
        parser = spark._jsparkSession.sessionState().sqlParser()
        found = txn.filterFiles(seq([parser.parseExpression(text) for text in conditions]), False)
        for i in range(found.size()):
            add = json.loads(found.apply(i).json())["add"]
            remove = {key: add[key] for key in ("path", "partitionValues", "size")}
            actions.append({"remove": {**remove, "deletionTimestamp": 1, "dataChange": changes_data, "extendedFileMetadata": True}})
    for part in adds:
        file = {"path": f"part={part}/new-{len(TRANSACTIONS)}-{len(actions)}.parquet", "partitionValues": {"part": part}, "size": 1}
        stats = json.dumps({"numRecords": 1, "minValues": {"id": 1, "n": 1.0}, "maxValues": {"id": 2, "n": 2.0}, "nullCount": {"id": 0, "n": 0}})
        actions.append({"add": {**file, "modificationTime": 1, "dataChange": changes_data, "stats": stats}})
    TRANSACTIONS[path] = txn, seq([delta.actions.Action.fromJson(json.dumps(action)) for action in actions])


def finish(path):
    """Commits it; "committed", or the name of the exception."""
    txn, actions = TRANSACTIONS.pop(path)
    manual = getattr(spark._jvm.org.apache.spark.sql.delta, "DeltaOperations$ManualUpdate$")
    try:
        txn.commit(actions, getattr(manual, "MODULE$"))
        return "committed"
    except Py4JJavaError as error:
        return error.java_exception.getClass().getSimpleName()


def seq(items):
    return spark._jvm.org.apache.spark.api.python.PythonUtils.toSeq(items)


if __name__ == "__main__":
    serve({f.__name__: f for f in (versions, read, changes, write, create, features, version, checkpoint, stream, sql, save, scanned, evaluate, begin, finish)})
    spark.stop()
