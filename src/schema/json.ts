import { DeltaError } from "../errors.js";
import { limits } from "../limits.js";
import { isDecimalInRange, parseDecimalType } from "./decimal.js";
import { exactJson, parseExactJson } from "./exactJson.js";
import { isGeo } from "./geo.js";
import { isJsonBomb } from "./jsonScan.js";
import { firstUnknownChange, TYPE_CHANGES } from "./typeChanges.js";
import type { ArrayType, DataType, MapType, PrimitiveType, StructField, StructType } from "./types.js";

/** Every primitive type that can be written, but the decimals. */
export const PRIMITIVE_NAMES: ReadonlySet<string> = new Set([
  "string",
  "long",
  "integer",
  "short",
  "byte",
  "float",
  "double",
  "boolean",
  "binary",
  "date",
  "timestamp",
  "timestamp_ntz",
  "variant",
  "void",
]);

/** What early releases of Spark called void. */
const OLD_VOID = "null";

/** Types of Delta that this release can't read; a table that has one is refused by its name. */
const UNSUPPORTED_TYPE =
  /^(interval\b.*|geometry\b.*|geography\b.*|timestamp_nanos|timestamp_ntz_nanos|timestampnanos.*|time\b.*|char\b.*|varchar\b.*|udt)$/i;

/**
 * Reads a table's `schemaString` (PROTOCOL.md, Schema Serialization Format). Field order and each field's metadata
 * are kept as they are; integers in metadata that a double can't hold become `bigint`.
 * Throws DELTA_INVALID_SCHEMA (not JSON, not of this shape, nested deeper than `MAX_SCHEMA_DEPTH`, beyond `MAX_JSON_VALUES`) and
 * DELTA_UNSUPPORTED_FEATURES_FOR_READ (a type of Delta's that this release lacks, such as an interval, or a change of a column's
 * type that the protocol doesn't have).
 */
export function parseSchema(json: string): StructType {
  let value: unknown;
  if (typeof json === "string" && isJsonBomb(json)) throw invalid([], "holds too many values, or nests them too deep");
  try {
    value = parseExactJson(json);
  } catch (cause) {
    throw new DeltaError(
      "DELTA_INVALID_SCHEMA",
      "The table's schema is not valid JSON.",
      { schemaString: json },
      cause,
    );
  }
  return parseStruct(value, []);
}

/** The schema as Spark writes it: compact, with keys in the order name, type, nullable, metadata. */
export function schemaToJson(schema: StructType): string {
  return exactJson(typeToJson(schema));
}

/** The type as it stands in the schema's JSON, with Spark's order of keys. */
function typeToJson(type: DataType): unknown {
  if (typeof type === "string") return type;
  if (type.type === "struct") {
    const fields = type.fields.map((field) => ({
      name: field.name,
      type: typeToJson(field.type),
      nullable: field.nullable,
      metadata: field.metadata,
    }));
    return { type: "struct", fields };
  }
  if (type.type === "array") {
    return { type: "array", elementType: typeToJson(type.elementType), containsNull: type.containsNull };
  }
  return {
    type: "map",
    keyType: typeToJson(type.keyType),
    valueType: typeToJson(type.valueType),
    valueContainsNull: type.valueContainsNull,
  };
}

function parseType(value: unknown, path: readonly string[]): DataType {
  if (path.length > limits.MAX_SCHEMA_DEPTH) {
    throw invalid(path.slice(0, 3), `nests types more than ${limits.MAX_SCHEMA_DEPTH} deep`);
  }
  if (typeof value === "string") return parsePrimitive(value, path);
  const { type } = object(value, path);
  if (type === "struct") return parseStruct(value, path);
  if (type === "array") return parseArray(object(value, path), path);
  if (type === "map") return parseMap(object(value, path), path);
  // The protocol's example has the object, Spark writes the name.
  if (type === "variant") return type;
  if (typeof type === "string" && UNSUPPORTED_TYPE.test(type)) throw unsupportedType(type, path);
  throw invalid(path, `has ${shown(type)} for a type`);
}

function parsePrimitive(name: string, path: readonly string[]): PrimitiveType {
  if (PRIMITIVE_NAMES.has(name)) return name as PrimitiveType;
  if (name === OLD_VOID) return "void";
  if (isGeo(name as DataType)) return name as PrimitiveType;
  if (name === "decimal") return "decimal(10,0)";
  const decimal = parseDecimalType(name as DataType);
  if (decimal) {
    const { precision, scale } = decimal;
    if (!isDecimalInRange(precision, scale)) throw invalid(path, `has the type ${name}, beyond decimal(38,38)`);
    return `decimal(${precision},${scale})`;
  }
  if (UNSUPPORTED_TYPE.test(name)) throw unsupportedType(name, path);
  throw invalid(path, `has the unknown type "${name}"`);
}

function parseStruct(value: unknown, path: readonly string[]): StructType {
  const { type, fields } = object(value, path);
  if (type !== "struct") throw invalid(path, `is no struct: its type is ${shown(type)}`);
  if (!Array.isArray(fields)) throw invalid(path, "has no array of fields");
  return { type: "struct", fields: fields.map((field) => parseField(field, path)) };
}

function parseField(value: unknown, parent: readonly string[]): StructField {
  const { name, type, nullable, metadata } = object(value, parent);
  if (typeof name !== "string") throw invalid(parent, "has a field without a name");
  const path = [...parent, name];
  if (name.startsWith("\ufeff")) throw unsupported("has a name that begins with a byte order mark", path);
  if (name.includes("\0")) throw unsupported("has a name with a NUL", path);
  if (nullable !== undefined && typeof nullable !== "boolean") throw invalid(path, "has a nullable that is no boolean");
  const kept = metadata === undefined || metadata === null ? {} : object(metadata, path);
  const unknown = firstUnknownChange(kept[TYPE_CHANGES]);
  if (unknown !== undefined)
    throw unsupported(`changed its type from ${shown(unknown.from)} to ${shown(unknown.to)}`, path, unknown);
  return { name, type: parseType(type, path), nullable: nullable ?? true, metadata: kept };
}

function parseArray(value: Record<string, unknown>, path: readonly string[]): ArrayType {
  const elementType = parseType(value.elementType, [...path, "element"]);
  return { type: "array", elementType, containsNull: value.containsNull !== false };
}

function parseMap(value: Record<string, unknown>, path: readonly string[]): MapType {
  return {
    type: "map",
    keyType: parseType(value.keyType, [...path, "key"]),
    valueType: parseType(value.valueType, [...path, "value"]),
    valueContainsNull: value.valueContainsNull !== false,
  };
}

function object(value: unknown, path: readonly string[]): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(path, `should be a JSON object, not ${shown(value)}`);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value).slice(0, 100);
}

function place(path: readonly string[]): string {
  return path.length > 0 ? `column "${path.join(".")}"` : "the top level";
}

function invalid(path: readonly string[], what: string): DeltaError {
  return new DeltaError("DELTA_INVALID_SCHEMA", `The table's schema is wrong: ${place(path)} ${what}.`, {
    column: path.join("."),
  });
}

function unsupportedType(type: string, path: readonly string[]): DeltaError {
  return unsupported(`has the type "${type}"`, path, { type });
}

function unsupported(what: string, path: readonly string[], facts: Record<string, unknown> = {}): DeltaError {
  return new DeltaError(
    "DELTA_UNSUPPORTED_FEATURES_FOR_READ",
    `The table can't be read: ${place(path)} ${what}, which this release doesn't support.`,
    { column: path.join("."), ...facts },
  );
}
