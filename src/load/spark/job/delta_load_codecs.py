"""How stored bytes are unpacked: gzip, zstd, and files in zip archives."""

import os
import struct
import zipfile
import zlib

CHUNK = 1024 * 1024
MAX_BLOCK = 128 * 1024
MAX_WINDOW = 128 * 1024 * 1024


class LoadError(Exception):
    """An error with one of delta-table's codes; Spark hands on texts only."""

    def __init__(self, code, message):
        super().__init__(f"<<{code}|{message}>>")
        self.code, self.message = code, message

    def __reduce__(self):
        return LoadError, (self.code, self.message)


def unreadable(url, offset, what):
    return LoadError("DELTA_INPUT_UNREADABLE", f"{url}, at byte {offset}: {what}.")


def shrunk(url):
    return LoadError("DELTA_LOAD_SOURCE_CHANGED", f"{url} was changed while it was read. Load again; what is in the table by then stays.")


class Stored:
    """Stored bytes in their order, of which some can be given back."""

    def __init__(self, file, offset, end, url):
        self.file, self.offset, self.end, self.url = file, offset, end, url
        self.kept = b""
        file.seek(offset)

    def take(self):
        """What comes next; empty at the end."""
        data, self.kept = self.kept, b""
        if not data:
            wanted = min(CHUNK, self.end - self.offset)
            data = self.file.read(wanted) if wanted > 0 else b""
            if wanted > 0 and not data:
                raise shrunk(self.url)
        self.offset += len(data)
        return data

    def give_back(self, data):
        self.kept = data + self.kept
        self.offset -= len(data)

    def peek(self, count):
        while len(self.kept) < count:
            wanted = min(CHUNK, self.end - self.offset - len(self.kept))
            data = self.file.read(wanted) if wanted > 0 else b""
            if not data:
                break
            self.kept += data
        return self.kept[:count]

    def exactly(self, count):
        data = self.peek(count)
        if len(data) < count:
            raise unreadable(self.url, self.offset, "the file ends within its compressed data; it was cut off or is still being written")
        self.kept, self.offset = self.kept[count:], self.offset + count
        return data


def plain(stored):
    while data := stored.take():
        yield data


def gunzip(stored):
    """Bytes, and the numbers of bytes of the stored file where a member begins or the last one has ended."""
    while first := stored.peek(1):
        start = stored.offset
        if first == b"\0":
            while data := stored.take():
                if data.strip(b"\0"):
                    raise unreadable(stored.url, start, "something that isn't gzip follows the gzip data")
            return
        if stored.peek(3) != b"\x1f\x8b\x08":
            raise unreadable(stored.url, start, "here no gzip data begins, as it should")
        yield start
        member = zlib.decompressobj(31)
        while not member.eof:
            data = stored.take()
            if not data:
                stored.exactly(1)
            try:
                while data and not member.eof:
                    unpacked = member.decompress(data, CHUNK)
                    data = member.unconsumed_tail
                    if unpacked:
                        yield unpacked
            except zlib.error as error:
                raise unreadable(stored.url, start, f"the gzip data is damaged ({error})") from None
        stored.give_back(member.unused_data)
        yield stored.offset


def is_zstd(data):
    return data[:4] == b"\x28\xb5\x2f\xfd"


def is_skippable(data):
    return len(data) >= 4 and data[0] & 0xF0 == 0x50 and data[1:4] == b"\x2a\x4d\x18"


def unzstd(stored):
    """The same for zstd, of which decoding can begin at each frame (RFC 8878)."""
    import pyarrow

    while magic := stored.peek(4):
        if is_skippable(magic):
            left = struct.unpack("<4xI", stored.exactly(8))[0]
            while left > 0:
                left -= len(stored.exactly(min(left, CHUNK)))
        else:
            yield stored.offset
            start = stored.offset
            try:
                with pyarrow.CompressedInputStream(pyarrow.PythonFile(Frame(stored), mode="r"), "zstd") as frame:
                    while data := frame.read(CHUNK):
                        yield data
            except OSError as error:
                raise error if isinstance(error, LoadError) else unreadable(stored.url, start, f"the zstd data is damaged ({error})") from None
        yield stored.offset


