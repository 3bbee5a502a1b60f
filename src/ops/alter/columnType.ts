import { type SchemaLiteral, schemaOf, type TypeLiteral } from "../../schema/literal.js";
import type { DataType, StructField } from "../../schema/types.js";

/** A column of a type as people give it. Throws `DELTA_INVALID_SCHEMA`. */
export function fieldFrom(name: string, type: TypeLiteral | DataType): StructField {
  if (isDataType(type)) return { name, type, nullable: true, metadata: {} };
  return schemaOf({ [name]: type } as SchemaLiteral).fields[0]!;
}

/** The type of {@link fieldFrom}. */
export function typeFrom(type: TypeLiteral | DataType, name: string): DataType {
  return fieldFrom(name, type).type;
}

/** A type of Delta's own, by the members that no literal has together. */
function isDataType(type: TypeLiteral | DataType): type is Exclude<DataType, string> {
  if (typeof type !== "object" || Array.isArray(type) || !("type" in type)) return false;
  return "elementType" in type || "keyType" in type || ("fields" in type && Array.isArray(type.fields));
}
