import type { Data, RecordBatch } from "apache-arrow";
import { isValid, validityOf } from "../../../arrow/bits.js";
import { buildColumn } from "../../../arrow/buildColumn.js";
import { ByteWriter } from "../../../arrow/byteWriter.js";
import { makeBatch } from "../../../arrow/column.js";
import { conformBatch } from "../../../arrow/conform.js";
import { jsonWriter } from "../../../arrow/jsonLines.js";
import { toArrowField } from "../../../arrow/schema.js";
import { schemaDifferences } from "../../../schema/compare.js";
import type { StructField, StructType } from "../../../schema/types.js";

const [OPEN, COMMA, COLON, CLOSE] = [0x7b, 0x2c, 0x3a, 0x7d];

/** A file's columns that a table takes, and the others. */
export interface SplitColumns {
  readonly fitting: StructType;
  readonly others: StructType;
}

/** Which columns of a file fit a table; one called as the column for the others doesn't. */
export function splitColumns(columns: StructType, table: StructType, rescued: string): SplitColumns {
  const fits = (field: StructField) => {
    const own = table.fields.find(({ name }) => name === field.name);
    if (own === undefined || own.name === rescued) return false;
    return schemaDifferences(structOf([own]), structOf([field])).every(({ assignable }) => assignable);
  };
  const fitting = columns.fields.filter(fits);
  return { fitting: structOf(fitting), others: structOf(columns.fields.filter((field) => !fitting.includes(field))) };
}

/** The batch with its fitting columns and, as JSON in the column `rescued`, what it has in the others. */
export function rescueColumns(batch: RecordBatch, { fitting, others }: SplitColumns, rescued: string): RecordBatch {
  const kept = batch.schema.fields.flatMap((field, index) =>
    fitting.fields.some(({ name }) => name === field.name) ? [{ field, data: batch.data.children[index]! }] : [],
  );
  const read = conformBatch(batch, others);
  const texts = jsonOfRows(others, read.data.children, batch.numRows);
  const column = buildColumn("string", texts, { column: rescued, rowOf: (index) => index });
  const field = toArrowField({ name: rescued, type: "string", nullable: true, metadata: {} });
  return makeBatch(
    [...kept.map((each) => each.field), field],
    [...kept.map(({ data }) => data), column],
    batch.numRows,
  );
}

/** Members without a value are left out; null where a row has none. */
function jsonOfRows(others: StructType, columns: readonly Data[], rowCount: number): (string | null)[] {
  const writers = others.fields.map(({ name, type }, index) => {
    const data = columns[index]!;
    return { name: Buffer.from(JSON.stringify(name)), validity: validityOf(data), write: jsonWriter(type, data) };
  });
  const out = new ByteWriter(1024);
  return Array.from({ length: rowCount }, (_, row) => {
    let isFirst = true;
    for (const { name, validity, write } of writers) {
      if (!isValid(validity, row)) continue;
      out.byte(isFirst ? OPEN : COMMA);
      isFirst = false;
      out.bytes(name);
      out.byte(COLON);
      write(out, row);
    }
    if (isFirst) return null;
    out.byte(CLOSE);
    return Buffer.from(out.reuse()).toString("utf8");
  });
}

function structOf(fields: readonly StructField[]): StructType {
  return { type: "struct", fields };
}
