"""CSV records: where they end, and what their values are. The same as delta-table's own, whose reader of values, DuckDB, is used here too."""

import json
import os
import re
import tempfile

MAX_RECORD_BYTES = 16 * 1024 * 1024
OPEN_QUOTE = "open quote"
TOO_LONG = "too long"


class Scanner:
    """Finds where records end: at LF, CRLF and CR that aren't within quotes. A quote opens only where a value begins."""

    def __init__(self, dialect):
        self.delimiter = dialect["delimiter"].encode()
        self.quote = dialect["quote"].encode()
        self.escape = dialect["escape"].encode() or self.quote
        self.stops = re.compile(b"[\r\n" + re.escape(self.quote) + b"]")
        self.quoted = re.compile(b"[" + re.escape(self.quote) + re.escape(self.escape) + b"]") if self.quote else None

    def record(self, data, start, is_end):
        """(end, next, line ends within) of the record at start; a text where it has no end; None where more is needed to tell."""
        at, lines, size = start, 0, len(data)
        while True:
            stop = self.stops.search(data, at)
            if stop is None:
                if size - start > MAX_RECORD_BYTES:
                    return TOO_LONG
                return (size, size, lines) if is_end and start < size else None
            at = stop.start()
            if data[at : at + 1] == self.quote:
                if not self._begins_value(data, start, at):
                    at += 1
                    continue
                close = self._close(data, at + 1, is_end)
                if close is None:
                    too_long = size - start > MAX_RECORD_BYTES
                    return OPEN_QUOTE if is_end or too_long else None
                lines += data.count(b"\n", at, close)
                at = close
                continue
            after = at + 1
            if data[at] == 13:
                if after >= size and not is_end:
                    return None
                if data[after : after + 1] == b"\n":
                    after += 1
            return TOO_LONG if at - start > MAX_RECORD_BYTES else (at, after, lines)

    def _begins_value(self, data, start, at):
        before = at - len(self.delimiter)
        return at == start or (before >= start and data[before:at] == self.delimiter)

    def _close(self, data, at, is_end):
        while True:
            stop = self.quoted.search(data, at)
            if stop is None:
                return None
            at = stop.start()
            following = data[at + 1 : at + 2]
            if data[at : at + 1] == self.escape and (self.escape != self.quote or following in (b"", self.quote)):
                if following:
                    at += 2
                    continue
                return at + 1 if is_end and self.escape == self.quote else None
            return at + 1


def end_of_line(data, start):
    """(end, next) of the line at start."""
    found = re.compile(b"\r\n|\n|\r").search(data, start)
    return (len(data), len(data)) if found is None else found.span()


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Fault(Exception):
    def __init__(self, code, reason, column=None):
        super().__init__(reason)
        self.code, self.reason, self.column = code, reason, column


class Splitter:
    """The values of a record. Of records that aren't plainly one thing or the other DuckDB's reader decides."""

    def __init__(self, connection, dialect, count):
        self.connection, self.dialect, self.count = connection, dialect, count
        d, q, e = dialect["delimiter"], dialect["quote"], dialect["escape"]
        self.is_plain = len(d) == 1 and e == q and q != ""
        if self.is_plain:
            value = f'{q}(?:[^{re.escape(q)}]|{q}{q})*{q}|[^{re.escape(q + d)}]*'.replace(q, re.escape(q))
            self.whole = re.compile(f"(?:{value})(?:{re.escape(d)}(?:{value}))*", re.DOTALL)
            self.value = re.compile(f"({value})(?:{re.escape(d)}|$)", re.DOTALL)

    def split(self, raw):
        """Texts, None for null; throws a Fault."""
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise Fault("PARSE", "it isn't UTF-8") from None
        q, e = self.dialect["quote"], self.dialect["escape"]
        if "\0" not in text and (q == "" or q not in text) and (e == "" or e not in text):
            values = [(value, False) for value in text.split(self.dialect["delimiter"])]
        elif self.is_plain and "\0" not in text and self.whole.fullmatch(text):
            values = self._values(text)
        else:
            return self._by_duckdb(raw)
        if len(values) > self.count:
            # It takes empty ones behind the last column for nothing.
            return self._by_duckdb(raw)
        if len(values) < self.count:
            raise Fault("PARSE", f"it has fewer values than the {self.count} columns")
        nulls = self.dialect["nullValues"]
        return [None if not is_quoted and value in nulls else value for value, is_quoted in values]

    def _values(self, text):
        q, at, values = self.dialect["quote"], 0, []
        while True:
            found = self.value.match(text, at)
            value = found.group(1)
            is_quoted = value.startswith(q)
            values.append((value[1:-1].replace(q + q, q) if is_quoted else value, is_quoted))
            if found.end(1) == len(text):
                return values
            at = found.end()

    def _by_duckdb(self, raw):
        d = self.dialect
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "record.csv")
            with open(path, "wb") as file:
                file.write(raw + b"\n")
            columns = ", ".join(f"c{i}: 'VARCHAR'" for i in range(self.count))
            longest = max(len(raw) + 1024, 2_097_152)
            options = (
                "auto_detect = false, header = false, skip = 0, comment = '', compression = 'none', parallel = false, "
                f"columns = {{{columns}}}, delim = {quoted(d['delimiter'])}, quote = {quoted(d['quote'])}, "
                f"escape = {quoted(d['escape'])}, new_line = '\\n', "
                f"nullstr = [{', '.join(map(quoted, d['nullValues']))}], allow_quoted_nulls = false, "
                f"max_line_size = {longest}, buffer_size = {longest + 1024}, "
                "hive_partitioning = false, filename = false, store_rejects = true, rejects_limit = 0"
            )
            try:
                rows = self.connection.execute(f"SELECT * FROM read_csv([{quoted(path)}], {options})").fetchall()
                rejects = self.connection.execute("SELECT CAST(error_type AS VARCHAR) FROM reject_errors").fetchall()
            except self.duckdb_error as error:
                if not re.match(r"(Invalid Input|Conversion) Error", str(error)):
                    raise
                rows, rejects = [], []
            finally:
                self.connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
        if len(rows) == 1 and not rejects:
            return list(rows[0])
        reasons = {
            "MISSING COLUMNS": f"it has fewer values than the {self.count} columns",
            "TOO MANY COLUMNS": f"it has more values than the {self.count} columns",
            "UNQUOTED VALUE": "a quoted value doesn't end where its quote is closed",
            "INVALID ENCODING": "it isn't UTF-8",
        }
        error = rejects[0][0] if rejects else None
        raise Fault("PARSE", reasons.get(error, "it can't be taken apart: its quotes don't go with its values"))

    @property
    def duckdb_error(self):
        import duckdb

        return duckdb.Error


