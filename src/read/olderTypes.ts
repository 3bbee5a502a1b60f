import { hasCode } from "../errors.js";
import type { Footer } from "../parquet/footer.js";
import { footerSchema } from "../parquet/footerSchema.js";
import { type ColumnMappingMode, physicalName } from "../schema/columnMapping.js";
import { changedPaths } from "../schema/typeChanges.js";
import type { DataType, StructField, StructType } from "../schema/types.js";

/**
 * Whether a data file holds a column of another type than the table's, of which the table tells that it was widened (PROTOCOL.md,
 * Type Widening).
 */
export function holdsOlderTypes(schema: StructType, mode: ColumnMappingMode, footer: Footer): boolean {
  try {
    return differs(schema, footerSchema(footer), mode);
  } catch (error) {
    // A column that Delta has no type for is none of the table's; what the others are isn't known.
    if (hasCode(error, "DELTA_INVALID_SCHEMA")) return true;
    throw error;
  }
}

function differs(table: DataType, file: DataType, mode: ColumnMappingMode): boolean {
  if (typeof table === "string" || typeof file === "string") return false;
  if (table.type === "array") return file.type === "array" && differs(table.elementType, file.elementType, mode);
  if (table.type === "map") {
    if (file.type !== "map") return false;
    return differs(table.keyType, file.keyType, mode) || differs(table.valueType, file.valueType, mode);
  }
  if (file.type !== "struct") return false;
  return table.fields.some((field) => {
    const own = fileField(field, file, mode);
    // In mode `id` files may call columns anything.
    if (own === undefined) return mode === "id" && changedPaths(field).length > 0;
    const isOther = changedPaths(field).some((path) => typeAt(field.type, path) !== typeAt(own.type, path));
    return isOther || differs(field.type, own.type, mode);
  });
}

function fileField(field: StructField, { fields }: StructType, mode: ColumnMappingMode): StructField | undefined {
  const name = physicalName(field, mode);
  return fields.find((own) => own.name === name) ?? fields.find((own) => own.name.toLowerCase() === name.toLowerCase());
}

/** The primitive type at a path of `element`, `key` and `value`; undefined where there is none. */
function typeAt(type: DataType, path: readonly string[]): string | undefined {
  const [step, ...rest] = path;
  if (typeof type === "string") return step === undefined ? type : undefined;
  if (type.type === "array") return step === "element" ? typeAt(type.elementType, rest) : undefined;
  if (type.type === "map") return typeAt(step === "key" ? type.keyType : type.valueType, rest);
  return undefined;
}
