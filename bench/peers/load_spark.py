"""Spark: reads a CSV file and writes it as a Delta table; the session is there before. Arguments: the CSV file, the table, the jars."""

import glob
import os
import sys
import time

from pyspark.sql import SparkSession

from sample import print_and_exit

source, table, jars = sys.argv[1:]
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.jars", ",".join(glob.glob(os.path.join(jars, "*.jar"))))
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.driver.memory", "4g")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "ERROR")
    .getOrCreate()
)
SCHEMA = "id BIGINT, at TIMESTAMP, name STRING, value DOUBLE, flag BOOLEAN, category STRING"


def peak_of_jvm():
    pid = spark._jvm.java.lang.ProcessHandle.current().pid()
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


start = time.perf_counter()
spark.read.schema(SCHEMA).option("header", "true").option("escape", '"').csv(source).write.format("delta").save(table)
ms = (time.perf_counter() - start) * 1000
print_and_exit({"ms": ms, "peakRssBytes": peak_of_jvm(), "answer": None})
