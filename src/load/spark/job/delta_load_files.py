"""Which files a load's sources stand for, as delta-table lists them."""

import os
import re

from delta_load_bytes import Place, s3_files
from delta_load_codecs import LoadError, entries_of_archive, unreadable

FORMATS = {"csv": "csv", "tsv": "csv", "json": "jsonl", "jsonl": "jsonl", "ndjson": "jsonl", "jsonlines": "jsonl"}
FORMATS |= {"parquet": "parquet"} | dict.fromkeys(["arrow", "arrows", "feather", "ipc"], "arrow")
COMPRESSIONS = {"gz": "gzip", "gzip": "gzip", "zst": "zstd", "zstd": "zstd"}
ANY_FOLDERS = None


def kind_of(file):
    """What its shape goes by in the job's state."""
    return file["format"] + ('' if file["delimiter"] is None else ' "\\t"')


def facts_of(name):
    parts = name.rsplit("/", 1)[-1].lower().split(".")[1:]
    compression = COMPRESSIONS.get(parts[-1]) if parts else None
    if compression:
        parts.pop()
    extension = parts[-1] if parts else None
    return {"format": FORMATS.get(extension), "compression": compression or "none", "delimiter": "\t" if extension == "tsv" else None}


def is_hidden(path):
    return any(name[:1] in ("_", ".") and name not in (".", "..") for name in path.split("/"))


def fits(segments, names):
    """Whether a path is described by a pattern's segments, or is in a folder that is."""
    if not segments:
        return not is_hidden("/".join(names)) if names else True
    if not names:
        return False
    segment, rest = segments[0], segments[1:]
    if segment is ANY_FOLDERS:
        return fits(rest, names) or (not is_hidden(names[0]) and fits(segments, names[1:]))
    is_same = segment == names[0] if isinstance(segment, str) else re.fullmatch(segment["rule"], names[0], re.DOTALL)
    return bool(is_same) and fits(rest, names[1:])


def enters(segments, names):
    """Whether a folder may hold something that fits."""
    if not segments:
        return not is_hidden("/".join(names)) if names else True
    if not names:
        return True
    segment, rest = segments[0], segments[1:]
    if segment is ANY_FOLDERS:
        return enters(rest, names) or (not is_hidden(names[0]) and enters(segments, names[1:]))
    is_same = segment == names[0] if isinstance(segment, str) else re.fullmatch(segment["rule"], names[0], re.DOTALL)
    return bool(is_same) and enters(rest, names[1:])


class Operand:
    """A place that a person named: a file, a folder, or a pattern. Paths are absolute, or URLs on S3."""

    def __init__(self, source, s3):
        self.url, self.glob, self.s3 = source["url"], source["glob"], s3
        self.is_local = Place(self.url).is_local
        self.root = "/" if self.is_local else self.url[: self.url.index("/", 5) + 1] if "/" in self.url[5:] else self.url + "/"
        self.is_file, self.is_folder = self._look()

    def _look(self):
        if not self.is_local:
            info = s3_files(self.s3).get_file_info(self.url.rstrip("/").split("://", 1)[1])
            is_file = info.is_file and not self.url.endswith("/")
            return is_file, not is_file and self.glob is None
        if os.path.isdir(self.url):
            return False, True
        if os.path.exists(self.url) and not os.path.isfile(self.url):
            raise LoadError("DELTA_INVALID_ARGUMENT", f"{self.url} is a pipe or a device, which can't be read twice.")
        is_file = os.path.isfile(self.url)
        return is_file, not is_file and self.glob is None

    def stored(self):
        """(path, identity) of the files it stands for, in order."""
        if self.is_file:
            found = [(self.url, None)]
        elif self.is_folder:
            folder = self.url.rstrip("/") + "/"
            shown = lambda path: not is_hidden(path[len(folder) :])
            found = [one for one in self._below(folder, shown) if shown(one[0])]
        else:
            names = lambda path: [name for name in path[len(self.root) :].split("/") if name]
            covers = lambda path: any(fits(segments, names(path)) for segments in self.glob["alternatives"])
            may_hold = lambda path: any(enters(segments, names(path)) for segments in self.glob["alternatives"])
            found = [one for one in self._below(self.root + self.glob["folder"], may_hold) if covers(one[0])]
        for path, identity in sorted(found, key=lambda one: os.fsencode(one[0])):
            yield path, identity or self._identity(path)

    def _identity(self, path):
        if self.is_local:
            stat = os.stat(path)
            return {"sizeBytes": stat.st_size, "modifiedMs": stat.st_mtime_ns // 1_000_000}
        return identity_of(s3_files(self.s3).get_file_info(path.split("://", 1)[1]))

    def _below(self, folder, may_hold):
        if self.is_local:
            for at, folders, names in os.walk(folder, followlinks=True):
                at = at.rstrip("/") + "/"
                folders[:] = [name for name in folders if may_hold(at + name)]
                yield from ((at + name, None) for name in names if os.path.isfile(at + name))
            return
        from pyarrow import fs

        scheme, _, path = folder.partition("://")
        selector = fs.FileSelector(path.rstrip("/"), recursive=True, allow_not_found=True)
        for info in s3_files(self.s3).get_file_info(selector):
            if info.is_file:
                yield f"{scheme}://{info.path}", identity_of(info)


def identity_of(info):
    return {"sizeBytes": info.size, "modifiedMs": info.mtime_ns // 1_000_000}


def list_files(sources, asked, s3):
    """The files, once each though several sources stand for them."""
    seen = set()
    for source in sources:
        operand, known, skipped = Operand(source, s3), 0, 0
        for path, identity in operand.stored():
            for file in files_of(operand, path, identity, asked):
                if file is None:
                    skipped += 1
                    continue
                known += 1
                if file["url"] not in seen:
                    seen.add(file["url"])
                    yield file
        if known == 0:
            why = f"; the names of the {skipped} files there tell no format: say which one they have" if skipped else ""
            raise LoadError("DELTA_FILE_NOT_FOUND", f"There is no file to load at {source['url']}{why}.")


def files_of(operand, path, identity, asked):
    """The file itself, or those in it; None for one that tells no format."""
    stored = {"url": path, "path": path, "identity": identity}
    if not path.lower().endswith(".zip"):
        facts = facts_of(path)
        name_format = asked or facts["format"]
        if name_format is None and operand.is_file:
            raise LoadError("DELTA_INVALID_ARGUMENT", f"The name of {path} tells no format. Say which one it has (csv, jsonl, parquet, arrow).")
        yield name_format and stored | facts | {"format": name_format}
        return
    before = None
    for entry in entries_of_archive(Place(path, operand.s3)):
        if is_hidden(entry["name"]):
            continue
        if entry["name"] == before:
            raise unreadable(path, entry["offset"], f'the archive has two files "{before}"')
        before, facts = entry["name"], facts_of(entry["name"])
        name_format = asked or facts["format"]
        yield name_format and stored | facts | {"format": name_format, "url": f"{path}#{before}", "entry": entry}
