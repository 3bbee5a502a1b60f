import type { DataType } from "../../schema/types.js";
import { quoteText } from "../duckdb.js";
import { castTo, coerce, literalOf } from "./cast.js";
import { isFractional, isInteger, isNumeric } from "./coercion.js";
import type { FunctionRow } from "./functions.js";
import { jsonPath } from "./own/json.js";
import { OWN_PREFIX } from "./own/own.js";
import { own } from "./ownCall.js";
import { literalRegex, literalText, textual } from "./textValues.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

const ANY = 1000;

/** A function of our own; what isn't given is as in `otherwise`. */
function ofOwn(
  name: string,
  types: readonly DataType[],
  gives: DataType,
  { otherwise = [], mayFail = false }: { readonly otherwise?: readonly Typed[]; readonly mayFail?: boolean } = {},
): FunctionRow {
  return {
    least: types.length - otherwise.length,
    most: types.length,
    make(args) {
      const missing = otherwise.slice(otherwise.length - (types.length - args.length));
      const all = args.length === types.length ? args : [...args, ...missing];
      const values = all.map((arg, index) => (types[index] === "binary" ? bytesOf(arg) : textual(arg, types[index]!)));
      return own(name, gives, values, mayFail);
    },
  };
}

/** A value's bytes: of a text those of UTF-8. */
export function bytesOf(value: Typed): Typed {
  if (value.type === "binary") return value;
  const text = textual(value, "string");
  return typed(`encode(${text.sql})`, "binary", [text]);
}

/** With what is to be taken away in front, as TRIM(… FROM …) has it. */
function trimmed(name: "trim" | "ltrim" | "rtrim", isTextFirst = false): FunctionRow {
  return {
    least: 1,
    most: 2,
    make(args) {
      const [text, letters] = args.length === 1 || isTextFirst ? args : [args[1], args[0]];
      const [value, away] = [textual(text!, "string"), textual(letters ?? literalOf("string", " "), "string")];
      return typed(`${name}(${value.sql}, ${away.sql})`, "string", [value, away]);
    },
  };
}

const locate: FunctionRow = {
  least: 2,
  most: 3,
  make([part, value, start]) {
    const [wanted, text] = [textual(part!, "string"), textual(value!, "string")];
    if (start === undefined)
      return typed(`CAST(instr(${text.sql}, ${wanted.sql}) AS INTEGER)`, "integer", [text, wanted]);
    const from = coerce(start, "integer");
    const rest = `substring(${text.sql}, ${from.sql}, length(${text.sql}))`;
    const at = `instr(${rest}, ${wanted.sql})`;
    const found = `CASE WHEN ${from.sql} < 1 OR ${at} = 0 THEN 0 WHEN ${wanted.sql} = '' THEN 1 ELSE ${at} + ${from.sql} - 1 END`;
    const sql = `CAST(CASE WHEN ${from.sql} IS NULL THEN 0 WHEN ${text.sql} IS NULL OR ${wanted.sql} IS NULL THEN NULL ELSE ${found} END AS INTEGER)`;
    return typed(sql, "integer", [wanted, text, from]);
  },
};

const elt: FunctionRow = {
  least: 2,
  most: ANY,
  make([index, ...values]) {
    const at = coerce(index!, "integer");
    const texts = values.map((value) => textual(value, "string"));
    const branches = texts.map(({ sql }, i) => `WHEN ${at.sql} = ${i + 1} THEN ${sql}`).join(" ");
    const sql = `(CASE WHEN ${at.sql} IS NULL THEN NULL ${branches} ELSE error('an index beyond the values') END)`;
    return typed(sql, "string", [at, ...texts], true);
  },
};

const levenshtein: FunctionRow = {
  least: 2,
  most: 3,
  make([a, b, most]) {
    const distance = own("levenshtein", "integer", [textual(a!, "string"), textual(b!, "string")]);
    if (most === undefined) return distance;
    const limit = coerce(most, "integer");
    return typed(`(CASE WHEN ${distance.sql} > ${limit.sql} THEN -1 ELSE ${distance.sql} END)`, "integer", [
      distance,
      limit,
    ]);
  },
};

