"""The sources of a load as a stream of Spark: which files are due, cut into batches and parts at the ends of records."""

import base64
import hashlib
import json
import os

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition

from delta_load_records import MAX_RECORD_BYTES, OPEN_QUOTE, Scanner, Splitter, end_of_line, letter_json, read_part

HASHED = 64 * 1024
ENTRY = 48
MAX_FILES = 10_000
FORMATS = {"csv": "csv", "tsv": "csv", "json": "jsonl", "jsonl": "jsonl", "ndjson": "jsonl", "jsonlines": "jsonl"}
FORMATS |= {"parquet": "parquet"} | dict.fromkeys(["arrow", "arrows", "feather", "ipc"], "arrow")
ROW, BAD, PLAN = 0, 1, 2


class LoadError(Exception):
    """An error with one of delta-table's codes; Spark hands on texts only."""

    def __init__(self, code, message):
        super().__init__(f"<<{code}|{message}>>")
        self.code, self.message = code, message


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def identity_of(path):
    stat = os.stat(path)
    return {"sizeBytes": stat.st_size, "modifiedMs": stat.st_mtime_ns // 1_000_000}


def prefix_hash(path, end):
    with open(path, "rb") as file:
        head = file.read(min(end, HASHED))
        file.seek(max(end - HASHED, 0))
        tail = file.read(end - max(end - HASHED, 0))
    return {"head": sha256(head), "tail": sha256(tail)}


def content_hash(found):
    return sha256(f"{found['head']} {found['tail']}".encode())[:16]


def key_of(url):
    return hashlib.sha256(url.encode()).digest()[:12]


def entry_of(url, identity, content, records, lines):
    six = lambda number: number.to_bytes(6, "big", signed=number < 0)
    times = identity["modifiedMs"]
    return key_of(url) + six(identity["sizeBytes"]) + six(times) + bytes(4) + bytes.fromhex(content) + six(records) + six(lines)


def entries_of(data):
    return {data[at : at + 12]: data[at : at + ENTRY] for at in range(0, len(data), ENTRY)}


def list_files(operands, asked):
    """(url, kind) of the files, as delta-table lists them."""
    seen = set()
    for operand in operands:
        if os.path.isfile(operand):
            found = [operand]
        else:
            found = [
                os.path.join(folder, name)
                for folder, _, names in os.walk(operand, followlinks=True)
                for name in names
                if not any(part[0] in "._" for part in os.path.relpath(os.path.join(folder, name), operand).split(os.sep))
            ]
        known = 0
        for url in sorted(found, key=os.fsencode):
            extension = url.rsplit("/", 1)[-1].lower().split(".")[1:]
            name_format = FORMATS.get(extension[-1]) if extension else None
            if extension and extension[-1] in ("gz", "gzip", "zst", "zstd", "zip"):
                raise LoadError("DELTA_INVALID_ARGUMENT", f"{url} is compressed, which the job for Spark can't read; load it with delta-table.")
            file_format = asked or name_format
            if file_format is None:
                continue
            if file_format != "csv":
                raise LoadError("DELTA_INVALID_ARGUMENT", f"{url} is {file_format}; the job for Spark reads CSV only. Load it with delta-table.")
            known += 1
            if url not in seen:
                seen.add(url)
                yield url, 'csv "\\t"' if extension and extension[-1] == "tsv" else "csv"
        if known == 0:
            raise LoadError("DELTA_FILE_NOT_FOUND", f"There is no file to load at {operand}.")


class Planner:
    """Goes through the files that are due and tells of each batch what it holds and where it ends."""

    def __init__(self, config, begin):
        self.config, self.ignores = config, config["ignoreChange"]
        self.shapes = begin["shapes"]
        with open(begin["donePath"], "rb") as file:
            self.done = entries_of(file.read())
        self.watermark, self.current = begin.get("watermarkMs"), begin.get("current")
        self.files = list(list_files(config["sources"], config["options"].get("format")))
        self.pending = self._pending()
        self.open = None

    def changed(self, url, what):
        job = self.config["job"]
        return LoadError("DELTA_LOAD_SOURCE_CHANGED", f'Job "{job}": {url} {what}. Put the old file back, ignore the change, restart, or use another job.')

    def _pending(self):
        current = self.current
        if current is not None:
            kinds = dict(self.files)
            url, stored = current["url"], current["storedBytes"]
            if url not in kinds:
                if not self.ignores:
                    raise self.changed(url, "was read in part and isn't among the sources any more")
            else:
                identity, old, is_same = identity_of(url), current["identity"], True
                if (identity["sizeBytes"], identity["modifiedMs"]) != (old["sizeBytes"], old["modifiedMs"]):
                    found = prefix_hash(url, stored) if identity["sizeBytes"] >= stored else {}
                    is_same = (found.get("head"), found.get("tail")) == (current["head"], current["tail"])
                if not is_same and not self.ignores:
                    raise self.changed(url, "was read in part, and what was read of it isn't in it any more")
                yield url, kinds[url], identity, current["position"], not is_same
        for url, kind in self.files:
            if current is not None and url == current["url"]:
                continue
            identity = identity_of(url)
            due = self._due(url, identity)
            if due is not None:
                yield url, kind, identity, *due

    def _due(self, url, identity):
        """(position, is accepted) of a file, or None where it is done."""
        entry = self.done.get(key_of(url))
        size, time = identity["sizeBytes"], identity["modifiedMs"]
        if entry is None:
            return None if self.watermark is not None and time < self.watermark else (None, False)
        number = lambda at, signed=False: int.from_bytes(entry[at : at + 6], "big", signed=signed)
        old, records, lines = number(12), number(36), number(42)
        if size == old and time == number(18, True):
            return None
        is_there = size >= old and content_hash(prefix_hash(url, old)) == entry[28:36].hex()
        if is_there and size == old:
            return None
        if is_there:
            with open(url, "rb") as file:
                file.seek(max(old - 1, 0))
                last, first, second = (file.read(3) if old else b"\n").ljust(3, b"\0")
            grown = 0 if last in b"\n\r" else 1 if first in b"\n\r" else None
            if (last, first) == (13, 10):
                grown = 1
            elif grown == 1 and (first, second) == (13, 10):
                grown = 2
            if old == 0:
                return None, False
            if grown is not None:
                at = old + grown
                return {"record": records, "line": lines, "bytes": {"stored": at, "decoded": 0}, "offset": at}, False
        if self.ignores:
            return None, True
        raise self.changed(url, f"was loaded and {'has grown, but not by whole records' if is_there else 'isn' + chr(39) + 't the file any more'}")

    def next_batch(self):
        """The next batch's parts and what it brings; None at the end."""
        parts, finished, ranges, read = [], [], [], 0
        while read < self.config["batchBytes"] and len(finished) < MAX_FILES:
            if self.open is None:
                due = next(self.pending, None)
                if due is None:
                    break
                self.open = OpenFile(self, *due)
            one = self.open
            first, start = one.number, one.at
            parts += one.take(self.config["batchBytes"] - read)
            read += one.at - start
            if one.number > first:
                ranges.append({"file": one.url, "from": first, "to": one.number})
            if one.at >= one.size:
                self.open = None
                end = one.done_entry()
                finished.append(base64.b64encode(end).decode())
                self.done[end[:12]] = end
        if not parts and not finished:
            return None
        current = self.open and self.open.current()
        # Looks for what comes next, so that the last batch is known for it.
        if self.open is None:
            due = next(self.pending, None)
            self.open = due and OpenFile(self, *due)
        plan = {"finished": finished, "current": current, "ranges": ranges, "bytesRead": read, "isEnd": self.open is None}
        return {"parts": parts, "plan": plan}


class OpenFile:
    def __init__(self, planner, url, kind, identity, position, is_accepted):
        shape = planner.shapes.get(kind)
        if shape is None:
            raise LoadError("DELTA_INVALID_ARGUMENT", f"{url} is of a kind that wasn't among the sources when the job was written. Write it again.")
        self.config, self.url, self.identity, self.size = planner.config, url, identity, identity["sizeBytes"]
        self.dialect, self.scanner = shape["dialect"], Scanner(shape["dialect"])
        self.part_bytes = max(planner.config["batchBytes"] // planner.config["partCount"], 64 * 1024)
        self.window, self.window_at = b"", 0
        self.at, self.number, self.line, self.mark = 0, 0, 0, 0
        self.names = [field["name"] for field in shape["schema"]["fields"]]
        if self.size > 0:
            self._begin()
        columns = {column["name"].lower() for column in planner.config["columns"]}
        unknown = [name for name in self.names if name.lower() not in columns]
        if unknown and self.size > 0:
            raise LoadError("DELTA_SCHEMA_MISMATCH", f"{url} has columns that the table lacks: {', '.join(unknown)}.")
        self.parser = json.dumps(
            {"format": "csv", "dialect": self.dialect, "options": planner.config["parse"], "columns": self.names},
            separators=(",", ":"),
            ensure_ascii=False,
        )
        if position is not None:
            self.at, self.number, self.line = position["bytes"]["stored"], position["record"], position["line"]
            self.mark = self.at - position["offset"]
            self.window = b""
        if is_accepted:
            self.at = self.size

    def _begin(self):
        self._fill(4)
        if self.window[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise LoadError("DELTA_INVALID_ARGUMENT", f"{self.url} is UTF-16, which the job for Spark can't read; load it with delta-table.")
        self.at = self.mark = 3 if self.window[:3] == b"\xef\xbb\xbf" else 0
        if not self.dialect["header"]:
            return
        while self.at < self.size:
            found = self._record()
            if isinstance(found, str):
                raise LoadError("DELTA_INPUT_UNREADABLE", f"{self.url} can't be read as CSV: its header has no end.")
            end, after, lines = found
            raw = self.window[self.at - self.window_at : end - self.window_at]
            self.at, self.line = after, self.line + lines + 1
            if raw:
                self.names = header_names(raw, self.dialect, self.url)
                return

    def _fill(self, least):
        """Has the window begin where the file is read and reach so far, or to its end."""
        if self.window_at <= self.at <= self.window_at + len(self.window):
            self.window = self.window[self.at - self.window_at :]
        else:
            self.window = b""
        self.window_at = self.at
        missing = min(least, self.size - self.at) - len(self.window)
        if missing > 0:
            with open(self.url, "rb") as file:
                file.seek(self.at + len(self.window))
                self.window += file.read(missing)

    def _record(self):
        """(end, next, lines) in the file; a text for a record without end."""
        least = 1024 * 1024
        while True:
            is_end = self.window_at + len(self.window) >= self.size
            found = self.scanner.record(self.window, self.at - self.window_at, is_end)
            if found is None:
                if is_end:
                    raise self.shrunk()
                before = len(self.window) - (self.at - self.window_at)
                self._fill(max(least, 2 * before))
                if len(self.window) <= before:
                    raise self.shrunk()
                continue
            if isinstance(found, str):
                return found
            end, after, lines = found
            return end + self.window_at, after + self.window_at, lines

    def shrunk(self):
        return LoadError("DELTA_LOAD_SOURCE_CHANGED", f"{self.url} was changed while it was read. Load again.")

    def take(self, room):
        """Parts of about so many bytes, one record at least."""
        parts, first, part = [], self.at, None
        while self.at < self.size and self.at - first < room:
            found = self._record()
            if part is None:
                part = self._part()
            if isinstance(found, str):
                if part["end"] > part["start"]:
                    parts.append(part)
                parts.append(self._broken(found))
                part = None
                continue
            end, after, lines = found
            if end > self.at or len(self.names) < 2:
                self.number += 1
            self.at, self.line = after, self.line + lines + (1 if after > end else 0)
            part["end"] = after
            if after - part["start"] >= self.part_bytes:
                parts.append(part)
                part = None
        return parts + ([part] if part else [])

    def _part(self):
        place = {"record": self.number, "line": self.line, "offset": self.at - self.mark, "start": self.at, "end": self.at}
        return place | {"url": self.url, "names": self.names, "dialect": self.dialect, "parser": self.parser}

    def _broken(self, why):
        part = self._part()
        is_end = self.window_at + len(self.window) >= self.size
        within = "any more" if is_end else f"within {MAX_RECORD_BYTES} bytes"
        reason = f"a quote is opened that isn't closed {within}" if why == OPEN_QUOTE else f"the record has more than {MAX_RECORD_BYTES} bytes"
        while True:
            end, after = end_of_line(self.window, self.at - self.window_at)
            if after < len(self.window) or self.window_at + len(self.window) >= self.size:
                break
            self._fill(2 * len(self.window))
        part |= {"broken": reason, "end": end + self.window_at}
        self.at, self.number, self.line = after + self.window_at, self.number + 1, self.line + (1 if after > end else 0)
        return part

    def current(self):
        position = {"record": self.number, "line": self.line, "offset": self.at - self.mark}
        place = {"url": self.url, "identity": self.identity, "position": position | {"bytes": {"stored": self.at, "decoded": 0}}}
        return place | {"storedBytes": self.at} | prefix_hash(self.url, self.at)

    def done_entry(self):
        content = content_hash(prefix_hash(self.url, self.size))
        return entry_of(self.url, self.identity, content, self.number, self.line)


def header_names(raw, dialect, url):
    splitter = Splitter(None, dialect | {"nullValues": []}, 0)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise LoadError("DELTA_INPUT_UNREADABLE", f"{url} can't be read as CSV: its header isn't UTF-8.") from None
    if dialect["quote"] and dialect["quote"] in text:
        if not splitter.is_plain or not splitter.whole.fullmatch(text):
            raise LoadError("DELTA_INPUT_UNREADABLE", f"{url} can't be read as CSV: the quotes of its header don't go with its names.")
        names = [value for value, _ in splitter._values(text)]
    else:
        names = text.split(dialect["delimiter"])
    if "" in names or len({name.lower() for name in names}) < len(names):
        raise LoadError("DELTA_INPUT_UNREADABLE", f"{url} can't be read as CSV: its header lacks a name or has one twice.")
    return names


class LoadSource(DataSource):
    @classmethod
    def name(cls):
        return "delta_table_load"

    def streamReader(self, schema):
        return LoadReader(self.options, schema)


class LoadReader(DataSourceStreamReader):
    """Offsets are the numbers of batches: the place itself is in the table, and each run begins from there."""

    def __init__(self, options, schema):
        self.options, self.schema = dict(options), schema
        self.planner, self.plans = None, {}

    def initialOffset(self):
        return {"batch": 0}

    def latestOffset(self):
        if self.planner is None:
            with open(self.options["begin"]) as file:
                self.planner = Planner(json.loads(self.options["config"]), json.load(file))
        batch = self.planner.next_batch()
        number = max(self.plans, default=0)
        if batch is None:
            return {"batch": number}
        self.plans[number + 1] = batch
        return {"batch": number + 1}

    def partitions(self, start, end):
        made = []
        for number in range(start["batch"] + 1, end["batch"] + 1):
            batch = self.plans[number]
            made += [InputPartition({"plan": json.dumps(batch["plan"])})]
            made += [InputPartition({"order": i, **part}) for i, part in enumerate(batch["parts"])]
        return made

    def commit(self, end):
        for number in [number for number in self.plans if number < end["batch"]]:
            del self.plans[number]

    def read(self, partition):
        import pyarrow
        from pyspark.sql.pandas.types import to_arrow_schema

        arrow = to_arrow_schema(self.schema)
        names, value = [field.name for field in self.schema.fields], partition.value
        count = len(names) - 4

        def batches(kind, number, texts, raws, values):
            size = len(number)
            columns = [pyarrow.array([kind] * size, pyarrow.int32()), pyarrow.array(number, pyarrow.int64())]
            columns += [pyarrow.array(texts, pyarrow.string()), pyarrow.array(raws, pyarrow.binary())]
            columns += values or [pyarrow.nulls(size)] * count
            columns = [column.cast(field.type) for column, field in zip(columns, arrow)]
            yield from pyarrow.table(columns, schema=arrow).to_batches(max_chunksize=10_000)

        if "plan" in value:
            yield from batches(PLAN, [0], [value["plan"]], [None], None)
            return
        config = json.loads(self.options["config"])
        rows, bad = read_part(value, config["columns"])
        if rows is not None and rows.num_rows:
            empty = [None] * rows.num_rows
            yield from batches(ROW, range(rows.num_rows), empty, empty, rows.columns)
        if bad:
            orders = [(value["order"] << 40) + i for i in range(len(bad))]
            letters = [letter_json(value, record, fault) for record, fault in bad]
            yield from batches(BAD, orders, letters, [record[3] for record, _ in bad], None)
