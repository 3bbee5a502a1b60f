import { isUtf8 } from "node:buffer";
import { DeltaError } from "../../../errors.js";
import { nestsTooDeep } from "../../../schema/jsonScan.js";
import { mergeSchemas } from "../../../schema/merge.js";
import type { StructType } from "../../../schema/types.js";
import type { SourceShape } from "../format.js";
import { columnsWithoutValue, inferJsonSchema } from "./inferJson.js";
import { parseJson } from "./jsonNumbers.js";

/** What the complete lines of a text show, its bad ones left out; undefined where that is no column. Throws DELTA_LIMIT_EXCEEDED. */
export function inferColumns(text: Buffer, isWhole: boolean): Pick<SourceShape, "schema" | "unshown"> | undefined {
  const rows = rowsOf(text, isWhole);
  if (!rows.some((row) => Object.keys(row).length > 0)) return undefined;
  return { schema: inferJsonSchema(rows, "text"), unshown: columnsWithoutValue(rows) };
}

/** The known columns, and after them those that a text shows beside them. */
export function columnsOfText(text: Buffer, known: StructType): StructType {
  try {
    return mergeSchemas(known, inferJsonSchema(rowsOf(text, false), "omitted"));
  } catch (error) {
    if (error instanceof DeltaError) return known;
    throw error;
  }
}

function rowsOf(text: Buffer, isWhole: boolean): object[] {
  const end = isWhole ? text.length : text.lastIndexOf("\n") + 1;
  const complete = text.subarray(0, end);
  return textsOf(complete).flatMap((line) => rowOf(line) ?? []);
}

/** The lines, without those that aren't UTF-8. */
function textsOf(lines: Buffer): string[] {
  if (isUtf8(lines)) return lines.toString("utf8").split("\n");
  const texts: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const newline = lines.indexOf(0x0a, at);
    const end = newline === -1 ? lines.length : newline;
    const line = lines.subarray(at, end);
    if (isUtf8(line)) texts.push(line.toString("utf8"));
    at = end + 1;
  }
  return texts;
}

function rowOf(line: string): object | undefined {
  if (line.trim() === "" || nestsTooDeep(line)) return undefined;
  try {
    const value = parseJson(line, "points");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
