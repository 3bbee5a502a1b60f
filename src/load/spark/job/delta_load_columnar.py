"""Parquet and Arrow files: which rows a part has, and their values in the table's types, as delta-table casts them."""

import base64

from delta_load_bytes import whole
from delta_load_codecs import LoadError
from delta_load_rows import arrow_type
from delta_load_values import Fault, bad_value, json_text, number_text

DIGITS = {"int8": 3, "int16": 5, "int32": 10, "int64": 19, "uint8": 3, "uint16": 5, "uint32": 10, "uint64": 20}


class ColumnFile:
    """A file's groups of rows: (rows, bytes) of each."""

    def __init__(self, file, s3):
        import pyarrow

        self.url, self.kind = file["url"], file["format"]
        try:
            self._open(whole(file, s3))
        except (pyarrow.ArrowException, OSError) as error:
            raise LoadError("DELTA_INPUT_UNREADABLE", f"{self.url} can't be read as {self.kind}: {error}.") from None

    def _open(self, source):
        import pyarrow
        from pyarrow import ipc, parquet

        if self.kind == "parquet":
            self.file = parquet.ParquetFile(source)
            metadata = self.file.metadata
            groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
            self.groups = [(group.num_rows, group.total_byte_size) for group in groups]
            self.schema = self.file.schema_arrow
            return
        begin = source.read(6)
        source.seek(0)
        self.file = ipc.open_file(source) if begin == b"ARROW1" else pyarrow.ipc.open_stream(source)
        self.schema, self.groups, self.batches = self.file.schema, [], []
        is_file = begin == b"ARROW1"
        for batch in (self.file.get_batch(i) for i in range(self.file.num_record_batches)) if is_file else self.file:
            self.groups.append((batch.num_rows, batch.nbytes))
            self.batches.append(batch)

    def rows(self, start, end):
        """An Arrow table of the rows from `start` to `end`."""
        import pyarrow

        found, at = [], 0
        for index, (count, _) in enumerate(self.groups):
            first, last = max(start - at, 0), min(end - at, count)
            if first < last:
                batch = self.file.read_row_group(index) if self.kind == "parquet" else pyarrow.Table.from_batches([self.batches[index]])
                found.append(batch.slice(first, last - first))
            at += count
        return pyarrow.concat_tables(found)


def read_columns(part, config):
    """An Arrow table of a part's rows, and its bad records as (record, Fault)."""
    import pyarrow

    whole = ColumnFile(part["file"], config["s3"]).rows(part["record"], part["to"]).combine_chunks()
    rescued = config["parse"].get("rescuedDataColumn")
    if rescued is None:
        table = whole
        check_assignable(part["file"]["url"], table.schema, config["columns"])
    else:
        table = rescue_columns(whole, config["columns"], rescued)
    made, bad = [], {}
    for column in config["columns"]:
        found = table.column(column["name"]).combine_chunks() if column["name"] in table.column_names else None
        target = arrow_type(column["type"])
        values, faults = (pyarrow.nulls(table.num_rows, target), {}) if found is None else conformed(found, column, target)
        made.append(values)
        for row, fault in faults.items():
            bad.setdefault(row, fault)
    for column, values in zip(config["columns"], made):
        if not column["nullable"] and values.null_count:
            for row, is_null in enumerate(values.is_null().to_pylist()):
                if is_null:
                    reason = f'has no value in column "{column["name"]}", which allows no nulls.'
                    bad.setdefault(row, Fault("CONSTRAINT", reason, column["name"]))
    rows = pyarrow.table(made, names=[f"v{i}" for i in range(len(made))])
    records = [((part["record"] + row, None, None, row_json(whole, row)), bad[row]) for row in sorted(bad)]
    return rows.filter(pyarrow.array([row not in bad for row in range(table.num_rows)], pyarrow.bool_())), records


