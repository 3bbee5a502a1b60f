import type { DataType } from "../../schema/types.js";
import { quoteText } from "../duckdb.js";
import { ARRAY_FUNCTIONS } from "./arrayFunctions.js";
import { BIT_FUNCTIONS } from "./bitFunctions.js";
import { castTo, coerce, literalOf } from "./cast.js";
import { digitsOf, isFractional, isInteger, isNumeric } from "./coercion.js";
import { DATE_FUNCTIONS } from "./dateFunctions.js";
import { NUMBER_FUNCTIONS } from "./numberFunctions.js";
import { arithmetic } from "./operators.js";
import { TEXT_FUNCTIONS } from "./textFunctions.js";
import { literalRegex, literalText, textual } from "./textValues.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

/** What a function may need beside its arguments. */
export interface CallContext {
  readonly nowMicros: bigint;
  toCommon(values: readonly Typed[]): Typed[];
}

/** A function of Spark SQL: how many arguments it takes, and what it is in DuckDB's SQL. */
export interface FunctionRow {
  readonly least: number;
  /** Default: the same. */
  readonly most?: number;
  readonly make: (args: readonly Typed[], context: CallContext) => Typed;
}

const ANY = 1000;

/** Each argument as a value of a type; the last type is that of the rest. */
function simple(
  types: readonly DataType[],
  result: DataType,
  sql: (...args: string[]) => string,
  mayFail = false,
): FunctionRow {
  return {
    least: types.length,
    make(args) {
      const values = args.map((arg, index) => textual(arg, types[index]!));
      return typed(sql(...values.map((value) => value.sql)), result, values, mayFail);
    },
  };
}

/** LIKE with the escape character of Spark, a backslash; ILIKE of what both are in small letters. */
export function likeSql(kind: "like" | "ilike", value: Typed, pattern: Typed, escaping: string): Typed {
  const [text, like] = [value, pattern].map((one) => {
    const own = textual(one, "string");
    return kind === "like" ? own : { ...lower.make([own], NO_CONTEXT), literal: own.literal };
  }) as [Typed, Typed];
  return typed(
    `(${text.sql} LIKE ${like.sql} ESCAPE ${quoteText(escaping)})`,
    "boolean",
    [text, like],
    like.literal === undefined,
  );
}

const NO_CONTEXT: CallContext = { nowMicros: 0n, toCommon: (values) => [...values] };

function like(kind: "like" | "ilike"): FunctionRow {
  return {
    least: 2,
    most: 3,
    make: ([value, pattern, escaping]) =>
      likeSql(kind, value!, pattern!, escaping === undefined ? "\\" : literalText(escaping, "an escape character")),
  };
}

export function regexSql(value: Typed, pattern: Typed): Typed {
  const text = textual(value, "string");
  const asciiOnly = /(?<!\\)(?:\\\\)*\\b/.test(literalText(pattern, "a pattern"));
  const regex = literalRegex(pattern, { bounds: true });
  const sql = `regexp_matches(${text.sql}, ${quoteText(regex)})`;
  if (!asciiOnly) return typed(sql, "boolean", [text]);
  // Where words of other letters end, Java and RE2 don't agree.
  const other = `regexp_matches(${text.sql}, '[^\\x00-\\x7F]')`;
  return typed(
    `(CASE WHEN ${other} THEN error('word boundaries beside letters beyond ASCII') ELSE ${sql} END)`,
    "boolean",
    [text],
    true,
  );
}

const STRING = "string" as const;
/** Letters that become several in capitals, but ß, and small ones that depend on their place: DuckDB leaves them or knows one form. */
const SPECIAL_CAPITALS =
  "[\\x{149}\\x{1F0}\\x{390}\\x{3B0}\\x{587}\\x{1E96}-\\x{1E9A}\\x{1F50}-\\x{1F56}\\x{1F80}-\\x{1FFC}\\x{FB00}-\\x{FB17}]";
const SPECIAL_SMALL = "[\\x{130}\\x{3A3}]";

