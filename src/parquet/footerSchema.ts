import { DeltaError } from "../errors.js";
import { isDecimalInRange } from "../schema/decimal.js";
import type { DataType, StructType } from "../schema/types.js";
import type { ParquetNode } from "./fileSchema.js";
import type { Footer } from "./footer.js";

/**
 * The schema of a Parquet file as Delta has it; every column is nullable. Throws `DELTA_INVALID_SCHEMA`, naming file and column, for a type
 * that Delta, or Spark, has no counterpart of: times of day, nanoseconds, unsigned 64-bit integers.
 */
export function footerSchema({ root, file }: Footer): StructType {
  return structOf(root, file.path);
}

function structOf({ children }: ParquetNode, file: string): StructType {
  const fields = children.map((node) => ({
    name: node.element.name,
    type: typeOf(node, file),
    nullable: true,
    metadata: {},
  }));
  return { type: "struct", fields };
}

function typeOf(node: ParquetNode, file: string): DataType {
  // A repeated column that no list is around is a list itself.
  if (node.element.repetition_type === "REPEATED") return arrayOf(unrepeated(node, file));
  return unrepeated(node, file);
}

function arrayOf(elementType: DataType): DataType {
  return { type: "array", elementType, containsNull: true };
}

function unrepeated(node: ParquetNode, file: string): DataType {
  const annotation = annotationOf(node);
  if (node.element.type !== undefined) return primitiveOf(node, annotation, file);
  const [repeated, ...others] = node.children;
  const isRepeated = repeated?.element.repetition_type === "REPEATED" && others.length === 0;
  if (annotation === "LIST" && isRepeated) return arrayOf(elementOf(repeated, node, file));
  if ((annotation === "MAP" || annotation === "MAP_KEY_VALUE") && isRepeated && repeated.children.length === 2) {
    const [keyType, valueType] = repeated.children.map((child) => typeOf(child, file)) as [DataType, DataType];
    return { type: "map", keyType, valueType, valueContainsNull: true };
  }
  if (annotation !== undefined || node.children.length === 0) throw noCounterpart(node, annotation ?? "empty", file);
  return structOf(node, file);
}

/** What a list's repeated node stands for: old writers left a level out (Parquet's rules for backward compatibility). */
function elementOf(repeated: ParquetNode, list: ParquetNode, file: string): DataType {
  const [only, ...others] = repeated.children;
  const { name } = repeated.element;
  const isElement =
    only === undefined || others.length > 0 || name === "array" || name === `${list.element.name}_tuple`;
  return isElement ? unrepeated(repeated, file) : typeOf(only, file);
}

function annotationOf({ element }: ParquetNode): string | undefined {
  return element.logical_type?.type ?? element.converted_type ?? undefined;
}

/** By what a column is annotated with, or by how it is stored where it isn't. */
const TYPES: Readonly<Record<string, DataType>> = {
  BOOLEAN: "boolean",
  INT32: "integer",
  INT64: "long",
  INT96: "timestamp",
  FLOAT: "float",
  DOUBLE: "double",
  BYTE_ARRAY: "binary",
  FIXED_LEN_BYTE_ARRAY: "binary",
  STRING: "string",
  UTF8: "string",
  ENUM: "string",
  JSON: "string",
  BSON: "binary",
  DATE: "date",
  INT_8: "byte",
  INT_16: "short",
  INT_32: "integer",
  INT_64: "long",
  UINT_8: "short",
  UINT_16: "integer",
  UINT_32: "long",
  TIMESTAMP_MILLIS: "timestamp",
  TIMESTAMP_MICROS: "timestamp",
};

function primitiveOf(node: ParquetNode, annotation: string | undefined, file: string): DataType {
  const { logical_type: logical, precision = 0, scale = 0 } = node.element;
  if (annotation === "DECIMAL" && isDecimalInRange(precision, scale)) return `decimal(${precision},${scale})`;
  if (logical?.type === "TIMESTAMP" && logical.unit !== "NANOS") {
    return logical.isAdjustedToUTC ? "timestamp" : "timestamp_ntz";
  }
  const name = logical?.type === "INTEGER" ? `${logical.isSigned ? "" : "U"}INT_${logical.bitWidth}` : annotation;
  const type = TYPES[name ?? node.element.type!];
  if (type === undefined) throw noCounterpart(node, name ?? String(node.element.type), file);
  return type;
}

function noCounterpart({ path }: ParquetNode, type: string, file: string): DeltaError {
  const column = path.join(".");
  return new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `The column "${column}" of ${file} is of Parquet's type ${type}, which a Delta table can't have. Load the files into a new table, with another type for it.`,
    { path: file, column, type },
  );
}