/** Of a text; or of values that stand for others, as in a CASE. */
const decode: FunctionRow = {
  least: 2,
  most: ANY,
  make(args, { toCommon }) {
    if (args.length === 2) return own("decode", "string", [bytesOf(args[0]!), textual(args[1]!, "string")], true);
    const [value, ...rest] = args;
    const pairs = Array.from({ length: rest.length >> 1 }, (_, i) => [rest[2 * i]!, rest[2 * i + 1]!] as const);
    const last = rest.length % 2 === 1 ? rest.at(-1)! : literalOf("void", undefined);
    const [subject, ...searched] = toCommon([value!, ...pairs.map(([search]) => search)]);
    const results = toCommon([...pairs.map(([, result]) => result), last]);
    const branches = searched.map(
      ({ sql }, i) => `WHEN ${subject!.sql} IS NOT DISTINCT FROM ${sql} THEN ${results[i]!.sql}`,
    );
    const sql = `(CASE ${branches.join(" ")} ELSE ${results.at(-1)!.sql} END)`;
    return typed(sql, results[0]!.type, [subject!, ...searched, ...results]);
  },
};

const formatNumber: FunctionRow = {
  least: 2,
  make([value, digits]) {
    if (digits!.type === "string") throw unsupported("format_number with a pattern");
    const count = coerce(digits!, "integer");
    if (!isNumeric(value!.type)) throw invalid(`format_number of a value of type ${typeText(value!.type)}`);
    if (isFractional(value!.type)) return own("format_double", "string", [castTo(value!, "double", false), count]);
    return own("format_text", "string", [castTo(value!, "string", false), count]);
  },
};

/** A piece of a format: what stands for itself, or % with flags, digits after the point, and a letter. */
const FORMAT = /%([-,0 ]*\d*)(?:\.(\d+))?([sdxXfn%])|[^%]+/g;

const formatString: FunctionRow = {
  least: 1,
  most: ANY,
  make([format, ...args]) {
    const text = literalText(format, "a format");
    const found = [...text.matchAll(FORMAT)];
    if (found.map(([piece]) => piece).join("") !== text) throw unsupported(`the format ${JSON.stringify(text)}`);
    let next = 0;
    const pieces = found.map(([piece, flags, digits, letter]) => {
      if (letter === undefined) return quoteText(piece);
      if (letter === "n" || letter === "%") return flags === "" ? (letter === "n" ? "chr(10)" : "'%'") : wrong(piece);
      const arg = args[next++];
      if (arg === undefined) throw invalid(`the format ${JSON.stringify(text)} needs more values`);
      return formatPiece(piece, { flags: flags!, digits, letter }, arg);
    });
    return typed(pieces.length === 0 ? "''" : `(${pieces.join(" || ")})`, "string", args, true);
  },
};

function wrong(piece: string): never {
  throw unsupported(`${piece} in a format`);
}

interface Format {
  readonly flags: string;
  readonly digits: string | undefined;
  readonly letter: string;
}

function formatPiece(piece: string, { flags, digits, letter }: Format, arg: Typed): string {
  const shown = (sql: string, none = "'null'") => `${OWN_PREFIX}padded(${quoteText(flags)}, coalesce(${sql}, ${none}))`;
  const { type } = arg;
  if (letter === "s" && digits === undefined && !/[0,]/.test(flags.replace(/\d+$/, ""))) {
    if (type === "binary" || typeof type !== "string" || /^(?:date|timestamp)/.test(type)) wrong(piece);
    return shown(castTo(arg, "string", false).sql);
  }
  if (letter === "f" && (isFractional(type) || type === "void")) {
    const fixed = `${OWN_PREFIX}fixed(${castTo(arg, "double", false).sql}, ${digits ?? 6})`;
    return shown(fixed, digits === undefined ? "'null'" : `left('null', ${digits})`);
  }
  if (digits !== undefined || !isInteger(type)) return wrong(piece);
  if (letter === "d") return shown(`CAST(${arg.sql} AS VARCHAR)`);
  if (letter !== "x" && letter !== "X") return wrong(piece);
  const bits = { byte: 8, short: 16, integer: 32, long: 64 }[type as string];
  const hex = `${OWN_PREFIX}base(CAST(${arg.sql} AS BIGINT), ${bits}, 16)`;
  return letter === "X" ? `upper(${shown(hex)})` : shown(hex);
}

