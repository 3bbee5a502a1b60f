"""Which files of a load are due, and where batches of them begin and end: the same places as delta-table's own."""

import base64

from delta_load_bytes import Place
from delta_load_codecs import LoadError
from delta_load_done import content_hash, entries_of, key_of
from delta_load_files import list_files
from delta_load_open import open_file

MAX_FILES = 10_000


class Planner:
    """Goes through the files that are due and tells of each batch what it holds and where it ends."""

    def __init__(self, config, begin):
        self.config, self.ignores, self.s3 = config, config["ignoreChange"], config["s3"]
        self.shapes = begin["shapes"]
        with open(begin["donePath"], "rb") as file:
            self.done = entries_of(file.read())
        self.watermark, self.current = begin.get("watermarkMs"), begin.get("current")
        self.files = list(list_files(config["sources"], config["options"].get("format"), self.s3))
        self.pending = self._pending()
        self.open, self.is_forgotten = None, False

    def changed(self, url, what):
        job = self.config["job"]
        return LoadError("DELTA_LOAD_SOURCE_CHANGED", f'Job "{job}": {url} {what}. Put the old file back, ignore the change, restart, or use another job.')

    def place(self, file):
        return Place(file["path"], self.s3)

    def _pending(self):
        current = self.current
        if current is not None:
            url, stored = current["url"], current["storedBytes"]
            file = next((file for file in self.files if file["url"] == url), None)
            if file is None:
                if not self.ignores:
                    raise self.changed(url, "was read in part and isn't among the sources any more")
                self.is_forgotten = True
            else:
                identity, old, is_same = file["identity"], current["identity"], True
                if (identity["sizeBytes"], identity["modifiedMs"]) != (old["sizeBytes"], old["modifiedMs"]):
                    found = self.place(file).prefix_hash(stored) if identity["sizeBytes"] >= stored else {}
                    is_same = (found.get("head"), found.get("tail")) == (current["head"], current["tail"])
                if not is_same and not self.ignores:
                    raise self.changed(url, "was read in part, and what was read of it isn't in it any more")
                yield file, current["position"], not is_same
        for file in self.files:
            if current is not None and file["url"] == current["url"]:
                continue
            due = self._due(file)
            if due is not None:
                yield file, *due

    def _due(self, file):
        """(position, is accepted) of a file, or None where it is done."""
        entry, identity = self.done.get(key_of(file["url"])), file["identity"]
        size, time = identity["sizeBytes"], identity["modifiedMs"]
        if entry is None:
            return None if self.watermark is not None and time < self.watermark else (None, False)
        number = lambda at, signed=False: int.from_bytes(entry[at : at + 6], "big", signed=signed)
        old, records, lines = number(12), number(36), number(42)
        if size == old and time == number(18, True):
            return None
        is_there = size >= old and content_hash(self.place(file).prefix_hash(old)) == entry[28:36].hex()
        if is_there and size == old:
            return None
        is_text = file["format"] in ("csv", "jsonl") and file["compression"] == "none" and not file.get("entry")
        if is_there and is_text:
            if old == 0:
                return None, False
            last, first, second = self.place(file).read(old - 1, min(old + 2, size)).ljust(3, b"\0")
            grown = 0 if last in b"\n\r" else 1 if first in b"\n\r" else None
            if (last, first) == (13, 10):
                grown = 1
            elif grown == 1 and (first, second) == (13, 10):
                grown = 2
            if grown is not None:
                at = old + grown
                return {"record": records, "line": lines, "bytes": {"stored": at, "decoded": 0}, "offset": at}, False
        if self.ignores:
            return None, True
        raise self.changed(file["url"], f"was loaded and {'has grown, but not by whole records' if is_there else 'isn' + chr(39) + 't the file any more'}")

    def _next(self):
        due = next(self.pending, None)
        return due and open_file(self, *due)

    def next_batch(self):
        """The next batch's parts and what it brings; None at the end."""
        parts, finished, ranges, sources, read, room = [], [], [], set(), 0, self.config["batchBytes"]
        while room > 0 and len(finished) < MAX_FILES:
            self.open = self.open or self._next()
            one = self.open
            if one is None:
                break
            first, stored = one.number, one.stored_bytes
            taken, size = one.take(room)
            parts += taken
            room -= size
            sources.add(one.url)
            read += max(one.stored_bytes - stored, 0)
            if one.number > first:
                ranges.append({"file": one.url, "from": first, "to": one.number})
            if one.is_at_end:
                self.open = None
                end = one.done_entry()
                finished.append(base64.b64encode(end).decode())
                self.done[end[:12]] = end
        if not parts and not finished and not self.is_forgotten:
            return None
        self.is_forgotten = False
        current = self.open and self.open.current()
        # Looks for what comes next, so that the last batch is known for it.
        self.open = self.open or self._next()
        plan = {"finished": finished, "current": current, "ranges": ranges, "bytesRead": read}
        return {"parts": parts, "plan": plan | {"sourceFiles": len(sources), "isEnd": self.open is None}}
