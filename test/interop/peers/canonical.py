"""Arrow tables to and from the canonical JSON that every side of the interop tests is compared in (canonical.ts)."""

import datetime
import decimal
import json
import math
import re

import pyarrow as pa

EPOCH = datetime.datetime(1970, 1, 1)
EPOCH_DATE = datetime.date(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)


def type_text(t):
    """A Delta type's name, spelt alike on every side: `map<string,array<decimal(10,2)>>`."""
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_list_view(t):
        return f"array<{type_text(t.value_type)}>"
    if pa.types.is_map(t):
        return f"map<{type_text(t.key_type)},{type_text(t.item_type)}>"
    if pa.types.is_struct(t):
        return "struct<" + ",".join(f"{f.name}:{type_text(f.type)}" for f in t) + ">"
    if pa.types.is_dictionary(t):
        return type_text(t.value_type)
    if pa.types.is_decimal(t):
        return f"decimal({t.precision},{t.scale})"
    if pa.types.is_timestamp(t):
        return "timestamp" if t.tz else "timestamp_ntz"
    for test, name in (
        (pa.types.is_int8, "byte"),
        (pa.types.is_int16, "short"),
        (pa.types.is_int32, "integer"),
        (pa.types.is_int64, "long"),
        (pa.types.is_float32, "float"),
        (pa.types.is_float64, "double"),
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_date32, "date"),
        (pa.types.is_string, "string"),
        (pa.types.is_large_string, "string"),
        (pa.types.is_string_view, "string"),
        (pa.types.is_binary, "binary"),
        (pa.types.is_large_binary, "binary"),
        (pa.types.is_binary_view, "binary"),
    ):
        if test(t):
            return name
    return str(t)


def timestamp_text(micros):
    return (EPOCH + micros * MICROSECOND).isoformat(timespec="microseconds")


def value_of(scalar):
    """One Arrow scalar in canonical form."""
    t = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_dictionary(t):
        return value_of(scalar.value)
    if pa.types.is_map(t):
        entries = scalar.values
        pairs = [[value_of(k), value_of(v)] for k, v in zip(entries.field(0), entries.field(1))]
        return {"map": sorted(pairs, key=lambda pair: json.dumps(pair[0]))}
    if pa.types.is_struct(t):
        return {f.name: value_of(scalar[i]) for i, f in enumerate(t)}
    if pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_list_view(t):
        return [value_of(v) for v in scalar.values]
    if pa.types.is_boolean(t):
        return scalar.as_py()
    if pa.types.is_integer(t):
        return f"int:{scalar.as_py()}"
    if pa.types.is_floating(t):
        return float_of(scalar.as_py())
    if pa.types.is_decimal(t):
        return f"decimal:{scalar.as_py():f}"
    if pa.types.is_date32(t):
        return "date:" + (EPOCH_DATE + datetime.timedelta(days=scalar.value)).isoformat()
    if pa.types.is_timestamp(t):
        if t.unit != "us":
            raise TypeError(f"a timestamp in {t.unit}")
        return ("timestamp:" if t.tz else "ntz:") + timestamp_text(scalar.value)
    value = scalar.as_py()
    return f"binary:{value.hex()}" if isinstance(value, bytes) else f"string:{value}"


def float_of(value):
    if math.isnan(value):
        return "float:NaN"
    if math.isinf(value):
        return "float:Infinity" if value > 0 else "float:-Infinity"
    if value == 0 and math.copysign(1, value) < 0:
        return "float:-0"
    return value


def table_of(table):
    """A whole Arrow table: the columns' types by name, and its rows, each an object."""
    names = table.column_names
    columns = [[value_of(v) for v in table.column(i)] for i in range(len(names))]
    return {
        "types": {name: type_text(table.schema.field(i).type) for i, name in enumerate(names)},
        "rows": [dict(zip(names, row)) for row in zip(*columns)] if names else [],
    }


# From canonical form

PRIMITIVES = {
    "byte": pa.int8(),
    "short": pa.int16(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}


def arrow_type(delta_type):
    """The Arrow type of a type in Delta's schema JSON."""
    if isinstance(delta_type, str):
        digits = re.fullmatch(r"decimal\((\d+),(\d+)\)", delta_type)
        return pa.decimal128(int(digits[1]), int(digits[2])) if digits else PRIMITIVES[delta_type]
    if delta_type["type"] == "struct":
        return pa.struct([pa.field(f["name"], arrow_type(f["type"]), f["nullable"]) for f in delta_type["fields"]])
    if delta_type["type"] == "array":
        return pa.list_(arrow_type(delta_type["elementType"]))
    return pa.map_(arrow_type(delta_type["keyType"]), arrow_type(delta_type["valueType"]))


def arrow_value(value):
    """A canonical value as pa.array takes it."""
    if isinstance(value, list):
        return [arrow_value(v) for v in value]
    if isinstance(value, dict):
        if list(value) == ["map"]:
            return [(arrow_value(k), arrow_value(v)) for k, v in value["map"]]
        return {name: arrow_value(v) for name, v in value.items()}
    if not isinstance(value, str):
        return value
    kind, text = value.split(":", 1)
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "decimal":
        return decimal.Decimal(text)
    if kind == "date":
        return (datetime.date.fromisoformat(text) - EPOCH_DATE).days
    if kind in ("timestamp", "ntz"):
        return (datetime.datetime.fromisoformat(text) - EPOCH) // MICROSECOND
    return bytes.fromhex(text) if kind == "binary" else text


def arrow_table(schema, rows):
    """The Arrow table of canonical rows, columns as in the schema (Delta's schema JSON, as an object)."""
    fields = [pa.field(f["name"], arrow_type(f["type"]), f["nullable"]) for f in schema["fields"]]
    columns = [pa.array([arrow_value(row[f.name]) for row in rows], f.type) for f in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))
