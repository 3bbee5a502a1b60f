import type { Data, RecordBatch } from "apache-arrow";
import { buildColumn } from "../../../arrow/buildColumn.js";
import { makeBatch } from "../../../arrow/column.js";
import { conformBatch } from "../../../arrow/conform.js";
import { decodePrimitive } from "../../../arrow/decode.js";
import { checkNotNull } from "../../../arrow/notNull.js";
import { toArrowField } from "../../../arrow/schema.js";
import { takeRows } from "../../../arrow/take.js";
import { VariantJson } from "../../../arrow/variant/values.js";
import { DeltaError } from "../../../errors.js";
import { nestsTooDeep } from "../../../schema/jsonScan.js";
import type { StructField, StructType } from "../../../schema/types.js";
import { isJsonText, withVariantBytes } from "../../../schema/variantBytes.js";
import { buildGood } from "../goodItems.js";
import { parseJson } from "../jsonl/jsonNumbers.js";
import { jsonConverter } from "../jsonl/jsonValues.js";

/** A row that can't be taken after all. */
export interface BadRow {
  readonly row: number;
  readonly column: string;
}

/** The rows of a batch whose arrays, maps, structs and variants are texts (their JSON), with those made of them where that is possible. */
export function withNested(
  batch: RecordBatch,
  schema: StructType,
): { readonly batch: RecordBatch | undefined; readonly bad: readonly BadRow[] } {
  const asRead = schema.fields.map((field) => (isJsonText(field.type) ? { ...field, type: "string" as const } : field));
  const read = conformBatch(batch, { type: "struct", fields: asRead });
  const texts = schema.fields.map((field, index) => {
    if (!isJsonText(field.type)) return undefined;
    return decodePrimitive("string", read.data.children[index]!) as (string | null)[];
  });
  const rows = Array.from({ length: read.numRows }, (_, row) => row);
  const { built, bad } = buildGood(rows, (some) => {
    const taken = some.length === read.numRows ? read : takeRows(read, Uint32Array.from(some));
    const columns = schema.fields.map((field, index) => {
      const own = texts[index];
      return own === undefined
        ? taken.data.children[index]!
        : nestedColumn(
            field,
            some.map((row) => own[row]!),
          );
    });
    const result = makeBatch(withVariantBytes(schema).fields.map(toArrowField), columns, some.length);
    checkNotNull(result, schema, 0);
    return result;
  });
  return {
    batch: built,
    bad: bad.map(({ index, error }) => ({ row: index, column: columnOf(schema, error.data.column) })),
  };
}

/** The column that a path begins with, which may lead into it. */
function columnOf({ fields }: StructType, path: unknown): string {
  const names = fields.map(({ name }) => name).filter((name) => `${path}.`.startsWith(`${name}.`));
  return names.reduce((longest, name) => (name.length > longest.length ? name : longest), "");
}

function nestedColumn(field: StructField, texts: readonly (string | null)[]): Data {
  const convert = jsonConverter(field.type, field.name);
  const taken = (text: string) =>
    field.type === "variant" ? new VariantJson(text) : convert(parsed(text, field.name));
  const values = texts.map((text) => (text === null ? null : taken(text)));
  return buildColumn(field.type, values, { column: field.name, rowOf: (index) => index });
}

function parsed(text: string, column: string): unknown {
  try {
    if (nestsTooDeep(text)) throw new SyntaxError("it nests too deep");
    return parseJson(text, "inexact");
  } catch (cause) {
    const message = `Column "${column}": the value is not the JSON of an array, map or struct.`;
    throw new DeltaError("DELTA_VALUE_OUT_OF_RANGE", message, { column, value: text }, cause);
  }
}
