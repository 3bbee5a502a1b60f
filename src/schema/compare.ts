import { DeltaError } from "../errors.js";
import { parseDecimalType } from "./decimal.js";
import type { DataType, StructField, StructType } from "./types.js";

/** One column where given data differs from the table. */
export interface SchemaDifference {
  /** The column's path: "address.city", "tags.element", "props.value". */
  readonly column: string;
  /** `missing`: only the table has it; `extra`: only the data; `case`: the names differ in case only. */
  readonly kind: "missing" | "extra" | "case" | "type" | "nullability";
  /** The types as text, `undefined` where that side lacks the column. */
  readonly table?: string;
  readonly given?: string;
  /**
   * True where the data can be written all the same: a nullable column left out, a type that every value of the given
   * one fits into without loss, or a column that may hold nulls where the table has none (each value is checked).
   */
  readonly assignable: boolean;
  /** What to do about it, for people. */
  readonly hint?: string;
}

/**
 * Every column where `given` differs from the table's schema; an empty list means they are the same but for order.
 */
export function schemaDifferences(table: StructType, given: StructType): SchemaDifference[] {
  return structDifferences(table, given, []);
}

/**
 * The DELTA_SCHEMA_MISMATCH error for the differences that keep data from being written, `undefined` where none does.
 * `data.columns` lists them as {@link SchemaDifference}.
 * @testonly
 */
export function schemaMismatch(differences: readonly SchemaDifference[]): DeltaError | undefined {
  const columns = differences.filter((difference) => !difference.assignable);
  if (columns.length === 0) return undefined;
  const lines = columns.map((difference) => `  ${differenceText(difference)}`);
  return new DeltaError("DELTA_SCHEMA_MISMATCH", `The rows don't fit the table's schema:\n${lines.join("\n")}`, {
    columns,
  });
}

/**
 * Checks that data of the schema `given` can be written to a table. Throws DELTA_SCHEMA_MISMATCH, as
 * {@link schemaMismatch} has it.
 */
export function checkAssignable(table: StructType, given: StructType): void {
  const error = schemaMismatch(schemaDifferences(table, given));
  if (error) throw error;
}

function structDifferences(table: StructType, given: StructType, path: readonly string[]): SchemaDifference[] {
  const names = new Map(given.fields.map((field) => [field.name, field]));
  const found: SchemaDifference[] = [];
  const matched = new Set<StructField>();
  for (const field of table.fields) {
    const at = [...path, field.name];
    const exact = names.get(field.name);
    const other = exact ?? given.fields.find((f) => f.name.toLowerCase() === field.name.toLowerCase());
    if (!other) {
      const table = typeText(field.type);
      found.push({ column: at.join("."), kind: "missing", table, assignable: field.nullable });
      continue;
    }
    matched.add(other);
    if (!exact) found.push(caseDifference(field, other, path));
    found.push(...fieldDifferences(field, other, at));
  }
  for (const field of given.fields) {
    if (matched.has(field)) continue;
    const column = [...path, field.name].join(".");
    found.push({ column, kind: "extra", given: typeText(field.type), assignable: false });
  }
  return found;
}

function caseDifference(table: StructField, given: StructField, path: readonly string[]): SchemaDifference {
  return {
    column: [...path, given.name].join("."),
    kind: "case",
    table: typeText(table.type),
    given: typeText(given.type),
    assignable: false,
    hint: `the table spells it "${table.name}"`,
  };
}

function fieldDifferences(table: StructField, given: StructField, path: readonly string[]): SchemaDifference[] {
  const found = differencesOfTypes(table.type, given.type, path);
  if (given.nullable && !table.nullable) found.push(nullability(path));
  return found;
}

function nullability(path: readonly string[]): SchemaDifference {
  const hint = "the table allows no null here";
  return { column: path.join("."), kind: "nullability", assignable: true, hint };
}

function differencesOfTypes(table: DataType, given: DataType, path: readonly string[]): SchemaDifference[] {
  if (typeof table !== "string" && typeof given !== "string") {
    if (table.type === "struct" && given.type === "struct") return structDifferences(table, given, path);
    if (table.type === "array" && given.type === "array") {
      const at = [...path, "element"];
      const found = differencesOfTypes(table.elementType, given.elementType, at);
      return given.containsNull && !table.containsNull ? [...found, nullability(at)] : found;
    }
    if (table.type === "map" && given.type === "map") {
      const at = [...path, "value"];
      const keys = differencesOfTypes(table.keyType, given.keyType, [...path, "key"]);
      const values = differencesOfTypes(table.valueType, given.valueType, at);
      const nulls = given.valueContainsNull && !table.valueContainsNull ? [nullability(at)] : [];
      return [...keys, ...values, ...nulls];
    }
  }
  // Nulls fit everywhere.
  if (table === given || given === "void") return [];
  const assignable = typeof table === "string" && typeof given === "string" && isPrimitiveAssignable(given, table);
  const texts = { table: typeText(table), given: typeText(given) };
  return [{ column: path.join("."), kind: "type", ...texts, assignable }];
}

/** For each type the ones that hold all of its values. Spark also stores long as float and the like, with loss. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  byte: ["short", "integer", "long", "float", "double"],
  short: ["integer", "long", "float", "double"],
  integer: ["long", "double"],
  float: ["double"],
};

/** Digits that the values of an integer type need. */
const DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 19 };

function isPrimitiveAssignable(given: string, table: string): boolean {
  if (given === table || WIDER[given]?.includes(table)) return true;
  const to = parseDecimalType(table as DataType);
  if (!to) return false;
  const from = parseDecimalType(given as DataType) ?? { precision: DIGITS[given] ?? 99, scale: 0 };
  return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
}

function typeText(type: DataType): string {
  if (typeof type === "string") return type;
  if (type.type === "array") return `array<${typeText(type.elementType)}>`;
  if (type.type === "map") return `map<${typeText(type.keyType)},${typeText(type.valueType)}>`;
  return `struct<${type.fields.map((field) => `${field.name}:${typeText(field.type)}`).join(",")}>`;
}

function differenceText({ column, kind, table, given, hint }: SchemaDifference): string {
  const what = {
    missing: `is missing; the table has it as ${table}, not null`,
    extra: `(${given}) is not in the table`,
    case: "is spelled otherwise",
    type: `is ${given}; the table has ${table}`,
    nullability: "holds nulls",
  }[kind];
  return `${column} ${what}${hint ? ` (${hint})` : ""}`;
}
