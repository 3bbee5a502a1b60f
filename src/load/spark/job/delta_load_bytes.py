"""Bytes of sources: where they lie, and where in the stored file decoding can begin again."""

import codecs
import hashlib

from delta_load_codecs import LoadError, Stored, codec_of, plain, shrunk, unreadable, unzipped

HASHED = 64 * 1024
CODECS = {"utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "latin1": "latin-1", "windows-1252": "latin-1"}
WINDOWS = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
WINDOWS_1252 = {0x80 + at: character for at, character in enumerate(WINDOWS)}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Place:
    """A stored file: a local one, or an object on S3."""

    def __init__(self, url, s3=None):
        self.url, self.s3 = url, s3 or {}
        self.is_local = "://" not in url

    def open(self):
        """The file, to be read anywhere."""
        if self.is_local:
            return open(self.url, "rb")
        return s3_files(self.s3).open_input_file(self.url.split("://", 1)[1])

    def read(self, start, end):
        with self.open() as file:
            file.seek(start)
            data = file.read(end - start)
        if len(data) != end - start:
            raise shrunk(self.url)
        return data

    def prefix_hash(self, end):
        """Stands for the ends of the first `end` bytes."""
        head = self.read(0, min(end, HASHED))
        return {"head": sha256(head), "tail": sha256(self.read(max(end - HASHED, 0), end))}


def s3_files(options):
    from pyarrow import fs

    given = {}
    if options.get("endpoint"):
        scheme, _, host = options["endpoint"].rpartition("://")
        given = {"endpoint_override": host, "scheme": scheme or "https"}
    if options.get("region"):
        given["region"] = options["region"]
    return fs.S3FileSystem(force_virtual_addressing=options.get("forcePathStyle") is False, **given)


def mark_of(data):
    """(encoding, length) of a byte order mark."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16le"), (codecs.BOM_UTF16_BE, "utf-16be")):
        if data.startswith(mark):
            return encoding, len(mark)
    return None


class Transcoder:
    """Turns a text's bytes into UTF-8, and tells how many of them stand for how many of UTF-8."""

    def __init__(self, encoding):
        self.encoding = encoding
        self.decoder = codecs.getincrementaldecoder(CODECS[encoding])("surrogatepass" if encoding.startswith("utf") else "strict")

    def decode(self, data, is_end=False):
        text = self.decoder.decode(data, False)
        if is_end and self.decoder.getstate()[0]:
            kept = self.decoder.getstate()[0]
            text += kept[: len(kept) // 2 * 2].decode(CODECS[self.encoding], "surrogatepass")
            if len(kept) % 2:
                raise UnicodeDecodeError(self.encoding, kept, 0, len(kept), "cut off")
        if self.encoding == "windows-1252":
            text = text.translate(WINDOWS_1252)
        return text.encode("utf-8", "surrogatepass")

    def source_bytes(self, utf8):
        if not self.encoding.startswith("utf"):
            return len(utf8) - sum(0x80 <= byte < 0xC0 for byte in utf8)
        return sum(4 if byte >= 0xF0 else 2 for byte in utf8 if not 0x80 <= byte < 0xC0)


class ByteReader:
    """A file's bytes from a position on: unpacked and, of text formats, as UTF-8 without a byte order mark."""

    def __init__(self, file, position=None, encoding=None, s3=None):
        self.url, entry = file["url"], file.get("entry")
        self.file = Place(file["path"], s3).open()
        start = entry["offset"] if entry else 0
        stored, decoded = (position["stored"], position["decoded"]) if position else (start, 0)
        is_begin = stored == start
        encoding = encoding if file["format"] in ("csv", "jsonl") else None
        if entry:
            self.is_plain, self.stored = False, None
            self.output = unzipped(self.file, entry, file)
        else:
            if not is_begin:
                codec, encoding = self._beginning(file, encoding)
            self.stored = Stored(self.file, stored, file["identity"]["sizeBytes"], self.url)
            if is_begin:
                codec = codec_of(self.stored, file["compression"])
            self.is_plain = codec is plain
            self.output = codec(self.stored)
        self.restarts, self.unpacked, self.peeked = [(stored, 0)], 0, b""
        mark = None
        if is_begin and encoding is not None:
            mark = mark_of(self._peek(3))
            encoding = mark[0] if mark else encoding
        self.skipped = max(decoded, mark[1] if mark else 0)
        self.transcoder = Transcoder(encoding) if encoding in CODECS else None
        # Unpacked bytes before what is asked for next, and what was given but not yet asked for.
        self.asked, self.before, self.given, self.is_at_end = 0, self.skipped, b"", False

    @property
    def is_range(self):
        """True where the bytes given are those of the stored file."""
        return self.is_plain and self.transcoder is None

    @property
    def stored_bytes(self):
        """So many of the stored file's were read."""
        return self.restarts[-1][0] if self.stored is None else self.stored.offset

    def _beginning(self, file, encoding):
        stored = Stored(self.file, 0, file["identity"]["sizeBytes"], self.url)
        codec = codec_of(stored, file["compression"])
        if encoding is None:
            return codec, None
        first = b""
        for data in codec(stored):
            first += data if isinstance(data, bytes) else b""
            if len(first) >= 3:
                break
        mark = mark_of(first)
        return codec, mark[0] if mark else encoding

    def _next(self):
        """Unpacked bytes; empty at the end."""
        if self.peeked:
            data, self.peeked = self.peeked, b""
            return data
        for data in self.output:
            if isinstance(data, bytes):
                if data:
                    self.unpacked += len(data)
                    return data
            else:
                self.restarts.append((data, self.unpacked))
        return b""

    def _peek(self, count):
        found = b""
        while len(found) < count and (data := self._next()):
            found += data
        self.peeked = found
        return found[:count]

    def read(self):
        """What comes next; empty at the end."""
        while not self.is_at_end:
            data = self._next()
            if not data:
                self.is_at_end = True
                if self.skipped > 0:
                    raise shrunk(self.url)
                if self.transcoder is None:
                    return b""
            skipped = min(self.skipped, len(data))
            self.skipped -= skipped
            data = data[skipped:]
            if self.transcoder is not None:
                try:
                    data = self.transcoder.decode(data, self.is_at_end)
                except UnicodeDecodeError:
                    raise unreadable(self.url, self.stored_bytes, "the text ends within a character") from None
                self.given += data
            if data:
                return data
        return b""

    def position_at(self, offset):
        """Of the byte so many bytes after the first one given; asked for in order."""
        count = offset - self.asked
        self.asked = offset
        if self.transcoder is not None:
            taken, self.given = self.given[:count], self.given[count:]
            count = self.transcoder.source_bytes(taken)
        self.before += count
        if self.is_plain:
            return {"stored": self.restarts[0][0] + self.before, "decoded": 0}
        while len(self.restarts) > 1 and self.restarts[1][1] <= self.before:
            del self.restarts[0]
        stored, unpacked = self.restarts[0]
        return {"stored": stored, "decoded": self.before - unpacked}

    def close(self):
        self.file.close()


def whole(file, s3):
    """A file of columns, to be read anywhere: unpacked in memory where it isn't plain."""
    if file["compression"] == "none" and not file.get("entry"):
        return Place(file["path"], s3).open()
    import io

    reader, found = ByteReader(file, None, None, s3), io.BytesIO()
    while data := reader.read():
        found.write(data)
    reader.close()
    found.seek(0)
    return found