function unless(text: string, pattern: string, sql: string): string {
  return `(CASE WHEN regexp_matches(${text}, '${pattern}') THEN error('letters whose other case DuckDB has not') ELSE ${sql} END)`;
}

const upper = simple([STRING], STRING, (s) => unless(s, SPECIAL_CAPITALS, `upper(replace(${s}, 'ß', 'SS'))`), true);
const lower = simple([STRING], STRING, (s) => unless(s, SPECIAL_SMALL, `lower(${s})`), true);
const reverse: FunctionRow = {
  least: 1,
  make([value]) {
    if (typeof value!.type !== "string" && value!.type.type === "array")
      return typed(`list_reverse(${value!.sql})`, value!.type, [value!]);
    const text = textual(value!, "string");
    return typed(`reverse(${text.sql})`, "string", [text]);
  },
};
const rlike: FunctionRow = { least: 2, make: ([s, p]) => regexSql(s!, p!) };

const length: FunctionRow = {
  least: 1,
  make([value]) {
    if (value!.type === "binary") return typed(`CAST(octet_length(${value!.sql}) AS INTEGER)`, "integer", [value!]);
    const text = textual(value!, "string");
    return typed(`CAST(length(${text.sql}) AS INTEGER)`, "integer", [text]);
  },
};

const substring: FunctionRow = {
  least: 2,
  most: 3,
  make([value, from, count]) {
    const text = textual(value!, "string");
    const at = coerce(from!, "integer");
    const size = count && coerce(count, "integer");
    const length = `length(${text.sql})`;
    // Zero is the first character as one is, and numbers below zero count from the end; what lies before the beginning counts too.
    const start = `(CASE WHEN ${at.sql} > 0 THEN ${at.sql}::BIGINT - 1 WHEN ${at.sql} < 0 THEN ${length} + ${at.sql} ELSE 0 END)`;
    const end = size === undefined ? length : `least(${start} + ${size.sql}, ${length})`;
    const sql = `substring(${text.sql}, greatest(${start}, 0) + 1, greatest(${end} - greatest(${start}, 0), 0))`;
    const nulls = size === undefined ? at.sql : `${at.sql} IS NULL OR ${size.sql}`;
    return typed(
      `(CASE WHEN ${nulls} IS NULL THEN NULL ELSE ${sql} END)`,
      "string",
      size === undefined ? [text, at] : [text, at, size],
    );
  },
};

function side(name: "left" | "right"): FunctionRow {
  return simple([STRING, "integer"], STRING, (s, n) => `${name}(${s}, greatest(${n}, 0 + 0 * ${n}))`);
}

function pad(name: "lpad" | "rpad"): FunctionRow {
  return {
    least: 2,
    most: 3,
    make([value, count, fill = literalOf("string", " ")]) {
      const [text, size, filling] = [textual(value!, "string"), coerce(count!, "integer"), textual(fill, "string")];
      const length = `greatest(${size.sql}, 0 * ${size.sql})`;
      const padded = `${name}(${text.sql}, ${length}, ${filling.sql})`;
      const sql =
        filling.literal === undefined || filling.literal === ""
          ? `(CASE WHEN ${filling.sql} = '' THEN left(${text.sql}, ${length}) ELSE ${padded} END)`
          : padded;
      return typed(sql, "string", [text, size, filling]);
    },
  };
}

const concat: FunctionRow = {
  least: 0,
  most: ANY,
  make(args, { toCommon }) {
    if (args.length === 0) return literalOf("string", "");
    const isOne = args.every(({ type }) => typeof type !== "string" || type === "binary" || type === "void");
    if (isOne && args.some(({ type }) => type !== "void")) return joined(toCommon(args));
    if (args.some(({ type }) => typeof type !== "string" || type === "binary"))
      throw unsupported("concat of texts and others");
    const texts = args.map((arg) => textual(arg, "string"));
    return typed(`(${texts.map(({ sql }) => sql).join(" || ")})`, "string", texts);
  },
};

