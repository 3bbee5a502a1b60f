import { datePosition, exactPosition, floatPosition, nonFinitePosition, type Position } from "../schema/comparison.js";
import {
  type ExactDecimal,
  exactDecimalOfDouble,
  parseDecimal,
  parseDecimalType,
  unscaledToDecimal,
} from "../schema/decimal.js";
import { valuePosition } from "../schema/literalValue.js";
import { integerRange } from "../schema/numbers.js";
import { microsOfDays, parseDate, parseTimestamp } from "../schema/time.js";
import type { DataType } from "../schema/types.js";
import type { SqlNode } from "./expression.js";

/** A constant of a SQL expression. */
export type Operand =
  | { readonly kind: "null" }
  | { readonly kind: "exact"; readonly value: ExactDecimal }
  | { readonly kind: "double" | "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "binary"; readonly value: Uint8Array }
  | { readonly kind: "time"; readonly micros: bigint };

/** The constant that a node is, where that shows without asking DuckDB; `undefined` where it doesn't. */
export function operandOfNode(node: SqlNode): Operand | undefined {
  if (node.class === "CONSTANT") return operandOfConstant(node.value as Constant);
  if (node.type !== "OPERATOR_CAST" || node.try_cast) return undefined;
  const inner = operandOfNode(node.child as SqlNode);
  if (inner?.kind !== "string") return undefined;
  return operandOfText((node.cast_type as { id: string }).id, inner.value);
}

/** The constant that DuckDB gave as its type's name and as text; `undefined` for types that no column is compared with. */
export function operandOfResult(typeName: string, text: string | null, hex: string | null): Operand | undefined {
  if (text === null) return { kind: "null" };
  if (typeName === "VARCHAR") return { kind: "string", value: text };
  if (typeName === "BLOB") return { kind: "binary", value: Uint8Array.from(Buffer.from(hex ?? "", "hex")) };
  if (typeName === "DOUBLE" || typeName === "FLOAT") {
    const named = /^(-?)(inf|nan)/.exec(text);
    const value = named ? (named[2] === "nan" ? Number.NaN : named[1] ? -Infinity : Infinity) : Number(text);
    return typeName === "FLOAT" ? { kind: "float", value: Math.fround(value) } : { kind: "double", value };
  }
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(.*\))$/.test(typeName)) return exact(parseDecimal(text));
  return operandOfText(typeName, text.toLowerCase() === "true" ? "t" : text.toLowerCase() === "false" ? "f" : text);
}

/** Where a constant lies among the values of a column; `undefined` where only DuckDB knows how they compare. */
export function operandPosition(type: DataType, operand: Exclude<Operand, { kind: "null" }>): Position | undefined {
  if (integerRange(type) || parseDecimalType(type)) return numberPosition(type, operand);
  switch (type) {
    case "float":
    case "double":
      return floatingPosition(type, operand);
    case "boolean":
    case "string":
      return operand.kind === type ? { below: operand.value, exact: true } : undefined;
    case "binary":
      return binaryPosition(operand);
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return timePosition(type, operand);
    default:
      return undefined;
  }
}

interface Constant {
  readonly type: { readonly id: string; readonly type_info: { readonly scale?: number } | null };
  readonly is_null: boolean;
  readonly value?:
    | number
    | bigint
    | string
    | boolean
    | { readonly upper: number | bigint; readonly lower: number | bigint };
}

function operandOfConstant({ type, is_null, value }: Constant): Operand | undefined {
  if (is_null) return { kind: "null" };
  if (type.id === "VARCHAR") return { kind: "string", value: String(value) };
  if (type.id === "BOOLEAN") return { kind: "boolean", value: value === true };
  if (type.id === "DOUBLE") return { kind: "double", value: Number(value) };
  if (type.id === "DECIMAL") return exact({ unscaled: integerOf(value), scale: type.type_info?.scale ?? 0 });
  if (/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/.test(type.id))
    return exact({ unscaled: integerOf(value), scale: 0 });
  return undefined;
}

function integerOf(value: Constant["value"]): bigint {
  if (typeof value === "object") return (BigInt(value.upper) << 64n) + BigInt(value.lower);
  return BigInt(value as number | bigint);
}

const PLAIN_DATE = /^\d{4}-\d{2}-\d{2}$/;
const PLAIN_TIMESTAMP = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?/;

function operandOfText(typeName: string, text: string): Operand | undefined {
  if (typeName === "BOOLEAN" && (text === "t" || text === "f")) return { kind: "boolean", value: text === "t" };
  if (typeName === "DATE" && PLAIN_DATE.test(text)) {
    const days = parseDate(text);
    return days === undefined ? undefined : { kind: "time", micros: microsOfDays(days) };
  }
  if (!typeName.startsWith("TIMESTAMP") || !(PLAIN_TIMESTAMP.test(text) || PLAIN_DATE.test(text))) return undefined;
  const parsed = parseTimestamp(text);
  const fits = parsed?.exact && (!parsed.zoned || typeName === "TIMESTAMP WITH TIME ZONE");
  return fits ? { kind: "time", micros: parsed.micros } : undefined;
}

function exact(value: ExactDecimal | undefined): Operand | undefined {
  return value && { kind: "exact", value };
}

function numberPosition(type: DataType, operand: Operand): Position | undefined {
  switch (operand.kind) {
    case "exact":
      return exactPosition(type, operand.value);
    case "double":
    case "float": {
      const { value } = operand;
      if (!Number.isFinite(value)) return nonFinitePosition(value);
      return exactPosition(type, parseDecimalType(type) ? parseDecimal(String(value))! : exactDecimalOfDouble(value));
    }
    case "string": {
      const parsed = parseDecimal(operand.value);
      const position = parsed && exactPosition(type, parsed);
      return position?.below !== undefined && position.exact ? position : undefined;
    }
    default:
      return undefined;
  }
}

/** A decimal or integer constant is rounded to the column's type; a double is compared with a float column exactly. */
function floatingPosition(type: "float" | "double", operand: Operand): Position | undefined {
  switch (operand.kind) {
    case "exact": {
      const { unscaled, scale } = operand.value;
      return valuePosition(type, Number(unscaledToDecimal(unscaled, scale)), []);
    }
    case "double":
      return type === "float" ? floatPosition(operand.value) : { below: operand.value, exact: true };
    case "float":
      return { below: operand.value, exact: true };
    case "string":
      return parseDecimal(operand.value) && valuePosition(type, Number(operand.value), []);
    default:
      return undefined;
  }
}

function binaryPosition(operand: Operand): Position | undefined {
  if (operand.kind === "binary") return { below: operand.value, exact: true };
  // Beyond plain text DuckDB's string to BLOB conversion has escapes.
  if (operand.kind !== "string" || !/^[ -[\]-~]*$/.test(operand.value)) return undefined;
  return { below: new TextEncoder().encode(operand.value), exact: true };
}

function timePosition(type: "date" | "timestamp" | "timestamp_ntz", operand: Operand): Position | undefined {
  const given =
    operand.kind === "string" ? operandOfText(type === "date" ? "DATE" : SQL_NAMES[type], operand.value) : operand;
  if (given?.kind !== "time") return undefined;
  if (type !== "date") return { below: given.micros, exact: true };
  return datePosition(given.micros);
}

const SQL_NAMES = { timestamp: "TIMESTAMP WITH TIME ZONE", timestamp_ntz: "TIMESTAMP" } as const;
