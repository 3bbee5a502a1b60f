import type { AddFile, RemoveFile } from "../log/actions.js";
import { ADD_FIELDS, REMOVE_FIELDS } from "../log/checkpointSchema.js";
import { forEachAction } from "../log/commitFile.js";
import { fileRows } from "../log/fileRows.js";
import { decodePath } from "../log/paths.js";
import { readCommit } from "../log/readCommits.js";
import type { CheckpointFiles } from "../log/segment.js";
import { Tail } from "../log/tail.js";
import { addReader } from "../read/fileActions.js";
import type { ObjectStore } from "../storage/store.js";
import { recordOf, removeReader } from "./fileRecord.js";
import type { FileTable } from "./fileTable.js";

/**
 * The paths of some rows of a file table, which keeps none: the commits that they come from are read again, and the
 * checkpoint `base` where replay started from one.
 */
export async function locateFiles(
  store: ObjectStore,
  files: FileTable,
  rows: Iterable<number>,
  base: CheckpointFiles | undefined,
  signal?: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
  const wanted = new Set(rows);
  const paths = new Map<number, string>();
  const note = (file: AddFile | RemoveFile) => {
    const row = files.find(recordOf(file, undefined).key);
    if (wanted.has(row)) paths.set(row, decodePath(file.path));
  };
  for (const version of new Set([...wanted].map((row) => files.version(row)))) {
    if (version === base?.version) await eachFile(store, base, note, signal);
    else {
      const bytes = await readCommit(store, version, signal);
      forEachAction(version, bytes, { commitInfo: false }, (action) => {
        if ("add" in action) note(action.add);
        else if ("remove" in action) note(action.remove);
      });
    }
  }
  return paths;
}

async function eachFile(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  visit: (file: AddFile | RemoveFile) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { version } = checkpoint;
  const source = {
    store,
    version,
    checkpoint,
    tail: new Tail(version),
    isPartitioned: false,
    damaged: new Set<string>(),
  };
  for (const kind of ["add", "remove"] as const) {
    const fields = (kind === "add" ? ADD_FIELDS : REMOVE_FIELDS).filter(({ name }) => KEY.has(name));
    for await (const batch of fileRows(source, kind, fields, signal)) {
      const fileAt = kind === "add" ? addReader(batch) : removeReader(batch);
      for (let row = 0; row < batch.numRows; row++) visit(fileAt(row));
    }
  }
}

const KEY = new Set(["path", "deletionVector"]);
