"""A job's progress in its table, in the form that delta-table gives it: two transaction identifiers and a file that one of them names."""

import base64
import hashlib
import json
import math
import re
import time
import urllib.parse

from delta_load_codecs import LoadError
from delta_load_done import ENTRY, entries_of

MAX_NEWEST = 512
FACTOR = 10
ABANDONED_MS = 7 * 24 * 3600 * 1000
# Clocks differ, and a copied table's files have the times of the copying, in any order.
MARGIN_MS = 24 * 3600 * 1000


class Store:
    """A table's files, through Hadoop."""

    def __init__(self, spark, url):
        self.jvm, self.url = spark._jvm, url.rstrip("/")
        root = self.jvm.org.apache.hadoop.fs.Path(self.url)
        self.files = root.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
        if self.jvm.java.lang.Class.forName("org.apache.hadoop.fs.ChecksumFileSystem").isInstance(self.files):
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
            if stream.hasCapability("hsync"):
                stream.hsync()
        finally:
            stream.close()

    def delete(self, name):
        self.files.delete(self.path(name), True)

    def files_in(self, folder, is_recursive=True):
        """(path, last modified in ms) of the files in a folder."""
        if not self.exists(folder):
            return []
        found, listing = [], self.files.listFiles(self.path(folder), is_recursive)
        root = self.files.makeQualified(self.path("")).toUri().getPath().rstrip("/")
        while listing.hasNext():
            one = listing.next()
            found.append((one.getPath().toUri().getPath()[len(root) + 1 :], one.getModificationTime()))
        return found


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
        left = store.files_in(state_folder(job))
        if not left or is_first_attempt(store, snapshot, step_app(job), left):
            return None
        raise lost(store, job, "the log doesn't name it any more (delta.setTransactionRetentionDuration expires progress)")
    path = state_path(job, own)
    if not store.exists(path):
        raise lost(store, job, f"{path} is missing")
    data = store.read(path)
    if state_id(data) != own:
        raise lost(store, job, f"{path} isn't what was written there")
    file = json.loads(data)
    return {"step": step, "id": own, "previous": file["previous"], "state": file["state"], "recorded": (step, own)}


def is_first_attempt(store, snapshot, app, left):
    """True where the log reaches back to a day before what is left of the job, and shows that no step of it was ever committed."""
    since, first = min(modified for _, modified in left) - MARGIN_MS, None
    commits = sorted(one for one in store.files_in("_delta_log", False) if re.fullmatch(r"_delta_log/\d{20}\.json", one[0]))
    for path, modified in commits:
        version = int(path[11:31])
        if first is None and version > 0 and modified >= since:
            return False
        if first is not None and modified >= since:
            break
        first = version
    if first is None:
        return False
    read = [path for path, _ in commits if int(path[11:31]) >= first]
    actions = (json.loads(line) for path in read for line in store.read(path).splitlines() if b'"txn"' in line)
    return all(action.get("txn", {}).get("appId") != app for action in actions)


def read_restart(store, snapshot, job):
    """Where a job that begins anew goes on counting, since steps are never counted twice; None where it has made no step."""
    step, own = recorded(snapshot, step_app(job)), recorded(snapshot, state_app(job))
    found = step or 0
    for path, _ in store.files_in(state_folder(job)):
        if path.endswith(".json"):
            try:
                found = max(found, int(json.loads(store.read(path)).get("step", 0)))
            except (ValueError, AttributeError, TypeError):
                pass
    if found == 0 and own is None:
        return None
    return {"step": found, "id": own, "previous": None, "state": None, "recorded": (step, own)}


def stage_progress(store, job, before, state):
    step = (before["step"] if before else 0) + 1
    file = {"step": step, "previous": before and before["id"], "state": state}
    data = json.dumps(file, separators=(",", ":"), ensure_ascii=False).encode()
    own = state_id(data)
    store.write(state_path(job, own), data)
    return {"step": step, "id": own, "previous": before and before["id"], "state": state, "recorded": (step, own)}


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

    def stage(self, added, expire_ms=None):
        """The set with these entries, as the next step's state holds it; those of files last modified before a time are let go."""
        kept = dict(self.newest)
        for entry in added:
            kept.pop(entry[:12], None)
            kept[entry[:12]] = entry
        segments, before, watermark = list(self.state["segments"]), self.state["segments"], self.state.get("watermarkMs")
        if expire_ms is not None and (watermark is None or expire_ms > watermark):
            watermark = expire_ms
            kept = {key: entry for key, entry in kept.items() if modified_of(entry) >= expire_ms}
            segments = [ref for ref in segments if ref["modifiedMs"] >= expire_ms]
        if len(kept) > MAX_NEWEST:
            count = plan_merge([ref["entries"] for ref in segments], len(kept))
            merged = {}
            for ref in segments[len(segments) - count :]:
                merged |= entries_of(self.segment(ref["id"]))
            merged |= kept
            data = b"".join(merged[key] for key in sorted(merged))
            name = hashlib.sha256(data).hexdigest()[:20]
            self.store.write(f"{self.folder}/{name}.files", data)
            youngest = max(map(modified_of, merged.values()))
            segments = segments[: len(segments) - count] + [{"id": name, "entries": len(data) // ENTRY, "modifiedMs": youngest}]
            kept = {}
        newest = base64.b64encode(b"".join(kept.values())).decode()
        replaced = [ref["id"] for ref in before if ref not in segments]
        expired = {} if watermark is None else {"watermarkMs": watermark}
        return {"newest": newest, "segments": segments, "replaced": replaced} | expired


def modified_of(entry):
    return int.from_bytes(entry[18:24], "big", signed=True)


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
    if before is None or before["state"] is None:
        return
    paths = [] if before["previous"] is None else [state_path(job, before["previous"])]
    used = [ref["id"] for ref in state["files"]["segments"]] + state["files"]["replaced"]
    paths += [f"{state_folder(job)}/{name}.files" for name in before["state"]["files"]["replaced"] if name not in used]
    for path in paths:
        store.delete(path)


def remove_abandoned(store, job, progress):
    """Removes what attempts that never came to a commit left in the job's folder: states, and the checkpoints of streams."""
    files = progress["state"]["files"]
    kept = {f"{state_folder(job)}/{name}.files" for name in [ref["id"] for ref in files["segments"]] + files["replaced"]}
    kept |= {state_path(job, own) for own in (progress["id"], progress["previous"]) if own is not None}
    for path, modified in store.files_in(state_folder(job)):
        if path not in kept and modified < time.time() * 1000 - ABANDONED_MS:
            store.delete(path)
