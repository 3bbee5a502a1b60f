import type { ArrayType, DataType, MapType, StructType } from "./types.js";

/**
 * The type of a column of variants whose values are their bytes, as data files hold them: a struct of the binaries `metadata` and `value`.
 * No table's schema has it; schemas do in which rows are written, so that each value keeps its exact type on the way.
 */
export const VARIANT_BYTES = "variant bytes" as "variant";

/** The schema with variants as bytes, at any depth; the same object where it has none. */
export function withVariantBytes(schema: StructType): StructType {
  let stored = known.get(schema);
  if (stored === undefined) {
    stored = structOf(schema);
    known.set(schema, stored);
  }
  return stored;
}

const known = new WeakMap<StructType, StructType>();

const VARIANTS: ReadonlySet<string> = new Set(["variant", VARIANT_BYTES]);

/** True for a type that has variants in it. */
export function holdsVariants(type: DataType): boolean {
  if (typeof type === "string") return VARIANTS.has(type);
  if (type.type === "array") return holdsVariants(type.elementType);
  if (type.type === "map") return holdsVariants(type.keyType) || holdsVariants(type.valueType);
  return type.fields.some((field) => holdsVariants(field.type));
}

/** True for a type whose values are JSON where there are only texts. */
export function isJsonText(type: DataType): boolean {
  return typeof type !== "string" || type === "variant";
}

/** The type with variants as bytes; the same object where it has none. */
export function variantBytesType(type: DataType): DataType {
  if (typeof type === "string") return type === "variant" ? VARIANT_BYTES : type;
  if (type.type === "array") return arrayOf(type);
  return type.type === "map" ? mapOf(type) : structOf(type);
}

function structOf(type: StructType): StructType {
  let isSame = true;
  const fields = type.fields.map((field) => {
    const stored = variantBytesType(field.type);
    if (stored === field.type) return field;
    isSame = false;
    return { ...field, type: stored };
  });
  return isSame ? type : { ...type, fields };
}

function arrayOf(type: ArrayType): ArrayType {
  const elementType = variantBytesType(type.elementType);
  return elementType === type.elementType ? type : { ...type, elementType };
}

function mapOf(type: MapType): MapType {
  const [keyType, valueType] = [variantBytesType(type.keyType), variantBytesType(type.valueType)];
  return keyType === type.keyType && valueType === type.valueType ? type : { ...type, keyType, valueType };
}