class Frame:
    """The bytes of one zstd frame, and no more."""

    closed = False

    def __init__(self, stored):
        self.stored, self.left, self.pieces = stored, b"", self._pieces()

    def _pieces(self):
        stored = self.stored
        if not is_zstd(stored.peek(4)):
            raise unreadable(stored.url, stored.offset, "here no zstd data begins, as it should")
        descriptor = stored.peek(5)[4:]
        if not descriptor:
            stored.exactly(5)
        flags = descriptor[0]
        is_single, dictionary = flags & 0x20, (0, 1, 2, 4)[flags & 3]
        size = (1 if is_single else 0, 2, 4, 8)[flags >> 6]
        header = stored.exactly(5 + (0 if is_single else 1) + dictionary + size)
        window = header[5] if not is_single else None
        content = int.from_bytes(header[-size:], "little") if size else 0
        needed = content if window is None else (1 << (10 + (window >> 3))) * (8 + (window & 7)) // 8
        if needed > MAX_WINDOW and window is not None or is_single and content > MAX_WINDOW:
            raise unreadable(stored.url, stored.offset, f"the zstd data needs {needed} bytes of memory; compress it without --long or --ultra")
        yield header
        is_last = False
        while not is_last:
            block = int.from_bytes(stored.exactly(3), "little")
            stored_bytes = 1 if block >> 1 & 3 == 1 else block >> 3
            if block >> 1 & 3 == 3 or stored_bytes > MAX_BLOCK:
                raise unreadable(stored.url, stored.offset, "the zstd data is damaged")
            is_last = bool(block & 1)
            yield block.to_bytes(3, "little") + stored.exactly(stored_bytes)
        if flags & 4:
            yield stored.exactly(4)

    def read(self, count=-1):
        while count < 0 or len(self.left) < count:
            piece = next(self.pieces, b"")
            if not piece:
                break
            self.left += piece
        count = len(self.left) if count < 0 else count
        data, self.left = self.left[:count], self.left[count:]
        return data

    def readable(self):
        return True

    def close(self):
        self.closed = True


def codec_of(stored, compression):
    """How the bytes are packed, by their first ones; a name that says otherwise is wrong."""
    first = stored.peek(512)
    if first[:2] == b"\x1f\x8b":
        return gunzip
    if is_zstd(first):
        return unzstd
    if compression == "none" or not first:
        return plain
    if compression == "zstd" and is_skippable(first):
        return unzstd
    if all(byte >= 0x20 or byte in b"\t\n\r" for byte in first):
        return plain
    raise unreadable(stored.url, stored.offset, f"its name says {compression}, and its bytes say something else")


def unzipped(file, entry, source):
    """A file in an archive, which can be packed once more by itself."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open(entry_info(archive, entry)) as inner:
            stored = Stored(Forward(inner), 0, entry["sizeBytes"], source["url"])
            for data in codec_of(stored, source["compression"])(stored):
                if isinstance(data, bytes):
                    yield data
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise unreadable(source["url"], entry["offset"], f"the archive is damaged: {error}") from None


def entry_info(archive, entry):
    return next(info for info in archive.infolist() if info.header_offset == entry["offset"])


class Forward:
    """A file that is read from its begin."""

    def __init__(self, file):
        self.file, self.read = file, file.read

    def seek(self, offset):
        pass


def entries_of_archive(place):
    """The files in a zip archive, by their names."""
    try:
        with place.open() as file, zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        raise unreadable(place.url, 0, f"this is no zip archive, or it is damaged ({error})") from None
    for info in infos:
        if info.flag_bits & 1 or info.compress_type not in (0, 8):
            raise unreadable(place.url, info.header_offset, f'"{info.filename}" is encrypted, or packed by another method than deflate')
    found = [{"name": info.filename, "offset": info.header_offset, "sizeBytes": info.file_size} for info in infos]
    return sorted(found, key=lambda entry: os.fsencode(entry["name"]))