def rescue_columns(table, columns, rescued):
    """The columns that fit the table's and, as JSON in one of their own, what there is in the others."""
    types = {column["name"]: arrow_type(column["type"]) for column in columns if column["name"] != rescued}
    fitting = [field.name for field in table.schema if field.name in types and can_become(field.type, types[field.name])]
    others = [field.name for field in table.schema if field.name not in fitting]
    if not others:
        return table
    texts = []
    for row in range(table.num_rows):
        members = [(name, table.column(name)[row]) for name in others]
        found = ",".join(f"{json_text(name)}:{scalar_json(value)}" for name, value in members if value.is_valid)
        texts.append(f"{{{found}}}" if found else None)
    return table.select(fitting).append_column(rescued, [texts])


def check_assignable(url, schema, columns):
    """Raises for columns that the table lacks, and for types that can't become the table's."""
    names = {column["name"]: column for column in columns}
    lacking = [field.name for field in schema if field.name not in names]
    missing = [name for name, column in names.items() if not column["nullable"] and name not in schema.names]
    others = [field.name for field in schema if field.name in names and not can_become(field.type, arrow_type(names[field.name]["type"]))]
    if lacking or missing or others:
        what = [f"{name} is not in the table" for name in lacking] + [f"{name} is missing" for name in missing]
        what += [f"{name} is {schema.field(name).type}, the table has {names[name]['type']}" for name in others]
        raise LoadError("DELTA_SCHEMA_MISMATCH", f"The rows of {url} don't fit the table's schema: {'; '.join(what)}.")


def can_become(given, target):
    import pyarrow.types as t

    if t.is_null(given):
        return True
    if t.is_dictionary(given):
        return can_become(given.value_type, target)
    if t.is_struct(target):
        names = {target.field(i).name for i in range(target.num_fields)}
        if not t.is_struct(given) or any(given.field(i).name not in names for i in range(given.num_fields)):
            return False
        return all(can_become(given.field(i).type, target.field(given.field(i).name).type) for i in range(given.num_fields))
    if t.is_map(target):
        return t.is_map(given) and can_become(given.key_type, target.key_type) and can_become(given.item_type, target.item_type)
    if t.is_list(target):
        is_list = t.is_list(given) or t.is_large_list(given) or t.is_fixed_size_list(given)
        return is_list and can_become(given.value_type, target.value_type)
    if t.is_integer(target):
        return t.is_integer(given) and (str(given) == "uint64" and str(target) == "int64" or fits_integer(given, target))
    if t.is_floating(target):
        if t.is_integer(given):
            return given.bit_width <= (32 if t.is_float64(target) else 16)
        return t.is_floating(given) and given.bit_width <= target.bit_width
    if t.is_decimal(target):
        if t.is_integer(given):
            return DIGITS[str(given)] <= target.precision - target.scale
        is_wide = t.is_decimal(given) and given.precision - given.scale > target.precision - target.scale
        return t.is_decimal(given) and given.scale <= target.scale and (not is_wide or given.bit_width == 256)
    if t.is_date32(target):
        return t.is_date(given)
    if t.is_timestamp(target):
        return t.is_timestamp(given) or t.is_date32(given) and target.tz is None
    if t.is_boolean(target):
        return t.is_boolean(given)
    is_binary = t.is_binary(given) or t.is_large_binary(given) or t.is_fixed_size_binary(given)
    if t.is_string(target):
        return t.is_string(given) or t.is_large_string(given) or is_binary or str(given) == "string_view"
    return is_binary or str(given) == "binary_view"


def fits_integer(given, target):
    import pyarrow.types as t

    return given.bit_width <= target.bit_width if t.is_signed_integer(given) else given.bit_width < target.bit_width


def conformed(values, column, target):
    """The values in the target's type, and faults by the rows whose value doesn't fit."""
    import pyarrow

    try:
        return cast(values, target), {}
    except (pyarrow.ArrowInvalid, UnicodeDecodeError):
        pass
    made, faults = [], {}
    for row in range(len(values)):
        own = values.slice(row, 1)
        try:
            made.append(cast(own, target))
        except (pyarrow.ArrowInvalid, UnicodeDecodeError):
            made.append(pyarrow.nulls(1, target))
            faults[row] = misfit(own, column)
    return pyarrow.concat_arrays(made), faults


