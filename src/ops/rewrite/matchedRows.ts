import { loaded } from "../../lazy.js";
import type { DeletionVectorDescriptor } from "../../log/actions.js";
import { DeletionVectorReader } from "../../log/deletionVector.js";
import type { Snapshot } from "../../log/snapshot.js";
import { readFooter } from "../../parquet/footer.js";
import type { ScanFile } from "../../read/plan.js";
import { ROW_INDEX } from "../../read/rowIndex.js";
import { scanFiles } from "../../read/scan.js";
import { hasOpaque, type Predicate } from "../../schema/predicate.js";
import type { FilePlaces } from "../../sql/filePlaces.js";
import type { TouchedRows } from "../../sql/touchedRows.js";

/** Places of some of a file's rows, ascending, or all that its deletion vector leaves. */
export type MatchedRows = Uint32Array | "all";

/** Files that are looked through together. */
const FILES_AT_ONCE = 64;

/**
 * The files, in their order, with the live rows for which a predicate is true. Only the predicate's columns are read, by DuckDB itself
 * where it has to evaluate them anyway and can read the file.
 */
export async function* matchedFiles<File extends ScanFile>(
  snapshot: Snapshot,
  files: AsyncIterable<File>,
  predicate: Predicate | undefined,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly file: File; readonly rows: MatchedRows }> {
  const byDuckdb = predicate !== undefined && hasOpaque(predicate);
  // Files often share a file of deletion vectors.
  const vectors = new DeletionVectorReader(snapshot.store);
  const waiting: File[] = [];
  async function* found() {
    const some = waiting.splice(0);
    const asked = some.filter(({ match }) => match === "some");
    const places = byDuckdb ? await placesOf(snapshot, asked, predicate, signal) : undefined;
    for (const file of some) {
      const own = places?.get(file);
      const rows = own && (await withoutRemoved(snapshot, file, own, vectors, signal));
      yield { file, rows: rows ?? (await matchedRows(snapshot, file, predicate, signal)) };
    }
  }
  for await (const file of files) {
    waiting.push(file);
    if (!byDuckdb || waiting.length === FILES_AT_ONCE) yield* found();
  }
  if (waiting.length > 0) yield* found();
}

/** Of the files, those whose rows DuckDB didn't take: of the others, `take` gets the rows for which the predicate is true. */
export async function* untakenFiles<File extends ScanFile>(
  snapshot: Snapshot,
  files: AsyncIterable<File>,
  predicate: Predicate,
  take: (rows: TouchedRows<File>) => Promise<void>,
  signal?: AbortSignal,
): AsyncGenerator<File> {
  const { touchedRows } = await loaded(() => import("../../sql/touchedRows.js"), "delta-table/sql");
  const waiting: File[] = [];
  for await (const file of files) {
    if (file.match === "all") yield file;
    else if (waiting.push(file) === FILES_AT_ONCE)
      yield* await touchedRows(snapshot, waiting.splice(0), predicate, take, signal);
  }
  if (waiting.length > 0) yield* await touchedRows(snapshot, waiting, predicate, take, signal);
}

async function placesOf<File extends ScanFile>(
  snapshot: Snapshot,
  files: readonly File[],
  predicate: Predicate,
  signal: AbortSignal | undefined,
): Promise<FilePlaces<File>> {
  if (files.length === 0) return new Map();
  const { filePlaces } = await loaded(() => import("../../sql/filePlaces.js"), "delta-table/sql");
  return filePlaces(snapshot, files, predicate, signal);
}

/** Of the places, those that the file's deletion vector leaves. */
async function withoutRemoved(
  snapshot: Snapshot,
  file: ScanFile,
  places: Uint32Array,
  vectors: DeletionVectorReader,
  signal: AbortSignal | undefined,
): Promise<MatchedRows> {
  let left = places;
  if (file.deletionVector !== undefined) {
    const vector = await vectors.read(file.deletionVector, signal);
    const removed = vector.positions();
    let next = removed.next();
    left = places.filter((place) => {
      while (!next.done && next.value < place) next = removed.next();
      return next.done || next.value !== place;
    });
  }
  return left.length > 0 && left.length === (await liveRowCount(snapshot, file, signal)) ? "all" : left;
}

/** The live rows of a file for which a predicate is true. */
async function matchedRows(
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
