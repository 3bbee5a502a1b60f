import { parseDate, parseTimestamp } from "../../schema/time.js";
import type { DataType } from "../../schema/types.js";
import { quoteName, quoteText } from "../duckdb.js";
import { sqlType } from "../types.js";
import { digitsOf, isDecimal, isFractional, isInteger, isNumeric, isTime, sameType } from "./coercion.js";
import { OWN_PREFIX } from "./own/own.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

/** DuckDB's type for values of a type; timestamps have no zone, also in others. */
export function duckdbType(type: DataType): string {
  return sqlType(withoutZones(type));
}

function withoutZones(type: DataType): DataType {
  if (typeof type === "string") return type === "timestamp" ? "timestamp_ntz" : type;
  if (type.type === "array") return { ...type, elementType: withoutZones(type.elementType) };
  if (type.type === "map") {
    return { ...type, keyType: withoutZones(type.keyType), valueType: withoutZones(type.valueType) };
  }
  return { ...type, fields: type.fields.map((field) => ({ ...field, type: withoutZones(field.type) })) };
}

/** Whether a type's values have timestamps with a zone in them. */
export function hasZones(type: DataType): boolean {
  if (typeof type === "string") return type === "timestamp";
  if (type.type === "array") return hasZones(type.elementType);
  if (type.type === "map") return hasZones(type.keyType) || hasZones(type.valueType);
  return type.fields.some((field) => hasZones(field.type));
}

/** A literal of Spark as DuckDB's. Throws a Refusal where it is no value of its type. */
export function literalOf(type: DataType, text: string | undefined): Typed {
  if (text === undefined) return { sql: "NULL", type, mayFail: false };
  return { sql: literalSql(type, text), type, literal: text, mayFail: false };
}

function literalSql(type: DataType, text: string): string {
  if (type === "string") {
    if (text.includes("\0")) throw unsupported("a text has a NUL character");
    return `CAST(${quoteText(text)} AS VARCHAR)`;
  }
  if (type === "boolean") return text.toUpperCase();
  if (type === "binary") {
    if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw invalid(`X'${text}' isn't hexadecimal`);
    return `from_hex('${text}')`;
  }
  if (isTime(type)) return timeSql(type, text);
  return `CAST('${text}' AS ${sqlType(type)})`;
}

function timeSql(type: DataType, text: string): string {
  const trimmed = text.trim();
  const days = parseDate(trimmed);
  if (type === "date") {
    if (days === undefined) throw unsupported(`'${text}' isn't understood as a date (write DATE 'yyyy-mm-dd')`);
    return `CAST('${trimmed}' AS DATE)`;
  }
  const micros = days === undefined ? parseTimestamp(trimmed) : { micros: BigInt(days) * 86_400_000_000n, exact: true };
  if (micros === undefined || !micros.exact) throw unsupported(`'${text}' isn't understood as a timestamp`);
  return `make_timestamp(${micros.micros}::BIGINT)`;
}

/** A value where one of another type is wanted, as Spark takes it without being told to. Throws a Refusal where it doesn't. */
export function coerce(value: Typed, type: DataType): Typed {
  if (sameType(value.type, type)) return value;
  if (value.type === "void") return typed(`CAST(NULL AS ${duckdbType(type)})`, type, [value]);
  const isWidened = isNumeric(value.type) && isNumeric(type);
  if (isWidened || (isTime(value.type) && isTime(type))) return castTo(value, type, false);
  if (isArray(value.type) && isArray(type) && isCoercible(value.type.elementType, type.elementType)) {
    return castTo(value, type, false);
  }
  if (value.type === "string" && value.literal !== undefined) return fromText(value.literal, type);
  if (value.type === "string" && typeof type === "string") return castTo(value, type, false);
  throw invalid(`a value of type ${typeText(value.type)} stands where one of type ${typeText(type)} belongs`);
}

type ArrayType = Extract<DataType, { type: "array" }>;

function isArray(type: DataType): type is ArrayType {
  return typeof type !== "string" && type.type === "array";
}

function isCoercible(from: DataType, to: DataType): boolean {
  if (sameType(from, to) || from === "void" || (isNumeric(from) && isNumeric(to)) || (isTime(from) && isTime(to)))
    return true;
  return isArray(from) && isArray(to) && isCoercible(from.elementType, to.elementType);
}

/** A literal text for a value of another type. */
function fromText(text: string, type: DataType): Typed {
  const trimmed = text.trim();
  const isNumber = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed);
  if (isNumeric(type) && !(isInteger(type) ? /^[+-]?\d+$/.test(trimmed) : isNumber)) {
    throw invalid(`'${text}' isn't of type ${typeText(type)}`);
  }
  if (type === "boolean" && !/^(?:true|false)$/i.test(trimmed)) throw unsupported(`'${text}' as a boolean`);
  if (typeof type !== "string" || type === "binary") throw unsupported(`a text as a value of type ${typeText(type)}`);
  return literalOf(type, trimmed);
}

