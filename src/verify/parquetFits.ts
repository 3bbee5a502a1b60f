import type { SchemaElement } from "hyparquet";
import { isGroup, type ParquetNode } from "../parquet/fileSchema.js";
import { parseDecimalType } from "../schema/decimal.js";
import { valueType } from "../schema/geo.js";
import type { DataType, PrimitiveType, StructType } from "../schema/types.js";

/** What a Parquet column holds, whatever it is called. */
type Leaf =
  | { readonly kind: "boolean" | "date" | "timestamp" | "string" | "binary" | "other" }
  | { readonly kind: "integer"; readonly bits: number; readonly isSigned: boolean }
  | { readonly kind: "float"; readonly bits: number }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number };

/**
 * Whether a Parquet column can be read as a Delta type, by the file's schema alone: the same type or a narrower one. Fields
 * that a struct of the file lacks are read as null.
 */
export function parquetFits(node: ParquetNode, type: DataType): boolean {
  // A void column is null whatever a file holds.
  if (type === "void") return true;
  if (type === "variant")
    return isGroup(node.element) && node.children.some(({ element }) => element.name === "metadata");
  if (typeof type === "string")
    return !isGroup(node.element) && !isRepeated(node) && leafFits(leafOf(node.element), valueType(type));
  if (type.type === "struct") {
    return isGroup(node.element) && !isAnnotated(node, "LIST") && !isAnnotated(node, "MAP") && fieldsFit(node, type);
  }
  if (type.type === "array") {
    const element = elementOf(node);
    return (
      element !== undefined &&
      (element.isPlain ? parquetFitsOnce(element.node, type.elementType) : parquetFits(element.node, type.elementType))
    );
  }
  const [entries] = node.children;
  const [key, value] = entries?.children ?? [];
  if (key === undefined || !isAnnotated(node, "MAP")) return false;
  return parquetFits(key, type.keyType) && (value === undefined || parquetFits(value, type.valueType));
}

function fieldsFit(node: ParquetNode, { fields }: StructType): boolean {
  return fields.every(({ name, type }) => {
    const child =
      node.children.find((candidate) => candidate.element.name === name) ??
      node.children.find((candidate) => candidate.element.name.toLowerCase() === name.toLowerCase());
    return child === undefined || parquetFits(child, type);
  });
}

/** A repeated node as one of its values. */
function parquetFitsOnce(node: ParquetNode, type: DataType): boolean {
  return parquetFits({ ...node, element: { ...node.element, repetition_type: "REQUIRED" } }, type);
}

/** The elements of a list, in its present form and the older ones (Parquet's LogicalTypes.md, Lists). */
function elementOf(node: ParquetNode): { readonly node: ParquetNode; readonly isPlain: boolean } | undefined {
  if (isRepeated(node)) return { node, isPlain: true };
  const [repeated] = node.children;
  if (!isAnnotated(node, "LIST") || repeated === undefined) return undefined;
  const { name } = repeated.element;
  const isElement =
    !isGroup(repeated.element) ||
    repeated.children.length !== 1 ||
    name === "array" ||
    name === `${node.element.name}_tuple`;
  return isElement ? { node: repeated, isPlain: true } : { node: repeated.children[0]!, isPlain: false };
}

function isRepeated({ element }: ParquetNode): boolean {
  return element.repetition_type === "REPEATED";
}

function isAnnotated({ element }: ParquetNode, what: "LIST" | "MAP"): boolean {
  const annotation = element.logical_type?.type ?? element.converted_type ?? "";
  return annotation === what || (what === "MAP" && annotation === "MAP_KEY_VALUE");
}

function leafOf(element: SchemaElement): Leaf {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (logical?.type === "DECIMAL" || converted === "DECIMAL") {
    const { precision, scale } = logical?.type === "DECIMAL" ? logical : element;
    return { kind: "decimal", precision: precision ?? 0, scale: scale ?? 0 };
  }
  switch (type) {
    case "BOOLEAN":
      return { kind: "boolean" };
    case "FLOAT":
      return { kind: "float", bits: 32 };
    case "DOUBLE":
      return { kind: "float", bits: 64 };
    case "INT96":
      return { kind: "timestamp" };
    case "INT32":
    case "INT64":
      return integerLeaf(element, type === "INT32" ? 32 : 64);
    default:
      return bytesLeaf(element);
  }
}

function integerLeaf({ converted_type: converted, logical_type: logical }: SchemaElement, bits: number): Leaf {
  if (logical?.type === "INTEGER") return { kind: "integer", bits: logical.bitWidth, isSigned: logical.isSigned };
  if (logical?.type === "DATE" || converted === "DATE") return { kind: "date" };
  if (logical?.type === "TIMESTAMP" || converted?.startsWith("TIMESTAMP")) return { kind: "timestamp" };
  if (logical?.type === "TIME" || converted?.startsWith("TIME")) return { kind: "other" };
  const sized = /^(U?)INT_(\d+)$/.exec(converted ?? "");
  if (sized === null) return { kind: "integer", bits, isSigned: true };
  return { kind: "integer", bits: Number(sized[2]), isSigned: sized[1] === "" };
}

function bytesLeaf({ converted_type: converted, logical_type: logical }: SchemaElement): Leaf {
  if (logical?.type === "FLOAT16") return { kind: "float", bits: 16 };
  if (logical?.type === "INTERVAL" || converted === "INTERVAL") return { kind: "other" };
  const annotation = logical?.type ?? converted ?? "";
  return { kind: ["STRING", "UTF8", "ENUM", "JSON"].includes(annotation) ? "string" : "binary" };
}

const INTEGER_BITS: Readonly<Record<string, number>> = { byte: 8, short: 16, integer: 32, long: 64 };
/** Decimal digits that integers of so many bits may need. */
const DIGITS: Readonly<Record<number, number>> = { 8: 3, 16: 5, 32: 10, 64: 20 };

function leafFits(leaf: Leaf, type: PrimitiveType): boolean {
  const bits = INTEGER_BITS[type];
  if (bits !== undefined) {
    if (leaf.kind !== "integer") return false;
    // Unsigned 64-bit values are checked one by one, and so are those of 32 bits, which old writers have for shorter ones.
    if (leaf.isSigned && leaf.bits === 32) return true;
    return leaf.isSigned || leaf.bits === 64 ? leaf.bits <= bits : leaf.bits < bits;
  }
  const decimal = parseDecimalType(type);
  if (decimal !== undefined) {
    const whole = decimal.precision - decimal.scale;
    if (leaf.kind === "integer")
      return (DIGITS[leaf.bits] ?? 20) - (leaf.bits === 64 && leaf.isSigned ? 1 : 0) <= whole;
    return leaf.kind === "decimal" && leaf.scale <= decimal.scale && leaf.precision - leaf.scale <= whole;
  }
  switch (type) {
    case "float":
      return leaf.kind === "float" ? leaf.bits <= 32 : leaf.kind === "integer" && leaf.bits <= 16;
    case "double":
      return leaf.kind === "float" || (leaf.kind === "integer" && leaf.bits <= 32);
    case "string":
      // Old writers leave the annotation out.
      return leaf.kind === "string" || leaf.kind === "binary";
    case "timestamp_ntz":
      return leaf.kind === "timestamp" || leaf.kind === "date";
    default:
      return leaf.kind === type;
  }
}
