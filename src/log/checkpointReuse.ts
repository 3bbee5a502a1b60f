import { type Data, type Field, type RecordBatch, Type } from "apache-arrow";
import { columnAt, offsetsOf } from "../arrow/column.js";
import { sliceBatch } from "../arrow/take.js";
import type { EncodedRowGroups } from "../parquet/fileWriter.js";
import { type Footer, unreadable } from "../parquet/footer.js";
import { reusePlan } from "../parquet/reuse/rowGroup.js";
import { hasValues } from "./checkpointFooters.js";
import { filesFooters, readActionColumns } from "./checkpointRead.js";
import type { FileLayout } from "./checkpointSchema.js";
import type { SnapshotFiles } from "./snapshotFiles.js";
import { keyReader } from "./tailRows.js";
import { TouchedFiles } from "./touchedFiles.js";

/** Row groups with fewer rows and bytes than these are written anew, with others': a file of many small ones is slow to read. */
const MIN_ROWS = 8192;
const MIN_BYTES = 1024 * 1024;
/** Where more of a row group goes, most of its pages would have to be taken apart. */
const MAX_DROPPED = 0.02;

/** A row group of an older checkpoint that goes over to the next one. */
export interface ReusedRowGroup {
  readonly encoded: EncodedRowGroups;
  readonly fileCount: number;
  readonly sizeBytes: number;
}