/** What CAST does, with errors where Spark's ANSI mode has them; null instead of those with `isTry`. */
export function castTo(value: Typed, type: DataType, isTry: boolean): Typed {
  if (sameType(value.type, type)) return value;
  if (value.type === "void") return typed(`CAST(NULL AS ${duckdbType(type)})`, type, [value]);
  const sql = castSql(value, type, isTry ? "TRY_CAST" : "CAST", isTry);
  return typed(sql, type, [value], !isTry);
}

function castSql({ sql, type: from, literal }: Typed, to: DataType, cast: "CAST" | "TRY_CAST", isTry: boolean): string {
  const plain = `${cast}(${sql} AS ${duckdbType(to)})`;
  if (isArray(from) && isArray(to)) {
    if (from.elementType === "void") return plain;
    const item = quoteName(`item of ${typeText(from.elementType)}`);
    const inner: Typed = { sql: item, type: from.elementType, mayFail: false };
    return `list_transform(${sql}, lambda ${item}: ${castTo(inner, to.elementType, isTry).sql})`;
  }
  if (isEmptyMap(from) && typeof to !== "string" && to.type === "map") return plain;
  if (from === "string") return fromString(sql, to, cast, isTry);
  if (to === "string") return textSql(sql, from);
  if (isInteger(from)) {
    if (isNumeric(to)) return plain;
    if (to === "boolean") return `(${sql} <> 0)`;
    if (to === "timestamp") return `make_timestamp(CAST(${sql} AS BIGINT) * 1000000)`;
  }
  if (isFractional(from)) {
    // Spark cuts off, DuckDB rounds.
    if (isInteger(to)) return `${cast}(trunc(${sql}) AS ${duckdbType(to)})`;
    if (isFractional(to)) return plain;
    if (to === "boolean") return `(${sql} <> 0)`;
    if (to === "timestamp") return `make_timestamp(${cast}(trunc(CAST(${sql} AS DOUBLE) * 1000000) AS BIGINT))`;
    if (isDecimal(to)) {
      const digits = `${OWN_PREFIX}double_digits(CAST(${sql} AS DOUBLE), ${digitsOf(to)!.scale})`;
      return `${cast}(${digits} AS ${to as string})`;
    }
  }
  if (isDecimal(from)) {
    if (literal !== undefined && isNumeric(to) && !isInteger(to)) return literalSql(to, literal);
    if (isInteger(to)) return `${cast}(trunc(${sql}) AS ${duckdbType(to)})`;
    if (isDecimal(to)) return plain;
    // The double nearest to it, which DuckDB's own cast may miss.
    if (isFractional(to)) return `${cast}(CAST(${sql} AS VARCHAR) AS ${duckdbType(to)})`;
    if (to === "boolean") return `(${sql} <> 0)`;
    if (to === "timestamp") {
      const micros = `${OWN_PREFIX}decimals(CAST(${sql} AS VARCHAR), '*', '1000000', 6)`;
      return `make_timestamp(${cast}(trunc(CAST(${micros} AS DECIMAL(38,6))) AS BIGINT))`;
    }
  }
  if (from === "boolean" && (isInteger(to) || isFractional(to))) return plain;
  if (isTime(from) && isTime(to)) return plain;
  if (from === "boolean" && isDecimal(to)) return `${cast}(CAST(${sql} AS INTEGER) AS ${duckdbType(to)})`;
  if (from === "timestamp" && isInteger(to))
    return `${cast}(${floorDiv(`epoch_us(${sql})`, 1_000_000)} AS ${duckdbType(to)})`;
  if (from === "timestamp" && (isFractional(to) || isDecimal(to))) {
    const seconds: Typed = { sql: `(epoch_us(${sql}) / 1000000::DOUBLE)`, type: "double", mayFail: false };
    return castTo(seconds, to, isTry).sql;
  }
  throw unsupported(`a cast from ${typeText(from)} to ${typeText(to)}`);
}

/** The usual forms of dates and times, which DuckDB knows. */
const STRINGS: Readonly<Record<string, string>> = {
  date: "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
  timestamp: "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]{1,6})?)?Z?)?",
};

