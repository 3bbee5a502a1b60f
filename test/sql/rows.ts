import type { RecordBatch } from "apache-arrow";
import { buildBatch } from "#src/arrow/build.js";
import { schemaOf } from "#src/schema/literal.js";
import { toLiteral } from "#src/schema/literalValue.js";
import type { LiteralRow } from "../schema/evaluateRow.js";

export const schema = schemaOf({
  id: "long",
  tiny: "byte",
  x: "double",
  f: "float",
  price: "decimal(10,2)",
  name: "string",
  ok: "boolean",
  d: "date",
  ts: "timestamp",
  n: "timestamp_ntz",
  raw: "binary",
  a: { b: "integer" },
  tags: ["string"],
  "Odd Name": "integer",
});

const bytes = (...values: number[]) => Uint8Array.from(values);

/** For each column the values that its rows take in turn, and constants of SQL to compare them with. */
export const COLUMNS: Readonly<
  Record<string, { readonly values: readonly unknown[]; readonly sql: readonly string[] }>
> = {
  id: {
    values: [null, 0n, 1n, 2n, 3n, -3n, 9007199254740992n, 9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n)],
    sql: [
      ...[
        "1",
        "2.5",
        "-3",
        "3.0",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
      ],
      ...[
        "123456789012345678901234567890",
        "2.5e0",
        "'2'",
        "1 + 1",
        "-(-3)",
        "NULL",
        "'1'::INTEGER",
        "2::DECIMAL(5,2)",
      ],
    ],
  },
  tiny: {
    values: [null, -128, -1, 0, 1, 127],
    sql: [
      "300",
      "-300",
      "0.5",
      "127",
      "-128.0",
      "'1'",
      "127.5",
      "-128.5",
      "NULL",
      "1e2",
      "'inf'::DOUBLE",
      "'nan'::DOUBLE",
    ],
  },
  x: {
    values: [null, 0.1, -0, 0, Number.NaN, Infinity, -Infinity, 1e300, 2, -2.5],
    sql: ["0.1", "0", "-0.0", "'NaN'::DOUBLE", "'-inf'::DOUBLE", "1e300", "2", "'0.1'", "-2.50", "0.1::FLOAT", "NULL"],
  },
  f: {
    values: [
      null,
      Math.fround(0.1),
      Number.NaN,
      Infinity,
      -Infinity,
      2,
      16777216,
      3.4028234663852886e38,
      -0,
      1.401298464324817e-45,
    ],
    sql: ["0.1", "0.1::DOUBLE", "0.1::FLOAT", "2", "16777216", "1e39", "-1e39", "0.0", "1e-46", "'nan'::FLOAT", "NULL"],
  },
  price: {
    values: [null, "0.00", "1.00", "12.34", "12.35", "-0.05", "99999999.99", "-99999999.99"],
    sql: [
      "12.34",
      "12.345",
      "1",
      "-0.05",
      "100.5e0",
      "100000000",
      "-123456789012.5",
      "'12.34'",
      "1.000",
      "NULL",
      "12.34::DECIMAL(20,5)",
    ],
  },
  name: {
    values: [null, "", "a", "ab", "abc", "b", "é", "\u{1F600}", "\uFFFD", "it's", "a%", "A"],
    sql: ["'a'", "''", "'ab'", "'\u{1F600}'", "'\uFFFD'", "'it''s'", "('a' || 'b')", "NULL", "upper('a')"],
  },
  ok: { values: [null, true, false], sql: ["true", "false", "NULL", "(1 = 1)"] },
  d: {
    values: [null, ...["1970-01-01", "2024-01-30", "2024-01-31", "2024-02-01", "0001-01-01"].map((d) => new Date(d))],
    sql: [
      ...["DATE '2024-01-31'", "'2024-01-31'", "TIMESTAMP '2024-01-31 12:00:00'", "TIMESTAMP '2024-01-31'", "NULL"],
      ...["DATE '2024-01-31' + 1", "TIMESTAMPTZ '2024-01-31 01:00:00+02:00'", "CAST('2024-02-01' AS DATE)"],
    ],
  },
  ts: {
    values: [null, ...[0, 1706659200000, 1706702400000, -1].map((ms) => new Date(ms)), "2024-01-31T12:00:00.000001Z"],
    sql: [
      ...["TIMESTAMP '2024-01-31 12:00:00'", "TIMESTAMPTZ '2024-01-31 14:00:00+02'", "DATE '2024-01-31'", "NULL"],
      ...["'2024-01-31 12:00:00.000001'", "'2024-01-31T12:00:00Z'", "TIMESTAMP '2024-02-01 12:00:00' - INTERVAL 1 DAY"],
    ],
  },
  n: {
    values: [null, ...[0, 1706659200000, 1706702400000].map((ms) => new Date(ms)), "2024-01-31T12:00:00.000001"],
    sql: [
      "TIMESTAMP '2024-01-31 12:00:00'",
      "DATE '2024-01-31'",
      "'2024-01-31 12:00:00.000001'",
      "NULL",
      "'2024-01-31'",
    ],
  },
  raw: {
    values: [null, bytes(), bytes(97, 98), bytes(0xaa), bytes(0xaa, 0)],
    sql: ["'ab'", "'ab'::BLOB", "'\\xAA'::BLOB", "''::BLOB", "NULL"],
  },
  "a.b": { values: [null, 1, 2, -7], sql: ["1", "2.5", "-7", "NULL", "3000000000"] },
  '"odd name"': { values: [null, 5], sql: ["5", "6"] },
};

// The periods of the columns have few common factors, so that values meet in many combinations.
const ROW_COUNT = 60;

export const rows: readonly Record<string, unknown>[] = Array.from({ length: ROW_COUNT }, (_, i) => {
  const row: Record<string, unknown> = { tags: i % 3 === 0 ? null : ["a", "b", null].slice(0, i % 4) };
  for (const [column, { values }] of Object.entries(COLUMNS)) row[column] = values[(i * 7 + (i >> 3)) % values.length];
  const { "a.b": nested, '"odd name"': odd, ...rest } = row;
  return { ...rest, a: i % 5 === 0 ? null : { b: nested }, "Odd Name": odd };
});

export const batch: RecordBatch = buildBatch(schema, rows, 0);

/** The same rows in the domain of Literal. */
export const literalRows: readonly LiteralRow[] = rows.map((row) => {
  const { a, tags: _, ...flat } = row as { a: { b: number | null } | null; tags: unknown };
  const fields = schema.fields.filter(({ name }) => name in flat);
  const literals = fields.map(({ name, type }) => [name, toLiteral(type, (flat as Record<string, unknown>)[name])]);
  return { ...(Object.fromEntries(literals) as LiteralRow), a };
});
