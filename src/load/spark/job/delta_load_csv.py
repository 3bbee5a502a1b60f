"""CSV records: where they end, and what their values are. The same as delta-table's own, whose reader of values, DuckDB, is used here too."""

import json
import os
import re
import tempfile

from delta_load_rows import column_of_values
from delta_load_values import Fault, check_nulls, converter, nests_too_deep, parse_json

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


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


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
    """The number of the table's column that a file's name stands for, or None."""
    exact = [i for i, column in enumerate(columns) if column["name"] == name]
    found = exact or [i for i, column in enumerate(columns) if column["name"].lower() == name.lower()]
    return found[0] if found else None


class Parser:
    """Makes rows of records as the configuration's SQL says, which delta-table wrote."""

    def __init__(self, config, part):
        import duckdb

        names, dialect = part["names"], part["dialect"]

        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.connection.execute("SET TimeZone = 'UTC'")
        self.columns = [column | sql for column, sql in zip(config["columns"], config["csvColumns"][part["kind"]])]
        self.count, self.names = len(names), names
        self.rescued = config["parse"].get("rescuedDataColumn")
        self.splitter = Splitter(self.connection, dialect, self.count)
        is_own = lambda name: self.rescued is None or name.lower() != self.rescued.lower()
        self.column_at = [column_of(name, self.columns) if is_own(name) else None for name in names]

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
        table = self.connection.execute(self._query()).fetch_arrow_table()
        self.connection.unregister("texts")
        faults = [None if fault is None else self._fault(fault) for fault in table.column("fault").to_pylist()]
        columns = [self._nested(number, table.column(f"v{number}"), faults) for number in range(len(self.columns))]
        bad += [(record, fault) for record, fault in zip(kept, faults) if fault is not None]
        bad.sort(key=lambda one: one[0][0])
        good = pyarrow.array([fault is None for fault in faults], pyarrow.bool_())
        rows = pyarrow.table(columns, names=[f"v{i}" for i in range(len(columns))])
        return rows.filter(good), bad

    def _fault(self, number):
        column = self.columns[number // 2]
        if number % 2:
            return Fault("CONSTRAINT", f'column "{column["name"]}" must have a value', column["name"])
        return self._misfit(column)

    def _misfit(self, column):
        kind = column["type"] if isinstance(column["type"], str) else column["type"]["type"]
        return Fault("TYPE", f'what is in column "{column["name"]}" is no value of type {kind}', column["name"])

    def _nested(self, number, texts, faults):
        """The column itself; arrays, maps and structs are made of their JSON."""
        column = self.columns[number]
        if isinstance(column["type"], str):
            return texts
        convert, made = converter(column["type"], column["name"]), []
        for at, text in enumerate(texts.to_pylist()):
            value = None
            if faults[at] is None:
                try:
                    if text is not None and nests_too_deep(text):
                        raise ValueError("it nests too deep")
                    value = None if text is None else convert(parse_json(text))
                    check_nulls(column["type"], True, column["name"], value)
                except (Fault, ValueError, RecursionError):
                    faults[at], value = self._misfit(column), None
            made.append(value)
        return column_of_values(column["type"], made)

    def _query(self):
        values, casts, misfits = [], [], []
        for number, column in enumerate(self.columns):
            if column["name"] == self.rescued:
                values.append(self._rescue())
                continue
            if number not in self.column_at:
                values.append(f"CAST(NULL AS {column['sqlType']})")
                if not column["nullable"]:
                    misfits.append(f"WHEN true THEN {2 * number + 1}")
                continue
            at = self.column_at.index(number)
            text = f"c{at}"
            filled = lambda part: column[part] and column[part].replace("\x01", text)
            value, fits, read = filled("value"), filled("fits"), filled("read")
            if self.rescued is not None:
                value, fits = filled("valueOrNull"), None
            values.append(value)
            if column["isCast"] and self.rescued is None:
                casts.append((at, f"WHEN {text} IS NOT NULL AND {read} IS NULL THEN {2 * number}"))
            if fits is not None:
                misfits.append(f"WHEN {text} IS NOT NULL AND NOT ({fits}) THEN {2 * number}")
            if not column["nullable"]:
                misfits.append(f"WHEN {text if self.rescued is None else value} IS NULL THEN {2 * number + 1}")
        cases = [case for _, case in sorted(casts)] + misfits
        fault = f"CASE {' '.join(cases)} END" if cases else "NULL::INTEGER"
        columns = ", ".join(f"{value} AS v{i}" for i, value in enumerate(values))
        return f"SELECT CAST({fault} AS INTEGER) AS fault, {columns} FROM texts"

    def _rescue(self):
        """JSON of an object with the values that have no column, or aren't of its type."""
        members = []
        for at, number in enumerate(self.column_at):
            column, is_lost = None if number is None else self.columns[number], ""
            if column is not None and (column["type"] == "string" or not isinstance(column["type"], str)):
                continue
            if column is not None:
                value = column["valueOrNull"].replace("\x01", f"c{at}")
                is_lost = f" AND {value} IS NULL"
            name = quoted(json.dumps(self.names[at], ensure_ascii=False) + ":")
            members.append(f"CASE WHEN c{at} IS NOT NULL{is_lost} THEN {name} || CAST(to_json(c{at}) AS VARCHAR) END")
        if not members:
            return "CAST(NULL AS VARCHAR)"
        return f"'{{' || nullif(concat_ws(',', {', '.join(members)}), '') || '}}'"


def read_csv(part, data, config):
    """An Arrow table of a part's rows, and its bad records as (record, Fault)."""
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
    return Parser(config, part).parse(records)
