import type { Row } from "../arrow/rows.js";
import type { Json } from "../load/progress.js";
import type { StateStore } from "./stateStore.js";
import { encodeValue, eventTimeMs } from "./stateValue.js";
import { type BatchContext, type Flow, fieldOf, keepRows, rowsOf, type Step } from "./step.js";

/** How long a row is remembered; forever where neither this nor a watermark says. */
export interface DropDuplicatesOptions {
  /**
   * Forget a row this long after the batch it came in, by the clock. Without it, a stream with a watermark forgets it once no row
   * within the watermark's delay of it can come any more.
   */
  readonly ttlMs?: number;
}

/**
 * Keeps the first row of those that are equal in `columns`. With a watermark, rows older than it are dropped, since it is forgotten
 * whether they came before.
 */
export function dropDuplicatesStep(columns: readonly string[], { ttlMs }: DropDuplicatesOptions): Step {
  const operator: Json = { dropDuplicates: [...columns], ...(ttlMs === undefined ? {} : { ttlMs }) };
  return {
    operator,
    apply(flow, batch, state) {
      if (flow.schema !== undefined) for (const column of columns) fieldOf(flow.schema, column);
      return { schema: flow.schema, chunks: firstOnes(flow, columns, ttlMs, batch, state!) };
    },
    // By the clock something is always due soon; it waits for the next rows.
    hasDue: () => false,
  };
}

async function* firstOnes(
  flow: Flow,
  columns: readonly string[],
  ttlMs: number | undefined,
  batch: BatchContext,
  state: StateStore,
) {
  const { eventTime, watermarkMs, timestampMs } = batch;
  forget(state, ttlMs === undefined ? watermarkMs : timestampMs);
  const asked = eventTime === undefined ? columns : [...new Set([...columns, eventTime.column])];
  const keep = (row: Row): boolean => {
    const eventMs = eventTime && eventTimeMs(row[eventTime.column], eventTime.column);
    if (eventMs !== undefined && eventMs < watermarkMs) return false;
    const key = JSON.stringify(columns.map((column) => encodeValue(row[column], column)));
    if (state.get(key) !== undefined) return false;
    const until =
      ttlMs === undefined
        ? eventTime && (eventMs ?? Math.max(0, watermarkMs)) + eventTime.delayMs
        : timestampMs + ttlMs;
    state.set(key, until ?? null);
    return true;
  };
  for await (const chunk of flow.chunks) yield keepRows(chunk, rowsOf(chunk, flow.schema, asked), keep);
}

function forget(state: StateStore, nowMs: number): void {
  for (const [key, until] of state.entries()) if (until !== null && (until as number) <= nowMs) state.delete(key);
}