function fromString(sql: string, to: DataType, cast: string, isTry: boolean): string {
  // Spark takes away spaces and control characters.
  const text = `regexp_replace(${sql}, '^[\\x00-\\x20]+|[\\x00-\\x20]+$', '', 'g')`;
  const guarded = (pattern: string, value: string) => {
    const failure = isTry ? "NULL" : `error('no value of its type: ' || ${sql})`;
    return `CASE WHEN ${sql} IS NULL THEN NULL WHEN regexp_full_match(${text}, '${pattern}') THEN ${value} ELSE ${failure} END`;
  };
  const plain = `${cast}(${text} AS ${duckdbType(to)})`;
  if (isInteger(to)) return guarded("[+-]?[0-9]+", plain);
  if (isFractional(to)) {
    // Java lets a number end in D or F.
    const bare = `${cast}(regexp_replace(${text}, '([0-9.])[dDfF]$', '\\1') AS ${duckdbType(to)})`;
    return guarded("(?i)[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[+-]?[0-9]+)?[df]?|nan|[+-]?inf(inity)?", bare);
  }
  if (isDecimal(to)) return guarded("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)", plain);
  if (to === "boolean") {
    const word = `lower(${text})`;
    const [yes, no] = ["'t', 'true', 'y', 'yes', '1'", "'f', 'false', 'n', 'no', '0'"];
    return guarded(
      "(?i)t|true|y|yes|1|f|false|n|no|0",
      `CASE WHEN ${word} IN (${yes}) THEN TRUE WHEN ${word} IN (${no}) THEN FALSE END`,
    );
  }
  if (to === "date" || to === "timestamp" || to === "timestamp_ntz") {
    const usual = to === "date" ? plain : `${cast}(rtrim(${text}, 'Z') AS TIMESTAMP)`;
    const other = `make_timestamp(${OWN_PREFIX}${isTry ? "try_" : ""}cast_time(${sql}, '${to}'))`;
    const isUsual = `regexp_full_match(${text}, '${STRINGS[to === "date" ? "date" : "timestamp"]}')`;
    return `CASE WHEN ${isUsual} THEN ${usual} ELSE CAST(${other} AS ${duckdbType(to)}) END`;
  }
  if (to === "binary") return `encode(${sql})`;
  throw unsupported(`a cast from string to ${typeText(to)}`);
}

function textSql(sql: string, from: DataType): string {
  if (isInteger(from) || isDecimal(from) || from === "boolean" || from === "date") return `CAST(${sql} AS VARCHAR)`;
  // Spark and DuckDB both leave zeros at the end away.
  if (isTime(from)) return `CAST(${sql} AS VARCHAR)`;
  if (isFractional(from)) return `${OWN_PREFIX}${from as string}_text(CAST(${sql} AS DOUBLE))`;
  if (from === "binary") return `decode(${sql})`;
  if (typeof from !== "string") return nestedText(sql, from);
  throw unsupported(`a cast from ${typeText(from)} to string`);
}

/** `[1, null]`, `{key -> value}` and `{a, b}`. */
function nestedText(sql: string, type: Exclude<DataType, string>): string {
  const text = (item: string, of: DataType) =>
    `coalesce(${castTo({ sql: item, type: of, mayFail: false }, "string", false).sql}, 'null')`;
  const list = (of: string, item: string, each: string) =>
    `coalesce(array_to_string(list_transform(${of}, lambda ${item}: ${each}), ', '), '')`;
  const item = quoteName(`text of ${typeText(type)} ${sql.length}`);
  const inner =
    type.type === "array"
      ? list(sql, item, text(item, type.elementType))
      : type.type === "map"
        ? list(
            `map_entries(${sql})`,
            item,
            `${text(`${item}.key`, type.keyType)} || ' -> ' || ${text(`${item}.value`, type.valueType)}`,
          )
        : type.fields
            .map((field) => text(`struct_extract(${sql}, ${quoteText(field.name)})`, field.type))
            .join(" || ', ' || ");
  const [open, close] = type.type === "array" ? ["[", "]"] : ["{", "}"];
  return `(CASE WHEN ${sql} IS NOT NULL THEN '${open}' || ${inner || "''"} || '${close}' END)`;
}

/** A whole number divided by a constant, rounded down. */
export function floorDiv(sql: string, by: number): string {
  return `((${sql} - (((${sql} % ${by}) + ${by}) % ${by})) // ${by})`;
}

function isEmptyMap(type: DataType): boolean {
  return typeof type !== "string" && type.type === "map" && type.keyType === "void";
}

/** Passes where a value of a type can be stored in a column of another as Spark's ANSI store assignment has it. */
export function isStorable(from: DataType, to: DataType): boolean {
  if (sameType(from, to) || from === "void") return true;
  if (isNumeric(from) && isNumeric(to)) return true;
  if (isTime(from) && isTime(to)) return true;
  if (isArray(from) && isArray(to)) return isStorable(from.elementType, to.elementType);
  if (isEmptyMap(from) && typeof to !== "string" && to.type === "map") return true;
  return (
    to === "string" && typeof from === "string" && (digitsOf(from) !== undefined || from === "boolean" || isTime(from))
  );
}
