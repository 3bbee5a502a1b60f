import { type DataType, type StructField, type StructType, Timestamp } from "#src/index.js";
import { type Canonical, type Content, canonicalFloat, typesOf } from "./canonical.js";

/** A value as it is appended, and what every engine must give for it. Both are written out by hand. */
export type Value = readonly [written: unknown, expected: Canonical];

/** A column of a test table: each value comes up at least once, and null. */
export interface Column {
  readonly name: string;
  readonly type: DataType;
  readonly values: readonly Value[];
}

export interface TestTable {
  readonly schema: StructType;
  readonly rows: readonly Record<string, unknown>[];
  readonly expected: Content;
}

/** A table of these columns behind an `id`: its first row holds nulls only, the others each column's values in turn. */
export function testTable(columns: readonly Column[]): TestTable {
  const count = Math.max(...columns.map(({ values }) => values.length)) + 1;
  const id = (row: number): Value => [BigInt(row), `int:${row}`];
  const at = ({ values }: Column, row: number): Value =>
    row === 0 ? [null, null] : values[(row - 1) % values.length]!;
  const row = (n: number, side: 0 | 1) =>
    Object.fromEntries([["id", id(n)[side]], ...columns.map((column) => [column.name, at(column, n)[side]])]);
  const schema = struct([field("id", "long"), ...columns.map(({ name, type }) => field(name, type))]);
  const numbers = Array.from({ length: count }, (_, n) => n);
  return {
    schema,
    rows: numbers.map((n) => row(n, 0)),
    expected: { types: typesOf(schema), rows: numbers.map((n) => row(n, 1) as Record<string, Canonical>) },
  };
}

const field = (name: string, type: DataType): StructField => ({ name, type, nullable: true, metadata: {} });
const struct = (fields: readonly StructField[]): StructType => ({ type: "struct", fields });
const array = (elementType: DataType): DataType => ({ type: "array", elementType, containsNull: true });
const map = (keyType: DataType, valueType: DataType): DataType => ({
  type: "map",
  keyType,
  valueType,
  valueContainsNull: true,
});

const ints = (...values: (number | bigint)[]): Value[] => values.map((value) => [value, `int:${value}`]);
const floats = (...values: number[]): Value[] => values.map((value) => [value, canonicalFloat(value)]);
const decimals = (...values: string[]): Value[] => values.map((value) => [value, `decimal:${value}`]);
const strings = (...values: string[]): Value[] => values.map((value) => [value, `string:${value}`]);
const dates = (...values: string[]): Value[] =>
  values.map((value) => [new Date(`${value}T00:00:00Z`), `date:${value}`]);

/** Times given with six digits: as a Timestamp (milliseconds and microseconds), expected with `kind` in front. */
const times = (kind: "timestamp" | "ntz", ...values: string[]): Value[] =>
  values.map((value) => [
    new Timestamp(new Date(`${value.slice(0, -3)}Z`), Number(value.slice(-3))),
    `${kind}:${value}`,
  ]);

