import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import type { Place } from "./badValue.js";

/** True for an object that may be a row or a struct: none of those that stand for one value. */
export function isRecord(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Object.getPrototypeOf(value) === Object.prototype) return true;
  return !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Map) && !ArrayBuffer.isView(value);
}

/** Reads one column's value of a row; null and undefined are null. */
export type ColumnGetter = (row: object) => unknown;

/**
 * The getter of a column. What counts is the row's own property, or one that its class defines; what every object
 * inherits ("constructor", "toString", "__proto__") is no value of a column that happens to have such a name.
 */
export function columnGetter(name: string): ColumnGetter {
  if (!(name in Object.prototype)) return (row) => (row as Record<string, unknown>)[name];
  return (row) => {
    for (let at: object | null = row; at !== null; at = Object.getPrototypeOf(at)) {
      const property = Object.getOwnPropertyDescriptor(at, name);
      if (property === undefined) continue;
      const counts = at === row || (property.get !== undefined && name !== "__proto__");
      return counts ? (row as Record<string, unknown>)[name] : undefined;
    }
    return undefined;
  };
}

/** Copies one column's values of the rows `start` to `end` (excluded) to the same places of `out`. */
type ColumnPicker = (rows: readonly object[], start: number, end: number, out: unknown[]) => void;

/** Each column's values, in the schema's order. */
export function pickColumns(schema: StructType, rows: readonly object[]): unknown[][] {
  const pickers = columnPickers(schema, rows.length);
  const columns = pickers.map(() => new Array<unknown>(rows.length));
  // By blocks, so that a row is still in the cache when its next column is read.
  for (let start = 0; start < rows.length; start += BLOCK_ROWS) {
    const end = Math.min(start + BLOCK_ROWS, rows.length);
    pickers.forEach((pick, index) => {
      pick(rows, start, end, columns[index]);
    });
  }
  return columns;
}

const BLOCK_ROWS = 1024;

/** Below this many rows, compiling a function costs more than it saves. */
const MIN_ROWS_TO_COMPILE = 1000;

const compiled = new WeakMap<StructType, readonly ColumnPicker[]>();

/** One picker for each column of the schema. */
function columnPickers(schema: StructType, rowCount: number): readonly ColumnPicker[] {
  if (rowCount < MIN_ROWS_TO_COMPILE) return schema.fields.map((field) => plainPicker(field.name));
  let pickers = compiled.get(schema);
  if (pickers === undefined) {
    pickers = schema.fields.map((field) => compilePicker(field.name) ?? plainPicker(field.name));
    compiled.set(schema, pickers);
  }
  return pickers;
}

function plainPicker(name: string): ColumnPicker {
  const get = columnGetter(name);
  return (rows, start, end, out) => {
    for (let i = start; i < end; i++) out[i] = get(rows[i]);
  };
}

// A function of its own for each column keeps its property access monomorphic: twice as fast.
function compilePicker(name: string): ColumnPicker | undefined {
  if (name in Object.prototype) return undefined;
  const key = JSON.stringify(name);
  return compile<ColumnPicker>(
    ["rows", "start", "end", "out"],
    `for (let i = start; i < end; i++) out[i] = rows[i][${key}];`,
  );
}

/** `new Function`, or undefined where the process forbids code generation. */
export function compile<F>(parameters: readonly string[], body: string): F | undefined {
  try {
    return new Function(...parameters, `"use strict";${body}`) as F;
  } catch {
    return undefined;
  }
}

/**
 * Throws DELTA_SCHEMA_MISMATCH with row and columns where a row has own keys (with a value) that the schema lacks.
 * Rows of one shape cost one comparison a key.
 */
export function checkKeys(schema: StructType, rows: readonly unknown[], place: Place, prefix: string): void {
  const names = new Set(schema.fields.map((field) => field.name));
  let known: readonly string[] = [];
  for (let row = 0; row < rows.length; row++) {
    const value = rows[row];
    if (value === null || value === undefined) continue;
    if (!hasKeys(value, known)) known = checkRow(value as Record<string, unknown>, names, place, row, prefix);
  }
}

function hasKeys(row: object, keys: readonly string[]): boolean {
  let i = 0;
  for (const key in row) if (key !== keys[i++]) return false;
  return true;
}

/** The row's keys if the rows that follow may rely on them. */
function checkRow(
  row: Record<string, unknown>,
  names: ReadonlySet<string>,
  place: Place,
  index: number,
  prefix: string,
): readonly string[] {
  const keys = Object.keys(row);
  const others = keys.filter((key) => !names.has(key));
  if (others.length === 0) return keys;
  const columns = others.filter((key) => row[key] !== undefined).map((key) => prefix + key);
  if (columns.length === 0) return [];
  const at = place.rowOf(index);
  throw new DeltaError(
    "DELTA_SCHEMA_MISMATCH",
    `Row ${at} has ${columns.length === 1 ? "a column" : "columns"} that the table lacks: ${columns.join(", ")}. ` +
      "Remove them from the rows, or add them to the table first.",
    { row: at, columns },
  );
}