def misfit(value, column):
    try:
        shown = value.to_pylist()[0]
    except UnicodeDecodeError:
        shown = {}
    return bad_value(column["name"], shown if isinstance(shown, (int, float, str, list)) else {}, column["type"])


def cast(values, target):
    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.types as t

    given = values.type
    if t.is_dictionary(given):
        return cast(values.dictionary_decode(), target)
    if t.is_struct(target):
        names = [given.field(i).name for i in range(given.num_fields)]
        fields = [target.field(i) for i in range(target.num_fields)]
        own = lambda field: cast(values.field(field.name), field.type) if field.name in names else pyarrow.nulls(len(values), field.type)
        children = [own(field) for field in fields]
        return pyarrow.StructArray.from_arrays(children, fields=fields, mask=values.is_null())
    if t.is_list(target) and not values.null_count and not t.is_fixed_size_list(given):
        return pyarrow.ListArray.from_arrays(values.offsets.cast(pyarrow.int32()), cast(values.values, target.value_type), type=target)
    if t.is_timestamp(target) and t.is_timestamp(given):
        if given.unit == "ns":
            # Rounded down, also before 1970.
            values = compute.floor_temporal(values, unit="microsecond") if given.tz is None else values
        micros = values.cast(pyarrow.timestamp("us", given.tz), safe=given.unit != "ns")
        return micros.view(pyarrow.int64()).view(target)
    if t.is_string(target) and not t.is_string(given):
        found = values.cast(pyarrow.binary()) if not t.is_large_string(given) and str(given) != "string_view" else values
        found = found.cast(target)
        found.validate(full=True)
        return found
    found = values.cast(target)
    if t.is_string(target):
        found.validate(full=True)
    return found


def row_json(table, row):
    """A row as JSON, every column of the file's own present."""
    entries = []
    for name, field in zip(table.column_names, table.schema):
        entries.append(f"{json_text(name)}:{scalar_json(table.column(name)[row])}")
    return ("{" + ",".join(entries) + "}").encode("utf-8", "replace")


def scalar_json(scalar):
    import pyarrow.types as t

    if not scalar.is_valid:
        return "null"
    kind = scalar.type
    if t.is_dictionary(kind):
        return scalar_json(scalar.value)
    if t.is_struct(kind):
        return "{" + ",".join(f"{json_text(name)}:{scalar_json(scalar[name])}" for name in scalar) + "}"
    if t.is_map(kind):
        pairs = [(pair["key"], pair["value"]) for pair in scalar.values]
        if t.is_string(kind.key_type):
            return "{" + ",".join(f"{scalar_json(key)}:{scalar_json(value)}" for key, value in pairs) + "}"
        return "[" + ",".join(f"[{scalar_json(key)},{scalar_json(value)}]" for key, value in pairs) + "]"
    if t.is_list(kind) or t.is_large_list(kind) or t.is_fixed_size_list(kind):
        return "[" + ",".join(map(scalar_json, scalar.values)) + "]"
    if t.is_floating(kind):
        value = scalar.as_py()
        special = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}.get(str(float(value)))
        return special or float_text(float(value))
    if t.is_timestamp(kind):
        micros = cast_scalar_micros(scalar)
        return f'"{timestamp_text(micros)}{"Z" if kind.tz else ""}"'
    if t.is_date(kind):
        return f'"{scalar.as_py().isoformat()}"'
    try:
        value = scalar.as_py()
    except UnicodeDecodeError:
        value = bytes(scalar.as_buffer()).decode("utf-8", "replace")
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    return json_text(value) if isinstance(value, (str, bool, int)) else f'"{value}"'


def float_text(value):
    if value.is_integer() and abs(value) < 1e21:
        return f"{'-0' if str(value) == '-0.0' else int(value)}.0"
    return number_text(value)


def cast_scalar_micros(scalar):
    factor = {"s": 1_000_000, "ms": 1000, "us": 1}.get(scalar.type.unit)
    return scalar.value * factor if factor else scalar.value // 1000


def timestamp_text(micros):
    import datetime

    found = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    return found.strftime("%Y-%m-%dT%H:%M:%S.%f")
