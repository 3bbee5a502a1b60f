import type { Data, RecordBatch } from "apache-arrow";
import { isValid, validityOf } from "../../arrow/bits.js";
import { ByteWriter } from "../../arrow/byteWriter.js";
import { offsetsOf } from "../../arrow/column.js";
import { jsonWriter } from "../../arrow/jsonLines.js";
import { scalarText } from "../../arrow/scalarText.js";
import { valueType } from "../../schema/geo.js";
import type { DataType, StructType } from "../../schema/types.js";
import { escapeControls } from "../text.js";
import type { GridColumn } from "./grid.js";

const NUMBER = /^(byte|short|integer|long|float|double|decimal.*)$/;
const CUT = new Set<DataType>(["string", "binary", "variant"]);
/** Longer than any terminal is wide: what is behind it is cut before it is decoded. */
const MAX_BYTES = 4000;

/** The columns of a table for people. */
export function gridColumns(schema: StructType): GridColumn[] {
  return schema.fields.map(({ name, type }) => ({
    name: escapeControls(name),
    isRight: typeof type === "string" && NUMBER.test(type),
    isWhole: typeof type === "string" && !CUT.has(valueType(type)),
  }));
}

/** The rows of a batch in this schema as texts for people: null is NULL, control characters are escaped. */
export function gridCells(schema: StructType, batch: RecordBatch): string[][] {
  const columns = schema.fields.map((field, index) => cellTexts(field.type, batch.data.children[index]!));
  return Array.from({ length: batch.numRows }, (_, row) => columns.map((column) => column[row]!));
}

function cellTexts(type: DataType, data: Data): string[] {
  const validity = validityOf(data);
  const text = cellText(type, data);
  return Array.from({ length: data.length }, (_, row) =>
    isValid(validity, row) ? escapeControls(text(row).slice(0, MAX_BYTES)) : "NULL",
  );
}

function cellText(type: DataType, data: Data): (index: number) => string {
  if (type === "string") {
    const offsets = offsetsOf(data);
    const { buffer, byteOffset, byteLength } = data.values as Uint8Array;
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    return (i) => {
      const start = Number(offsets[i]);
      return bytes.toString("utf8", start, Math.min(Number(offsets[i + 1]), start + MAX_BYTES));
    };
  }
  if (type === "float") return (i) => shortestFloat((data.values as Float32Array)[i]!);
  const write = typeof type === "string" ? scalarText(type, data).write : jsonWriter(type, data);
  const out = new ByteWriter(256);
  return (i) => {
    write(out, i);
    return Buffer.from(out.reuse()).toString();
  };
}

/** The fewest digits that read back as the same 32-bit float: 0.1, not 0.10000000149011612. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return Object.is(value, -0) ? "-0.0" : String(value);
}