/** Java's way to name groups in a replacement, as RE2's. */
function replacementSql(value: Typed): string {
  const text = literalText(value, "a replacement");
  const pieces = [...text.matchAll(/\\([\s\S])|\$(\d)(?!\d)|[^\\$]/g)];
  if (pieces.map(([piece]) => piece).join("") !== text) throw unsupported(`the replacement ${JSON.stringify(text)}`);
  const plain = (letter: string) => (letter === "\\" ? "\\\\" : letter);
  return quoteText(
    pieces.map(([piece, escaped, group]) => (group === undefined ? plain(escaped ?? piece) : `\\${group}`)).join(""),
  );
}

const regexpReplace: FunctionRow = {
  least: 3,
  most: 4,
  make([value, pattern, replacement, position]) {
    const text = textual(value!, "string");
    const regex = quoteText(literalRegex(pattern, { isPart: true }));
    const from = position === undefined ? 1 : Number(position.literal ?? Number.NaN);
    if (!(from >= 1)) throw unsupported("regexp_replace from a position that isn't a literal");
    const replaced = (sql: string) => `regexp_replace(${sql}, ${regex}, ${replacementSql(replacement!)}, 'g')`;
    if (from === 1) return typed(replaced(text.sql), "string", [text]);
    const sql = `left(${text.sql}, ${from - 1}) || ${replaced(`substring(${text.sql}, ${from})`)}`;
    return typed(`(${sql})`, "string", [text]);
  },
};

const TEXTS_TYPE: DataType = { type: "array", elementType: "string", containsNull: true };

function matches(value: Typed | undefined, pattern: Typed | undefined, group = "0"): Typed {
  const text = textual(value!, "string");
  const sql = `regexp_extract_all(${text.sql}, ${quoteText(literalRegex(pattern, { isPart: true }))}, ${group})`;
  return typed(sql, TEXTS_TYPE, [text]);
}

const regexpExtractAll: FunctionRow = {
  least: 2,
  most: 3,
  make([value, pattern, group]) {
    const index = group === undefined ? "1" : (group.literal ?? "");
    if (!/^\d$/.test(index)) throw unsupported("a group that isn't a literal");
    return matches(value, pattern, index);
  },
};

const regexpCount: FunctionRow = {
  least: 2,
  make([value, pattern]) {
    const all = matches(value, pattern);
    return typed(`CAST(len(${all.sql}) AS INTEGER)`, "integer", [all]);
  },
};

const regexpSubstr: FunctionRow = {
  least: 2,
  make([value, pattern]) {
    const all = matches(value, pattern);
    return typed(`(${all.sql})[1]`, "string", [all]);
  },
};

const split: FunctionRow = {
  least: 2,
  most: 3,
  make([value, pattern, limit]) {
    if (limit !== undefined && !(Number(limit.literal) <= 0)) throw unsupported("split with a limit");
    const text = textual(value!, "string");
    const regex = literalText(pattern, "a pattern");
    if (regex === "") return typed(`string_split(${text.sql}, '')`, TEXTS_TYPE, [text]);
    const sql = `string_split_regex(${text.sql}, ${quoteText(literalRegex(pattern, { isPart: true }))})`;
    return typed(sql, TEXTS_TYPE, [text]);
  },
};