def column_of(name, columns):
    """The table's column that a file's name stands for."""
    exact = [column for column in columns if column["name"] == name]
    return (exact or [column for column in columns if column["name"].lower() == name.lower()])[0]


class Parser:
    """Makes rows of records as the configuration's SQL says, which delta-table wrote."""

    def __init__(self, columns, names, dialect):
        import duckdb

        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.connection.execute("SET TimeZone = 'UTC'")
        self.columns, self.count = columns, len(names)
        self.splitter = Splitter(self.connection, dialect, self.count)
        self.index = {column_of(name, columns)["name"]: i for i, name in enumerate(names)}

    def parse(self, records):
        """records: (number, line, byte offset, raw). Gives an Arrow table of rows, and bad records."""
        import pyarrow

        texts, kept, bad = [[] for _ in range(self.count)], [], []
        for record in records:
            try:
                for values, value in zip(texts, self.splitter.split(record[3])):
                    values.append(value)
                kept.append(record)
            except Fault as fault:
                bad.append((record, fault))
        names = [f"c{i}" for i in range(self.count)]
        source = pyarrow.table([pyarrow.array(t, pyarrow.string()) for t in texts], names=names)
        self.connection.register("texts", source)
        table = self.connection.execute(self._query()).arrow()
        if not isinstance(table, pyarrow.Table):
            table = table.read_all()
        self.connection.unregister("texts")
        faults = table.column("fault").to_pylist()
        for record, fault in zip(kept, faults):
            if fault is not None:
                column = self.columns[fault // 2]
                name = column["name"]
                bad.append(
                    (record, Fault("CONSTRAINT", f'column "{name}" must have a value', name))
                    if fault % 2
                    else (record, Fault("TYPE", f'what is in column "{name}" is no value of type {column["type"]}', name))
                )
        bad.sort(key=lambda one: one[0][0])
        good = pyarrow.array([fault is None for fault in faults], pyarrow.bool_())
        return table.drop_columns(["fault"]).filter(good), bad

    def _query(self):
        values, casts, misfits = [], [], []
        for number, column in enumerate(self.columns):
            at = self.index.get(column["name"])
            if at is None:
                values.append(f"CAST(NULL AS {column['sqlType']})")
                if not column["nullable"]:
                    misfits.append(f"WHEN true THEN {2 * number + 1}")
                continue
            text = f"c{at}"
            value, fits, read = (column[part] and column[part].replace("\x01", text) for part in ("value", "fits", "read"))
            values.append(value)
            if column["isCast"]:
                casts.append((at, f"WHEN {text} IS NOT NULL AND {read} IS NULL THEN {2 * number}"))
            if fits is not None:
                misfits.append(f"WHEN {text} IS NOT NULL AND NOT ({fits}) THEN {2 * number}")
            if not column["nullable"]:
                misfits.append(f"WHEN {text} IS NULL THEN {2 * number + 1}")
        cases = [case for _, case in sorted(casts)] + misfits
        fault = f"CASE {' '.join(cases)} END" if cases else "NULL::INTEGER"
        columns = ", ".join(f"{value} AS v{i}" for i, value in enumerate(values))
        return f"SELECT CAST({fault} AS INTEGER) AS fault, {columns} FROM texts"


def read_part(part, columns):
    """Arrow tables of a part's rows, and its bad records as (record, Fault)."""
    with open(part["url"], "rb") as file:
        file.seek(part["start"])
        data = file.read(part["end"] - part["start"])
    if len(data) != part["end"] - part["start"]:
        raise OSError(f"{part['url']} became shorter while it was read")
    number, line, offset = part["record"], part["line"], part["offset"]
    if part.get("broken"):
        return None, [((number, line + 1, offset, data[:MAX_RECORD_BYTES]), Fault("PARSE", part["broken"]))]
    scanner, at, records = Scanner(part["dialect"]), 0, []
    while at < len(data):
        end, after, lines = scanner.record(data, at, True)
        if end > at or len(part["names"]) < 2:
            records.append((number, line + 1, offset + at, data[at:end]))
            number += 1
        line += lines + 1
        at = after
    return Parser(columns, part["names"], part["dialect"]).parse(records)


def letter_json(part, record, fault):
    number, line, offset, _ = record
    return json.dumps(
        {"file": part["url"], "byte_offset": offset, "line": line, "record": number, "column": fault.column}
        | {"code": fault.code, "reason": fault.reason, "parser": part["parser"]}
    )
