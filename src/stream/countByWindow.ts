import type { Row } from "../arrow/rows.js";
import { DeltaError } from "../errors.js";
import type { Json } from "../load/progress.js";
import type { StructField, StructType } from "../schema/types.js";
import type { StateStore } from "./stateStore.js";
import { decodeValue, encodeValue, eventTimeMs } from "./stateValue.js";
import { type BatchContext, type EventTime, type Flow, fieldOf, rowsOf, type Step } from "./step.js";

export interface WindowOptions {
  readonly sizeMs: number;
  /** How far apart windows begin; as far as they are long by default. */
  readonly slideMs?: number;
  /** Counts rows of different values in these columns apart. */
  readonly by?: readonly string[];
}

/**
 * Counts rows by windows of their time. A window is given once, when the watermark has passed its end: `window` (a struct of `start`
 * and `end`), the columns of `by`, and `count`. Rows that come later than that are dropped.
 */
export function countByWindowStep({ sizeMs, slideMs = sizeMs, by = [] }: WindowOptions): Step {
  return {
    operator: { countByWindow: { sizeMs, slideMs, by: [...by] } },
    apply(flow, batch, state) {
      if (flow.schema === undefined && by.length > 0) throw withoutSchema();
      if (batch.eventTime === undefined) throw withoutWatermark();
      const columns = by.map((column) => fieldOf(flow.schema!, column));
      const { eventTime } = batch;
      const counting = () => count(flow, eventTime, { sizeMs, slideMs, by }, batch, state!);
      return { schema: windowSchema(columns), chunks: closedWindows(counting, columns, batch, state!) };
    },
    hasDue(state, watermarkMs) {
      for (const [key] of state.entries()) if (endOf(key) <= watermarkMs) return true;
      return false;
    },
  };
}

/** A window's key: its end, its start, and the values of `by`. */
type WindowKey = readonly [endMs: number, startMs: number, ...by: Json[]];

function endOf(key: string): number {
  return Number(key.slice(1, key.indexOf(",")));
}

async function count(
  flow: Flow,
  { column }: EventTime,
  { sizeMs, slideMs, by }: Required<WindowOptions>,
  { watermarkMs }: BatchContext,
  state: StateStore,
): Promise<void> {
  const asked = [...new Set([column, ...by])];
  for await (const chunk of flow.chunks) {
    for (const row of rowsOf(chunk, flow.schema, asked) as readonly Row[]) {
      const eventMs = eventTimeMs(row[column], column);
      if (eventMs === undefined) continue;
      const values = by.map((name) => encodeValue(row[name], name));
      const last = Math.floor(eventMs / slideMs) * slideMs;
      for (let startMs = last; startMs + sizeMs > eventMs; startMs -= slideMs) {
        if (startMs + sizeMs <= watermarkMs) continue;
        const key = JSON.stringify([startMs + sizeMs, startMs, ...values] satisfies WindowKey);
        state.set(key, ((state.get(key) as number | undefined) ?? 0) + 1);
      }
    }
  }
}

async function* closedWindows(
  counting: () => Promise<void>,
  columns: readonly StructField[],
  { watermarkMs }: BatchContext,
  state: StateStore,
) {
  await counting();
  const rows: Row[] = [];
  for (const [key, value] of state.entries()) {
    if (endOf(key) > watermarkMs) continue;
    const [endMs, startMs, ...by] = JSON.parse(key) as WindowKey;
    const row: Row = { window: { start: new Date(startMs), end: new Date(endMs) } };
    for (const [index, { name }] of columns.entries()) row[name] = decodeValue(by[index]!);
    row.count = BigInt(value as number);
    rows.push(row);
    state.delete(key);
  }
  if (rows.length > 0) yield rows;
}

function windowSchema(by: readonly StructField[]): StructType {
  const field = (name: string, type: StructField["type"]): StructField => ({
    name,
    type,
    nullable: true,
    metadata: {},
  });
  const window: StructType = { type: "struct", fields: [field("start", "timestamp"), field("end", "timestamp")] };
  return {
    type: "struct",
    fields: [field("window", window), ...by.map(({ name, type }) => field(name, type)), field("count", "long")],
  };
}

function withoutWatermark(): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    "Windows need withWatermark before them: it names the column with the time, and says when a window is complete.",
    {},
  );
}

function withoutSchema(): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    "To count by columns of rows that a function made, give their schema: map(row => …, { schema }).",
    {},
  );
}
