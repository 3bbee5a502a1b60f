"""Delta's own transactions, through the JVM."""

import datetime
import json
import re


class Delta:
    def __init__(self, spark):
        self.spark, self.jvm = spark, spark._jvm

    def log(self, url):
        return self.jvm.org.apache.spark.sql.delta.DeltaLog.forTable(self.spark._jsparkSession, url)

    def newest(self, url):
        none = self.jvm.scala.Option.empty()
        return self.log(url).update(False, none, none)

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

    def set_schema(self, transaction, schema_string):
        """Has the transaction give the table this schema."""
        old = transaction.metadata()
        new = old.copy(
            old.id(), old.name(), old.description(), old.format(), schema_string, old.partitionColumns(), old.configuration(), old.createdTime()
        )
        transaction.updateMetadata(new, False)

    def write_files(self, transaction, frame):
        """The data files of a frame's rows, which nobody sees before they are committed."""
        return transaction.writeFiles(frame._jdf)

    def adds_json(self, adds):
        return [json.loads(adds.apply(i).json())["add"] for i in range(adds.length())]

    def adds_of_json(self, adds):
        codec = getattr(getattr(self.jvm.org.apache.spark.sql.delta.actions, "Action$"), "MODULE$")
        found = self.jvm.java.util.ArrayList()
        for add in adds:
            found.add(codec.fromJson(json.dumps({"add": add})))
        return self.sequence(found)

    def sequence(self, values):
        return self.jvm.scala.jdk.javaapi.CollectionConverters.asScala(values).toSeq()

    def commit(self, transaction, adds, moves, batch_id, facts):
        """The version that has the files and the applications' moves, as a batch of a stream."""
        actions = self.jvm.java.util.ArrayList()
        for i in range(adds.length()):
            actions.add(adds.apply(i))
        now = self.jvm.scala.Option.apply(self.jvm.java.lang.Long.valueOf(int(datetime.datetime.now().timestamp() * 1000)))
        for app, version in moves:
            actions.add(self.jvm.org.apache.spark.sql.delta.actions.SetTransaction(app, version, now))
        operations = getattr(self.jvm.org.apache.spark.sql.delta, "DeltaOperations$StreamingUpdate")
        append = self.jvm.org.apache.spark.sql.streaming.OutputMode.Append()
        metadata = self.jvm.scala.Option.apply(json.dumps(facts))
        operation = operations(append, moves[0][0], batch_id, metadata)
        return transaction.commit(self.sequence(actions), operation)


def spark_url(url):
    return re.sub("^s3:", "s3a:", url)
