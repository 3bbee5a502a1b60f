import { Table as ArrowTable, RecordBatch, type Schema } from "apache-arrow";
import { adoptBatch, adoptSchema } from "../arrow/adopt.js";
import { buildBatch } from "../arrow/build.js";
import { conformBatch } from "../arrow/conform.js";
import { checkNotNull } from "../arrow/notNull.js";
import { fromArrowSchema } from "../arrow/schema.js";
import { checkTexts } from "../arrow/texts.js";
import { checkVariants } from "../arrow/variant/check.js";
import { DeltaError } from "../errors.js";
import { checkAssignable } from "../schema/compare.js";
import { SchemaInference } from "../schema/infer.js";
import { mergeSchemas } from "../schema/merge.js";
import type { StructType } from "../schema/types.js";
import { withVariantBytes } from "../schema/variantBytes.js";
import { inputSchema, type LeftOut, NONE_LEFT_OUT, withoutRules } from "./rowRules.js";
import { type ExactSource, storedBatches } from "./storedBatches.js";

/** Something that gives its rows as Arrow batches: another table, or a scan of one. */
export interface BatchSource {
  batches(): AsyncIterable<RecordBatch>;
  schema(): Promise<StructType>;
}

/** The rows that a table takes: of its type or, where it was opened without one, any objects. */
export type InputRow<Row extends object> = string extends keyof Row ? object : Row;

/** What can be appended: objects, Arrow data, or another table; whole, or as an (async) iterable that is streamed. */
export type RowInput<Row extends object = Record<string, unknown>> =
  | Iterable<Row>
  | AsyncIterable<Row>
  | ArrowTable
  | RecordBatch
  | Iterable<RecordBatch>
  | AsyncIterable<RecordBatch>
  | BatchSource;

/** Rows in the schema of the table that takes them, in batches; variants are their bytes. */
export interface PreparedInput {
  readonly schema: StructType;
  readonly batches: AsyncIterable<RecordBatch>;
  /** Which rows of a batch leave out which of the filled columns. */
  leftOut(batch: RecordBatch): LeftOut;
}

/** Rows of objects that become one batch: enough for columns to pay, few enough for rows of a megabyte each. */
const ROWS_PER_BATCH = 16_384;

/**
 * Brings `input` into `schema` or, where that is undefined, into the schema it shows itself: Arrow's own, or one
 * inferred from the objects (all of an array; the first batch of a stream). With `merges` the columns that the rows have and `schema`
 * lacks are added to it; with `widens` too, its types become the wider ones of Arrow columns.
 * Arrow columns of JSON texts are variants where those of `like` are; the schema's by default.
 * Columns that are `filled` later may be left out, also where they must have values.
 *
 * Throws `DELTA_CANNOT_INFER_SCHEMA`, and `DELTA_SCHEMA_MISMATCH` for Arrow columns the schema can't take. The batches
 * throw `DELTA_VALUE_OUT_OF_RANGE`, `DELTA_NOT_NULL_CONSTRAINT_VIOLATED` and `DELTA_SCHEMA_MISMATCH` at the row
 * that doesn't fit.
 */
export async function prepareInput(
  input: RowInput<object>,
  schema: StructType | undefined,
  merges = false,
  widens = false,
  filled: ReadonlySet<string> = NONE_FILLED,
  like: StructType | undefined = schema,
): Promise<PreparedInput> {
  const given: Given = { schema, merges, widens, filled, like };
  if (isBatchSource(input)) return arrowInput(exactBatches(input), await input.schema(), given);
  if (isArrowTable(input)) return arrowInput(input.batches, arrowColumns(input, given), given);
  if (isRecordBatch(input)) return arrowInput([input], arrowColumns(input, given), given);
  if (Array.isArray(input) && !isRecordBatch(input[0])) return arrayInput(input, given);
  return streamInput(input, given);
}

/** The schema that rows are brought into, and whether they may add to it and widen its types. */
interface Given {
  readonly schema: StructType | undefined;
  readonly merges: boolean;
  readonly widens: boolean;
  readonly filled: ReadonlySet<string>;
  readonly like: StructType | undefined;
}

const NONE_FILLED: ReadonlySet<string> = new Set();

function arrayInput(rows: readonly object[], given: Given): PreparedInput {
  const schema = schemaOfRows(rows, given);
  const builder = new RowBuilder(schema, given.filled);
  async function* batches() {
    for (let start = 0; start < rows.length; start += ROWS_PER_BATCH) {
      yield builder.build(rows.slice(start, start + ROWS_PER_BATCH), start);
    }
  }
  return { schema, batches: batches(), leftOut: builder.leftOut };
}

async function streamInput(input: Iterable<unknown> | AsyncIterable<unknown>, given: Given): Promise<PreparedInput> {
  const chunks = chunked(input);
  const first = await chunks.next();
  if (first.done) {
    return { schema: schemaOfRows([], given), batches: chunks as AsyncIterable<never>, leftOut: () => NONE_LEFT_OUT };
  }
  const rest = resumed(first.value, chunks);
  if (isRecordBatch(first.value[0])) {
    const batches = flattened(rest as AsyncIterable<RecordBatch[]>);
    return arrowInput(batches, arrowColumns(first.value[0], given), given);
  }
  const schema = schemaOfRows(first.value, given);
  const builder = new RowBuilder(schema, given.filled);
  async function* batches() {
    let row = 0;
    for await (const rows of rest) {
      yield builder.build(rows, row);
      row += rows.length;
    }
  }
  return { schema, batches: batches(), leftOut: builder.leftOut };
}

