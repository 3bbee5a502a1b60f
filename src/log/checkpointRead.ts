import { MapRow, type RecordBatch, StructRow, Vector } from "apache-arrow";
import { columnAt } from "../arrow/column.js";
import { DeltaError } from "../errors.js";
import { type Footer, readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import type { ObjectStore } from "../storage/store.js";
import type { Action } from "./actions.js";
import { STATE_FIELDS } from "./checkpointSchema.js";
import type { CheckpointFiles } from "./segment.js";

/** Footers of checkpoints in use: they name what a later read of other columns needs. */
const footersOf = new WeakMap<CheckpointFiles, Promise<Footer[]>>();

/** Rows that are decoded together: more at a time takes more memory and isn't faster. */
const STRETCH_ROWS = 65_536;
/** Stretches on their way beside the one in use: both decoding threads of a small machine are busy. */
const STRETCHES_AHEAD = 1;

/** The batches of a checkpoint's columns, part after part, some row groups at a time. */
export async function* readCheckpoint(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  columns: readonly (readonly string[])[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  for (const footer of await footers(store, checkpoint, signal)) {
    yield* readStretches(store, footer, columns, [...footer.rowGroups.keys()], signal);
  }
}

async function* readStretches(
  store: ObjectStore,
  footer: Footer,
  columns: readonly (readonly string[])[],
  rowGroups: readonly number[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const stretches = cutStretches(footer, rowGroups);
  const running: { batches: AsyncGenerator<RecordBatch>; first: Promise<IteratorResult<RecordBatch>> }[] = [];
  const begin = (stretch: readonly number[]) => {
    const batches = readParquet(store, footer.file, { columns, rowGroups: stretch, footer, signal });
    const first = batches.next();
    // A failure is told when its turn comes.
    first.catch(() => undefined);
    running.push({ batches, first });
  };
  try {
    for (let next = 0; next < stretches.length || running.length > 0; ) {
      while (next < stretches.length && running.length <= STRETCHES_AHEAD) begin(stretches[next++]!);
      const { batches, first } = running[0]!;
      const { done, value } = await first;
      if (!done) yield value;
      yield* batches;
      running.shift();
    }
  } finally {
    for (const { batches } of running) batches.return(undefined).catch(() => undefined);
  }
}

function cutStretches(footer: Footer, rowGroups: readonly number[]): number[][] {
  const stretches: number[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const group of rowGroups) {
    const { rowCount } = footer.rowGroups[group]!;
    if (rows + rowCount > STRETCH_ROWS) {
      stretches.push([]);
      rows = 0;
    }
    stretches.at(-1)!.push(group);
    rows += rowCount;
  }
  return stretches;
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
  return readFooter(store, { path, sizeBytes: meta.sizeBytes }, signal);
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
    const rowGroups = await stateRowGroups(store, footer, signal);
    for await (const batch of readStretches(store, footer, columns, rowGroups, signal)) {
      for (const name of names) yield* actionsOf(batch, name);
    }
  }
}

function* actionsOf(batch: RecordBatch, name: string): Generator<Action> {
  const column = columnAt(batch, [name])?.[0];
  if (column === undefined || column.nullCount === column.length) return;
  const values = new Vector([column]);
  for (let row = 0; row < column.length; row++) {
    if (column.getValid(row)) yield { [name]: plain(values.get(row)) } as unknown as Action;
  }
}

/** One required field of each state action: cheap to decode beside all of them, maps and lists included. */
const MARKERS = [
  ["txn", "appId"],
  ["metaData", "id"],
  ["protocol", "minReaderVersion"],
  ["domainMetadata", "domain"],
];

/** The row groups with state actions: of a large checkpoint, mostly one. */
async function stateRowGroups(store: ObjectStore, footer: Footer, signal?: AbortSignal): Promise<readonly number[]> {
  const ends: number[] = [];
  for (const { rowCount } of footer.rowGroups) ends.push((ends.at(-1) ?? 0) + rowCount);
  if (ends.length <= 1) return [...ends.keys()];
  const found = new Set<number>();
  let start = 0;
  for await (const batch of readStretches(store, footer, MARKERS, [...footer.rowGroups.keys()], signal)) {
    for (const column of batch.data.children) {
      if (column.nullCount === column.length) continue;
      for (let row = 0; row < column.length; row++) {
        if (column.getValid(row)) found.add(ends.findIndex((end) => start + row < end));
      }
    }
    start += batch.numRows;
  }
  return [...found].sort((a, b) => a - b);
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
