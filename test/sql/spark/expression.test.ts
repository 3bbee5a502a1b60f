import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { makeBatch } from "#src/arrow/column.js";
import { rowReader } from "#src/arrow/rows.js";
import { toArrowField } from "#src/arrow/schema.js";
import { parseDdl } from "#src/schema/ddl.js";
import type { DataType, StructType } from "#src/schema/types.js";
import { evaluateAll } from "#src/sql/spark/evaluate.js";
import { checkConstraintExpression, sparkExpression } from "#src/sql/spark/expression.js";
import { expectCode } from "../../expectCode.js";

const SCHEMA = parseDdl(
  "i int, l bigint, d double, s string, o boolean, m decimal(10,2), dt date, t timestamp, st struct<a: int, `b c`: string>, arr array<int>, mp map<string, int>, `odd name` int",
);
const ROWS = [
  {
    ...{
      i: 7,
      l: 3n,
      d: 2.5,
      s: "abc",
      o: true,
      m: "3.50",
      dt: "2024-02-29",
      t: "2024-02-29T10:20:30.5Z",
      "odd name": 5,
    },
    ...{ st: { a: 4, "b c": "x" }, arr: [1, 2], mp: { a: 1 } },
  },
  {},
];

async function valuesOf(text: string, schema: StructType = SCHEMA, rows: readonly object[] = ROWS) {
  const batch = buildBatch(schema, rows, 0);
  const { type, sql, columns } = sparkExpression(text, schema, { nowMicros: 1_000_000n });
  const [column] = await evaluateAll([{ type, sql, columns }], batch);
  const own: StructType = { type: "struct", fields: [{ name: "c", type, nullable: true, metadata: {} }] };
  const values = rowReader(own)(makeBatch(own.fields.map(toArrowField), [column!], rows.length)).map(({ c }) => c);
  return [type, values] as const;
}