const getJsonObject: FunctionRow = {
  least: 2,
  make([value, path]) {
    if (jsonPath(literalText(path, "a path")) === undefined)
      throw unsupported(`the path ${JSON.stringify(path!.literal)}`);
    return own("get_json_object", "string", [textual(value!, "string"), path!], true);
  },
};

const parseUrl: FunctionRow = {
  least: 2,
  most: 3,
  make([value, part, key]) {
    const url = textual(value!, "string");
    if (key === undefined) return own("parse_url", "string", [url, textual(part!, "string")], true);
    if (part!.literal !== "QUERY" || !/^\w+$/.test(literalText(key, "a key")))
      throw unsupported("parse_url with such a key");
    return own("url_query", "string", [url, key], true);
  },
};

const base64: FunctionRow = {
  least: 1,
  make([value]) {
    const bytes = bytesOf(value!);
    return typed(`to_base64(${bytes.sql})`, "string", [bytes]);
  },
};

const formats = { format_string: formatString, printf: formatString };

/** Functions of texts that DuckDB hasn't, or not as Spark has them. */
export const TEXT_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...{ trim: trimmed("trim"), ltrim: trimmed("ltrim"), rtrim: trimmed("rtrim"), btrim: trimmed("trim", true) },
  ...{ locate, position: locate, elt, levenshtein, decode, format_number: formatNumber, ...formats },
  ...{ regexp_replace: regexpReplace, regexp_extract_all: regexpExtractAll, regexp_count: regexpCount },
  ...{ parse_url: parseUrl, regexp_substr: regexpSubstr, split, get_json_object: getJsonObject, base64 },
  initcap: ofOwn("initcap", ["string"], "string", { mayFail: true }),
  translate: ofOwn("translate", ["string", "string", "string"], "string"),
  substring_index: ofOwn("substring_index", ["string", "string", "integer"], "string"),
  split_part: ofOwn("split_part", ["string", "string", "integer"], "string", { mayFail: true }),
  overlay: ofOwn("overlay", ["string", "string", "integer", "integer"], "string", {
    otherwise: [literalOf("integer", "-1")],
  }),
  soundex: ofOwn("soundex", ["string"], "string"),
  find_in_set: ofOwn("find_in_set", ["string", "string"], "integer"),
  encode: ofOwn("encode", ["string", "string"], "binary", { mayFail: true }),
  unbase64: ofOwn("unbase64", ["string"], "binary", { mayFail: true }),
  unhex: ofOwn("unhex", ["string"], "binary"),
  conv: ofOwn("conv", ["string", "integer", "integer"], "string", { mayFail: true }),
  url_encode: ofOwn("url_encode", ["string"], "string", { mayFail: true }),
  url_decode: ofOwn("url_decode", ["string"], "string", { mayFail: true }),
  ...Object.fromEntries(["chr", "char"].map((name) => [name, ofOwn("char", ["long"], "string")])),
  ascii: {
    least: 1,
    make([value]) {
      const text = textual(value!, "string");
      return typed(`(CASE WHEN ${text.sql} = '' THEN 0 ELSE CAST(unicode(${text.sql}) AS INTEGER) END)`, "integer", [
        text,
      ]);
    },
  },
  space: {
    least: 1,
    make([count]) {
      const number = coerce(count!, "integer");
      return typed(`repeat(' ', greatest(${number.sql}, 0 * ${number.sql}))`, "string", [number]);
    },
  },
  bit_length: {
    least: 1,
    make([value]) {
      const bytes = bytesOf(value!);
      return typed(`CAST(octet_length(${bytes.sql}) * 8 AS INTEGER)`, "integer", [bytes]);
    },
  },
  octet_length: {
    least: 1,
    make([value]) {
      const bytes = bytesOf(value!);
      return typed(`CAST(octet_length(${bytes.sql}) AS INTEGER)`, "integer", [bytes]);
    },
  },
};
