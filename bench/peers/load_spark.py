"""Spark: reads a CSV file and writes it as a Delta table; the session is there before. Arguments: the CSV file, the table, the jars."""

import sys
import time

from sample import print_and_exit
from spark_session import peak_of_jvm, session

source, table, jars = sys.argv[1:]
spark = session(jars)
SCHEMA = "id BIGINT, at TIMESTAMP, name STRING, value DOUBLE, flag BOOLEAN, category STRING"

start = time.perf_counter()
spark.read.schema(SCHEMA).option("header", "true").option("escape", '"').csv(source).write.format("delta").save(table)
ms = (time.perf_counter() - start) * 1000
print_and_exit({"ms": ms, "peakRssBytes": peak_of_jvm(spark), "answer": None})