describe("an expression of Spark SQL", () => {
  test.each<[string, DataType, unknown]>([
    ["1 + 2 * 3", "integer", 7],
    ["(1 + 2) * 3", "integer", 9],
    ["7 / 2", "double", 3.5],
    ["-7 div 2", "long", -3n],
    ["7 % 4", "integer", 3],
    ["1.5 + 1", "decimal(3,1)", "2.5"],
    ["2.00 / 3", "decimal(7,6)", "0.666667"],
    ["-0.05 / 8", "decimal(6,6)", "-0.006250"],
    ["2 * 1.25", "decimal(5,2)", "2.50"],
    ["2147483648", "long", 2_147_483_648n],
    ["1e2", "double", 100],
    ["5Y", "byte", 5],
    ["1 | 6 & 3", "integer", 3],
    ["'a' 'b'", "string", "ab"],
    ["'it\\'s'", "string", "it's"],
    ["r'\\d'", "string", "\\d"],
    ["not true or true", "boolean", true],
    ["not (true or true)", "boolean", false],
    ["1 = 1 and 2 between 1 and 3", "boolean", true],
    ["null <=> null", "boolean", true],
    ["1 not in (2, 3)", "boolean", true],
    ["1 in (2, null)", "boolean", null],
    ["case when false then 1 end", "integer", null],
    ["case 2 when 1 then 'a' when 2 then 'b' else 'c' end", "string", "b"],
    ["cast('12' as int) + 1", "integer", 13],
    ["'5'::bigint", "long", 5n],
    ["date '2024-01-31' + interval 1 month", "date", new Date("2024-02-29")],
    ["timestamp '2024-01-01 00:00:00' + interval '90' minutes", "timestamp", new Date("2024-01-01T01:30:00Z")],
    ["substring('hello', -3, 2)", "string", "ll"],
    ["substring('hello', 0, 2)", "string", "he"],
    ["'a%b' like 'a\\%b'", "boolean", true],
    ["'axb' like 'a\\%b'", "boolean", false],
    ["'abc' rlike 'b.'", "boolean", true],
    ["dayofweek(date '2024-01-07')", "integer", 1],
    ["date_format(date '2024-01-07', 'yyyy/MM')", "string", "2024/01"],
    ["extract(year from date '2024-01-07')", "integer", 2024],
    ["pmod(-7, 3)", "integer", 2],
    ["round(2.345, 2)", "decimal(4,2)", "2.35"],
    ["upper('straße')", "string", "STRASSE"],
    ["unix_timestamp(timestamp '1969-12-31 23:59:59.5')", "long", 0n],
    ["unix_seconds(timestamp '1969-12-31 23:59:59.5')", "long", -1n],
    ["current_date()", "date", new Date("1970-01-01")],
    ["current_timestamp", "timestamp", new Date(1000)],
    ["if(true, 1L, 1 div 0)", "long", 1n],
    ["false and 1 / 0 > 1", "boolean", false],
    ["true or 1 / 0 > 1", "boolean", true],
    ["sqrt(-1)", "double", Number.NaN],
    ["cast(1e10 as string)", "string", "1.0E10"],
    ["cast(0.001D as string)", "string", "0.001"],
    ["cast(0.1F as string)", "string", "0.1"],
    ["cast(2.675D as decimal(10,2))", "decimal(10,2)", "2.68"],
    ["round(2.675D, 2)", "double", 2.68],
    ["bround(2.5D)", "double", 2],
    ["round(-155, -1)", "integer", -160],
    ["-5.5D % 2", "double", -1.5],
    ["pmod(-5.5D, 2)", "double", 0.5],
    ["pow(1.1D, 10)", "double", 2.5937424601000023],
    ["ln(0)", "double", null],
    ["cbrt(27)", "double", 3],
    ["hypot(3, 4)", "double", 5],
    ["cast('10' as decimal(20,4)) / cast('3' as decimal(20,4))", "decimal(38,18)", "3.333333333333333333"],
    ["cast('7' as decimal(38,10)) * cast('0.5' as decimal(38,10))", "decimal(38,6)", "3.500000"],
    ["cast('7.5' as decimal(20,2)) div 2", "long", 3n],
    ["next_day(date '2024-02-29', 'Mon')", "date", new Date("2024-03-04")],
    ["months_between(date '2024-03-31', date '2024-02-29')", "double", 1],
    ["timestampadd(MONTH, 1, timestamp '2024-01-31 10:00:00')", "timestamp", new Date("2024-02-29T10:00:00Z")],
    ["timestampdiff(DAY, timestamp '2024-01-02 10:00:00', timestamp '2024-01-01 11:00:00')", "long", 0n],
    ["datediff(WEEK, date '2024-01-01', date '2024-01-31')", "long", 4n],
    ["to_date('31.12.2024', 'dd.MM.yyyy')", "date", new Date("2024-12-31")],
    ["try_to_timestamp('31.13.2024', 'dd.MM.yyyy')", "timestamp", null],
    ["date_format(date '2024-01-07', 'EEE d MMM')", "string", "Sun 7 Jan"],
    ["date_format(date '2024-01-07', \"h 'o''clock' a\")", "string", "12 o'clock AM"],
    ["from_unixtime(0)", "string", "1970-01-01 00:00:00"],
    ["to_utc_timestamp('2024-07-01 02:00:00', 'Europe/Berlin')", "timestamp", new Date("2024-07-01T00:00:00Z")],
    ["extract(second from timestamp '2024-01-01 00:00:01.5')", "decimal(8,6)", "1.500000"],
    ["coalesce('5', 1)", "long", 5n],
    ["'2' * 2.5", "double", 5],
    ["timestamp '2024-01-02 00:00:00' - timestamp '2024-01-01 00:00:00' > interval 23 hours", "boolean", true],
    ["date '2024-03-01' - date '2024-02-01' = interval 29 days", "boolean", true],
    [
      "timestamp '2024-01-01 00:00:00' + interval '1 2:03:04' day to second",
      "timestamp",
      new Date("2024-01-02T02:03:04Z"),
    ],
    ["cast(array(1, null) as string)", "string", "[1, null]"],
    ["cast(timestamp '1970-01-01 00:00:01.5' as double)", "double", 1.5],
    ["try_add(2147483647, 1)", "integer", null],
    ["try_divide(1, 0)", "double", null],
    ["cast('2024-02' as date)", "date", new Date("2024-02-01")],
    ["cast('2024-02-03 10:05:06+01:00' as timestamp)", "timestamp", new Date("2024-02-03T09:05:06Z")],
    ["/* a comment */ 1 -- and another\n + 1", "integer", 2],
  ])("%s is of type %s: %s", async (text, type, value) => {
    expect(await valuesOf(text)).toEqual([type, [value, value]]);
  });

  test.each<[string, unknown]>([
    ["i + l", 10n],
    ["S || '-' || I", "abc-7"],
    ["m * i", "24.50"],
    ["`odd name` + 1", 6],
    ["st.a", 4],
    ["st.`b c`", "x"],
    ["arr[1]", 2],
    ["mp['a'] = 1", true],
    ["size(arr)", 2],
    ["year(t)", 2024],
    ["cast(t as date) = dt", true],
    ["dt > '2024-01-01'", true],
    ["coalesce(i, 0) > 1 and o", true],
  ])("%s takes columns, names in any case", async (text, value) => {
    const [, [first]] = await valuesOf(text);
    expect(first).toEqual(value);
  });

  test("names the columns it takes, by their top names", () => {
    expect(sparkExpression("st.a + I > `odd name`", SCHEMA).columns).toEqual(["st", "i", "odd name"]);
    expect(sparkExpression("1 + 1", SCHEMA).columns).toEqual([]);
    expect(sparkExpression("'x'", SCHEMA).constant).toEqual({ text: "x" });
    expect(sparkExpression("null", SCHEMA).constant).toEqual({ text: undefined });
  });

  test("prefers a column to a function without parentheses of its name only where it is one", async () => {
    const schema = parseDdl("current_date int, date int, interval int, timestamp string");
    expect(await valuesOf("date + interval", schema, [{ date: 1, interval: 2 }])).toEqual(["integer", [3]]);
    expect(await valuesOf("timestamp = 'x'", schema, [{ timestamp: "x" }])).toEqual(["boolean", [true]]);
  });
});