export interface ReuseOptions {
  readonly layout: FileLayout;
  /** The columns of the checkpoint to be written. */
  readonly fields: readonly Field[];
  /** Tombstones of this time, in milliseconds, or an older one aren't kept. */
  readonly expiredBefore: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The row groups of the snapshot's checkpoint that go over to its next one without being decoded, but for the pages of rows that
 * are no longer part of the table: state, and files that later commits touched. Adds to `passed` what was taken.
 */
export async function* reusedRowGroups(
  files: SnapshotFiles,
  options: ReuseOptions,
  passed: Map<string, Set<number>>,
): AsyncGenerator<ReusedRowGroup> {
  const { store, checkpoint, tail, version, isPartitioned } = files;
  const { layout, fields, signal } = options;
  if (checkpoint === undefined) return;
  const touched = new TouchedFiles(tail, version);
  for (const footer of await filesFooters(store, checkpoint, signal)) {
    const large = [...footer.rowGroups.keys()].filter((group) => isLarge(footer, group));
    const candidates = large.filter((group) => tellsAll(footer, group, layout));
    if (candidates.length === 0) continue;
    const plan = reusePlan(footer, fields, ["add", "remove"]);
    if (plan === undefined) continue;
    for await (const rows of keptRows(files, footer, candidates, touched, options)) {
      const { group, dropped, kinds, dropCount, fileCount, sizeBytes, othersCount } = rows;
      const isWorth = dropCount <= MAX_DROPPED * dropped.length && !rows.changesData;
      if (!isWorth || (isPartitioned && !hasPartitions(footer, group, othersCount))) continue;
      const present = (column: string) => {
        const kind = column === "add" ? 1 : column === "remove" ? 2 : 0;
        if (kind === 0 || (kind === 2 && othersCount === 0)) return undefined;
        return kinds.filter((_, row) => dropped[row] === 0).map((found) => (found === kind ? 1 : 0));
      };
      const encoded = await plan.rowGroup(store, group, { dropped, droppedCount: dropCount, present }, signal);
      if (encoded === undefined) continue;
      const { path } = footer.file;
      passed.set(path, (passed.get(path) ?? new Set()).add(group));
      yield { encoded, fileCount, sizeBytes };
    }
  }
}

function isLarge({ rowGroups }: Footer, group: number): boolean {
  const { rowCount, chunks } = rowGroups[group]!;
  return rowCount >= MIN_ROWS || chunks.reduce((sum, { start, end }) => sum + end - start, 0) >= MIN_BYTES;
}

/** Whether the row group tells of its files all that the layout wants, in the form that it wants. */
function tellsAll(
  footer: Footer,
  group: number,
  { withStats, statsParsed, partitionValuesParsed }: FileLayout,
): boolean {
  const has = (...path: string[]) => hasValues(footer, ["add", ...path], [group]);
  const parsed = (name: string) =>
    footer.leaves.flatMap(({ path: [kind, inner, ...rest] }) => (kind === "add" && inner === name ? [rest] : []));
  // What is there as a struct only would have to become text.
  if (withStats && parsed("stats_parsed").length > 0 && has("stats") !== true) return false;
  const wanted = [
    ["stats_parsed", statsParsed],
    ["partitionValues_parsed", partitionValuesParsed],
  ] as const;
  return wanted.every(([name, type]) => {
    if (type === undefined) return true;
    const leaves = new Set(parsed(name).map((path) => path.join("\0")));
    const members = leafPaths(type.fields, []);
    return members.length === leaves.size && members.every((path) => leaves.has(path));
  });
}

type Fields = NonNullable<FileLayout["statsParsed"]>["fields"];

function leafPaths(fields: Fields, parent: readonly string[]): string[] {
  return fields.flatMap(({ name, type }) =>
    typeof type !== "string" && type.type === "struct"
      ? leafPaths(type.fields, [...parent, name])
      : [[...parent, name].join("\0")],
  );
}

/** Whether all of the row group's live files have partition values for sure, of which `others` rows are none. */
function hasPartitions({ leaves, rowGroups }: Footer, group: number, others: number): boolean {
  const key = leaves.findIndex(({ path: [kind, name] }) => kind === "add" && name === "partitionValues");
  return key >= 0 && rowGroups[group]!.chunks[key]!.nullCount === others;
}

interface FoundRows {
  readonly group: number;
  /** A byte a row: 1 for a live file, 2 for a tombstone, 0 for anything else. */
  readonly kinds: Uint8Array;
  readonly dropped: Uint8Array;
  dropCount: number;
  /** Live files that stay, and their size. */
  fileCount: number;
  sizeBytes: number;
  /** Rows that were no live files. */
  othersCount: number;
  /** Whether one says that it changes data, which no action of a checkpoint does. */
  changesData: boolean;
}

const COLUMNS = [
  ["add", "path"],
  ["add", "size"],
  ["add", "dataChange"],
  ["add", "deletionVector"],
] as const;
const REMOVE_COLUMNS = [
  ["remove", "path"],
  ["remove", "deletionTimestamp"],
  ["remove", "dataChange"],
  ["remove", "deletionVector"],
] as const;

/** Which rows of the row groups stay. */
async function* keptRows(
  { store }: SnapshotFiles,
  footer: Footer,
  groups: readonly number[],
  touched: TouchedFiles,
  { expiredBefore, signal }: ReuseOptions,
): AsyncGenerator<FoundRows> {
  const hasRemoves = hasValues(footer, ["remove", "path"], groups) !== false;
  const columns = hasRemoves ? [...COLUMNS, ...REMOVE_COLUMNS] : COLUMNS;
  const left = groups.values();
  let current: FoundRows | undefined;
  let at = 0;
  for await (const batch of readActionColumns(store, footer, columns, groups, signal)) {
    for (let start = 0; start < batch.numRows; ) {
      current ??= emptyRows(footer, left.next().value!);
      const count = Math.min(batch.numRows - start, current.kinds.length - at);
      const rows = count === batch.numRows ? batch : sliceBatch(batch, start, start + count);
      takeFiles(footer, rows, at, current, touched);
      takeTombstones(footer, rows, at, current, touched, expiredBefore);
      [start, at] = [start + count, at + count];
      if (at < current.kinds.length) continue;
      for (const [row, kind] of current.kinds.entries()) {
        if (kind !== 1) current.othersCount++;
        if (kind === 0) current.dropped[row] = 1;
        current.dropCount += current.dropped[row]!;
      }
      yield current;
      [current, at] = [undefined, 0];
    }
  }
}

function emptyRows({ rowGroups }: Footer, group: number): FoundRows {
  const { rowCount } = rowGroups[group]!;
  const counts = { dropCount: 0, fileCount: 0, sizeBytes: 0, othersCount: 0, changesData: false };
  return { group, kinds: new Uint8Array(rowCount), dropped: new Uint8Array(rowCount), ...counts };
}

function takeFiles(footer: Footer, batch: RecordBatch, at: number, found: FoundRows, touched: TouchedFiles): void {
  const actions = structIn(footer, batch, "add");
  if (actions === undefined) return;
  const [path, size] = ["path", "size"].map((name) => requiredIn(footer, batch, actions, "add", name));
  if (size!.typeId !== Type.Int || !(size!.values instanceof BigInt64Array)) {
    found.changesData = true;
    return;
  }
  const gone = new Set(touchedIn(batch, "add", path!, touched));
  for (let row = 0; row < batch.numRows; row++) {
    if (!actions.getValid(row)) continue;
    found.kinds[at + row] = 1;
    if (gone.has(row)) found.dropped[at + row] = 1;
    else {
      found.fileCount++;
      found.sizeBytes += Number(size!.values[row]);
    }
  }
  noteChanges(batch, "add", found);
}

function takeTombstones(
  footer: Footer,
  batch: RecordBatch,
  at: number,
  found: FoundRows,
  touched: TouchedFiles,
  expiredBefore: number,
): void {
  const actions = structIn(footer, batch, "remove");
  if (actions === undefined) return;
  const path = requiredIn(footer, batch, actions, "remove", "path");
  const times = batch.getChild("remove")!.getChild("deletionTimestamp");
  const gone = new Set(touchedIn(batch, "remove", path, touched));
  for (let row = 0; row < batch.numRows; row++) {
    if (!actions.getValid(row)) continue;
    found.kinds[at + row] = 2;
    const time: bigint | number | null | undefined = times?.get(row);
    const isExpired = time === null || time === undefined || Number(time) <= expiredBefore;
    if (isExpired || gone.has(row)) found.dropped[at + row] = 1;
  }
  noteChanges(batch, "remove", found);
}

function structIn({ file }: Footer, batch: RecordBatch, kind: string): Data | undefined {
  const actions = columnAt(batch, [kind])?.[0];
  if (actions === undefined || actions.nullCount === actions.length) return undefined;
  if (actions.typeId !== Type.Struct) throw unreadable(file, `its ${kind} is no group of columns`);
  return actions;
}

function requiredIn({ file }: Footer, batch: RecordBatch, actions: Data, kind: string, name: string): Data {
  const column = columnAt(batch, [kind, name])?.[1];
  if (column === undefined || column.nullCount > actions.nullCount) {
    throw unreadable(file, `it has an ${kind} without ${name}`);
  }
  return column;
}

function touchedIn(batch: RecordBatch, kind: string, path: Data, touched: TouchedFiles): number[] {
  if (touched.isEmpty || path.typeId !== Type.Utf8) return [];
  const keyOf = keyReader(path, columnAt(batch, [kind, "deletionVector"])?.[1]);
  const maybe = touched.mayHave(path.values as unknown as Uint8Array, offsetsOf(path), path.length);
  return maybe.filter((row) => path.getValid(row) && touched.has(keyOf(row)));
}

function noteChanges(batch: RecordBatch, kind: string, found: FoundRows): void {
  const column = batch.getChild(kind)!.getChild("dataChange");
  for (let row = 0; column && row < batch.numRows && !found.changesData; row++) {
    if (column.get(row) === true) found.changesData = true;
  }
}
