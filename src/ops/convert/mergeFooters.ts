import { isDeepStrictEqual } from "node:util";
import { DeltaError } from "../../errors.js";
import { mergeSchemas } from "../../schema/merge.js";
import type { DataType, StructType } from "../../schema/types.js";

/**
 * The columns of files seen so far and of one more. Throws `DELTA_FAILED_TO_MERGE_FIELDS`, naming file and column, where a column has
 * another type than in files before.
 */
export function mergeFooter(schema: StructType, own: StructType, path: string): StructType {
  checkSame(schema, own, [], path);
  return mergeSchemas(schema, own);
}

function checkSame(schema: StructType, own: StructType, parents: readonly string[], path: string): void {
  const byName = new Map(schema.fields.map((field) => [field.name.toLowerCase(), field.type]));
  for (const { name, type } of own.fields) {
    const known = byName.get(name.toLowerCase());
    if (known !== undefined) checkType(known, type, [...parents, name], path);
  }
}

function checkType(known: DataType, own: DataType, column: readonly string[], path: string): void {
  if (typeof known === "object" && typeof own === "object") {
    if (known.type === "struct" && own.type === "struct") {
      checkSame(known, own, column, path);
      return;
    }
    if (known.type === "array" && own.type === "array") {
      checkType(known.elementType, own.elementType, [...column, "element"], path);
      return;
    }
    if (known.type === "map" && own.type === "map") {
      checkType(known.keyType, own.keyType, [...column, "key"], path);
      checkType(known.valueType, own.valueType, [...column, "value"], path);
      return;
    }
  }
  if (isDeepStrictEqual(known, own)) return;
  const name = column.join(".");
  const text = (type: DataType) => (typeof type === "string" ? type : type.type);
  throw new DeltaError(
    "DELTA_FAILED_TO_MERGE_FIELDS",
    `The column "${name}" is ${text(own)} in ${path}, but ${text(known)} in files before it. Files of one table have the same types: load them into a new table instead.`,
    { path, column: name, type: text(known), found: text(own) },
  );
}
