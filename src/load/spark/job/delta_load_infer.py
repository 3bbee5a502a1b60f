"""What columns JSON values show, and a table's schema with those that it lacks: the same types as delta-table infers."""

import functools
import json
import math
import re

from delta_load_values import JsonNumber, entries_in_order

MAX_TYPE_DEPTH = 24
MAX_COLUMNS = 5000
DECIMAL = "decimal(38,0)"
DECIMAL_DIGITS = 38
# What values show of their type: a kind and what belongs to it. `large` is of whole numbers that a double doesn't hold.
UNKNOWN, TEXT = ["unknown"], ["text"]


def primitive(kind, large=False):
    return ["primitive", kind, large]


def shape_of(value, depth=0):
    if value is None:
        return UNKNOWN
    if depth > MAX_TYPE_DEPTH:
        return TEXT
    if isinstance(value, bool):
        return primitive("boolean")
    if isinstance(value, JsonNumber):
        return shape_of_number(value)
    if isinstance(value, (int, float)):
        return primitive("long")
    if isinstance(value, str):
        return primitive("string")
    if isinstance(value, list):
        return ["array", functools.reduce(joined, (shape_of(one, depth + 1) for one in value), UNKNOWN)]
    return ["struct", {name: shape_of(one, depth + 1) for name, one in entries_in_order(value)}]


def shape_of_number(text):
    if re.search("[.eE]", text):
        return primitive("double") if math.isfinite(float(text)) else TEXT
    if len(text.replace("-", "")) > DECIMAL_DIGITS:
        return TEXT
    return primitive("long" if -(2**63) <= int(text) < 2**63 else DECIMAL, True)


def joined(a, b):
    """What the values of both show."""
    if a == UNKNOWN or b == UNKNOWN:
        return b if a == UNKNOWN else a
    if a[0] != b[0] or a == TEXT:
        return TEXT
    if a[0] == "array":
        return ["array", joined(a[1], b[1])]
    if a[0] == "struct":
        return ["struct", a[1] | {name: joined(a[1].get(name, UNKNOWN), shape) for name, shape in b[1].items()}]
    return widest(a, b)


def widest(a, b):
    large, kinds = a[2] or b[2], {a[1], b[1]}
    if len(kinds) == 1:
        return primitive(a[1], large)
    if not kinds <= {"long", "double", DECIMAL}:
        return TEXT
    if "double" not in kinds:
        return primitive(DECIMAL, True)
    return TEXT if large else primitive("double")


def count_columns(shape):
    if shape[0] == "array":
        return count_columns(shape[1])
    return sum(1 + count_columns(one) for one in shape[1].values()) if shape[0] == "struct" else 0


def type_of(shape):
    """None for what shows no type."""
    if shape[0] == "text":
        return "string"
    if shape[0] == "primitive":
        return shape[1]
    if shape[0] == "array":
        element = type_of(shape[1])
        return element and {"type": "array", "elementType": element, "containsNull": True}
    types = {name: type_of(one) for name, one in shape[1].items()} if shape[0] == "struct" else {}
    fields = [{"name": name, "type": kind, "nullable": True, "metadata": {}} for name, kind in types.items() if kind]
    return {"type": "struct", "fields": fields} if fields else None


def merged(table, given):
    """The table's type with what only the given one has, behind its own."""
    if isinstance(table, str) or not given or isinstance(given, str) or table["type"] != given["type"]:
        return table
    if table["type"] == "array":
        return table | {"elementType": merged(table["elementType"], given["elementType"])}
    names, others = {field["name"].lower() for field in table["fields"]}, {field["name"]: field["type"] for field in given["fields"]}
    kept = [field | {"type": merged(field["type"], others.get(field["name"]))} for field in table["fields"]]
    return table | {"fields": kept + [field for field in given["fields"] if field["name"].lower() not in names]}


def bare(kind):
    """A type without what is said of its fields."""
    if isinstance(kind, dict):
        return {name: bare(part) for name, part in kind.items() if name != "metadata"}
    return list(map(bare, kind)) if isinstance(kind, list) else kind


def wider(schema, shapes):
    """The schema with all columns that the shapes show; itself where it has them."""
    if any(count_columns(shape) > MAX_COLUMNS for shape in shapes):
        return schema
    found = merged(schema, type_of(functools.reduce(joined, shapes, UNKNOWN)))
    # Together they may show less than each alone: an object here and a text there are both texts.
    return found if found != schema else functools.reduce(merged, map(type_of, shapes), schema)


def widened(config, schema, shapes):
    """The configuration for a table of this schema and the columns that the shapes show."""
    schema = wider(schema, shapes)
    columns = [{name: field[name] for name in ("name", "type", "nullable")} for field in schema["fields"]]
    sql = {kind: list(own) for kind, own in config["csvColumns"].items()}
    for kind, own in sql.items():
        for column in columns[len(own) :]:
            own.append(config["csvTypes"][kind][column["type"] if isinstance(column["type"], str) else "string"])
    return config | {"schemaString": json.dumps(schema), "columns": columns, "csvColumns": sql}
