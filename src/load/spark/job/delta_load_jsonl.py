"""JSON lines: where they end, and what their values are. The same rows and the same bad records as delta-table's own."""

from delta_load_infer import UNKNOWN, joined, shape_of, wider
from delta_load_rows import column_of_values
from delta_load_values import Fault, check_keys, check_nulls, converter, early_fault, entries_in_order, json_of_entries, nests_too_deep
from delta_load_values import parse_json, without_nulls

MAX_ROW_BYTES = 128 * 1024 * 1024
SHOWN_BYTES = 16 * 1024 * 1024
BLANK = b" \t\r"


def count_records(data):
    return sum(1 for line in data.split(b"\n") if line.strip(BLANK))


def parsed_row(raw):
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Fault("PARSE", "it isn't UTF-8") from None
    if nests_too_deep(text):
        raise Fault("PARSE", "its arrays and objects nest too deep")
    try:
        value = parse_json(text)
    except (ValueError, RecursionError) as error:
        raise Fault("PARSE", f"it is no JSON ({error})") from None
    if isinstance(value, dict):
        return value
    what = "an array" if isinstance(value, list) else "a single value"
    raise Fault("PARSE", f"it is {what}, not an object with a row's columns")


def is_shown(value):
    if isinstance(value, (list, dict)):
        return any(map(is_shown, value.values() if isinstance(value, dict) else value))
    return value is not None


def names_shown(data, known):
    """The columns that a text's complete lines have values in, beside those that are known."""
    found = {}
    for line in data[: data.rfind(b"\n") + 1].split(b"\n"):
        if not line.strip(BLANK):
            continue
        try:
            found |= {name: True for name, value in entries_in_order(parsed_row(line)) if is_shown(value)}
        except Fault:
            pass
    return [name for name in found if name.lower() not in known]


class WiderRows(Exception):
    """Rows have columns that the table lacks and is to be given; `shape` is what the text shows."""

    def __init__(self, shape):
        super().__init__("rows have columns that the table is to be given")
        self.shape = shape


def shape_of_text(data):
    """What the rows of a text show of their columns."""
    shape = UNKNOWN
    for line in data.split(b"\n"):
        if line.strip(BLANK):
            try:
                shape = joined(shape, shape_of(parsed_row(line)))
            except Fault:
                pass
    return shape


class RowBuilder:
    def __init__(self, config, data):
        self.data, self.shown = data, None
        self.columns, self.rescued = config["columns"], config["parse"].get("rescuedDataColumn")
        self.merges = config["mergeSchema"]
        self.schema = {"type": "struct", "fields": self.columns}
        self.converters = {column["name"]: converter(column["type"], column["name"], True) for column in self.columns}

    def shows_more(self):
        """Whether the text shows columns that the table lacks."""
        self.shown = self.shown or shape_of_text(self.data)
        return wider(self.schema, [self.shown]) != self.schema

    def build(self, row):
        """A row's values in the columns' order; raises a Fault."""
        try:
            return self._build(row)
        except Fault as fault:
            if fault.code != "UNKNOWN_COLUMN":
                raise
        return self._build(without_nulls(row, self.schema))

    def _build(self, row):
        try:
            check_keys(row, self.converters, "")
            values = [convert(row.get(name)) for name, convert in self.converters.items()]
        except Fault:
            for column in self.columns:
                early_fault(column["type"], column["name"], row.get(column["name"]))
            raise
        self.check_nulls(values)
        if self.rescued is not None and self.rescued in row:
            raise Fault("TYPE", f'it has a column "{self.rescued}" of its own', self.rescued)
        return values

    def check_nulls(self, values):
        for column, value in zip(self.columns, values):
            check_nulls(column["type"], column["nullable"], column["name"], value)

    def rescue(self, row):
        """What fits its column, and the JSON of all other values in a column of their own."""
        values, others = dict.fromkeys(self.converters), []
        for name, value in entries_in_order(row):
            try:
                if name == self.rescued or name not in self.converters:
                    raise Fault("UNKNOWN_COLUMN", "")
                values[name] = self.converters[name](value)
            except Fault:
                others.append((name, value))
        if others:
            values[self.rescued] = json_of_entries(others)
        found = list(values.values())
        self.check_nulls(found)
        return found

    def row(self, raw):
        """The values of a line, those that don't fit rescued where they may be; raises a Fault, and WiderRows."""
        row = parsed_row(raw)
        try:
            return self.build(row)
        except Fault as fault:
            if fault.code == "UNKNOWN_COLUMN" and self.merges and self.shows_more():
                raise WiderRows(self.shown) from None
            if self.rescued is None or fault.code not in ("TYPE", "UNKNOWN_COLUMN"):
                raise
        return self.rescue(row)


def read_jsonl(part, data, config):
    """An Arrow table of a part's rows, and its bad records as (record, Fault). Raises WiderRows."""
    import pyarrow

    number, line, offset = part["record"], part["line"], part["offset"]
    if part.get("broken"):
        return None, [((number, line + 1, offset, data), Fault("PARSE", part["broken"]))]
    builder, rows, bad = RowBuilder(config, data), [], []
    for raw in data.split(b"\n"):
        if raw.strip(BLANK):
            try:
                rows.append(builder.row(raw))
            except Fault as fault:
                bad.append(((number, line + 1, offset, raw.removesuffix(b"\r")), fault))
            number += 1
        line, offset = line + 1, offset + len(raw) + 1
    values = zip(*rows) if rows else [[] for _ in config["columns"]]
    columns = [column_of_values(column["type"], list(own)) for column, own in zip(config["columns"], values)]
    return pyarrow.table(columns, names=[f"v{i}" for i in range(len(columns))]), bad
