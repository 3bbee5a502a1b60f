import { MapRow, type RecordBatch, StructRow, Vector } from "apache-arrow";
import { columnAt } from "../arrow/column.js";
import { DeltaError } from "../errors.js";
import { isGroup } from "../parquet/fileSchema.js";
import { type Footer, readFooter, unreadable } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import { type RowRange, readRows } from "../parquet/readRows.js";
import type { ObjectStore } from "../storage/store.js";
import { type ActionKey, flawOf, isActionKey } from "./actionShape.js";
import type { Action } from "./actions.js";
import { checkpointContent } from "./checkpointDamage.js";
import { STATE_FIELDS } from "./checkpointSchema.js";
import type { CheckpointFiles } from "./segment.js";

/** Footers of checkpoints in use: they name what a later read of other columns needs. */
const footersOf = new WeakMap<CheckpointFiles, Promise<Footer[]>>();

/**
 * The batches of a checkpoint's columns, part after part, some row groups at a time. Deletion vectors, whose columns all
 * checkpoints have but few have values of, are left out of parts where they are null throughout.
 */
export async function* readCheckpoint(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  columns: readonly (readonly string[])[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  for (const footer of await footers(store, checkpoint, signal)) {
    const used = columns.filter(([kind, name]) => name !== DELETION_VECTOR || hasDeletionVectors(footer, kind!));
    yield* readParquet(store, footer.file, { columns: used, footer, signal });
  }
}

const DELETION_VECTOR = "deletionVector";

function hasDeletionVectors(footer: Footer, kind: string): boolean {
  return footer.rowGroups.some((_, rowGroup) =>
    mayHaveValues(footer, rowGroup, [kind, DELETION_VECTOR, "storageType"]),
  );
}

async function footers(store: ObjectStore, checkpoint: CheckpointFiles, signal?: AbortSignal): Promise<Footer[]> {
  const known = footersOf.get(checkpoint);
  if (known !== undefined) return known;
  const reading = Promise.all(checkpoint.paths.map((path) => footerOf(store, path, signal)));
  const found = await reading;
  footersOf.set(checkpoint, reading);
  return found;
}

async function footerOf(store: ObjectStore, path: string, signal?: AbortSignal): Promise<Footer> {
  const meta = await store.head(path, signal);
  if (meta === undefined) {
    throw new DeltaError("DELTA_FILE_NOT_FOUND", `The checkpoint ${path} has been removed.`, { path });
  }
  const footer = await readFooter(store, { path, sizeBytes: meta.sizeBytes }, signal);
  // A column without the fields that are asked for would pass for one without values.
  const flat = footer.root.children.find(({ element }) => isActionKey(element.name) && !isGroup(element));
  if (flat !== undefined) throw unreadable(footer.file, `its ${flat.element.name} is no group of columns`);
  return footer;
}

/** The actions of a checkpoint that aren't of files: their columns only are read, where there are any. */
export async function* readStateActions(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): AsyncGenerator<Action> {
  const names = STATE_FIELDS.map(({ name }) => name);
  const columns = names.map((name) => [name]);
  for (const footer of await footers(store, checkpoint, signal)) {
    for await (const batch of readStateRows(store, footer, columns, signal)) {
      for (const name of names) yield* checkpointContent(checkpoint, actionsOf(batch, name));
    }
  }
}

async function* readStateRows(
  store: ObjectStore,
  footer: Footer,
  columns: readonly (readonly string[])[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  if (footer.rowCount <= FEW_ROWS) {
    yield* readParquet(store, footer.file, { columns, footer, signal });
    return;
  }
  for (const rowGroup of footer.rowGroups.keys()) {
    const ranges = await stateRows(store, footer, rowGroup, signal);
    yield* readRows(store, footer, columns, rowGroup, ranges, signal);
  }
}

function* actionsOf(batch: RecordBatch, name: string): Generator<Action> {
  const column = columnAt(batch, [name])?.[0];
  if (column === undefined || column.nullCount === column.length) return;
  const values = new Vector([column]);
  for (let row = 0; row < column.length; row++) {
    if (!column.getValid(row)) continue;
    const body = plain(values.get(row));
    const flaw = flawOf(name as ActionKey, body);
    if (flaw !== undefined) throw new RangeError(`it has ${flaw}`);
    yield { [name]: body } as unknown as Action;
  }
}

/** Up to here, looking for the rows first costs more than it saves. */
const FEW_ROWS = 8192;

/** One required field of each state action: cheap to decode beside all of them, maps and lists included. */
const MARKERS = [
  ["txn", "appId"],
  ["metaData", "id"],
  ["protocol", "minReaderVersion"],
  ["domainMetadata", "domain"],
];

/** Where the row group has state actions, with some rows between them that are none. */
async function stateRows(
  store: ObjectStore,
  footer: Footer,
  rowGroup: number,
  signal?: AbortSignal,
): Promise<RowRange[]> {
  const columns = MARKERS.filter((path) => mayHaveValues(footer, rowGroup, path));
  if (columns.length === 0) return [];
  const ranges: { start: number; end: number }[] = [];
  let start = 0;
  for await (const batch of readParquet(store, footer.file, { columns, rowGroups: [rowGroup], footer, signal })) {
    const markers = batch.data.children.filter((column) => column.nullCount < column.length);
    for (let row = 0; markers.length > 0 && row < batch.numRows; row++) {
      if (!markers.some((column) => column.getValid(row))) continue;
      const last = ranges.at(-1);
      const isNear = last !== undefined && start + row - last.end < NEAR_ROWS && start + row - last.start < FEW_ROWS;
      if (isNear) last.end = start + row + 1;
      else ranges.push({ start: start + row, end: start + row + 1 });
    }
    start += batch.numRows;
  }
  return ranges;
}

/** Passing over this many rows costs less than decoding anew. */
const NEAR_ROWS = 4096;

function mayHaveValues({ leaves, rowGroups }: Footer, rowGroup: number, path: readonly string[]): boolean {
  const leaf = leaves.findIndex((candidate) => candidate.path.join("\0") === path.join("\0"));
  const chunk = rowGroups[rowGroup]!.chunks[leaf];
  return chunk !== undefined && chunk.nullCount !== chunk.valueCount;
}

/** An Arrow value as the JSON of a commit would give it. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Vector) return Array.from(value, plain);
  if (value instanceof MapRow) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (!(value instanceof StructRow)) return value;
  const entries = [...value].filter(([, member]) => member !== null);
  return Object.fromEntries(entries.map(([key, member]) => [key, plain(member)]));
}
