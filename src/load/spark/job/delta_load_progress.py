"""A job's progress in its table, in the form that delta-table gives it: two transaction identifiers and a file that one of them names."""

import base64
import hashlib
import json
import math
import urllib.parse

from delta_load_source import ENTRY, LoadError, entries_of

MAX_NEWEST = 512
FACTOR = 10


class Store:
    """A table's files, through Hadoop."""

    def __init__(self, spark, url):
        self.jvm, self.url = spark._jvm, url.rstrip("/")
        root = self.jvm.org.apache.hadoop.fs.Path(self.url)
        self.files = root.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
        if self.files.getClass().getSimpleName() in ("LocalFileSystem", "DelegateToLocalFileSystem"):
            # No checksum files beside those of others.
            self.files = self.files.getRawFileSystem()

    def path(self, name):
        return self.jvm.org.apache.hadoop.fs.Path(f"{self.url}/{name}")

    def exists(self, name):
        return self.files.exists(self.path(name))

    def read(self, name):
        stream = self.files.open(self.path(name))
        try:
            return bytes(self.jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def write(self, name, data):
        stream = self.files.create(self.path(name), True)
        try:
            stream.write(bytearray(data))
            stream.hsync()
        finally:
            stream.close()

    def delete(self, name):
        self.files.delete(self.path(name), True)

    def names(self, folder):
        return [one.getPath().getName() for one in self.files.listStatus(self.path(folder))] if self.exists(folder) else []


def step_app(job):
    return f"delta-table/load/{job}"


def state_app(job):
    return f"{step_app(job)}/state"


def state_folder(job):
    return "_delta_log/_loads/" + urllib.parse.quote(job, safe="!~*'()")


def state_path(job, state_id):
    return f"{state_folder(job)}/{state_id:013x}.json"


def state_id(data):
    return int(hashlib.sha256(data).hexdigest()[:13], 16)


def lost(store, job, why):
    return LoadError("DELTA_LOAD_PROGRESS_LOST", f'{store.url}: the progress of job "{job}" is lost: {why}. Starting over would add its rows again.')


def recorded(snapshot, app):
    found = snapshot.transactions().get(app)
    return int(found.get()) if found.isDefined() else None


def read_progress(store, snapshot, job):
    """{step, id, previous, state}, or None for a job that has made no step."""
    step, own = recorded(snapshot, step_app(job)), recorded(snapshot, state_app(job))
    if step is None or own is None:
        if not store.names(state_folder(job)):
            return None
        raise lost(store, job, "the log doesn't name it any more (delta.setTransactionRetentionDuration expires progress)")
    path = state_path(job, own)
    if not store.exists(path):
        raise lost(store, job, f"{path} is missing")
    data = store.read(path)
    if state_id(data) != own:
        raise lost(store, job, f"{path} isn't what was written there")
    file = json.loads(data)
    return {"step": step, "id": own, "previous": file["previous"], "state": file["state"]}


def stage_progress(store, job, before, state):
    step = (before["step"] if before else 0) + 1
    file = {"step": step, "previous": before and before["id"], "state": state}
    data = json.dumps(file, separators=(",", ":"), ensure_ascii=False).encode()
    own = state_id(data)
    store.write(state_path(job, own), data)
    return {"step": step, "id": own, "previous": before and before["id"], "state": state}


class DoneFiles:
    """The set of files that a job is done with: the newest in the state, older ones in segments beside it."""

    def __init__(self, store, job, state):
        self.store, self.folder, self.state = store, state_folder(job), state
        self.newest = entries_of(base64.b64decode(state["newest"]))

    def segment(self, name):
        path = f"{self.folder}/{name}.files"
        data = self.store.read(path) if self.store.exists(path) else b""
        if hashlib.sha256(data).hexdigest()[:20] != name:
            raise LoadError("DELTA_LOAD_PROGRESS_LOST", f"{self.store.url}: the list of files that are loaded is damaged: {path}.")
        return data

    def everything(self):
        found = {}
        for ref in self.state["segments"]:
            found |= entries_of(self.segment(ref["id"]))
        return b"".join((found | self.newest).values())

    def stage(self, added):
        """The set with these entries, as the next step's state holds it."""
        kept = dict(self.newest)
        for entry in added:
            kept.pop(entry[:12], None)
            kept[entry[:12]] = entry
        segments, before = list(self.state["segments"]), self.state["segments"]
        if len(kept) > MAX_NEWEST:
            count = plan_merge([ref["entries"] for ref in segments], len(kept))
            merged = {}
            for ref in segments[len(segments) - count :]:
                merged |= entries_of(self.segment(ref["id"]))
            merged |= kept
            data = b"".join(merged[key] for key in sorted(merged))
            name = hashlib.sha256(data).hexdigest()[:20]
            self.store.write(f"{self.folder}/{name}.files", data)
            youngest = max(int.from_bytes(entry[18:24], "big", signed=True) for entry in merged.values())
            segments = segments[: len(segments) - count] + [{"id": name, "entries": len(data) // ENTRY, "modifiedMs": youngest}]
            kept = {}
        newest = base64.b64encode(b"".join(kept.values())).decode()
        replaced = [ref["id"] for ref in before if ref not in segments]
        return self.state | {"newest": newest, "segments": segments, "replaced": replaced}


def plan_merge(sizes, added):
    tier = lambda entries: math.floor(math.log(max(1, entries / MAX_NEWEST)) / math.log(FACTOR) + 1e-12)
    count, entries = 0, added
    while True:
        own = tier(entries)
        behind = lambda is_large: next((i for i, size in enumerate(reversed(sizes)) if is_large(tier(size))), len(sizes))
        smaller, not_larger = behind(lambda one: one >= own), behind(lambda one: one > own)
        wanted = not_larger if not_larger - smaller >= FACTOR - 1 else smaller
        if wanted <= count:
            return count
        count = wanted
        entries = added + sum(sizes[len(sizes) - count :])


def tidy(store, job, before, state):
    """Removes what no snapshot needs any more once the step after `before` is committed."""
    if before is None:
        return
    paths = [] if before["previous"] is None else [state_path(job, before["previous"])]
    used = [ref["id"] for ref in state["files"]["segments"]] + state["files"]["replaced"]
    paths += [f"{state_folder(job)}/{name}.files" for name in before["state"]["files"]["replaced"] if name not in used]
    for path in paths:
        store.delete(path)
