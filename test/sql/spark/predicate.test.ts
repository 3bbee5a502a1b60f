import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { makeBatch } from "#src/arrow/column.js";
import { evaluatePredicate } from "#src/arrow/evaluate.js";
import { rowReader } from "#src/arrow/rows.js";
import { toArrowField } from "#src/arrow/schema.js";
import { parseDdl } from "#src/schema/ddl.js";
import type { StructType } from "#src/schema/types.js";
import { evaluateAll } from "#src/sql/spark/evaluate.js";
import { checkConstraintExpression } from "#src/sql/spark/expression.js";
import { typedPredicate } from "#src/sql/spark/predicate.js";

const SCHEMA = parseDdl(
  "i int, l bigint, b tinyint, d double, f float, s string, o boolean, m decimal(10,2), dt date, t timestamp, n timestamp_ntz, st struct<a: int>",
);
const ROWS = [
  {},
  {
    i: 1,
    l: 5n,
    b: 3,
    d: 2.5,
    f: 1.5,
    s: "abc",
    o: true,
    m: "3.50",
    dt: "2024-02-29",
    t: "2024-02-29T10:20:30Z",
    n: "2024-01-01T00:00:00",
    st: { a: 4 },
  },
  {
    i: -7,
    l: -9_000_000_000n,
    b: -128,
    d: Number.NaN,
    f: 0.1,
    s: "",
    o: false,
    m: "-0.05",
    dt: "1969-12-28",
    t: "1969-12-31T23:59:59.999999Z",
    n: "1900-01-01T00:00:00",
    st: {},
  },
  {
    i: 0,
    l: 2n ** 60n,
    b: 0,
    d: -0,
    f: Number.POSITIVE_INFINITY,
    s: "ünïcode",
    o: true,
    m: "99999999.99",
    dt: "2000-01-01",
    t: "2000-01-01T00:00:00Z",
    n: "2000-01-01T00:00:00",
  },
  { i: 2_147_483_647, d: 1e300, s: " abc", m: "1.00", st: { a: -1 } },
];
const batch = buildBatch(SCHEMA, ROWS, 0);

async function bothWays(text: string) {
  const { sql, tree, columns } = checkConstraintExpression(text, SCHEMA);
  const [truth] = await evaluateAll([{ sql, columns, type: "boolean" }], batch);
  const own: StructType = { type: "struct", fields: [{ name: "c", type: "boolean", nullable: true, metadata: {} }] };
  const values = rowReader(own)(makeBatch(own.fields.map(toArrowField), [truth!], ROWS.length)).map(({ c }) => c);
  const predicate = typedPredicate(tree, SCHEMA);
  const kept = predicate === undefined ? undefined : await evaluatePredicate(predicate, batch);
  const all = values.map((_, row) => row);
  return { duckdb: all.filter((row) => values[row] === true), typed: kept === "all" ? all : kept && [...kept] };
}

describe("a condition that needs no DuckDB", () => {
  test.each([
    ...[
      "i > 0",
      "0 < i",
      "i >= 1.5",
      "i != 1",
      "i = 3000000000",
      "l < -8999999999",
      "l = 1152921504606846976",
      "b <= -128",
    ],
    ...[
      "d > 2",
      "d >= 2.5",
      "d = 0",
      "d > 1e299",
      "d < 0.1",
      "not d > 0",
      "m > 3",
      "m = 3.5",
      "m <= -0.05",
      "m < 1.005",
    ],
    ...[
      "s = 'abc'",
      "s > 'b'",
      "s <> ''",
      "s >= 'ü'",
      "o = true",
      "o != false",
      "dt > date '2000-01-01'",
      "dt = date '2024-02-29'",
    ],
    ...[
      "t >= timestamp '2000-01-01 00:00:00'",
      "n < timestamp_ntz '2000-01-01 00:00:00'",
      "i is null",
      "i is not null",
      "st.a > 0",
    ],
    ...[
      "i in (1, 0)",
      "i not in (1, 0)",
      "s in ('abc', 'x')",
      "i between -10 and 1",
      "i not between 0 and 1",
      "i > 0 or s = ''",
    ],
    ...[
      "i > 0 and not (s = 'abc' or m > 5)",
      "not (i is null or l > 5)",
      "st.a is null",
      "m in (1, 3.5)",
      "i <> 1 or o = true",
    ],
  ])("means the same: %s", async (text) => {
    const { duckdb, typed } = await bothWays(text);
    expect(typed).toEqual(duckdb);
  });

  test.each([
    "i + 1 > 2",
    "length(s) > 1",
    "i = l",
    "f > 0.1",
    "dt > '2000-01-01'",
    "i <=> 1",
    "i = '1'",
    "i > null",
    "d = 5L",
    "o",
  ])("isn't made of %s", (text) => {
    expect(typedPredicate(checkConstraintExpression(text, SCHEMA).tree, SCHEMA)).toBeUndefined();
  });
});
