import { DeltaError } from "../errors.js";
import type { DataType, StructType } from "./types.js";
import { withVariantBytes } from "./variantBytes.js";

/**
 * What data files of a schema hold: variants are their bytes, and columns of type void, which are always null, aren't there. The same
 * object where it has neither. Throws `DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE` (column) for arrays and maps of void, and for structs
 * that would have no fields.
 */
export function storedSchema(schema: StructType): StructType {
  return withVariantBytes(holdsVoid(schema) ? withoutVoid(schema, []) : schema);
}

function holdsVoid(type: DataType): boolean {
  if (typeof type === "string") return type === "void";
  if (type.type === "array") return holdsVoid(type.elementType);
  if (type.type === "map") return holdsVoid(type.keyType) || holdsVoid(type.valueType);
  return type.fields.some((field) => holdsVoid(field.type));
}

function withoutVoid(struct: StructType, path: readonly string[]): StructType {
  const fields = struct.fields.flatMap((field) => {
    const { type } = field;
    const at = [...path, field.name];
    if (type === "void") return [];
    if (typeof type === "string" || !holdsVoid(type)) return [field];
    if (type.type !== "struct") throw unstorable(at, type.type);
    return [{ ...field, type: withoutVoid(type, at) }];
  });
  if (fields.length === 0) throw unstorable(path, "struct");
  return { ...struct, fields };
}

function unstorable(path: readonly string[], kind: string): DeltaError {
  const column = path.join(".");
  const what = column === "" ? "All columns are" : `The ${kind} "${column}" is`;
  return new DeltaError(
    "DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE",
    `${what} of type void: data files can't hold that. Give ${column === "" ? "one" : "it"} another type.`,
    { column },
  );
}