/** Bytes, or arrays: null where one of them is. */
function joined(values: readonly Typed[]): Typed {
  const { type } = values[0]!;
  if (typeof type !== "string" && type.type !== "array") throw invalid(`concat of values of type ${typeText(type)}`);
  const nulls = values.map(({ sql }) => `${sql} IS NULL`).join(" OR ");
  const sql = values.map((value) => value.sql).join(" || ");
  return typed(`(CASE WHEN ${nulls} THEN NULL ELSE ${sql} END)`, type, values);
}

const concatWs: FunctionRow = {
  least: 1,
  most: ANY,
  make([first, ...others]) {
    const between = textual(first!, "string");
    const isArray = ({ type }: Typed) =>
      typeof type !== "string" && type.type === "array" && type.elementType === "string";
    const parts = others.map((arg) => {
      if (isArray(arg)) return arg;
      if (typeof arg.type !== "string" && arg.type.type === "array") return castTo(arg, TEXTS, false);
      if (typeof arg.type !== "string" || arg.type === "binary") throw unsupported("concat_ws of other than texts");
      return textual(arg, "string");
    });
    if (parts.length === 0) return typed(`left(${between.sql}, 0)`, "string", [between]);
    if (!parts.some(isArray)) {
      return typed(`concat_ws(${[between, ...parts].map(({ sql }) => sql).join(", ")})`, "string", [between, ...parts]);
    }
    const lists = parts.map((part) => (isArray(part) ? `coalesce(${part.sql}, [])` : `[${part.sql}]`)).join(" || ");
    const sql = `coalesce(array_to_string(list_filter(${lists}, lambda part: part IS NOT NULL), ${between.sql}), left(${between.sql}, 0))`;
    return typed(sql, "string", [between, ...parts]);
  },
};
const TEXTS: DataType = { type: "array", elementType: "string", containsNull: true };

const coalesce: FunctionRow = {
  least: 1,
  most: ANY,
  make(args, { toCommon }) {
    const values = toCommon(args);
    return typed(`coalesce(${values.map(({ sql }) => sql).join(", ")})`, values[0]!.type, values);
  },
};

function extreme(name: "greatest" | "least"): FunctionRow {
  return {
    least: 2,
    most: ANY,
    make(args, { toCommon }) {
      if (args.some(({ type }) => type === "string") && args.some(({ type }) => type !== "string" && type !== "void"))
        throw invalid(`${name} of texts and others`);
      const values = toCommon(args);
      if (typeof values[0]!.type !== "string") throw unsupported(`${name} of values of type ${values[0]!.type.type}`);
      return typed(`${name}(${values.map(({ sql }) => sql).join(", ")})`, values[0]!.type, values);
    },
  };
}

const nullif: FunctionRow = {
  least: 2,
  make([value, other], { toCommon }) {
    const [a, b] = toCommon([value!, other!]);
    return typed(`(CASE WHEN ${a!.sql} = ${b!.sql} THEN NULL ELSE ${value!.sql} END)`, value!.type, [a!, b!]);
  },
};

const nvl2: FunctionRow = {
  least: 3,
  make([value, then, otherwise], { toCommon }) {
    const [a, b] = toCommon([then!, otherwise!]);
    return typed(`(CASE WHEN ${value!.sql} IS NOT NULL THEN ${a!.sql} ELSE ${b!.sql} END)`, a!.type, [value!, a!, b!]);
  },
};

function numeric(make: (value: Typed) => Typed): FunctionRow {
  return {
    least: 1,
    make([given]) {
      const value = given!.type === "string" ? castTo(given!, "double", false) : given;
      if (!isNumeric(value!.type))
        throw unsupported(`a function of numbers of a value of type ${typeText(value!.type)}`);
      return make(value!);
    },
  };
}

const abs = numeric((value) => typed(`abs(${value.sql})`, value.type, [value], true));
const sign = numeric((value) => {
  const x = castTo(value, "double", false);
  const sql = `(CASE WHEN ${x.sql} = 0 OR isnan(${x.sql}) THEN ${x.sql} ELSE CAST(sign(${x.sql}) AS DOUBLE) END)`;
  return typed(sql, "double", [x]);
});

