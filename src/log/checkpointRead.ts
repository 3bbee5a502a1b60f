import type { RecordBatch } from "apache-arrow";
import type { Footer } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import type { ObjectStore } from "../storage/store.js";
import { actionsFooter, checkpointFooters, hasValues } from "./checkpointFooters.js";
import { readSidecars } from "./checkpointState.js";
import { sidecarPath } from "./paths.js";
import type { CheckpointFiles } from "./segment.js";

/**
 * The batches of a checkpoint's columns of file actions, one Parquet file after the other, its sidecars too, some row groups at
 * a time. Deletion vectors, whose columns all checkpoints have but few have values of, are left out of files where they
 * are null throughout. Statistics and partition values come as structs, in `stats_parsed` and `partitionValues_parsed`, where a file
 * has or may have no others.
 */
export async function* readCheckpoint(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  columns: readonly (readonly string[])[],
  signal?: AbortSignal,
  passed?: PassedRowGroups,
): AsyncGenerator<RecordBatch> {
  for (const footer of await filesFooters(store, checkpoint, signal)) {
    const taken = passed?.get(footer.file.path);
    const rowGroups = taken && [...footer.rowGroups.keys()].filter((group) => !taken.has(group));
    yield* readActionColumns(store, footer, columns, rowGroups, signal);
  }
}

/** Row groups that aren't read, by their files' paths. */
export type PassedRowGroups = ReadonlyMap<string, ReadonlySet<number>>;

/** {@link readCheckpoint} for one of its files, or some row groups of it. */
export function readActionColumns(
  store: ObjectStore,
  footer: Footer,
  columns: readonly (readonly string[])[],
  rowGroups?: readonly number[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const options = { columns: columnsIn(footer, columns), rowGroups, footer, checksPages: true, signal };
  return readParquet(store, footer.file, options);
}

/** The footers of the files that may have file actions. */
export async function filesFooters(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): Promise<readonly Footer[]> {
  const own = await checkpointFooters(store, checkpoint, signal);
  const sidecars = await sidecarFooters(store, checkpoint, signal);
  // Where there are sidecars, they have all file actions.
  return sidecars.length === 0 ? own : [...own.filter(hasFiles), ...sidecars];
}

/** Sidecars' footers of checkpoints in use. */
const known = new WeakMap<CheckpointFiles, readonly Footer[]>();

/** The footers of a checkpoint's sidecars. Throws `DELTA_LOG_CORRUPT`, `DELTA_PARQUET_UNREADABLE`, `DELTA_FILE_NOT_FOUND`. */
export async function sidecarFooters(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): Promise<readonly Footer[]> {
  const before = known.get(checkpoint);
  if (before !== undefined) return before;
  const sizes = new Map<string, number>();
  for (const { path, sizeInBytes } of await readSidecars(store, checkpoint, signal)) {
    sizes.set(sidecarPath(store, path), sizeInBytes);
  }
  const files = [...sizes].map(([path, sizeBytes]) => ({ path, sizeBytes }));
  const footers = await Promise.all(files.map((file) => actionsFooter(store, file, signal)));
  known.set(checkpoint, footers);
  return footers;
}

function hasFiles(footer: Footer): boolean {
  return hasValues(footer, ["add", "path"]) !== false || hasValues(footer, ["remove", "path"]) !== false;
}

function columnsIn(footer: Footer, columns: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return columns.flatMap((column) => {
    const [kind, name] = column;
    if (name === "deletionVector" && hasValues(footer, [...column, "storageType"]) === false) return [];
    if (column.length === 2 && kind === "add" && name === "partitionValues") {
      return hasMaps(footer) ? [column] : [column, [kind, "partitionValues_parsed"]];
    }
    if (name !== "stats") return [column];
    const parsed = [kind!, "stats_parsed"];
    const hasTexts = hasValues(footer, column);
    return hasTexts === undefined ? [column, parsed] : [hasTexts ? column : parsed];
  });
}

/** Whether live files have partition values as text for sure. */
function hasMaps(footer: Footer): boolean {
  const key = footer.leaves.find(({ path: [kind, name] }) => kind === "add" && name === "partitionValues");
  return key !== undefined && hasValues(footer, key.path) === true;
}
