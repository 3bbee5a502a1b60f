import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../arrow/column.js";
import { type Row, rowReader } from "../arrow/rows.js";
import { takeRows } from "../arrow/take.js";
import { withVariantJson } from "../arrow/variant/jsonForm.js";
import { DeltaError } from "../errors.js";
import type { Json } from "../load/progress.js";
import type { StructField, StructType } from "../schema/types.js";
import type { Chunk } from "./source.js";
import type { StateStore } from "./stateStore.js";

/** A batch's rows on their way through a stream's steps. */
export interface Flow {
  /** Undefined where the rows are objects of any. */
  readonly schema: StructType | undefined;
  readonly chunks: AsyncIterable<Chunk>;
}

/** What the steps know of the batch. */
export interface BatchContext {
  /** Rows older than this are late; -Infinity before there is one. */
  readonly watermarkMs: number;
  /** When the batch was planned. */
  readonly timestampMs: number;
  /** The column that says when something happened, and how late it may come, from `withWatermark` on. */
  eventTime: EventTime | undefined;
  /** The newest time seen in it. */
  maxEventMs: number;
}

export interface EventTime {
  readonly column: string;
  readonly delayMs: number;
}

/** One step of a stream. */
export interface Step {
  /** Of a step with state: what its state depends on. */
  readonly operator?: Json;
  /** The rows behind the step. `state` is there where there is an operator. */
  apply(flow: Flow, batch: BatchContext, state: StateStore | undefined): Flow;
  /** Whether the state holds something to give or to forget at this watermark and time, though no row comes. */
  hasDue?(state: StateStore, watermarkMs: number): boolean;
}

/** The rows of a chunk as objects; of Arrow those columns only that are asked for. */
export function rowsOf(chunk: Chunk, schema: StructType | undefined, columns?: readonly string[]): readonly object[] {
  if (!isBatch(chunk)) return chunk;
  const fields = schema!.fields;
  if (columns === undefined) return rowReader(schema!)(withVariantJson(chunk));
  const picked = columns.map((name) => fieldIndex(fields, name));
  const chosen = picked.map((index) => fields[index]!);
  const batch = makeBatch(
    picked.map((index) => chunk.schema.fields[index]!),
    picked.map((index) => chunk.data.children[index]!),
    chunk.numRows,
  );
  return rowReader({ type: "struct", fields: chosen })(withVariantJson(batch));
}

/** The rows of a chunk for which `keep` says so, in the form they have. */
export function keepRows(chunk: Chunk, rows: readonly object[], keep: (row: Row) => boolean): Chunk {
  const kept: number[] = [];
  for (let index = 0; index < rows.length; index++) if (keep(rows[index] as Row)) kept.push(index);
  if (kept.length === rows.length) return chunk;
  return isBatch(chunk) ? takeRows(chunk, Uint32Array.from(kept)) : kept.map((index) => chunk[index]!);
}

export function isBatch(chunk: Chunk): chunk is RecordBatch {
  return !Array.isArray(chunk);
}

export function rowCountOf(chunk: Chunk): number {
  return isBatch(chunk) ? chunk.numRows : chunk.length;
}

/** Throws `DELTA_INVALID_ARGUMENT` where the schema lacks a column. */
export function fieldOf(schema: StructType, name: string): StructField {
  return schema.fields[fieldIndex(schema.fields, name)]!;
}

function fieldIndex(fields: readonly StructField[], name: string): number {
  const index = fields.findIndex((field) => field.name === name);
  if (index >= 0) return index;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `The stream's rows have no column "${name}". They have ${fields.map((field) => field.name).join(", ")}.`,
    { column: name },
  );
}
