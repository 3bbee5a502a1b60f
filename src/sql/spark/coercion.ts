import { parseDecimalType } from "../../schema/decimal.js";
import type { DataType } from "../../schema/types.js";

const INTEGERS = ["byte", "short", "integer", "long"] as const;
const INTEGER_DIGITS: Readonly<Record<string, number>> = { byte: 3, short: 5, integer: 10, long: 20 };

export function isInteger(type: DataType): boolean {
  return typeof type === "string" && (INTEGERS as readonly string[]).includes(type);
}

export function isFractional(type: DataType): boolean {
  return type === "float" || type === "double";
}

export function isDecimal(type: DataType): boolean {
  return typeof type === "string" && parseDecimalType(type) !== undefined;
}

export function isNumeric(type: DataType): boolean {
  return isInteger(type) || isFractional(type) || isDecimal(type);
}

export function isTime(type: DataType): boolean {
  return type === "date" || type === "timestamp" || type === "timestamp_ntz";
}

export function sameType(a: DataType, b: DataType): boolean {
  return a === b || (typeof a !== "string" && typeof b !== "string" && bare(a) === bare(b));
}

/** A type without what its values may be. */
function bare(type: DataType): string {
  if (typeof type === "string") return type;
  if (type.type === "array") return `array<${bare(type.elementType)}>`;
  if (type.type === "map") return `map<${bare(type.keyType)},${bare(type.valueType)}>`;
  return `struct<${type.fields.map((field) => `${JSON.stringify(field.name)}:${bare(field.type)}`).join()}>`;
}

/** Digits of a decimal, or of the decimal that holds an integer type. */
export function digitsOf(type: DataType): { readonly precision: number; readonly scale: number } | undefined {
  if (typeof type !== "string") return undefined;
  const precision = INTEGER_DIGITS[type];
  return precision === undefined ? parseDecimalType(type) : { precision, scale: 0 };
}

/** The type that both are taken for where they meet in a comparison, a CASE and the like; undefined where Spark has none. */
export function commonType(a: DataType, b: DataType): DataType | undefined {
  if (sameType(a, b) || b === "void") return a;
  if (a === "void") return b;
  if (isNumeric(a) && isNumeric(b)) return commonNumber(a, b);
  if (isTime(a) && isTime(b)) return "timestamp";
  if (a === "string" || b === "string") return besideText(a === "string" ? b : a);
  return commonNested(a, b);
}

/** What a text is taken for beside a value of another type. */
function besideText(type: DataType): DataType | undefined {
  if (isInteger(type)) return "long";
  if (isNumeric(type)) return "double";
  return isTime(type) || type === "boolean" || type === "binary" ? type : undefined;
}

/** Whether decimals have one type in common that has all of their digits. */
export function hasExactCommon(a: DataType, b: DataType): boolean {
  const [x, y] = [digitsOf(a)!, digitsOf(b)!];
  return Math.max(x.scale, y.scale) + Math.max(x.precision - x.scale, y.precision - y.scale) <= 38;
}

function commonNested(a: DataType, b: DataType): DataType | undefined {
  if (typeof a === "string" || typeof b === "string" || a.type !== "array" || b.type !== "array") return undefined;
  const elementType = commonType(a.elementType, b.elementType);
  return elementType && { type: "array", elementType, containsNull: true };
}

function commonNumber(a: DataType, b: DataType): DataType | undefined {
  if (isFractional(a) || isFractional(b)) return "double";
  if (isDecimal(a) || isDecimal(b)) {
    const [x, y] = [digitsOf(a)!, digitsOf(b)!];
    const scale = Math.max(x.scale, y.scale);
    const precision = scale + Math.max(x.precision - x.scale, y.precision - y.scale);
    // Digits before the point are kept.
    return precision <= 38 ? `decimal(${precision},${scale})` : `decimal(38,${Math.max(0, scale - (precision - 38))})`;
  }
  const order = INTEGERS as readonly DataType[];
  return order[Math.max(order.indexOf(a), order.indexOf(b))];
}

/** The type of a sum and the like of decimals: of too many digits, those after the point go first. */
export function decimalResult(op: "+" | "-" | "*" | "%", a: DataType, b: DataType): DataType {
  const [x, y] = [digitsOf(a)!, digitsOf(b)!];
  const scale = Math.max(x.scale, y.scale);
  const [xWhole, yWhole] = [x.precision - x.scale, y.precision - y.scale];
  if (op === "*") return bounded(x.precision + y.precision + 1, x.scale + y.scale);
  if (op === "%") return bounded(Math.min(xWhole, yWhole) + scale, scale);
  return bounded(Math.max(xWhole, yWhole) + scale + 1, scale);
}

/** The type of a quotient of decimals. */
export function quotientType(a: DataType, b: DataType): DataType {
  const [x, y] = [digitsOf(a)!, digitsOf(b)!];
  const scale = Math.max(6, x.scale + y.precision + 1);
  return bounded(x.precision - x.scale + y.scale + scale, scale);
}

function bounded(precision: number, scale: number): DataType {
  if (precision <= 38) return `decimal(${precision},${scale})`;
  return `decimal(38,${Math.max(38 - (precision - scale), Math.min(scale, 6))})`;
}
