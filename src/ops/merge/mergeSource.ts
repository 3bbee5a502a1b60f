import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { DeltaError } from "../../errors.js";
import { rowIndexes } from "../../read/rowIndex.js";
import type { DataType, StructField, StructType } from "../../schema/types.js";
import { SOURCE_ROW } from "../../sql/merge/join.js";
import { Spool } from "../../sql/merge/spool.js";
import { selected, spooledColumns, spooledFields } from "../../sql/merge/variantColumns.js";
import { hasOwnSchema, type PreparedInput, prepareInput, type RowInput } from "../../write/input.js";

/**
 * Takes a source in. Arrow data and tables keep their types; of objects, columns that the target has are of its types, and those
 * count as there that some row of an array, or of the first batch of a stream, has. Throws what {@link prepareInput} throws; the batches
 * throw `DELTA_SCHEMA_MISMATCH` for a column that a stream has only later.
 */
export async function mergeSource(input: RowInput<object>, target: StructType): Promise<PreparedInput> {
  if (hasOwnSchema(input)) return arrowSource(input, target);
  if (Array.isArray(input) && !(input.length > 0 && hasOwnSchema(input[0]))) return ofObjects(input, input, target);
  const { first, all } = await peeked(input as Iterable<object> | AsyncIterable<object>);
  if (first !== undefined && hasOwnSchema(first as RowInput<object>)) return arrowSource(all, target);
  return ofObjects(all, first === undefined ? [] : [first], target);
}

/** JSON texts are variants where the target has these. */
function arrowSource(input: RowInput<object>, target: StructType): Promise<PreparedInput> {
  return prepareInput(input, undefined, false, false, undefined, target);
}

/** `seen` are rows that are looked at before any is taken in. */
async function ofObjects(
  rows: readonly object[] | AsyncIterable<object>,
  seen: readonly object[],
  target: StructType,
): Promise<PreparedInput> {
  const shown = new Set<string>();
  for (const row of seen) note(row, shown);
  const input = Array.isArray(rows) ? rows : withNames(rows as AsyncIterable<object>, shown);
  const prepared = await prepareInput(input, nullableStruct(target), true);
  const known = new Set(shown);
  const fields = prepared.schema.fields.filter(({ name }) => seen.length === 0 || known.has(name));
  async function* batches() {
    for await (const batch of prepared.batches) {
      const late = [...shown].find((name) => !known.has(name));
      if (late !== undefined && seen.length > 0) throw lateColumn(late);
      yield batch;
    }
  }
  return { ...prepared, schema: { type: "struct", fields }, batches: batches() };
}

function lateColumn(column: string): DeltaError {
  return new DeltaError(
    "DELTA_SCHEMA_MISMATCH",
    `The source has the column "${column}" in later rows only. Give it to the first rows too, be it as null.`,
    { columns: [column] },
  );
}

async function peeked(
  input: Iterable<object> | AsyncIterable<object>,
): Promise<{ readonly first: object | undefined; readonly all: AsyncIterable<object> }> {
  const items = itemsOf(input);
  const { value, done } = await items.next();
  if (done === true) return { first: undefined, all: items };
  async function* all() {
    yield value as object;
    yield* items;
  }
  return { first: value as object, all: all() };
}

async function* itemsOf(input: Iterable<object> | AsyncIterable<object>): AsyncGenerator<object> {
  yield* input;
}

/** The rows, whose columns' names are noted as they come. */
async function* withNames(input: AsyncIterable<object>, names: Set<string>): AsyncGenerator<object> {
  for await (const row of input) {
    note(row, names);
    yield row;
  }
}

function note(row: unknown, names: Set<string>): void {
  if (typeof row === "object" && row !== null) for (const name in row) names.add(name);
}

/** What a key alone tells may lack the rest. */
function nullableStruct(type: StructType): StructType {
  return {
    type: "struct",
    fields: type.fields.map((field) => ({ ...field, type: nullableType(field.type), nullable: true })),
  };
}

function nullableType(type: DataType): DataType {
  if (typeof type === "string") return type;
  switch (type.type) {
    case "struct":
      return nullableStruct(type);
    case "array":
      return { ...type, elementType: nullableType(type.elementType), containsNull: true };
    case "map":
      return { ...type, valueType: nullableType(type.valueType), valueContainsNull: true };
  }
}

/** Writes the columns of the source that are asked for to a work folder; gives what to select them from, and the number of rows. */
export async function spoolSource(
  { schema, batches }: PreparedInput,
  columns: ReadonlySet<string>,
  folder: string,
  onBatch: (batch: RecordBatch) => void,
  signal?: AbortSignal,
): Promise<{ readonly relation: string; readonly rowCount: number; readonly paths: readonly string[] }> {
  const kept: StructField[] = schema.fields.filter(({ name }) => columns.has(name));
  const stored: StructType = { type: "struct", fields: [...spooledFields(kept), SOURCE_ROW] };
  const { fields } = toArrowSchema(stored);
  const spool = new Spool(folder, "source", stored, signal);
  for await (const batch of batches) {
    const first = spool.rowCount;
    const own = spooledColumns(kept, selected(batch, kept));
    await spool.write(makeBatch(fields, [...own, rowIndexes(batch.numRows, (row) => first + row)], batch.numRows));
    onBatch(batch);
  }
  return { relation: await spool.finish(), rowCount: spool.rowCount, paths: spool.paths };
}
