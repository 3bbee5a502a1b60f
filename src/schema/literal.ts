import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import { nearestName } from "./columns.js";
import { isDecimalInRange, parseDecimalType } from "./decimal.js";
import { PRIMITIVE_NAMES } from "./json.js";
import type { DataType, DecimalType, PrimitiveType, ReadOnlyType, StructField, StructType } from "./types.js";

const NOT_NULL: unique symbol = Symbol("not null");

/** A type that {@link notNull} wrapped. */
export interface NotNull<T extends TypeLiteral = TypeLiteral> {
  readonly [NOT_NULL]: T;
}

type WritableType = Exclude<PrimitiveType, ReadOnlyType>;

/**
 * A column's type in a schema literal: `"long"`, `"decimal(10,2) not null"`, an array as `[element]`, a map as
 * `{ map: [key, value] }`, a struct as `{ name: type, … }`, and `notNull(type)` around any of them. Everything is
 * nullable unless it says otherwise. (A struct with one column named "map" is no map: no array literal has two items.)
 */
export type TypeLiteral =
  | WritableType
  | `${WritableType} not null`
  | readonly [TypeLiteral]
  | { readonly map: readonly [TypeLiteral, TypeLiteral] }
  | { readonly [column: string]: TypeLiteral }
  | NotNull;

/** A table's columns, in order: `{ id: "long not null", tags: ["string"], address: { city: "string" } }`. */
export type SchemaLiteral = { readonly [column: string]: TypeLiteral };

/**
 * Marks a type in a schema literal as never null.
 *
 * @example
 * const schema = { id: "long not null", tags: notNull(["string"]), props: { map: ["string", "long"] } } as const;
 */
export function notNull<const T extends TypeLiteral>(type: T): NotNull<T> {
  return { [NOT_NULL]: type };
}

/** The row type of a schema literal, as rows are read: long is bigint, decimal a string, dates and timestamps a Date. */
export type RowOf<S extends SchemaLiteral> = { -readonly [Column in keyof S]: ValueOf<S[Column]> };

/** The JavaScript value of a type literal, null included unless it is "not null". */
export type ValueOf<T> = T extends { readonly [NOT_NULL]: infer Inner }
  ? Present<Inner>
  : T extends `${infer Primitive} not null`
    ? PresentPrimitive<Primitive>
    : Present<T> | null;

type Present<T> = T extends `${infer Primitive} not null`
  ? PresentPrimitive<Primitive>
  : T extends string
    ? PresentPrimitive<T>
    : T extends readonly [infer Element]
      ? ValueOf<Element>[]
      : T extends { readonly map: readonly [infer Key, infer Value] }
        ? Map<Exclude<ValueOf<Key>, null>, ValueOf<Value>>
        : { -readonly [Column in keyof T]: ValueOf<T[Column]> };

type PresentPrimitive<Name> = Name extends keyof PrimitiveValues
  ? PrimitiveValues[Name]
  : Name extends DecimalType
    ? string
    : never;

interface PrimitiveValues {
  string: string;
  long: bigint;
  integer: number;
  short: number;
  byte: number;
  float: number;
  /** What the variant is in JSON; see spec/variants.md. */
  variant: unknown;
  void: null;
  double: number;
  boolean: boolean;
  binary: Uint8Array;
  date: Date;
  timestamp: Date;
  timestamp_ntz: Date;
}

/**
 * The Delta schema of a schema literal; a Delta schema is given back as it is.
 * Throws DELTA_INVALID_SCHEMA, naming the column, for anything else.
 */
export function schemaOf(schema: SchemaLiteral | StructType): StructType {
  if (isStructType(schema)) return schema;
  if (!isColumns(schema)) throw invalid([], schema);
  return { type: "struct", fields: fieldsOf(schema, []) };
}

function fieldsOf(columns: SchemaLiteral, parent: readonly string[]): StructField[] {
  return Object.entries(columns).map(([name, literal]) => {
    const { type, nullable } = resolve(literal, [...parent, name]);
    return { name, type, nullable, metadata: {} };
  });
}

function resolve(literal: TypeLiteral, path: readonly string[]): { type: DataType; nullable: boolean } {
  if (typeof literal === "string") {
    const name = literal.replace(/\s+not\s+null\s*$/i, "");
    return { type: primitive(name, path), nullable: name === literal };
  }
  if (typeof literal !== "object" || literal === null || path.length > limits.MAX_SCHEMA_DEPTH)
    throw invalid(path, literal);
  if (NOT_NULL in literal) return { type: resolve(literal[NOT_NULL] as TypeLiteral, path).type, nullable: false };
  if (Array.isArray(literal)) {
    if (literal.length !== 1) throw invalid(path, literal);
    const element = resolve(literal[0] as TypeLiteral, [...path, "element"]);
    return { type: { type: "array", elementType: element.type, containsNull: element.nullable }, nullable: true };
  }
  if (!isColumns(literal)) throw invalid(path, literal);
  const pair: unknown = Object.keys(literal).length === 1 ? literal.map : undefined;
  if (Array.isArray(pair) && pair.length === 2) {
    const key = resolve(pair[0] as TypeLiteral, [...path, "key"]);
    const value = resolve(pair[1] as TypeLiteral, [...path, "value"]);
    const type = { type: "map", keyType: key.type, valueType: value.type, valueContainsNull: value.nullable } as const;
    return { type, nullable: true };
  }
  return { type: { type: "struct", fields: fieldsOf(literal, path) }, nullable: true };
}

function primitive(name: string, path: readonly string[]): PrimitiveType {
  if (PRIMITIVE_NAMES.has(name)) return name as PrimitiveType;
  const decimal = parseDecimalType(name as DataType);
  if (decimal && isDecimalInRange(decimal.precision, decimal.scale)) {
    return `decimal(${decimal.precision},${decimal.scale})`;
  }
  throw invalid(
    path,
    name,
    ALIASES.get(name.toLowerCase()) ?? nearestName(name, [...PRIMITIVE_NAMES, "decimal(10,2)"]),
  );
}

const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    int: "integer",
    int8: "byte",
    int16: "short",
    int32: "integer",
    int64: "long",
    bigint: "long",
    number: "double",
    float32: "float",
    float64: "double",
    bool: "boolean",
    varchar: "string",
    text: "string",
    datetime: "timestamp",
    numeric: "decimal(10,2)",
    decimal: "decimal(10,2)",
  }),
);

function isStructType(schema: SchemaLiteral | StructType): schema is StructType {
  return schema?.type === "struct" && Array.isArray(schema.fields);
}

function isColumns(value: unknown): value is Record<string, TypeLiteral> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(path: readonly string[], literal: unknown, nearest?: string): DeltaError {
  const column = path.join(".");
  const what = typeof literal === "string" ? `"${literal}"` : Array.isArray(literal) ? "that array" : String(literal);
  const hint = nearest
    ? `did you mean "${nearest}"?`
    : 'use a type name such as "long", [element], { map: [key, value] } or { column: type }.';
  return new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `${column ? `Column "${column}"` : "The schema"}: ${what} is no type; ${hint}`,
    { column, given: literal, ...(nearest ? { nearest } : {}) },
  );
}
