import { isUtf8 } from "node:buffer";
import { DeltaError } from "../../../errors.js";
import { nestsTooDeep } from "../../../schema/jsonScan.js";
import type { StructType } from "../../../schema/types.js";
import { inferJsonSchema } from "./inferJson.js";
import { parseJson } from "./jsonNumbers.js";

/** The columns that the complete lines of a text show, its bad ones left out. Throws DELTA_CANNOT_INFER_SCHEMA. */
export function inferColumns(text: Buffer, isWhole: boolean): StructType {
  const end = isWhole ? text.length : text.lastIndexOf("\n") + 1;
  const rows: object[] = [];
  for (const line of text.subarray(0, end).toString("utf8").split("\n")) {
    const row = rowOf(line);
    if (row !== undefined) rows.push(row);
  }
  return inferJsonSchema(rows);
}

/** The known columns, and after them those that a text shows beside them. */
export function columnsOfText(text: Buffer, known: StructType): StructType {
  let found: StructType;
  try {
    found = inferColumns(text, false);
  } catch (error) {
    // What can't be told is no column; its values are then bad records.
    if (error instanceof DeltaError) return known;
    throw error;
  }
  const names = new Set(known.fields.map(({ name }) => name.toLowerCase()));
  const others = found.fields.filter(({ name }) => !names.has(name.toLowerCase()));
  return others.length === 0 ? known : { type: "struct", fields: [...known.fields, ...others] };
}

function rowOf(line: string): object | undefined {
  if (line.trim() === "" || nestsTooDeep(line) || !isUtf8(Buffer.from(line))) return undefined;
  try {
    const value = parseJson(line, "points");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
