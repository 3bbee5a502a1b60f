import { type Data, type Field, MapRow, type RecordBatch, type Struct, StructRow, Vector } from "apache-arrow";
import { columnAt, retype } from "../arrow/column.js";
import { nullColumn } from "../arrow/constant.js";
import { DeltaError } from "../errors.js";
import { type Footer, readFooter } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import type { ObjectStore } from "../storage/store.js";
import type { Action } from "./actions.js";
import { STATE_FIELDS } from "./checkpointSchema.js";
import type { CheckpointFiles } from "./segment.js";

/** Footers of checkpoints in use: they name what a later read of other columns needs. */
const footersOf = new WeakMap<CheckpointFiles, Promise<Footer[]>>();

/** The batches of a checkpoint's columns, part after part, a row group at a time. */
export async function* readCheckpoint(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  columns: readonly (readonly string[])[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  for (const footer of await footers(store, checkpoint, signal)) {
    yield* readParquet(store, footer.file, { columns, footer, signal });
  }
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

/** The actions of a checkpoint that aren't of files: their columns only are read. */
export async function* readStateActions(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): AsyncGenerator<Action> {
  const names = STATE_FIELDS.map(({ name }) => name);
  const columns = names.map((name) => [name]);
  for await (const batch of readCheckpoint(store, checkpoint, columns, signal)) {
    for (const name of names) {
      const column = columnAt(batch, [name])?.[0];
      if (column === undefined || column.nullCount === column.length) continue;
      const values = new Vector([column]);
      for (let row = 0; row < column.length; row++) {
        if (column.getValid(row)) yield { [name]: plain(values.get(row)) } as unknown as Action;
      }
    }
  }
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

/**
 * The column in the type of `field`: the same buffers, with a struct's children matched by name, missing ones null. A
 * checkpoint of another writer may name the inside of its maps differently, and lack columns.
 */
export function conform(column: Data | undefined, field: Field, length: number): Data {
  if (column === undefined) return nullColumn(field.type, length);
  const wanted = (field.type.children ?? []) as readonly Field[];
  if (column.typeId !== field.type.typeId) {
    throw new DeltaError(
      "DELTA_PARQUET_UNREADABLE",
      `A checkpoint has ${column.type} as its ${field.name}, not ${field.type}.`,
      { column: field.name },
    );
  }
  if (wanted.length === 0) return retype(column, field.type);
  const byPosition = column.children.length === 1 && wanted.length === 1;
  const inMap = field.name === "entries";
  const names = (column.type as Struct).children.map(({ name }) => name);
  const children = wanted.map((child, index) => {
    const at = byPosition || inMap ? index : names.indexOf(child.name);
    const inside = column.children[at];
    return conform(inside, child, inside?.length ?? column.length);
  });
  return retype(column, field.type, children);
}
