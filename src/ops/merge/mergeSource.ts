import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { rowIndexes } from "../../read/rowIndex.js";
import type { DataType, StructField, StructType } from "../../schema/types.js";
import { SOURCE_ROW } from "../../sql/merge/join.js";
import { Spool } from "../../sql/merge/spool.js";
import { hasOwnSchema, type PreparedInput, prepareInput, type RowInput } from "../../write/input.js";

/**
 * Takes a source in. Arrow data and tables keep their types; of objects, columns that the target has are of its types, and those
 * count as there that the first batch of them has.
 */
export async function mergeSource(input: RowInput<object>, target: StructType): Promise<PreparedInput> {
  if (hasOwnSchema(input)) return prepareInput(input, undefined);
  const { first, all } = await peeked(input as Iterable<object> | AsyncIterable<object>);
  if (first !== undefined && hasOwnSchema(first as RowInput<object>)) return prepareInput(all, undefined);
  const shown = new Set<string>();
  const prepared = await prepareInput(withKeys(all, shown), nullableStruct(target), true);
  const fields = prepared.schema.fields.filter(({ name }) => first === undefined || shown.has(name));
  return { ...prepared, schema: { type: "struct", fields } };
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

/** Objects whose columns' names are noted. */
async function* withKeys(input: AsyncIterable<object>, names: Set<string>): AsyncGenerator<object> {
  for await (const row of input) {
    if (typeof row === "object" && row !== null) for (const name in row) names.add(name);
    yield row;
  }
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
): Promise<{ readonly relation: string; readonly rowCount: number }> {
  const kept: StructField[] = schema.fields.filter(({ name }) => columns.has(name));
  const stored: StructType = { type: "struct", fields: [...kept, SOURCE_ROW] };
  const { fields } = toArrowSchema(stored);
  const spool = new Spool(folder, "source", stored, signal);
  for await (const batch of batches) {
    const first = spool.rowCount;
    const own = kept.map(({ name }) => {
      return batch.data.children[batch.schema.fields.findIndex((field) => field.name === name)]!;
    });
    await spool.write(makeBatch(fields, [...own, rowIndexes(batch.numRows, (row) => first + row)], batch.numRows));
    onBatch(batch);
  }
  return { relation: await spool.finish(), rowCount: spool.rowCount };
}
