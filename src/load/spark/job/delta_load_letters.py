"""Dead letters: bad records as rows of a table of their own, committed after the batch that met them."""

import datetime
import json
import re
import urllib.parse

from py4j.protocol import Py4JJavaError
from pyspark.sql.types import StructType

from delta_load_codecs import LoadError
from delta_load_progress import Store, step_app

COLUMNS = [("job", "string"), ("batch", "long"), ("id", "string"), ("file", "string"), ("byte_offset", "long"), ("line", "long")]
COLUMNS += [("record", "long"), ("column", "string"), ("code", "string"), ("reason", "string"), ("raw", "binary"), ("parser", "string")]
COLUMNS += [("loaded_at", "timestamp")]
LETTERS = {"type": "struct", "fields": [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in COLUMNS]}


class Letters:
    def __init__(self, delta, job, table_url):
        self.delta, self.job, self.table_url = delta, job, table_url

    def url(self, place):
        if "below" in place:
            return f"{self.table_url}/{place['below'].rstrip('/')}"
        return re.sub("^s3:", "s3a:", place["url"])

    def stage(self, place, step, bad):
        if place is None:
            raise LoadError("DELTA_LOAD_TOO_MANY_BAD_RECORDS", "There are bad records, and no place for dead letters.")
        schema, now, rows = StructType.fromJson(LETTERS), datetime.datetime.now(datetime.timezone.utc), []
        for number, row in enumerate(bad):
            letter = json.loads(row.text) | {"job": self.job, "batch": step, "id": f"{self.job}/{step}/{number}"}
            rows.append(tuple((letter | {"raw": row.raw, "loaded_at": now})[name] for name, _ in COLUMNS))
        url = self.url(place)
        self.delta.create(url, schema)
        frame = self.delta.spark.createDataFrame(rows, schema).coalesce(1)
        adds = self.delta.write_files(self.delta.log(url).startTransaction(), frame)
        return {"location": place, "adds": self.delta.adds_json(adds), "rowCount": len(rows)}

    def discard(self, dead):
        """Removes letters of a step that surely isn't committed."""
        store = Store(self.delta.spark, self.url(dead["location"]))
        for add in dead["adds"]:
            store.delete(urllib.parse.unquote(add["path"]))

    def commit(self, step, dead):
        """Commits a step's dead letters, unless they are committed already."""
        url = self.url(dead["location"])
        self.delta.create(url, StructType.fromJson(LETTERS))
        transaction = self.delta.log(url).startTransaction()
        if transaction.txnVersion(step_app(self.job)) >= step:
            return
        store = Store(self.delta.spark, url)
        for add in dead["adds"]:
            if not store.exists(urllib.parse.unquote(add["path"])):
                raise LoadError("DELTA_LOAD_PROGRESS_LOST", f'Job "{self.job}": dead letters of batch {step} were staged in {url} and are gone.')
        facts = {"job": self.job, "batch": step, "deadLetters": True}
        try:
            self.delta.commit(transaction, self.delta.adds_of_json(dead["adds"]), [(step_app(self.job), step)], step, facts)
        except Py4JJavaError as error:
            if "ConcurrentTransactionException" not in str(error.java_exception):
                raise
