import { MapRow, type RecordBatch, StructRow, Vector } from "apache-arrow";
import { columnAt } from "../arrow/column.js";
import type { Footer } from "../parquet/footer.js";
import { readParquet } from "../parquet/read.js";
import { type RowRange, readRows } from "../parquet/readRows.js";
import type { ObjectStore } from "../storage/store.js";
import { type ActionKey, type CheckpointKey, flawOf } from "./actionShape.js";
import type { Action, CheckpointAction, Sidecar } from "./actions.js";
import { checkpointContent } from "./checkpointDamage.js";
import { checkpointFooters, hasValues } from "./checkpointFooters.js";
import { readJsonCheckpoint } from "./checkpointJson.js";
import type { CheckpointFiles } from "./segment.js";

/** The actions of a checkpoint that aren't of files: their columns only are read, where there are any. */
export async function* readStateActions(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): AsyncGenerator<Action> {
  const json = await readJsonCheckpoint(store, checkpoint, signal);
  if (json !== undefined) yield* json.state;
  for (const footer of await checkpointFooters(store, checkpoint, signal)) {
    yield* readActions(store, checkpoint, footer, STATE_MARKERS, signal) as AsyncGenerator<Action>;
  }
}

/** The sidecars that a checkpoint names, each once. */
export async function readSidecars(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  signal?: AbortSignal,
): Promise<Sidecar[]> {
  const json = await readJsonCheckpoint(store, checkpoint, signal);
  const sidecars = new Map(json?.sidecars.map((sidecar) => [sidecar.path, sidecar]));
  for (const footer of await checkpointFooters(store, checkpoint, signal)) {
    if (hasValues(footer, SIDECAR_MARKER) === false) continue;
    for await (const action of readActions(store, checkpoint, footer, [SIDECAR_MARKER], signal)) {
      if ("sidecar" in action) sidecars.set(action.sidecar.path, action.sidecar);
    }
  }
  return [...sidecars.values()];
}

/** One required field of an action: cheap to decode beside all of them, maps and lists included. */
type Marker = readonly [key: ActionKey | CheckpointKey, field: string];

const STATE_MARKERS: readonly Marker[] = [
  ["txn", "appId"],
  ["metaData", "id"],
  ["protocol", "minReaderVersion"],
  ["domainMetadata", "domain"],
];
const SIDECAR_MARKER: Marker = ["sidecar", "path"];

/** The actions of the markers' kinds: their columns only are read, where there are any. */
async function* readActions(
  store: ObjectStore,
  checkpoint: CheckpointFiles,
  footer: Footer,
  markers: readonly Marker[],
  signal?: AbortSignal,
): AsyncGenerator<CheckpointAction> {
  for await (const batch of readActionRows(store, footer, markers, signal)) {
    for (const [key] of markers) yield* checkpointContent(checkpoint, actionsOf(batch, key));
  }
}

async function* readActionRows(
  store: ObjectStore,
  footer: Footer,
  markers: readonly Marker[],
  signal?: AbortSignal,
): AsyncGenerator<RecordBatch> {
  const columns = markers.map(([key]) => [key]);
  if (footer.rowCount <= FEW_ROWS) {
    yield* readParquet(store, footer.file, { columns, footer, checksPages: true, signal });
    return;
  }
  for (const rowGroup of footer.rowGroups.keys()) {
    const ranges = await actionRows(store, footer, rowGroup, markers, signal);
    yield* readRows(store, footer, columns, rowGroup, ranges, signal);
  }
}

function* actionsOf(batch: RecordBatch, key: ActionKey | CheckpointKey): Generator<CheckpointAction> {
  const column = columnAt(batch, [key])?.[0];
  if (column === undefined || column.nullCount === column.length) return;
  const values = new Vector([column]);
  for (let row = 0; row < column.length; row++) {
    if (!column.getValid(row)) continue;
    const body = plain(values.get(row));
    const flaw = flawOf(key, body);
    if (flaw !== undefined) throw new RangeError(`it has ${flaw}`);
    yield { [key]: body } as unknown as CheckpointAction;
  }
}

/** Up to here, looking for the rows first costs more than it saves. */
const FEW_ROWS = 8192;

/** Where the row group has actions of the markers' kinds, with some rows between them that are none. */
async function actionRows(
  store: ObjectStore,
  footer: Footer,
  rowGroup: number,
  markers: readonly Marker[],
  signal?: AbortSignal,
): Promise<RowRange[]> {
  const columns = markers.filter((marker) => hasValues(footer, marker, [rowGroup]) !== false);
  if (columns.length === 0) return [];
  const ranges: { start: number; end: number }[] = [];
  let start = 0;
  for await (const batch of readParquet(store, footer.file, {
    columns,
    rowGroups: [rowGroup],
    footer,
    checksPages: true,
    signal,
  })) {
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

/** An Arrow value as the JSON of a commit would give it. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Vector) return Array.from(value, plain);
  if (value instanceof MapRow) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (!(value instanceof StructRow)) return value;
  const entries = [...value].filter(([, member]) => member !== null);
  return Object.fromEntries(entries.map(([key, member]) => [key, plain(member)]));
}
