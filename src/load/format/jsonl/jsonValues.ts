import { VariantJson } from "../../../arrow/variant/values.js";
import { DeltaError } from "../../../errors.js";
import { decimalToUnscaled } from "../../../schema/decimal.js";
import type { DataType, StructType } from "../../../schema/types.js";
import { JsonNumber } from "./jsonNumbers.js";
import { jsonText } from "./jsonText.js";

/** Turns a JSON value into one that a column of the type takes; arrays and objects are changed in place. */
type Convert = (value: unknown) => unknown;

/** Makes a text of what isn't one, for columns of texts; without it they refuse that. */
export type ToText = (value: unknown) => string;

const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Turns rows of JSON, as `read --format jsonl` writes them, into rows for columns of this schema, in place. What a column
 * can't take is left for the column to refuse; an overlong number and a text that isn't base64 are
 * DELTA_VALUE_OUT_OF_RANGE (column, value, type).
 */
export function jsonRowConverter(schema: StructType, toText?: ToText): (row: Record<string, unknown>) => void {
  const convert = structConverter(schema, "", toText);
  return (row) => void convert(row);
}

/** The same for the values of one column. */
export function jsonConverter(type: DataType, column: string, toText?: ToText): Convert {
  const convert = valueConverter(type, column, toText);
  return (value) => (value === null || value === undefined ? null : convert(value));
}

function valueConverter(type: DataType, column: string, toText: ToText | undefined): Convert {
  switch (type) {
    case "byte":
    case "short":
    case "integer":
    case "long":
      return (value) =>
        value instanceof JsonNumber ? (decimalToUnscaled(value.text, 0) ?? Number(value.text)) : value;
    case "float":
    case "double":
      return (value) => floatOf(value, type, column);
    case "binary":
      return (value) => bytesOf(value, column);
    case "variant":
      // As JSON text where it has numbers, whose digits count.
      return (value) =>
        typeof value === "string" || value === true || value === false ? value : variantOf(value, toText);
    case "string":
      if (toText !== undefined) return (value) => (typeof value === "string" ? value : toText(value));
  }
  // A decimal takes the text as it is; other types refuse the number.
  if (typeof type === "string") {
    const isDecimal = type.startsWith("decimal");
    return (value) => (value instanceof JsonNumber ? (isDecimal ? value.text : Number(value.text)) : value);
  }
  if (type.type === "struct") return structConverter(type, `${column}.`, toText);
  if (type.type === "array") {
    const convert = jsonConverter(type.elementType, `${column}.element`, toText);
    return (value) => (Array.isArray(value) ? value.map(convert) : value);
  }
  const convertKey = jsonConverter(type.keyType, `${column}.key`, toText);
  const convertValue = jsonConverter(type.valueType, `${column}.value`, toText);
  const convertPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 ? [convertKey(pair[0]), convertValue(pair[1])] : pair;
  return (value) => {
    if (Array.isArray(value)) return value.map(convertPair);
    return isObject(value) ? new Map(Object.entries(value).map(([key, item]) => [key, convertValue(item)])) : value;
  };
}

function structConverter(type: StructType, prefix: string, toText: ToText | undefined): Convert {
  const fields = type.fields
    .filter((field) => !isPassed(field.type))
    .map((field) => ({ name: field.name, convert: jsonConverter(field.type, prefix + field.name, toText) }));
  return (value) => {
    if (!isObject(value)) return value;
    for (const { name, convert } of fields) {
      if (Object.hasOwn(value, name)) value[name] = convert(value[name]);
    }
    return value;
  };
}

/** True where no JSON value needs a change: no number belongs there. */
function isPassed(type: DataType): boolean {
  return type === "boolean";
}

function floatOf(value: unknown, type: DataType, column: string): unknown {
  if (typeof value === "string") return Object.hasOwn(NOT_FINITE, value) ? NOT_FINITE[value] : value;
  const number = value instanceof JsonNumber ? Number(value.text) : value;
  if (typeof number === "number" && !Number.isFinite(number)) {
    const text = value instanceof JsonNumber ? value.text : String(value);
    throw badValue(column, type, text, "its size is beyond the largest one");
  }
  return number;
}

function variantOf(value: unknown, toText: ToText | undefined): unknown {
  return new VariantJson((toText ?? jsonText)(value));
}

function bytesOf(value: unknown, column: string): unknown {
  if (typeof value === "string" && BASE64.test(value)) return Buffer.from(value, "base64");
  throw badValue(column, "binary", value, "give its base64 text");
}

function badValue(column: string, type: DataType, value: unknown, why: string): DeltaError {
  const shown = JSON.stringify(value).slice(0, 60);
  return new DeltaError(
    "DELTA_VALUE_OUT_OF_RANGE",
    `column "${column}": ${shown} is no value of type ${type}; ${why}.`,
    {
      column,
      value,
      type,
    },
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}