const DATES = ["0001-01-01", "1582-10-04", "1582-10-15", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"];
const TIMES = [
  "0001-01-01T00:00:00.000000",
  "1582-10-04T23:59:59.999999",
  "1969-12-31T23:59:59.999999",
  "1970-01-01T00:00:00.000000",
  "2024-02-29T12:34:56.789012",
  "9999-12-31T23:59:59.999999",
];

export const PRIMITIVES: readonly Column[] = [
  { name: "byte", type: "byte", values: ints(-128, 127, 0) },
  { name: "short", type: "short", values: ints(-32768, 32767, 0) },
  { name: "integer", type: "integer", values: ints(-2147483648, 2147483647, 0) },
  { name: "long", type: "long", values: ints(-9223372036854775808n, 9223372036854775807n, 9007199254740993n, 0n) },
  {
    name: "float",
    type: "float",
    values: floats(NaN, Infinity, -Infinity, -0, 0, Math.fround(0.1), 3.4028234663852886e38, 1.401298464324817e-45),
  },
  {
    name: "double",
    type: "double",
    values: floats(NaN, Infinity, -Infinity, -0, 0, 0.1, 1.7976931348623157e308, 5e-324),
  },
  { name: "decimal_5_2", type: "decimal(5,2)", values: decimals("-999.99", "999.99", "0.00", "0.01") },
  { name: "decimal_9_9", type: "decimal(9,9)", values: decimals("-0.999999999", "0.000000001") },
  { name: "decimal_18_6", type: "decimal(18,6)", values: decimals("-999999999999.999999", "12.300000") },
  {
    name: "decimal_38_0",
    type: "decimal(38,0)",
    values: decimals("-99999999999999999999999999999999999999", "99999999999999999999999999999999999999", "0"),
  },
  {
    name: "decimal_38_18",
    type: "decimal(38,18)",
    values: decimals("-99999999999999999999.999999999999999999", "0.000000000000000001"),
  },
  {
    name: "string",
    type: "string",
    values: strings("", " ", "a", "null", "é日本語🎈", 'tab\tnewline\nquote"backslash\\', "\u0000", "x".repeat(5000)),
  },
  {
    name: "binary",
    type: "binary",
    values: [
      [new Uint8Array(), "binary:"],
      [new Uint8Array([0, 1, 127, 128, 255]), "binary:00017f80ff"],
    ],
  },
  {
    name: "boolean",
    type: "boolean",
    values: [
      [true, true],
      [false, false],
    ],
  },
  { name: "date", type: "date", values: dates(...DATES) },
  { name: "timestamp", type: "timestamp", values: times("timestamp", ...TIMES) },
  { name: "timestamp_ntz", type: "timestamp_ntz", values: times("ntz", ...TIMES) },
];

const point = struct([field("x", "integer"), field("names", array("string"))]);

export const NESTED: readonly Column[] = [
  {
    name: "array",
    type: array("long"),
    values: [
      [[], []],
      [
        [1n, null, -1n],
        ["int:1", null, "int:-1"],
      ],
    ],
  },
  {
    name: "arrays",
    type: array(array("decimal(20,2)")),
    values: [
      [
        [[], null, ["1.50", null]],
        [[], null, ["decimal:1.50", null]],
      ],
      [[], []],
    ],
  },
  {
    name: "struct",
    type: struct([field("a", "string"), field("point", point), field("at", "timestamp")]),
    values: [
      [
        { a: "é", point: { x: 1, names: ["", null] }, at: new Date("2024-01-31T12:00:00.123Z") },
        { a: "string:é", point: { x: "int:1", names: ["string:", null] }, at: "timestamp:2024-01-31T12:00:00.123000" },
      ],
      [
        { a: null, point: null, at: null },
        { a: null, point: null, at: null },
      ],
      [
        { a: "", point: { x: null, names: null }, at: null },
        { a: "string:", point: { x: null, names: null }, at: null },
      ],
    ],
  },
  {
    name: "structs",
    type: array(point),
    values: [
      [
        [{ x: 1, names: [] }, null],
        [{ x: "int:1", names: [] }, null],
      ],
      [[], []],
    ],
  },
  {
    name: "map",
    type: map("string", "double"),
    values: [
      [
        new Map([
          ["", -0],
          ["k", null],
        ]),
        {
          map: [
            ["string:", "float:-0"],
            ["string:k", null],
          ],
        },
      ],
      [new Map(), { map: [] }],
    ],
  },
  {
    name: "maps",
    type: map("integer", map("date", point)),
    values: [
      [
        new Map([[7, new Map([[new Date("2024-01-31"), { x: 1, names: ["n"] }]])]]),
        { map: [["int:7", { map: [["date:2024-01-31", { x: "int:1", names: ["string:n"] }]] }]] },
      ],
      [new Map([[-1, null]]), { map: [["int:-1", null]] }],
    ],
  },
];

/** Names that need care somewhere. A space and `,;{}()=` are not allowed without column mapping. */
export const ODD_NAMES: readonly Column[] = [
  "dots.in.name",
  "dash-ed",
  "UPPER",
  "日本語",
  "🎈",
  'quote"d',
  "it's",
  "back`tick",
  "back\\slash",
  "a/b",
  "per%20cent",
  "a:b",
  "#1",
  "a&b",
  "a+b",
  "[a]",
  "select",
  "_",
].map((name) => ({ name, type: "integer", values: ints(1, 2) }));

/** Partition columns, one of each type that may be one. */
export const PARTITION_TYPES: readonly Column[] = [
  { name: "p_byte", type: "byte", values: ints(-128, 127) },
  { name: "p_short", type: "short", values: ints(-32768, 32767) },
  { name: "p_integer", type: "integer", values: ints(-2147483648, 2147483647) },
  { name: "p_long", type: "long", values: ints(-9223372036854775808n, 9223372036854775807n) },
  { name: "p_float", type: "float", values: floats(1.5, -0.25) },
  { name: "p_double", type: "double", values: floats(0.1, -1e100) },
  { name: "p_decimal", type: "decimal(20,4)", values: decimals("1234567890123456.7890", "0.0001") },
  { name: "p_string", type: "string", values: strings("plain", "é") },
  {
    name: "p_boolean",
    type: "boolean",
    values: [
      [true, true],
      [false, false],
    ],
  },
  { name: "p_date", type: "date", values: dates("0001-01-01", "1970-01-01", "9999-12-31") },
  {
    name: "p_timestamp",
    type: "timestamp",
    values: times(
      "timestamp",
      "1970-01-01T00:00:00.000000",
      "2024-02-29T12:34:56.789012",
      "1969-12-31T23:59:59.100000",
    ),
  },
  {
    name: "p_timestamp_ntz",
    type: "timestamp_ntz",
    values: times("ntz", "1970-01-01T00:00:00.000000", "2024-02-29T12:34:56.789012", "1969-12-31T23:59:59.100000"),
  },
];

/** Apart from the others: delta-rs, whoever wrote it, takes the text "-1.50" for "-1.-50" and fails. */
export const NEGATIVE_DECIMAL_PARTITIONS: readonly Column[] = [
  { name: "p", type: "decimal(20,4)", values: decimals("-1234567890123456.7890", "-0.0001") },
];

/** Partition values that folder names can't hold as they are. An empty string becomes null: the protocol has no other. */
export const PARTITION_STRINGS: readonly Column[] = [
  {
    name: "p",
    type: "string",
    values: [
      ["", null],
      ...strings("a b", "a/b", "a=b", "a%20b", "100%", "a:b", 'quote"d', "it's", "#?&+", "日本語🎈", "..", ".", "null"),
      ...strings("back\\slash", "{a}[b]^", "tab\tnewline\n", "\u0001\u007f", "trailing ", "~"),
    ],
  },
];

/** Partition columns with names that folder names can't hold as they are. */
export const ODD_PARTITION_NAMES: readonly Column[] = ["p/q", "a:b", "é", "per%cent", "dot.ted"].map((name) => ({
  name,
  type: "string",
  values: strings("x", "y"),
}));
