import { DeltaError } from "../../../errors.js";
import { limits } from "../../../limits.js";
import type { DataType, PrimitiveType, StructField, StructType } from "../../../schema/types.js";
import { JsonNumber } from "./jsonNumbers.js";

/** What the values of a column show of its type so far. */
type Shape =
  | { readonly kind: "unknown" }
  /** Of several kinds: each value is kept as its JSON text. */
  | { readonly kind: "text" }
  /** `isLarge` of whole numbers that a double doesn't hold. */
  | { readonly kind: "primitive"; readonly type: PrimitiveType; readonly isLarge?: boolean }
  | { readonly kind: "array"; element: Shape }
  | { readonly kind: "struct"; readonly fields: Map<string, Shape> };

const UNKNOWN: Shape = { kind: "unknown" };
const TEXT: Shape = { kind: "text" };

/**
 * What a column is whose values are of several kinds, or show none:
 *
 * - `refused`: an error, for who can mend the rows.
 * - `text`: a string, which takes each value as its JSON text.
 * - `omitted`: where its values show none it is left out; else the same as `text`.
 */
export type Doubtful = "refused" | "text" | "omitted";

/** What is deeper becomes texts: readers of Parquet have limits of their own. */
const MAX_TYPE_DEPTH = 24;
const NO_COLUMNS = "The rows have no columns to infer a schema from; give --schema.";

/**
 * The schema of rows of JSON (parsed with their points kept): whole numbers are long, others double, texts string; objects are
 * structs. All columns are nullable, in the order in which they appear. Unless `doubtful` columns are refused, whole numbers beyond
 * long are decimals, and a column is a double only where that holds all its whole numbers.
 *
 * Throws DELTA_CANNOT_INFER_SCHEMA with the column where one is refused, and where there is none; DELTA_LIMIT_EXCEEDED.
 */
export function inferJsonSchema(rows: Iterable<object>, doubtful: Doubtful = "refused"): StructType {
  const inference = new Inference(doubtful);
  for (const row of rows) inference.add(row);
  const schema = inference.schema();
  if (schema === undefined) throw cannotInfer(NO_COLUMNS, []);
  return schema;
}

/** Columns that rows have but never a value in. */
export function columnsWithoutValue(rows: Iterable<object>): string[] {
  const shown = new Map<string, boolean>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) shown.set(name, shown.get(name) === true || value !== null);
  }
  return [...shown].flatMap(([name, isShown]) => (isShown ? [] : [name]));
}

class Inference {
  readonly #doubtful: Doubtful;
  #columns = 0;
  #rows: Shape = UNKNOWN;

  constructor(doubtful: Doubtful) {
    this.#doubtful = doubtful;
  }

  add(row: object): void {
    this.#rows = this.#merge(this.#rows, row, "", 0);
  }

  schema(): StructType | undefined {
    const fields = this.#rows.kind === "struct" ? this.#fieldsOf(this.#rows.fields, "") : [];
    return fields.length === 0 ? undefined : { type: "struct", fields };
  }

  #merge(shape: Shape, value: unknown, column: string, depth: number): Shape {
    if (value === null || value === undefined || shape.kind === "text") return shape;
    const most = this.#doubtful === "refused" ? limits.MAX_SCHEMA_DEPTH : MAX_TYPE_DEPTH;
    if (depth > most) {
      const message = `Column "${column.slice(0, 100)}…" nests types more than ${most} deep.`;
      return this.#textOr(() => cannotInfer(message, [column]));
    }
    const found = this.#shapeOf(value);
    if (shape.kind === "unknown" || shape.kind === found.kind) {
      const known = shape.kind === "unknown" ? found : shape;
      if (known.kind === "array" || known.kind === "struct") return this.#fill(known, value, column, depth);
      if (known.kind === "primitive" && found.kind === "primitive") {
        return widest(known, found, this.#doubtful) ?? this.#textOr(() => twoKinds(column, known, found));
      }
      return found;
    }
    return this.#textOr(() => twoKinds(column, shape, found));
  }

  #textOr(error: () => DeltaError): Shape {
    if (this.#doubtful === "refused") throw error();
    return TEXT;
  }

