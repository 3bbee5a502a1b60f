import { DeltaError } from "../errors.js";
import type { ColumnMappingMode } from "./columnMapping.js";
import { isDecimalInRange, parseDecimalType } from "./decimal.js";
import { PRIMITIVE_NAMES } from "./json.js";
import { storedSchema } from "./storedSchema.js";
import type { DataType, StructType } from "./types.js";
import { holdsVariants } from "./variantBytes.js";

/** Spark refuses these in column names, nested ones too, wherever a table has no column mapping; NUL ends a name for many. */
const FORBIDDEN = /[ ,;{}()\n\t=\0]/;
/** What no name may hold. */
const FORBIDDEN_ANYWHERE = /\0/;

/** Arrow's readers take it away from names, so that such a column would be lost. */
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Checks the schema of a table about to be created, or changed; one that maps its columns may have any names. Throws DELTA_INVALID_SCHEMA (no columns; a name that is empty,
 * taken regardless of case, holds one of ` ,;{}()\n\t=` or a NUL, or begins with a byte order mark; a decimal out of range; an unknown
 * type),
 * DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE, and
 * DELTA_INVALID_PARTITION_COLUMN (unknown, named twice, not primitive, variant or void, or no column left for the data files).
 */
export function validateNewTable(
  schema: StructType,
  partitionColumns: readonly string[] = [],
  mode: ColumnMappingMode = "none",
): void {
  if (schema.fields.length === 0) throw invalid("", "A table needs at least one column.");
  storedSchema(schema);
  validateStruct(schema, [], mode === "none" ? FORBIDDEN : FORBIDDEN_ANYWHERE);
  validatePartitionColumns(schema, partitionColumns);
}

/** The columns, nested ones too, whose names only a table that maps its columns may have. */
export function invalidNames(type: DataType, parent: readonly string[] = []): string[] {
  if (typeof type === "string") return [];
  if (type.type === "array") return invalidNames(type.elementType, [...parent, "element"]);
  if (type.type === "map") {
    return [...invalidNames(type.keyType, [...parent, "key"]), ...invalidNames(type.valueType, [...parent, "value"])];
  }
  return type.fields.flatMap(({ name, type: inner }) => {
    const path = [...parent, name];
    const below = invalidNames(inner, path);
    return FORBIDDEN.test(name) ? [path.join("."), ...below] : below;
  });
}

function validateStruct(struct: StructType, parent: readonly string[], forbiddenInNames: RegExp): void {
  const seen = new Map<string, string>();
  for (const field of struct.fields) {
    const path = [...parent, field.name];
    const column = path.join(".");
    // Arrow data that others made may have none at all.
    if (!field.name) throw invalid(column, `A column of ${parent.join(".") || "the table"} has an empty name.`);
    if (field.name.startsWith(BYTE_ORDER_MARK)) {
      throw invalid(
        column,
        `The column name ${JSON.stringify(column)} begins with a byte order mark (U+FEFF), as the first name of a CSV file may. Remove it.`,
        { character: BYTE_ORDER_MARK },
      );
    }
    const forbidden = forbiddenInNames.exec(field.name)?.[0];
    if (forbidden !== undefined) {
      throw invalid(
        column,
        `The column name ${JSON.stringify(column)} holds ${JSON.stringify(forbidden)}; Delta allows none of " ,;{}()\\n\\t=" in a name unless delta.columnMapping.mode is set. Rename the column.`,
        { character: forbidden },
      );
    }
    const key = field.name.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw invalid(
        column,
        `The columns "${other}" and "${column}" differ at most in case; Delta's names ignore case.`,
        {
          other,
        },
      );
    }
    seen.set(key, column);
    validateType(field.type, path, forbiddenInNames);
  }
}

function validateType(type: DataType, path: readonly string[], forbiddenInNames: RegExp): void {
  const column = path.join(".");
  if (typeof type === "string") {
    const decimal = parseDecimalType(type);
    if (decimal && !isDecimalInRange(decimal.precision, decimal.scale)) {
      throw invalid(
        column,
        `Column "${column}" is ${type}; a decimal has 1 to 38 digits, at most all behind the point.`,
      );
    }
    if (!decimal && !PRIMITIVE_NAMES.has(type))
      throw invalid(column, `Column "${column}" has the unknown type "${type}".`);
  } else if (type.type === "struct") {
    if (type.fields.length === 0)
      throw invalid(column, `Column "${column}" is a struct without fields; Parquet has none.`);
    validateStruct(type, path, forbiddenInNames);
  } else if (type.type === "array") {
    validateType(type.elementType, [...path, "element"], forbiddenInNames);
  } else {
    if (holdsVariants(type.keyType)) throw invalid(column, `The keys of the map "${column}" can't be variants.`);
    validateType(type.keyType, [...path, "key"], forbiddenInNames);
    validateType(type.valueType, [...path, "value"], forbiddenInNames);
  }
}

function validatePartitionColumns(schema: StructType, partitionColumns: readonly string[]): void {
  const seen = new Set<string>();
  for (const column of partitionColumns) {
    const field = schema.fields.find((f) => f.name === column);
    if (!field) {
      const columns = schema.fields.map((f) => f.name);
      throw badPartition(column, `The table has no column "${column}" to partition by; it has ${columns.join(", ")}.`, {
        columns,
      });
    }
    if (typeof field.type !== "string") {
      throw badPartition(column, `A table can't be partitioned by "${column}": a ${field.type.type} has no text form.`);
    }
    if (field.type === "variant" || field.type === "void") {
      throw badPartition(column, `A table can't be partitioned by "${column}": a ${field.type} has no text form.`);
    }
    if (seen.has(column)) throw badPartition(column, `The partition column "${column}" is named twice.`);
    seen.add(column);
  }
  if (partitionColumns.length > 0 && partitionColumns.length === schema.fields.length) {
    throw badPartition(
      partitionColumns.join(","),
      "A table can't be partitioned by all of its columns: its data files would be empty. Leave at least one out.",
    );
  }
}

function invalid(column: string, message: string, data: Record<string, unknown> = {}): DeltaError {
  return new DeltaError("DELTA_INVALID_SCHEMA", message, { column, ...data });
}

function badPartition(column: string, message: string, data: Record<string, unknown> = {}): DeltaError {
  return new DeltaError("DELTA_INVALID_PARTITION_COLUMN", message, { column, ...data });
}
