import type { DataType, StructType } from "#src/index.js";
import { Timestamp } from "#src/index.js";

/**
 * A value as every side of these tests is compared in (peers/canonical.py is the same in Python): null, boolean and finite
 * floats as themselves, everything else that isn't nested as text with its kind in front.
 */
export type Canonical =
  | null
  | boolean
  | number
  | string
  | readonly Canonical[]
  | { readonly [name: string]: Canonical };

/** A whole table: the columns' types by name, and its rows. */
export interface Content {
  readonly types: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, Canonical>>[];
}

/** A type's name, spelt alike on every side. */
function typeText(type: DataType): string {
  if (typeof type === "string") return type;
  if (type.type === "array") return `array<${typeText(type.elementType)}>`;
  if (type.type === "map") return `map<${typeText(type.keyType)},${typeText(type.valueType)}>`;
  return `struct<${type.fields.map(({ name, type }) => `${name}:${typeText(type)}`).join(",")}>`;
}

export function typesOf(schema: StructType): Record<string, string> {
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, typeText(type)]));
}

/** A value as rows hold it, in canonical form. */
function canonical(value: unknown, type: DataType): Canonical {
  if (value === null) return null;
  if (typeof type !== "string") return canonicalNested(value, type);
  switch (type) {
    case "boolean":
      return value as boolean;
    case "byte":
    case "short":
    case "integer":
      return `int:${numberIn(value)}`;
    case "long":
      if (typeof value !== "bigint") throw new TypeError(`a long as ${typeof value}`);
      return `int:${value}`;
    case "float":
    case "double":
      return canonicalFloat(numberIn(value));
    case "string":
      return `string:${value}`;
    case "binary":
      return `binary:${Buffer.from(value as Uint8Array).toString("hex")}`;
    case "date":
      return `date:${(value as Date).toISOString().slice(0, 10)}`;
    case "timestamp":
      return `timestamp:${microseconds(value as Date)}`;
    case "variant":
      return `variant:${sortedJson(value)}`;
    case "timestamp_ntz":
      return `ntz:${microseconds(value as Date)}`;
    default:
      if (typeof value !== "string") throw new TypeError(`a decimal as ${typeof value}`);
      return `decimal:${value}`;
  }
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    part === null || typeof part !== "object" || Array.isArray(part)
      ? part
      : Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
}

function canonicalNested(value: unknown, type: Exclude<DataType, string>): Canonical {
  if (type.type === "array") return (value as unknown[]).map((element) => canonical(element, type.elementType));
  if (type.type === "map") {
    const pairs = [...(value as Map<unknown, unknown>)].map(([key, item]): Canonical[] => [
      canonical(key, type.keyType),
      canonical(item, type.valueType),
    ]);
    const text = (pair: Canonical[]) => JSON.stringify(pair[0]);
    return { map: pairs.sort((a, b) => (text(a) < text(b) ? -1 : 1)) };
  }
  return canonicalRow(value as Record<string, unknown>, type);
}

/** A row, or a struct in one. Every field must be there. */
export function canonicalRow(row: Record<string, unknown>, schema: StructType): Record<string, Canonical> {
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, canonical(row[name], type)]));
}

/** A float: what JSON has no number for, as text. */
export function canonicalFloat(value: number): Canonical {
  if (Object.is(value, -0)) return "float:-0";
  return Number.isFinite(value) ? value : `float:${value}`;
}

function numberIn(value: unknown): number {
  if (typeof value !== "number") throw new TypeError(`a number as ${typeof value}`);
  return value;
}

/** Six digits behind the second, no zone. */
function microseconds(value: Date): string {
  return (value instanceof Timestamp ? value : new Timestamp(value)).toISOString().slice(0, -1);
}
