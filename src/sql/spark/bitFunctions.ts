import type { DataType } from "../../schema/types.js";
import { castTo, coerce, literalOf } from "./cast.js";
import { digitsOf, isDecimal, isFractional, isInteger } from "./coercion.js";
import type { FunctionRow } from "./functions.js";
import { own } from "./ownCall.js";
import { bytesOf } from "./textFunctions.js";
import { invalid, type Typed, typed, typeText, unsupported } from "./typed.js";

const BITS: Readonly<Record<string, number>> = { byte: 8, short: 16, integer: 32, long: 64 };

const hex: FunctionRow = {
  least: 1,
  make([value]) {
    if (isInteger(value!.type)) {
      const digits = own("base", "string", [
        castTo(value!, "long", false),
        literalOf("integer", "64"),
        literalOf("integer", "16"),
      ]);
      return typed(`upper(${digits.sql})`, "string", [digits]);
    }
    if (value!.type !== "string" && value!.type !== "binary") throw unsupported(`hex of a ${typeText(value!.type)}`);
    const bytes = bytesOf(value!);
    return typed(`hex(${bytes.sql})`, "string", [bytes]);
  },
};

const bin: FunctionRow = {
  least: 1,
  make: ([value]) =>
    own("base", "string", [coerce(value!, "long"), literalOf("integer", "64"), literalOf("integer", "2")]),
};

/** Only as many places as a number has bits. */
function shifted(name: "shiftleft" | "shiftright" | "shiftrightunsigned"): FunctionRow {
  return {
    least: 2,
    make([value, count]) {
      const isLong = value!.type === "long";
      const [number, places] = [castTo(intOnly(value!), isLong ? "long" : "integer", false), coerce(count!, "integer")];
      const type = number.type;
      const by = `(${places.sql} & ${isLong ? 63 : 31})`;
      const size = isLong ? 64 : 32;
      // In 128 bits, with the sign as it comes out.
      const wide = `CAST(${number.sql} AS HUGEINT)`;
      const power = `CAST(power(2::DOUBLE, ${by}) AS HUGEINT)`;
      const modulus = `CAST('${2n ** BigInt(size)}' AS HUGEINT)`;
      const unsigned = `(CASE WHEN ${wide} < 0 THEN ${wide} + ${modulus} ELSE ${wide} END)`;
      const signed = (sql: string) =>
        `CAST(CASE WHEN ${sql} >= ${modulus} // 2 THEN ${sql} - ${modulus} ELSE ${sql} END AS ${isLong ? "BIGINT" : "INTEGER"})`;
      if (name === "shiftright") return typed(`(${number.sql} >> ${by})`, type, [number, places]);
      if (name === "shiftrightunsigned") return typed(signed(`(${unsigned} // ${power})`), type, [number, places]);
      const kept = `CAST(power(2::DOUBLE, ${size} - ${by}) AS HUGEINT)`;
      return typed(signed(`((${unsigned} % ${kept}) * ${power})`), type, [number, places]);
    },
  };
}

function intOnly(value: Typed): Typed {
  if (!isInteger(value.type) && value.type !== "void") throw invalid(`bits of a ${typeText(value.type)}`);
  return value;
}

const bitCount: FunctionRow = {
  least: 1,
  make([value]) {
    if (value!.type === "boolean") return castTo(value!, "integer", false);
    const number = castTo(intOnly(value!), "long", false);
    return typed(`CAST(bit_count(${number.sql}) AS INTEGER)`, "integer", [number]);
  },
};

const bitGet: FunctionRow = {
  least: 2,
  make([value, position]) {
    const [number, at] = [intOnly(value!), coerce(position!, "integer")];
    const size = BITS[number.type as string]!;
    const bit = `CAST((${castTo(number, "long", false).sql} >> ${at.sql}) & 1 AS TINYINT)`;
    const sql = `(CASE WHEN ${at.sql} < 0 OR ${at.sql} >= ${size} THEN error('no such bit') ELSE ${bit} END)`;
    return typed(sql, "byte", [number, at], true);
  },
};

const factorial: FunctionRow = {
  least: 1,
  make([value]) {
    const number = coerce(value!, "integer");
    const isIt = `${number.sql} BETWEEN 0 AND 20`;
    return typed(`(CASE WHEN ${isIt} THEN CAST(factorial(${number.sql}) AS BIGINT) END)`, "long", [number]);
  },
};

