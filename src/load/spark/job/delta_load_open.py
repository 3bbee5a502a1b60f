"""Files that are read, and how parts are cut off them: whole records that follow each other."""

import json
import re
import zlib

from delta_load_bytes import ByteReader
from delta_load_codecs import LoadError
from delta_load_columnar import ColumnFile
from delta_load_csv import MAX_RECORD_BYTES, OPEN_QUOTE, Scanner, Splitter
from delta_load_done import content_hash, entry_of
from delta_load_files import kind_of
from delta_load_jsonl import MAX_ROW_BYTES, SHOWN_BYTES, count_records, names_shown

LEAST_PART = 64 * 1024
MOST_PART = 16 * 1024 * 1024
PEEKED = 256 * 1024
CSV_LINE_END = re.compile(b"\r\n|\n|\r")
LINE_FEED = re.compile(b"\n")


def open_file(planner, file, position, is_accepted):
    if is_accepted or file["identity"]["sizeBytes"] == 0:
        return DoneFile(planner, file)
    makers = {"csv": CsvFile, "jsonl": JsonlFile}
    return makers.get(file["format"], RowFile)(planner, file, position)


class DoneFile:
    """A file with nothing to read, or that counts as if."""

    number, line, stored_bytes, is_at_end = 0, 0, 0, True

    def __init__(self, planner, file):
        self.planner, self.file, self.url, self.identity = planner, file, file["url"], file["identity"]

    def take(self, room):
        return [], 0

    def done_entry(self):
        content = content_hash(self.planner.place(self.file).prefix_hash(self.identity["sizeBytes"]))
        return entry_of(self.url, self.identity, content, self.number, self.line)


