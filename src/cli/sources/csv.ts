import { open } from "node:fs/promises";
import type { RecordBatch } from "apache-arrow";
import { buildColumn } from "../../arrow/buildColumn.js";
import { makeBatch } from "../../arrow/column.js";
import { conformBatch } from "../../arrow/conform.js";
import { decodePrimitive } from "../../arrow/decode.js";
import { toArrowField } from "../../arrow/schema.js";
import { DeltaError } from "../../errors.js";
import { detectDelimiter } from "../../load/format/csv/delimiter.js";
import { parseJson } from "../../load/format/jsonl/jsonNumbers.js";
import { jsonConverter } from "../../load/format/jsonl/jsonValues.js";
import type { StructField, StructType } from "../../schema/types.js";
import { isJsonText, withVariantBytes } from "../../schema/variantBytes.js";
import { readCsv } from "../../sql/csv.js";
import type { BatchSource } from "../../write/input.js";

/**
 * The rows of a CSV file, for a table of this schema or, where there is none yet, of the types that its values show.
 * Arrays, maps and structs are read from their JSON. Undefined where the file is empty. Throws as `readCsv` does.
 */
export async function csvSource(
  path: string,
  options: { readonly name: string; readonly delimiter: string | undefined; readonly signal: AbortSignal },
  schema: StructType | undefined,
): Promise<BatchSource | undefined> {
  // A line with other values than the first one names would seem to have another delimiter.
  const delimiter = options.delimiter ?? detectDelimiter(await beginningOf(path), undefined, undefined);
  const csv = await readCsv(path, { ...options, delimiter, schema });
  if (csv === undefined) return undefined;
  const own = csv.schema;
  return {
    schema: async () => schema ?? own,
    batches: () => typedBatches(csv.batches(), own, schema ?? own, options.name),
  };
}

/** Bytes that the delimiter is looked for in. */
const BEGINNING_BYTES = 256 * 1024;

async function beginningOf(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(new Uint8Array(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

async function* typedBatches(
  source: AsyncIterable<RecordBatch>,
  own: StructType,
  schema: StructType,
  name: string,
): AsyncGenerator<RecordBatch> {
  // Arrays, maps and structs come as texts.
  const asRead: StructType = {
    type: "struct",
    fields: own.fields.map((field) => (isJsonText(field.type) ? { ...field, type: "string" } : field)),
  };
  let row = 0;
  for await (const raw of source) {
    const batch = conformBatch(raw, asRead, row);
    const columns = own.fields.map((field, index) => {
      const data = batch.data.children[index]!;
      if (!isJsonText(field.type)) return data;
      const texts = decodePrimitive("string", data) as (string | null)[];
      return nestedColumn(field, texts, row, name);
    });
    const made = makeBatch(withVariantBytes(own).fields.map(toArrowField), columns, batch.numRows);
    yield conformBatch(made, withVariantBytes(schema), row);
    row += batch.numRows;
  }
}

function nestedColumn(field: StructField, texts: readonly (string | null)[], firstRow: number, name: string) {
  const convert = jsonConverter(field.type, field.name);
  const rowOf = (index: number) => firstRow + index + 1;
  const values = texts.map((text, index) => {
    if (text === null) return null;
    try {
      return convert(parseJson(text, "inexact"));
    } catch (cause) {
      const [row, column] = [rowOf(index), field.name];
      if (cause instanceof DeltaError) throw cause;
      throw new DeltaError(
        "DELTA_VALUE_OUT_OF_RANGE",
        `${name}, row ${row}, column "${column}": the value is not the JSON of an array, map or struct.`,
        { file: name, row, column, value: text },
        cause,
      );
    }
  });
  return buildColumn(field.type, values, { column: field.name, rowOf });
}