/** The function that takes a value's hash, and the value as that takes it. */
function hashed(value: Typed): readonly [string, Typed] {
  const { type, sql } = value;
  if (type === "boolean" || (isInteger(type) && type !== "long")) return ["int", castTo(value, "integer", false)];
  if (type === "date") return ["int", typed(`CAST(${sql} - DATE '1970-01-01' AS INTEGER)`, "integer", [value])];
  if (type === "long") return ["long", value];
  if (type === "timestamp" || type === "timestamp_ntz") return ["long", typed(`epoch_us(${sql})`, "long", [value])];
  if (isFractional(type)) return [type as string, castTo(value, "double", false)];
  if (type === "string") return ["text", value];
  if (type === "binary") return ["binary", value];
  if (isDecimal(type)) {
    const digits = `replace(CAST(${sql} AS VARCHAR), '.', '')`;
    if (digitsOf(type)!.precision <= 18) return ["long", typed(`CAST(${digits} AS BIGINT)`, "long", [value])];
    return ["decimal", typed(digits, "string", [value])];
  }
  throw unsupported(`a hash of a value of type ${typeText(type)}`);
}

function hashOf(name: "hash" | "xxhash", type: "integer" | "long"): FunctionRow {
  return {
    least: 1,
    most: 1000,
    make(args) {
      const of = (seed: Typed, value: Typed): Typed => {
        if (value.type === "void") return seed;
        if (typeof value.type !== "string" && value.type.type === "struct") {
          const fields = value.type.fields.map((field) => {
            const inner = `struct_extract(${value.sql}, '${field.name.replaceAll("'", "''")}')`;
            const sql = field.type === "timestamp" ? `CAST(${inner} AS TIMESTAMP)` : inner;
            return { sql, type: field.type, mayFail: value.mayFail };
          });
          return fields.reduce(of, seed);
        }
        const [kind, plain] = hashed(value);
        return own(`${name}_${kind}`, type, [plain, seed]);
      };
      return args.reduce(of, literalOf(type, "42"));
    },
  };
}

function digest(algorithm: string): FunctionRow {
  return {
    least: 1,
    make: ([value]) => own("digest", "string", [literalOf("string", algorithm), bytesOf(value!)]),
  };
}

const sha2: FunctionRow = {
  least: 2,
  make([value, bits], context) {
    const size = Number(bits!.literal ?? Number.NaN);
    if (!Number.isInteger(size)) throw unsupported("sha2 with a number of bits that isn't a literal");
    if (![0, 224, 256, 384, 512].includes(size)) return castTo(literalOf("void", undefined), "string", false);
    const bytes = bytesOf(value!);
    if (size === 0 || size === 256) return typed(`sha256(${bytes.sql})`, "string", [bytes]);
    return digest(`sha${size}`).make([value!], context);
  },
};

const md5: FunctionRow = {
  least: 1,
  make([value]) {
    const bytes = bytesOf(value!);
    return typed(`md5(${bytes.sql})`, "string", [bytes]);
  },
};

/** A type as Spark writes it in its SQL. */
function sparkType(type: DataType): string {
  const names: Readonly<Record<string, string>> = {
    byte: "tinyint",
    short: "smallint",
    integer: "int",
    long: "bigint",
  };
  if (typeof type === "string") return names[type] ?? type;
  if (type.type === "array") return `array<${sparkType(type.elementType)}>`;
  if (type.type === "map") return `map<${sparkType(type.keyType)},${sparkType(type.valueType)}>`;
  return `struct<${type.fields.map(({ name, type: of }) => `${name}:${sparkType(of)}`).join(",")}>`;
}

const sha1 = digest("sha1");
const bitOf = bitGet;

/** Functions of bits and bytes, and checksums. */
export const BIT_FUNCTIONS: Readonly<Record<string, FunctionRow>> = {
  ...{ hex, bin, bit_count: bitCount, bit_get: bitOf, getbit: bitOf, factorial, md5, sha2, sha1, sha: sha1 },
  ...{ shiftleft: shifted("shiftleft"), shiftright: shifted("shiftright") },
  ...{ shiftrightunsigned: shifted("shiftrightunsigned"), hash: hashOf("hash", "integer") },
  xxhash64: hashOf("xxhash", "long"),
  crc32: { least: 1, make: ([value]) => own("crc32", "long", [bytesOf(value!)]) },
  typeof: { least: 1, make: ([value]) => literalOf("string", sparkType(value!.type)) },
};