function toWhole(name: "floor" | "ceil"): FunctionRow {
  return numeric((value) => {
    const { type, sql } = value;
    if (isInteger(type)) return typed(`CAST(${sql} AS BIGINT)`, "long", [value]);
    if (isFractional(type)) return typed(nearestLong(`${name}(CAST(${sql} AS DOUBLE))`), "long", [value]);
    const { precision, scale } = digitsOf(type)!;
    const result: DataType = `decimal(${Math.min(38, precision - scale + 1)},0)`;
    return typed(`CAST(${name}(${sql}) AS ${result})`, result, [value]);
  });
}

/** As Java casts: what is beyond the range is its end, and NaN is zero. */
function nearestLong(sql: string): string {
  const [least, most] = ["(-9223372036854775808)::BIGINT", "9223372036854775807::BIGINT"];
  return `(CASE WHEN isnan(${sql}) THEN 0::BIGINT WHEN ${sql} >= 9.223372036854775807e18 THEN ${most} WHEN ${sql} <= -9.223372036854775808e18 THEN ${least} ELSE CAST(${sql} AS BIGINT) END)`;
}

const sqrt = numeric((value) => {
  const x = castTo(value, "double", false);
  return typed(`(CASE WHEN ${x.sql} < 0 THEN 'NaN'::DOUBLE ELSE sqrt(${x.sql}) END)`, "double", [x]);
});

const nanvl: FunctionRow = {
  least: 2,
  make(args, { toCommon }) {
    const [a, b] = toCommon(args);
    if (!isFractional(a!.type))
      return nanvl.make([castTo(a!, "double", false), castTo(b!, "double", false)], { toCommon, nowMicros: 0n });
    return typed(`(CASE WHEN isnan(${a!.sql}) THEN ${b!.sql} ELSE ${a!.sql} END)`, a!.type, [a!, b!]);
  },
};

const equalNull: FunctionRow = {
  least: 2,
  make(args, { toCommon }) {
    const [a, b] = toCommon(args);
    return typed(`(${a!.sql} IS NOT DISTINCT FROM ${b!.sql})`, "boolean", [a!, b!]);
  },
};

/** An operator with null where it would end in an error. */
function tried(op: "+" | "-" | "*" | "/" | "%"): FunctionRow {
  return {
    least: 2,
    make(args) {
      if (!args.every(({ type }) => isNumeric(type))) throw unsupported("a try function of other than numbers");
      if (args.some(({ mayFail }) => mayFail)) throw unsupported("a try function of what may fail by itself");
      const value = arithmetic(op, args);
      if (op !== "/" && op !== "%") return { ...value, sql: `TRY(${value.sql})`, mayFail: false };
      return { ...value, sql: `(CASE WHEN ${args[1]!.sql} = 0 THEN NULL ELSE ${value.sql} END)` };
    },
  };
}

const zeroifnull: FunctionRow = {
  least: 1,
  make: (args, context) => coalesce.make([args[0]!, literalOf("integer", "0")], context),
};
const nullifzero: FunctionRow = {
  least: 1,
  make: (args, context) => nullif.make([args[0]!, literalOf("integer", "0")], context),
};
const assertTrue: FunctionRow = {
  least: 1,
  most: 2,
  make([condition]) {
    if (condition!.type !== "boolean") throw invalid("assert_true of no condition");
    return typed(
      `(CASE WHEN ${condition!.sql} THEN NULL ELSE error('it is not true') END)`,
      "void",
      [condition!],
      true,
    );
  },
};

/** Names of types that are functions too. */
const CASTS: Readonly<Record<string, DataType>> = {
  ...{ boolean: "boolean", tinyint: "byte", smallint: "short", int: "integer", bigint: "long", float: "float" },
  ...{ double: "double", decimal: "decimal(10,0)", date: "date", timestamp: "timestamp", binary: "binary" },
  string: "string",
};

