import type {
  AddCDCFile,
  AddFile,
  CommitInfo,
  DeletionVectorDescriptor,
  Metadata,
  Protocol,
  RemoveFile,
} from "../log/actions.js";
import { forEachAction } from "../log/commitFile.js";
import { canonicalPath } from "../log/paths.js";
import { fileKey } from "../log/tail.js";

/** Rows of one file that a commit changed, all alike or, where they are `stored`, as the file's own `_change_type` says. */
export interface FileChange {
  readonly kind: "insert" | "delete" | "stored";
  /**
   * The action's place among those of the commit that a feed is made of, from 0 on: its `cdc` actions or, without those, its `add` and
   * `remove` with `dataChange`. So Delta's streaming source for Spark counts them.
   */
  readonly index: number;
  /** The action, or its partner where that says more of the file. */
  readonly file: AddFile | RemoveFile | AddCDCFile;
  /** Rows that aren't meant. */
  readonly deletionVector: DeletionVectorDescriptor | undefined;
  /** Only these rows are meant; all where undefined. */
  readonly within: DeletionVectorDescriptor | undefined;
}

/** What a commit has to say to a reader of changes. */
export interface CommitChanges {
  readonly version: number;
  readonly protocol: Protocol | undefined;
  readonly metadata: Metadata | undefined;
  /** In the commit's order. */
  readonly files: readonly FileChange[];
  /** Whether rows were derived that the commit took away. */
  readonly derivesDeletes: boolean;
  /** Whether rows that only moved to another file may pass for changed ones, unless the writer saw to it that none does. */
  readonly mayRewrite: boolean;
}

/**
 * The changes of a commit (PROTOCOL.md, Add CDC File): what its `cdc` files hold or, where it has none, all rows of the files that it
 * adds and removes with `dataChange`. A file that it removes and adds again with another deletion vector changed by the
 * rows that only one of the vectors removes. Throws `DELTA_LOG_CORRUPT`.
 */
export function commitChanges(version: number, bytes: Uint8Array): CommitChanges {
  const cdc: AddCDCFile[] = [];
  const data: DataAction[] = [];
  let protocol: Protocol | undefined;
  let metadata: Metadata | undefined;
  let info: CommitInfo | undefined;
  forEachAction(version, bytes, { commitInfo: true }, (action) => {
    if ("cdc" in action) cdc.push(action.cdc);
    else if ("add" in action && action.add.dataChange !== false) data.push({ isAdd: true, file: action.add });
    else if ("remove" in action && action.remove.dataChange !== false) data.push({ isAdd: false, file: action.remove });
    else if ("protocol" in action) protocol = action.protocol;
    else if ("metaData" in action) metadata = action.metaData;
    else if ("commitInfo" in action) info ??= action.commitInfo;
  });
  const nothing = { version, protocol, metadata, files: [], derivesDeletes: false, mayRewrite: false };
  if (cdc.length > 0) {
    const files = cdc.map((file, index) => {
      return { kind: "stored", index, file, deletionVector: undefined, within: undefined } as const;
    });
    return { ...nothing, files };
  }
  return isEmptyMerge(info) ? nothing : { ...nothing, ...derived(data) };
}

type DataAction =
  | { readonly isAdd: true; readonly file: AddFile }
  | { readonly isAdd: false; readonly file: RemoveFile };

function derived(data: readonly DataAction[]): Pick<CommitChanges, "files" | "derivesDeletes" | "mayRewrite"> {
  const pairs = pairsOf(data);
  const files: FileChange[] = [];
  let [inserts, deletes] = [false, false];
  for (const [index, { isAdd, file }] of data.entries()) {
    const kind = isAdd ? "insert" : "delete";
    const deletionVector = file.deletionVector ?? undefined;
    const pair = pairs.get(canonicalPath(file.path));
    if (pair?.add === undefined || pair.remove === undefined) {
      files.push({ kind, index, file, deletionVector, within: undefined });
      if (isAdd) inserts = true;
      else deletes = true;
      continue;
    }
    // What the one leaves and the other doesn't.
    const within = (isAdd ? pair.remove : pair.add).deletionVector ?? undefined;
    if (within === undefined || fileKey("", within) === fileKey("", deletionVector)) continue;
    files.push({ kind, index, file: pair.add, deletionVector, within });
  }
  return { files, derivesDeletes: files.some(({ kind }) => kind === "delete"), mayRewrite: inserts && deletes };
}

interface Pair {
  add?: AddFile;
  remove?: RemoveFile;
}

/** By the files' paths: no writer has one file twice among a commit's removed or added ones. */
function pairsOf(data: readonly DataAction[]): ReadonlyMap<string, Pair> {
  const pairs = new Map<string, Pair>();
  if (data.every(({ isAdd }) => isAdd) || !data.some(({ isAdd }) => isAdd)) return pairs;
  for (const { isAdd, file } of data) {
    const key = canonicalPath(file.path);
    let pair = pairs.get(key);
    if (pair === undefined) {
      pair = {};
      pairs.set(key, pair);
    }
    if (isAdd) pair.add = file;
    else pair.remove = file;
  }
  return pairs;
}

/** Merges of Spark may write files anew for nothing. They say so in their metrics, and have no change files. */
function isEmptyMerge(info: CommitInfo | undefined): boolean {
  const metrics: unknown = info?.operationMetrics;
  if (info?.operation !== "MERGE" || typeof metrics !== "object" || metrics === null) return false;
  const counts = ["Inserted", "Updated", "Deleted"].map((what) => {
    return (metrics as Record<string, unknown>)[`numTargetRows${what}`];
  });
  return counts.every((count) => count === "0" || count === 0);
}