  /** Takes the parts of a value into its shape. */
  #fill(shape: Extract<Shape, { kind: "array" | "struct" }>, value: unknown, column: string, depth: number): Shape {
    if (shape.kind === "array") {
      for (const item of value as unknown[]) {
        shape.element = this.#merge(shape.element, item, `${column}.element`, depth + 1);
      }
      return shape;
    }
    for (const [name, item] of Object.entries(value as object)) {
      const path = column === "" ? name : `${column}.${name}`;
      if (!shape.fields.has(name) && ++this.#columns > limits.MAX_INFERRED_COLUMNS) throw tooMany();
      shape.fields.set(name, this.#merge(shape.fields.get(name) ?? UNKNOWN, item, path, depth + 1));
    }
    return shape;
  }

  #shapeOf(value: unknown): Shape {
    if (typeof value === "string") return { kind: "primitive", type: "string" };
    if (typeof value === "boolean") return { kind: "primitive", type: "boolean" };
    if (typeof value === "number") return { kind: "primitive", type: "long" };
    if (value instanceof JsonNumber) return numberShape(value.text, this.#doubtful === "refused");
    return Array.isArray(value) ? { kind: "array", element: UNKNOWN } : { kind: "struct", fields: new Map() };
  }

  #fieldsOf(fields: ReadonlyMap<string, Shape>, prefix: string): StructField[] {
    return [...fields].flatMap(([name, shape]) => {
      const type = this.#typeOf(shape, prefix + name);
      return type === undefined ? [] : [{ name, type, nullable: true, metadata: {} }];
    });
  }

  /** Undefined for what is to be left out. */
  #typeOf(shape: Shape, column: string): DataType | undefined {
    switch (shape.kind) {
      case "text":
        return "string";
      case "primitive":
        return shape.type;
      case "array": {
        const elementType = this.#typeOf(shape.element, `${column}.element`);
        return elementType && { type: "array", elementType, containsNull: true };
      }
      case "struct": {
        const fields = this.#fieldsOf(shape.fields, `${column}.`);
        if (fields.length > 0) return { type: "struct", fields };
      }
    }
    if (this.#doubtful === "refused") {
      throw cannotInfer(`No row shows the type of column "${column}"; give --schema.`, [column]);
    }
    return this.#doubtful === "text" ? "string" : undefined;
  }
}

const MAX_LONG = 2n ** 63n - 1n;
const DECIMAL: PrimitiveType = "decimal(38,0)";
const DECIMAL_DIGITS = 38;

function numberShape(text: string, isStrict: boolean): Shape {
  if (isStrict) return { kind: "primitive", type: /[.eE]/.test(text) ? "double" : "long" };
  if (/[.eE]/.test(text)) return Number.isFinite(Number(text)) ? { kind: "primitive", type: "double" } : TEXT;
  const digits = text.replace("-", "").length;
  if (digits > DECIMAL_DIGITS) return TEXT;
  const value = BigInt(text);
  const type = value <= MAX_LONG && value >= -MAX_LONG - 1n ? "long" : DECIMAL;
  return { kind: "primitive", type, isLarge: true };
}

type Primitive = Extract<Shape, { kind: "primitive" }>;

/** The type that holds the values of both; undefined where none does. */
function widest(a: Primitive, b: Primitive, doubtful: Doubtful): Primitive | undefined {
  if (a.type === b.type) return a.isLarge || !b.isLarge ? a : b;
  const types = [a.type, b.type];
  if (!types.every((type) => type === "long" || type === "double" || type === DECIMAL)) return undefined;
  if (!types.includes("double")) return { kind: "primitive", type: DECIMAL, isLarge: true };
  const isHeld = doubtful === "refused" || (!a.isLarge && !b.isLarge);
  return isHeld ? { kind: "primitive", type: "double" } : undefined;
}

function tooMany(): DeltaError {
  const limit = limits.MAX_INFERRED_COLUMNS;
  const message = `The rows show more than ${limit} columns; give a schema.`;
  return new DeltaError("DELTA_LIMIT_EXCEEDED", message, { limit });
}

function twoKinds(column: string, a: Shape, b: Shape): DeltaError {
  const name = (shape: Shape) => (shape.kind === "primitive" ? shape.type : shape.kind);
  return cannotInfer(`Column "${column}" has values of type ${name(a)} and ${name(b)}; give --schema.`, [column]);
}

function cannotInfer(message: string, columns: readonly string[]): DeltaError {
  return new DeltaError("DELTA_CANNOT_INFER_SCHEMA", message, { columns });
}