const isnan = numeric((value) => {
  const x = castTo(value, "double", false);
  return typed(`coalesce(isnan(${x.sql}), false)`, "boolean", [x]);
});

const size: FunctionRow = {
  least: 1,
  make([value]) {
    const { type, sql } = value!;
    if (typeof type === "string" || type.type === "struct") throw invalid(`the size of a ${typeText(type)}`);
    return typed(`CAST(${type.type === "map" ? "cardinality" : "len"}(${sql}) AS INTEGER)`, "integer", [value!]);
  },
};

const regexpExtract: FunctionRow = {
  least: 2,
  most: 3,
  make([value, pattern, group]) {
    const regex = literalRegex(pattern);
    const index = group === undefined ? "1" : group.literal;
    if (index === undefined || !/^\d$/.test(index)) throw unsupported("a group that isn't a literal");
    const text = textual(value!, "string");
    return typed(`regexp_extract(${text.sql}, ${quoteText(regex)}, ${index})`, "string", [text]);
  },
};

const isnull: FunctionRow = { least: 1, make: ([value]) => typed(`(${value!.sql} IS NULL)`, "boolean", [value!]) };
const isnotnull: FunctionRow = {
  least: 1,
  make: ([value]) => typed(`(${value!.sql} IS NOT NULL)`, "boolean", [value!]),
};
const ceil = toWhole("ceil");
const instr = simple([STRING, STRING], "integer", (s, part) => `CAST(instr(${s}, ${part}) AS INTEGER)`);

/** The functions that are known, by their names in lower case. */
export const FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...DATE_FUNCTIONS,
  ...{ ...NUMBER_FUNCTIONS, ...TEXT_FUNCTIONS, ...BIT_FUNCTIONS },
  ...{ upper, ucase: upper, lower, lcase: lower, reverse, concat, concat_ws: concatWs, substring, substr: substring },
  ...{ length, len: length, char_length: length, character_length: length },
  ...{ left: side("left"), right: side("right") },
  ...{ lpad: pad("lpad"), rpad: pad("rpad"), instr, rlike, regexp: rlike, regexp_like: rlike },
  repeat: simple([STRING, "integer"], STRING, (s, n) => `repeat(${s}, greatest(${n}, 0 * ${n}))`),
  replace: simple([STRING, STRING, STRING], STRING, (s, from, to) => `replace(${s}, ${from}, ${to})`),
  startswith: simple([STRING, STRING], "boolean", (s, part) => `starts_with(${s}, ${part})`),
  endswith: simple([STRING, STRING], "boolean", (s, part) => `ends_with(${s}, ${part})`),
  contains: simple([STRING, STRING], "boolean", (s, part) => `contains(${s}, ${part})`),
  regexp_extract: regexpExtract,
  ...{ coalesce, nvl: coalesce, ifnull: coalesce, nullif, nvl2, isnull, isnotnull, isnan },
  ...{ greatest: extreme("greatest"), least: extreme("least") },
  ...{
    abs,
    sign,
    signum: sign,
    floor: toWhole("floor"),
    ceil,
    ceiling: ceil,
    sqrt,
  },
  ...{
    try_add: tried("+"),
    try_subtract: tried("-"),
    try_multiply: tried("*"),
    try_divide: tried("/"),
    try_mod: tried("%"),
  },
  ...{ zeroifnull, nullifzero, assert_true: assertTrue },
  ...{ nanvl, equal_null: equalNull, like: like("like"), ilike: like("ilike") },
  ...Object.fromEntries(
    Object.entries(CASTS).map(([name, type]) => [
      name,
      { least: 1, make: ([value]) => castTo(value!, type, false) } satisfies FunctionRow,
    ]),
  ),
  ...{ ...ARRAY_FUNCTIONS, size, cardinality: size },
  uuid: { least: 0, make: () => typed("CAST(uuid() AS VARCHAR)", "string", []) },
};