class OpenFile(DoneFile):
    """A file that is read."""

    def __init__(self, planner, file, position):
        super().__init__(planner, file)
        self.config, self.is_at_end = planner.config, False
        self.shape = planner.shapes.get(kind_of(file))
        if self.shape is None:
            raise LoadError("DELTA_INVALID_ARGUMENT", f"{self.url} is of a kind that wasn't among the sources when the job was written. Write it again.")
        self.part_bytes = max(min(self.config["batchBytes"] // self.config["partCount"], MOST_PART), LEAST_PART)
        if position is not None:
            self.number, self.line = position["record"], position.get("line", 0)

    def check_columns(self, names):
        """Raises for columns of the file that the table lacks, where they may not be kept elsewhere."""
        columns = {column["name"].lower() for column in self.config["columns"]}
        unknown = [name for name in names if name.lower() not in columns]
        if not unknown or "rescuedDataColumn" in self.config["parse"]:
            return
        if self.config["mergeSchema"]:
            raise LoadError("DELTA_LOAD_OPTIONS_CHANGED", f"{self.url} has columns that weren't known when the job was written: {', '.join(unknown)}. Write it again.")
        raise LoadError("DELTA_SCHEMA_MISMATCH", f"{self.url} has columns that the table lacks: {', '.join(unknown)}.")

    def parser(self, names):
        facts = {"format": self.file["format"], "dialect": self.shape["dialect"], "options": self.config["parse"], "columns": names}
        return json.dumps(facts, separators=(",", ":"), ensure_ascii=False)

    def current(self):
        hashes = self.planner.place(self.file).prefix_hash(self.stored_bytes)
        return {"url": self.url, "identity": self.identity, "position": self.position(), "storedBytes": self.stored_bytes} | hashes


class TextFile(OpenFile):
    """A file of text, of which a window is looked at."""

    def __init__(self, planner, file, position):
        super().__init__(planner, file, position)
        self.reader = self._reader(position and position["bytes"])
        self.start = position["offset"] if position else 0
        # The window, where in it the next record begins, and what is kept before that; `taken` are bytes before the window.
        self.window, self.at, self.taken, self.is_end = b"", 0, 0, False

    def _reader(self, position):
        return ByteReader(self.file, position, self.config["parse"].get("encoding", "utf-8").lower(), self.config["s3"])

    @property
    def offset(self):
        return self.start + self.taken + self.at

    @property
    def stored_bytes(self):
        if self.reader.is_plain:
            return self._place(self.at)["stored"]
        return self.identity["sizeBytes"] if self.file.get("entry") else self.reader.stored_bytes

    def _place(self, at):
        return self.reader.position_at(self.taken + at)

    def position(self):
        return {"record": self.number, "line": self.line, "offset": self.offset, "bytes": self._place(self.at)}

    def fill(self, least):
        """Has so many bytes behind the next record's begin, or all up to the end."""
        pieces, length = [self.window], len(self.window)
        while length - self.at < least and not self.is_end:
            data = self.reader.read()
            self.is_end = not data
            pieces.append(data)
            length += len(data)
        self.window = b"".join(pieces)

    def drop(self):
        """Lets go of what is before the next record."""
        self.window, self.taken, self.at = self.window[self.at :], self.taken + self.at, 0
        if not self.window:
            self.fill(1)
        self.is_at_end = self.is_end and not self.window
        if self.is_at_end:
            self.reader.close()

    def part(self, start, place, **facts):
        """The text from `start` to the next record, to be read where it lies or, where that isn't possible, as it is."""
        found = {"url": self.url, "format": self.file["format"], "dialect": self.shape["dialect"]} | place | facts
        if self.reader.is_range:
            first = self.reader.restarts[0][0] + self.reader.before - self.reader.asked
            return found | {"path": self.file["path"], "start": first + self.taken + start, "end": first + self.taken + self.at}
        return found | {"text": zlib.compress(self.window[start : self.at], 1)}

    def here(self):
        return {"record": self.number, "line": self.line, "offset": self.offset}

    def broken(self, reason, line_end, most):
        """The part of a record without end: its first line, and of that so many bytes. Passes over the line."""
        place, start, found = self.here(), self.at, line_end.search(self.window, self.at)
        self.at = min(found.start() if found else len(self.window), start + most)
        part = self.part(start, place, broken=reason, **self.facts)
        while True:
            found = line_end.search(self.window, self.at)
            if found and (found.end() < len(self.window) or self.is_end or found[0] != b"\r"):
                self.at = found.end()
                break
            if self.is_end:
                self.at = len(self.window)
                break
            # What may be half of a line end is kept.
            self.at = found.start() if found else len(self.window)
            self.drop()
            self.fill(2)
        self.number, self.line = self.number + 1, self.line + (1 if found else 0)
        return part


class CsvFile(TextFile):
    def __init__(self, planner, file, position):
        super().__init__(planner, file, position)
        self.names, self.scanner = [field["name"] for field in self.shape["schema"]["fields"]], Scanner(self.shape["dialect"])
        if self.shape["dialect"]["header"]:
            if position is None:
                self._header()
            else:
                begin = CsvFile(planner, file, None)
                begin.reader.close()
                self.names = begin.names
        self.check_columns(self.names)
        self.facts = {"names": self.names, "kind": kind_of(file), "parser": self.parser(self.names)}
        self.drop()

    def _header(self):
        while True:
            found = self._record()
            if found is None:
                return
            if isinstance(found, str):
                raise LoadError("DELTA_INPUT_UNREADABLE", f"{self.url} can't be read as CSV: its header has no end.")
            end, after, lines = found
            raw, self.at, self.line = self.window[self.at : end], after, self.line + lines + (1 if after > end else 0)
            if raw:
                self.names = header_names(raw, self.shape["dialect"], self.url)
                return

    def _record(self):
        """(end, next, lines) in the window; a text for a record without end; None at the file's end."""
        least = 64 * 1024
        while True:
            found = self.scanner.record(self.window, self.at, self.is_end)
            if found is not None or self.is_end and self.at >= len(self.window):
                return found
            self.fill(max(least, 2 * (len(self.window) - self.at)))

    def take(self, room):
        """Parts of about so many bytes, one record at least, and their bytes."""
        parts, first, place = [], self.offset, self.here()
        while not self.is_at_end and self.offset - first < room:
            found = self._record()
            if found is None:
                break
            if isinstance(found, str):
                if self.at > 0:
                    parts.append(self.part(0, place, **self.facts))
                within = "any more" if self.is_end else f"within {MAX_RECORD_BYTES} bytes"
                is_quote = found == OPEN_QUOTE
                reason = f"a quote is opened that isn't closed {within}" if is_quote else f"the record has more than {MAX_RECORD_BYTES} bytes"
                parts.append(self.broken(reason, CSV_LINE_END, MAX_RECORD_BYTES))
                self.drop()
                place = self.here()
                continue
            end, after, lines = found
            if end > self.at or len(self.names) < 2:
                self.number += 1
            self.at, self.line = after, self.line + lines + (1 if after > end else 0)
            if self.at >= self.part_bytes:
                parts.append(self.part(0, place, **self.facts))
                self.drop()
                place = self.here()
        if self.at > 0:
            parts.append(self.part(0, place, **self.facts))
        self.drop()
        return parts, self.offset - first


class JsonlFile(TextFile):
    def __init__(self, planner, file, position):
        super().__init__(planner, file, position)
        names = [field["name"] for field in self.shape["schema"]["fields"]]
        self.fill(PEEKED)
        names += names_shown(self.window[:PEEKED], {name.lower() for name in names})
        if not self.config["mergeSchema"]:
            self.check_columns(names)
        self.facts = {"parser": self.parser(names)}
        self.drop()

    def take(self, room):
        parts, first = [], self.offset
        while not self.is_at_end and self.offset - first < room:
            most = min(room - (self.offset - first), self.part_bytes)
            self.fill(most)
            end = len(self.window) if self.is_end and len(self.window) <= most else self.window.rfind(b"\n", 0, most) + 1
            if end == 0:
                if parts:
                    break
                end = self._line(most)
            if end == 0 or end > MAX_ROW_BYTES:
                parts.append(self.broken(f"the line has more than {MAX_ROW_BYTES} bytes", LINE_FEED, SHOWN_BYTES))
            else:
                place, self.at = self.here(), end
                count = count_records(self.window[:end])
                if count > 0:
                    parts.append(self.part(0, place, **self.facts))
                self.number, self.line = self.number + count, self.line + self.window.count(b"\n", 0, end)
            self.drop()
        return parts, self.offset - first

    def _line(self, searched):
        """Where the first line ends; 0 where it is too long."""
        while True:
            end = self.window.find(b"\n", searched) + 1
            if end or self.is_end:
                return end or len(self.window)
            if len(self.window) > MAX_ROW_BYTES:
                return 0
            searched = len(self.window)
            self.fill(2 * searched)


class RowFile(OpenFile):
    """A file of columns: its rows have numbers, and no bytes of their own."""

    def __init__(self, planner, file, position):
        super().__init__(planner, file, position)
        found = ColumnFile(file, self.config["s3"])
        self.check_columns(found.schema.names)
        self.groups, self.count = found.groups, sum(rows for rows, _ in found.groups)
        self.facts = {"url": self.url, "format": file["format"], "file": file, "parser": self.parser(found.schema.names)}
        self.is_at_end = self.number >= self.count

    def take(self, room):
        parts, size, first = [], 0, 0
        for rows, stored in self.groups:
            while first + rows > self.number and (size < room or not parts):
                row_bytes = max(stored / rows, 1)
                fitting = max(int(max(room - size, 1) / row_bytes), 1)
                count = min(fitting, first + rows - self.number)
                parts.append(self.facts | {"record": self.number, "to": self.number + count})
                self.number, size = self.number + count, size + count * row_bytes
            first += rows
        self.is_at_end, self.stored_bytes = self.number >= self.count, self.identity["sizeBytes"]
        return parts, max(size, 1)

    def position(self):
        if self.file["format"] == "arrow":
            return {"record": self.number, "group": 0}
        first = 0
        for group, (rows, _) in enumerate(self.groups):
            first += rows
            if self.number < first:
                return {"record": self.number, "group": group}
        return {"record": self.number, "group": max(len(self.groups) - 1, 0)}

    def current(self):
        self.stored_bytes = self.identity["sizeBytes"]
        return super().current()


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
