import type { ParquetNode } from "../parquet/fileSchema.js";
import type { Footer } from "../parquet/footer.js";
import { parseDecimalType } from "../schema/decimal.js";
import type { DataType, StructField } from "../schema/types.js";

/**
 * Which of the columns a data file has, where DuckDB reads the same values from it as this package does: columns of these very names and
 * types in the forms that Parquet prescribes now. Undefined for every other file: one with INT96 times, types that were widened
 * since, old kinds of lists, dates of another calendar.
 */
export function plainColumns(footer: Footer, wanted: readonly StructField[]): readonly string[] | undefined {
  if (footer.calendar !== undefined || !footer.namesAgree) return undefined;
  const { children } = footer.root;
  const present: string[] = [];
  for (const { name, type } of wanted) {
    const folded = name.toLowerCase();
    const found = children.filter(({ element }) => element.name.toLowerCase() === folded);
    if (found.length === 0) continue;
    const [node] = found;
    if (found.length > 1 || node!.element.name !== name || !isPlain(node!, type)) return undefined;
    present.push(name);
  }
  return present;
}

function isPlain(node: ParquetNode, type: DataType): boolean {
  if (node.element.repetition_type === "REPEATED") return false;
  if (typeof type === "string") return node.children.length === 0 && isPlainPrimitive(node, type);
  if (type.type === "struct") {
    return (
      kindOf(node) === undefined &&
      node.children.length === type.fields.length &&
      type.fields.length > 0 &&
      type.fields.every(
        (field, i) => node.children[i]!.element.name === field.name && isPlain(node.children[i]!, field.type),
      )
    );
  }
  const [repeated, ...others] = node.children;
  if (repeated === undefined || others.length > 0 || repeated.element.repetition_type !== "REPEATED") return false;
  if (type.type === "array") {
    const [element, ...more] = repeated.children;
    const isModern = kindOf(node) === "LIST" && repeated.element.name === "list" && element?.element.name === "element";
    return isModern && more.length === 0 && isPlain(element, type.elementType);
  }
  const [key, value, ...more] = repeated.children;
  if (kindOf(node) !== "MAP" || key === undefined || value === undefined || more.length > 0) return false;
  return isPlain(key, type.keyType) && isPlain(value, type.valueType);
}

/** The annotation of a group. */
function kindOf({ element }: ParquetNode): string | undefined {
  return element.logical_type?.type ?? element.converted_type ?? undefined;
}

/** What a primitive must be stored as, and its annotation. */
const STORED: Readonly<Record<string, readonly (readonly [physical: string, annotation: string])[]>> = {
  boolean: [["BOOLEAN", ""]],
  byte: [["INT32", "INT_8"]],
  short: [["INT32", "INT_16"]],
  integer: [
    ["INT32", ""],
    ["INT32", "INT_32"],
  ],
  long: [
    ["INT64", ""],
    ["INT64", "INT_64"],
  ],
  float: [["FLOAT", ""]],
  double: [["DOUBLE", ""]],
  string: [["BYTE_ARRAY", "STRING"]],
  binary: [["BYTE_ARRAY", ""]],
  date: [["INT32", "DATE"]],
  timestamp: [["INT64", "TIMESTAMP_MICROS_UTC"]],
  timestamp_ntz: [["INT64", "TIMESTAMP_MICROS"]],
};

function isPlainPrimitive({ element }: ParquetNode, type: DataType & string): boolean {
  const decimal = parseDecimalType(type);
  if (decimal !== undefined) {
    const isDecimal = element.logical_type?.type === "DECIMAL" || element.converted_type === "DECIMAL";
    return isDecimal && element.precision === decimal.precision && (element.scale ?? 0) === decimal.scale;
  }
  const annotation = annotationOf(element);
  return STORED[type]?.some(([physical, wanted]) => element.type === physical && annotation === wanted) ?? false;
}

function annotationOf({ logical_type: logical, converted_type: converted }: ParquetNode["element"]): string {
  switch (logical?.type) {
    case undefined:
      if (converted === "UTF8") return "STRING";
      return converted === "TIMESTAMP_MICROS" ? "TIMESTAMP_MICROS_UTC" : (converted ?? "");
    case "INTEGER":
      return logical.isSigned ? `INT_${logical.bitWidth}` : "unsigned";
    case "TIMESTAMP":
      return logical.unit === "MICROS" ? `TIMESTAMP_MICROS${logical.isAdjustedToUTC ? "_UTC" : ""}` : "another unit";
    default:
      return logical!.type;
  }
}
