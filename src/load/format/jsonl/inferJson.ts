import { DeltaError } from "../../../errors.js";
import { limits } from "../../../limits.js";
import type { DataType, PrimitiveType, StructType } from "../../../schema/types.js";
import { JsonNumber } from "./jsonNumbers.js";

/** What the values of a column show of its type so far. */
type Shape =
  | { readonly kind: "unknown" }
  | { readonly kind: "primitive"; readonly type: PrimitiveType }
  | { readonly kind: "array"; element: Shape }
  | { readonly kind: "struct"; readonly fields: Map<string, Shape> };

const UNKNOWN: Shape = { kind: "unknown" };

/**
 * The schema of rows of JSON (parsed with their points kept): whole numbers are long, others double, texts string; objects are
 * structs. All columns are nullable, in the order in which they appear. Throws DELTA_CANNOT_INFER_SCHEMA with the column
 * where its values are of two kinds or show none.
 */
export function inferJsonSchema(rows: readonly object[]): StructType {
  let shape: Shape = UNKNOWN;
  for (const row of rows) shape = merge(shape, row, "");
  if (shape.kind !== "struct" || shape.fields.size === 0) {
    throw cannotInfer("The rows have no columns to infer a schema from; give --schema.", []);
  }
  return structOf(shape.fields, "");
}

function merge(shape: Shape, value: unknown, column: string, depth = 0): Shape {
  if (depth > limits.MAX_SCHEMA_DEPTH) {
    throw cannotInfer(`Column "${column.slice(0, 100)}…" nests types more than ${limits.MAX_SCHEMA_DEPTH} deep.`, [
      column,
    ]);
  }
  if (value === null || value === undefined) return shape;
  const found = shapeOf(value);
  if (shape.kind === "unknown") return fill(found, value, column, depth);
  if (shape.kind !== found.kind) throw twoKinds(column, shape, found);
  if (shape.kind !== "primitive" || found.kind !== "primitive") return fill(shape, value, column, depth);
  if (shape.type === found.type) return shape;
  const isNumber = ({ type }: { type: PrimitiveType }) => type === "long" || type === "double";
  if (isNumber(shape) && isNumber(found)) return { kind: "primitive", type: "double" };
  throw twoKinds(column, shape, found);
}

/** Takes the parts of a value into its shape. */
function fill(shape: Shape, value: unknown, column: string, depth: number): Shape {
  if (shape.kind === "array") {
    for (const item of value as unknown[]) shape.element = merge(shape.element, item, `${column}.element`, depth + 1);
  }
  if (shape.kind === "struct") {
    for (const [name, item] of Object.entries(value as object)) {
      const path = column === "" ? name : `${column}.${name}`;
      shape.fields.set(name, merge(shape.fields.get(name) ?? UNKNOWN, item, path, depth + 1));
    }
  }
  return shape;
}

function shapeOf(value: unknown): Shape {
  if (typeof value === "string") return { kind: "primitive", type: "string" };
  if (typeof value === "boolean") return { kind: "primitive", type: "boolean" };
  if (typeof value === "number") return { kind: "primitive", type: "long" };
  if (value instanceof JsonNumber) return { kind: "primitive", type: /[.eE]/.test(value.text) ? "double" : "long" };
  return Array.isArray(value) ? { kind: "array", element: UNKNOWN } : { kind: "struct", fields: new Map() };
}

function structOf(fields: ReadonlyMap<string, Shape>, prefix: string): StructType {
  return {
    type: "struct",
    fields: [...fields].map(([name, shape]) => ({
      name,
      type: typeOf(shape, prefix + name),
      nullable: true,
      metadata: {},
    })),
  };
}

function typeOf(shape: Shape, column: string): DataType {
  switch (shape.kind) {
    case "primitive":
      return shape.type;
    case "array":
      return { type: "array", elementType: typeOf(shape.element, `${column}.element`), containsNull: true };
    case "struct":
      if (shape.fields.size > 0) return structOf(shape.fields, `${column}.`);
  }
  throw cannotInfer(`No row shows the type of column "${column}"; give --schema.`, [column]);
}

function twoKinds(column: string, a: Shape, b: Shape): DeltaError {
  const name = (shape: Shape) => (shape.kind === "primitive" ? shape.type : shape.kind);
  return cannotInfer(`Column "${column}" has values of type ${name(a)} and ${name(b)}; give --schema.`, [column]);
}

function cannotInfer(message: string, columns: readonly string[]): DeltaError {
  return new DeltaError("DELTA_CANNOT_INFER_SCHEMA", message, { columns });
}