/** The batches of a source; those of our own with variants as bytes, so that their values keep their types. */
function exactBatches(source: BatchSource): AsyncIterable<RecordBatch> {
  return (source as Partial<ExactSource>)[storedBatches]?.() ?? source.batches();
}

/** What Arrow data has; JSON texts are variants where the table has these. */
function arrowColumns({ schema }: { readonly schema: Schema }, given: Given): StructType {
  return fromArrowSchema(adoptSchema(schema), given.like);
}

function arrowInput(
  source: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
  columns: StructType,
  given: Given,
): PreparedInput {
  const { schema: known, merges, widens, filled } = given;
  const own = withoutRules(columns);
  const schema = merges && known !== undefined ? mergeSchemas(known, own, widens) : (known ?? own);
  const asGiven = inputSchema(schema, filled);
  checkAssignable(asGiven, own);
  const absent = [...filled].filter((name) => !own.fields.some((field) => field.name === name));
  const left: LeftOut = new Map(absent.map((name) => [name, "all"] as const));
  const stored = withVariantBytes(schema);
  async function* batches() {
    let row = 0;
    for await (const foreign of source) {
      const batch = conformBatch(adoptBatch(foreign), stored, row);
      if (stored !== schema) checkVariants(batch, schema, row);
      checkNotNull(batch, asGiven, row);
      checkTexts(batch, schema, row);
      row += batch.numRows;
      yield batch;
    }
  }
  return { schema, batches: batches(), leftOut: () => left };
}

/** Makes batches of objects, and knows which rows leave a filled column out: not null, but nothing there. */
class RowBuilder {
  readonly #schema: StructType;
  readonly #filled: ReadonlySet<string>;
  readonly #left = new WeakMap<RecordBatch, LeftOut>();

  constructor(schema: StructType, filled: ReadonlySet<string>) {
    this.#schema = inputSchema(schema, filled);
    this.#filled = filled;
  }

  readonly leftOut = (batch: RecordBatch): LeftOut => this.#left.get(batch) ?? NONE_LEFT_OUT;

  build(rows: readonly object[], firstRow: number): RecordBatch {
    const batch = buildBatch(this.#schema, rows, firstRow);
    if (this.#filled.size > 0) this.#left.set(batch, leftOutOf(rows, this.#filled));
    return batch;
  }
}

/** Which rows have nothing, null left aside, in which of the columns. */
export function leftOutOf(rows: readonly object[], columns: Iterable<string>): LeftOut {
  const left = new Map<string, Uint8Array>();
  for (const name of columns) {
    const rowsWithout = Uint8Array.from(rows, (row) => ((row as Record<string, unknown>)[name] === undefined ? 1 : 0));
    if (rowsWithout.includes(1)) left.set(name, rowsWithout);
  }
  return left;
}

function schemaOfRows(rows: readonly object[], { schema, merges }: Given): StructType {
  if (schema !== undefined && !merges) return schema;
  const inference = new SchemaInference(schema);
  for (let i = 0; i < rows.length; i++) inference.add(rows[i], i);
  return inference.finish();
}

/** An item a chunk where the items are batches, else many. */
async function* chunked(input: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<object[]> {
  let chunk: object[] = [];
  for await (const item of input) {
    if (typeof item !== "object" || item === null) {
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        `A row is an object, not ${item === null ? "null" : typeof item}.`,
        {
          value: item,
        },
      );
    }
    chunk.push(item);
    if (chunk.length === ROWS_PER_BATCH || isRecordBatch(item)) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}

async function* resumed<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

async function* flattened<T>(chunks: AsyncIterable<T[]>): AsyncGenerator<T> {
  for await (const chunk of chunks) yield* chunk;
}

/** Whether the same rows surely come once more: a source of batches may be a stream's. */
export function isRepeatable(input: RowInput<object>): boolean {
  return Array.isArray(input) || isArrowTable(input) || isRecordBatch(input);
}

/** True for rows that bring a schema along; that of objects is inferred. */
export function hasOwnSchema(input: RowInput<object>): boolean {
  return isBatchSource(input) || isArrowTable(input) || isRecordBatch(input);
}

function isBatchSource(input: object): input is BatchSource {
  return "batches" in input && typeof input.batches === "function" && "schema" in input;
}

// By shape, not by class: another copy or version of apache-arrow in the same process is common.
function isArrowTable(input: object): input is ArrowTable {
  return input instanceof ArrowTable || ("batches" in input && Array.isArray(input.batches) && "schema" in input);
}

function isRecordBatch(input: unknown): input is RecordBatch {
  if (input instanceof RecordBatch) return true;
  return typeof input === "object" && input !== null && "numRows" in input && "data" in input && "schema" in input;
}
