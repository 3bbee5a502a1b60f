import type { DeletionVectorDescriptor } from "../../log/actions.js";
import type { DeletionVectorReader } from "../../log/deletionVector.js";
import type { Snapshot } from "../../log/snapshot.js";
import { readFooter } from "../../parquet/footer.js";
import type { ScanFile } from "../../read/plan.js";
import { ROW_INDEX } from "../../read/rowIndex.js";
import { scanFiles } from "../../read/scan.js";
import type { Predicate } from "../../schema/predicate.js";

/** Places of some of a file's rows, ascending, or all that its deletion vector leaves. */
export type MatchedRows = Uint32Array | "all";

/** The live rows of a file for which a predicate is true. Only the predicate's columns are read. */
export async function matchedRows(
  snapshot: Snapshot,
  file: ScanFile,
  predicate: Predicate | undefined,
  signal?: AbortSignal,
): Promise<MatchedRows> {
  if (predicate === undefined || file.match === "all") return "all";
  const parts: BigInt64Array[] = [];
  for await (const batch of scanFiles(snapshot, only(file), { columns: [ROW_INDEX], predicate, signal })) {
    parts.push(batch.data.children[0]!.values as BigInt64Array);
  }
  const count = parts.reduce((sum, { length }) => sum + length, 0);
  if (count > 0 && count === (await liveRowCount(snapshot, file, signal))) return "all";
  const rows = new Uint32Array(count);
  let at = 0;
  for (const part of parts) for (const place of part) rows[at++] = Number(place);
  return rows;
}

/** Rows of a file that its deletion vector leaves. */
export async function liveRowCount({ store }: Snapshot, file: ScanFile, signal?: AbortSignal): Promise<number> {
  return (await fileRowCount(store, file, signal)) - (file.deletionVector?.cardinality ?? 0);
}

/** Rows of a file, removed ones too. */
export async function fileRowCount(store: Snapshot["store"], file: ScanFile, signal?: AbortSignal): Promise<number> {
  return file.numRecords ?? (await readFooter(store, file, signal)).rowCount;
}

/** The rows that a file's vector removes, and these, ascending. */
export async function withRemoved(
  vectors: DeletionVectorReader,
  removed: DeletionVectorDescriptor | undefined,
  rows: Uint32Array,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  if (removed === undefined) return rows;
  const before = await vectors.read(removed, signal);
  const all = new Uint32Array(before.cardinality + rows.length);
  let [at, next] = [0, 0];
  for (const place of before.positions()) {
    while (next < rows.length && rows[next]! < place) all[at++] = rows[next++]!;
    all[at++] = place;
  }
  all.set(rows.subarray(next), at);
  return all;
}

/** One file, as a scan takes its files. */
export async function* only(file: ScanFile): AsyncGenerator<ScanFile> {
  yield file;
}
