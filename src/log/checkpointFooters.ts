import { DeltaError, hasCode } from "../errors.js";
import { isGroup } from "../parquet/fileSchema.js";
import { type Footer, type ParquetFileRef, readFooter, unreadable } from "../parquet/footer.js";
import type { ObjectStore } from "../storage/store.js";
import { isCheckpointKey } from "./actionShape.js";
import { isJson } from "./checkpointJson.js";
import type { CheckpointFiles } from "./segment.js";

/** Footers of checkpoints in use: they name what a later read of other columns needs. */
const known = new WeakMap<CheckpointFiles, readonly Footer[]>();

/** The footers of a checkpoint's own files, without its sidecars; none of a checkpoint in JSON. */
export async function checkpointFooters(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): Promise<readonly Footer[]> {
  const paths = checkpoint.paths.filter((path) => !isJson(path));
  const read = async (path: string) =>
    (await toldFooter(store, path, checkpoint.toldBytes, signal)) ?? footerOf(store, path, signal);
  const footers = known.get(checkpoint) ?? (await Promise.all(paths.map(read)));
  known.set(checkpoint, footers);
  return footers;
}

/** The footer of a file that is said to have so many bytes, which saves a request; undefined where it isn't like that. */
async function toldFooter(
  store: ObjectStore,
  path: string,
  sizeBytes: number | undefined,
  signal?: AbortSignal,
): Promise<Footer | undefined> {
  if (sizeBytes === undefined) return undefined;
  try {
    return await actionsFooter(store, { path, sizeBytes }, signal);
  } catch (error) {
    if (hasCode(error, "DELTA_PARQUET_UNREADABLE")) return undefined;
    throw error;
  }
}

async function footerOf(store: ObjectStore, path: string, signal?: AbortSignal): Promise<Footer> {
  const meta = await store.head(path, signal);
  if (meta === undefined) {
    throw new DeltaError("DELTA_FILE_NOT_FOUND", `The checkpoint ${path} has been removed.`, { path });
  }
  return actionsFooter(store, { path, sizeBytes: meta.sizeBytes }, signal);
}

/** The footer of a Parquet file of actions. Throws `DELTA_PARQUET_UNREADABLE`. */
export async function actionsFooter(store: ObjectStore, file: ParquetFileRef, signal?: AbortSignal): Promise<Footer> {
  const footer = await readFooter(store, file, signal);
  // A column without the fields that are asked for would pass for one without values.
  const flat = footer.root.children.find(({ element }) => isCheckpointKey(element.name) && !isGroup(element));
  if (flat !== undefined) throw unreadable(footer.file, `its ${flat.element.name} is no group of columns`);
  // A column by another name would pass for one that its writer left out.
  if (!footer.namesAgree) throw unreadable(footer.file, "its columns have other names than its schema gives them");
  return footer;
}

/** Whether the column at `path` has a value in any of these row groups; undefined where the footer doesn't tell. */
export function hasValues(
  { leaves, rowGroups }: Footer,
  path: readonly string[],
  groups: readonly number[] = [...rowGroups.keys()],
): boolean | undefined {
  const leaf = leaves.findIndex((candidate) => candidate.path.join("\0") === path.join("\0"));
  if (leaf < 0) return false;
  const chunks = groups.flatMap((group) => rowGroups[group]!.chunks[leaf] ?? []);
  if (chunks.some(({ nullCount, valueCount }) => nullCount !== undefined && nullCount !== valueCount)) return true;
  return chunks.some(({ nullCount }) => nullCount === undefined) ? undefined : false;
}
