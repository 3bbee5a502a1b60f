"""Runs jobs of loads in one Spark session with two executors, processes of their own, for as long as requests come."""

import contextlib
import glob
import io
import json
import os
import sys
import time

JARS, SCRATCH, MODULES = sys.argv[1:4]
os.environ["TZ"] = "UTC"
time.tzset()
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["PYSPARK_PYTHON"] = sys.executable
# Nothing is left beside the package's own files.
sys.dont_write_bytecode = True
sys.path[:0] = [MODULES, os.path.dirname(__file__)]

from pyspark.sql import SparkSession

import delta_load_job
from delta_load_codecs import LoadError
from delta_load_delta import Delta
from delta_load_progress import Store
from serve import serve

JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"
SETTINGS = {
    "spark.jars": ",".join(sorted(glob.glob(os.path.join(glob.escape(JARS), "*.jar")))),
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": JAVA,
    "spark.executor.memory": "768m",
    "spark.executor.extraJavaOptions": JAVA,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.autoCompact.enabled": "false",
    "spark.local.dir": SCRATCH,
    "spark.sql.warehouse.dir": SCRATCH,
}


def start():
    builder = SparkSession.builder.master("local-cluster[2,1,768]").appName("loads")
    for name, value in (SETTINGS | delta_load_job.SETTINGS).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


spark = start()


class Killed(Exception):
    """Stands for the end of the process: nothing that the job commits comes after it."""


@contextlib.contextmanager
def killed_at(at, isAfter):
    """While it holds, a job ends before or after its so manieth effect, and has none after that."""
    effects = [(Store, "write"), (Store, "delete"), (Delta, "create"), (Delta, "commit"), (Delta, "write_files")]
    own, count = [(kind, name, getattr(kind, name)) for kind, name in effects], 0

    def counted(effect):
        def run(*args):
            nonlocal count
            count += 1
            if count > at or count == at and not isAfter:
                raise Killed()
            found = effect(*args)
            if count == at:
                raise Killed()
            return found

        return run

    for kind, name, effect in own:
        setattr(kind, name, counted(effect))
    try:
        yield
    finally:
        for kind, name, effect in own:
            setattr(kind, name, effect)


def load(config, crash=None, batches=None, meanwhile=None, kill=None):
    """What the job tells. `crash`: what it doesn't come to; `batches`: commits after which it ends so; `meanwhile`: folder of another job that is first."""
    told, job = [], delta_load_job.Load(spark, config | {"partCount": 2})
    delta_load_job.tell = lambda **event: told.append(event)
    if crash == "letters":
        job.letters.commit = killed
    if batches is not None:
        commit = job.commit_batch

        def few(frame, batch_id):
            if job.batches >= batches:
                raise Killed()
            commit(frame, batch_id)

        job.commit_batch = few
    if meanwhile is not None:
        stage = job.next_state

        def after_another(*args):
            job.next_state = stage
            with open(f"{meanwhile}/staged", "w"):
                pass
            while not os.path.exists(f"{meanwhile}/committed"):
                time.sleep(0.02)
            return stage(*args)

        job.next_state = after_another
    try:
        with killed_at(**kill) if kill else contextlib.nullcontext():
            job.run()
    except LoadError as error:
        return told + [{"event": "error", "code": error.code, "message": error.message}]
    except Exception as error:
        if crash is None and batches is None and kill is None:
            found = delta_load_job.error_told(error)
            if found is None:
                raise
            return told + [found]
        return told + [{"event": "killed"}]
    return told + [delta_load_job.result_of(job)]


def killed(*_):
    raise Killed()


serve({"load": load})
spark.stop()
