"""Rows of a part on their way to Spark: Arrow columns in the table's types, and what the load's condition keeps."""

from delta_load_values import decimal_of


def arrow_type(kind):
    import pyarrow as pa

    if isinstance(kind, str):
        names = {"byte": pa.int8(), "short": pa.int16(), "integer": pa.int32(), "long": pa.int64(), "float": pa.float32()}
        names |= {"double": pa.float64(), "string": pa.string(), "binary": pa.binary(), "boolean": pa.bool_(), "date": pa.date32()}
        names |= {"timestamp": pa.timestamp("us", "UTC"), "timestamp_ntz": pa.timestamp("us")}
        return names[kind] if kind in names else pa.decimal128(*decimal_of(kind))
    if kind["type"] == "struct":
        return pa.struct([pa.field(field["name"], arrow_type(field["type"]), field["nullable"]) for field in kind["fields"]])
    if kind["type"] == "array":
        return pa.list_(pa.field("element", arrow_type(kind["elementType"]), kind["containsNull"]))
    return pa.map_(arrow_type(kind["keyType"]), pa.field("value", arrow_type(kind["valueType"]), kind["valueContainsNull"]))


def column_of_values(kind, values):
    """Values that a converter made, as an Arrow column."""
    import pyarrow

    return pyarrow.array(values, arrow_type(kind))


def kept_rows(table, columns, where):
    """The rows of a table (columns v0, v1 ...) for which the condition, SQL of DuckDB's, is true."""
    if where is None or table.num_rows == 0:
        return table
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("rows of the batch", table.rename_columns([column["name"] for column in columns]))
    query = f'SELECT coalesce(CAST(({where}) AS BOOLEAN), false) AS kept FROM "rows of the batch"'
    kept = connection.execute(query).fetch_arrow_table().column("kept")
    return table.filter(kept)


def empty_table(columns):
    import pyarrow

    return pyarrow.table([pyarrow.array([], arrow_type(column["type"])) for column in columns], names=[f"v{i}" for i in range(len(columns))])