describe("an expression that can't be evaluated as Spark does", () => {
  test.each([
    ...[
      "",
      "i >",
      "i > 1)",
      "(i > 1",
      "i > > 1",
      "i; drop",
      "select 1",
      "exists (select 1)",
      "i in (select 1)",
      "count(distinct i)",
    ],
    ...[
      "java_method(s)",
      "hash(arr)",
      "split(s, s)",
      "format_string(s)",
      "get_json_object(s, s)",
      "rand()",
      "i > all (1)",
      "sin(d)",
    ],
    ...[
      "s rlike '(?=a)'",
      "s rlike s",
      "round(d, i)",
      "date_format(t, 'GGG')",
      "to_date(s, 'yyyyMd')",
      "to_date(s, s)",
      "interval 1 day",
      "interval 1 month 1 day",
    ],
    ...["mp = mp", "'a\\0b'", "date '2024-1-99'", "dt - dt", "(t - dt) / 2", "x -> x", "i > #1", "'open"],
  ])("is refused: %s", async (text) => {
    const error = await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => sparkExpression(text, SCHEMA));
    expect(error.kind).toBe("upgrade");
    expect(error.data.expression).toBe(text);
  });

  test("tells where", async () => {
    const error = await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => sparkExpression("i > 1 and )", SCHEMA));
    expect(error.data.position).toBe(10);
  });

  test("is refused where it nests too deep", async () => {
    const deep = `${"(".repeat(5000)}1${")".repeat(5000)}`;
    await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => sparkExpression(deep, SCHEMA));
    await expectCode("DELTA_UNSUPPORTED_EXPRESSION", () => sparkExpression(`${"- ".repeat(5000)}i`, SCHEMA));
  });
});

describe("an expression that makes no sense", () => {
  test.each([
    ...[
      "nothing > 1",
      "st.nothing",
      "i and o",
      "not i",
      "i = o",
      "greatest(s, 1)",
      "case when i then 1 end",
      "arr > 1",
      "i.a",
    ],
    ...["upper()", "upper(s, s)", "if(o, 1)", "i > 'many'", "o[0]"],
  ])("is refused: %s", async (text) => {
    await expectCode("DELTA_INVALID_EXPRESSION", () => sparkExpression(text, SCHEMA));
  });

  test("is no constraint unless it is a condition", async () => {
    expect(checkConstraintExpression("i > 0", SCHEMA).type).toBe("boolean");
    await expectCode("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", () => checkConstraintExpression("i", SCHEMA));
  });
});

describe("a value that isn't there", () => {
  test.each([
    ...[
      "1 div 0",
      "1 / 0",
      "1 % 0",
      "2147483647 + 1",
      "9223372036854775807 * 2",
      "cast('x' as int)",
      "cast(300 as tinyint)",
    ],
    ...["cast(123.45 as decimal(4,2))", "abs(-128Y)", "arr[2]", "cast('2024-02-30' as date)", "make_date(2024, 2, 30)"],
    // Versions of Java don't agree on their texts.
    ...["cast(2e23 as string)", "cast(1.17549435E-38F as string)"],
    ...["to_date('2024-13', 'yyyy-MM')", "make_timestamp(2024, 1, 1, 24, 0, 0)", "5.5D % 0"],
    "cast('1e20' as decimal(38,10)) * cast(d * 0 + 1e25 as decimal(38,10))",
  ])("is an error: %s", async (text) => {
    await expectCode("DELTA_EXPRESSION_FAILED", () => valuesOf(text));
  });
});
