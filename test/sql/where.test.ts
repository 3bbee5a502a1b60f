import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { evaluatePredicate } from "#src/arrow/evaluate.js";
import type { OpaquePredicate, Predicate } from "#src/schema/predicate.js";
import { opaquePredicate } from "#src/sql/opaque.js";
import { parseWhere } from "#src/sql/where.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { evaluateRow } from "../schema/evaluateRow.js";
import { batch, COLUMNS, literalRows, rows, schema } from "./rows.js";

const parse = (sql: string) => parseWhere(sql, schema);

/** DuckDB's own answer for each row: 1 true, 0 false, 2 null. */
async function duckdbAnswers(sql: string): Promise<number[]> {
  const columns = schema.fields.map(({ name }) => [name]);
  return [...(await (await opaquePredicate(sql, columns, schema)).evaluate(batch))];
}

function answersOf(predicate: Predicate): number[] {
  return literalRows.map((row) => ({ true: 1, false: 0, null: 2 })[String(evaluateRow(predicate, row)) as "true"]);
}

function isTyped(predicate: Predicate): boolean {
  if (predicate.op === "and" || predicate.op === "or") return predicate.terms.every(isTyped);
  return predicate.op === "not" ? isTyped(predicate.term) : predicate.op !== "opaque";
}

const comparison = fc.constantFrom("=", "!=", "<>", "==", "<", "<=", ">", ">=");
const term = fc.constantFrom(...Object.keys(COLUMNS)).chain((column) => {
  const constant = fc.constantFrom(...COLUMNS[column]!.sql);
  // DuckDB turns all of a list or range into doubles where one is; here each is compared by itself, exactly.
  const isDouble = (c: string) => (column === "id" || column === "f") && /e-?\d|DOUBLE/.test(c);
  const alike = fc.constantFrom(...COLUMNS[column]!.sql.filter((c) => !isDouble(c)));
  const list = fc.array(alike, { minLength: 1, maxLength: 3 });
  const not = fc.constantFrom("", "NOT ");
  const forms = [
    fc.tuple(comparison, constant).map(([op, c]) => `${column} ${op} ${c}`),
    fc.tuple(comparison, constant).map(([op, c]) => `${c} ${op} ${column}`),
    fc.tuple(not, list).map(([n, cs]) => `${column} ${n}IN (${cs.join(", ")})`),
    fc.tuple(not, alike, alike).map(([n, low, high]) => `${column} ${n}BETWEEN ${low} AND ${high}`),
    fc.tuple(not, constant).map(([n, c]) => `${column} IS ${n}DISTINCT FROM ${c}`),
    not.map((n) => `${column} IS ${n}NULL`),
  ];
  if (column === "ok") forms.push(fc.constantFrom("ok", "ok IS TRUE", "ok IS NOT FALSE", "ok IS UNKNOWN"));
  if (column === "name") {
    const pattern = fc.constantFrom("'a%'", "'ab%'", "'%'", "'abc'", "'\u{1F600}%'");
    forms.push(fc.tuple(not, pattern).map(([n, p]) => `name ${n}LIKE ${p}`));
    forms.push(fc.constantFrom("starts_with(name, 'a')", "name ^@ 'ab'"));
  }
  return fc.oneof(...forms);
});
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2 },
    term,
    tie("condition").map((c) => `NOT (${c})`),
    fc.tuple(tie("condition"), fc.constantFrom("AND", "OR"), tie("condition")).map(([a, op, b]) => `(${a} ${op} ${b})`),
  ),
}));

test("typed predicates mean, row by row, what DuckDB says", async () => {
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(condition, async (sql) => {
      const predicate = await parse(sql);
      expect(isTyped(predicate)).toBe(true);
      const expected = await duckdbAnswers(sql);
      expect(answersOf(predicate)).toEqual(expected);
      const passing = await evaluatePredicate(predicate, batch);
      const all = rows.map((_, i) => i);
      expect(passing === "all" ? all : [...passing]).toEqual(all.filter((i) => expected[i] === 1));
      answers |= expected.reduce((seen, answer) => seen | (1 << answer), 0);
    }),
    { numRuns: 400 },
  );
  expect(answers).toBe(0b111);
});

test.each<[string, Predicate]>([
  ["id > 2.5", { op: ">", column: ["id"], value: 2n }],
  ["2.5 > id", { op: "<=", column: ["id"], value: 2n }],
  ["ID = 9007199254740993", { op: "=", column: ["id"], value: 9007199254740993n }],
  ["A.B = 1", { op: "=", column: ["a", "b"], value: 1 }],
  ["(a).b = 1", { op: "=", column: ["a", "b"], value: 1 }],
  ['"odd NAME" in (1, 2)', { op: "in", column: ["Odd Name"], values: [1, 2] }],
  ["name LIKE 'ab%'", { op: "startsWith", column: ["name"], value: "ab" }],
  ["ts >= TIMESTAMP '2024-01-31 00:00:00'", { op: ">=", column: ["ts"], value: 1706659200000000n }],
  ["d = DATE '2024-01-31' -- the last of January", { op: "=", column: ["d"], value: 19753 }],
  ["price < 1.5 /* net */", { op: "<", column: ["price"], value: 150n }],
  ["1 = 2", { op: "constant", value: false }],
  ["NULL", { op: "constant", value: null }],
  ["ts = NULL", { op: "constant", value: null }],
])("%s", async (sql, predicate) => expect(await parse(sql)).toEqual(predicate));

describe("what DuckDB alone can evaluate", () => {
  type Row = {
    id: bigint | null;
    name: string | null;
    x: number | null;
    tags: string[] | null;
    a: { b: number | null } | null;
  };
  const unless = (nothing: unknown, answer: () => boolean) =>
    nothing === null || nothing === undefined ? 2 : answer() ? 1 : 0;

  test.each<[string, string[][], (row: Row) => number]>([
    ["length(name) = 2", [["name"]], ({ name }) => unless(name, () => [...name!].length === 2)],
    ["id % 2 = 1", [["id"]], ({ id }) => unless(id, () => id! % 2n === 1n)],
    ["name LIKE '%b_'", [["name"]], ({ name }) => unless(name, () => /b.$/.test(name!))],
    ["a.b + 1 = 2e0", [["a", "b"]], ({ a }) => unless(a?.b, () => a!.b === 1)],
    ["x * 10 = 1.0", [["x"]], ({ x }) => unless(x, () => x! * 10 === 1)],
    ["name = 'a' AND upper(name) = 'A'", [["name"]], ({ name }) => unless(name, () => name === "a" || name === "A")],
    ["len(list_filter(tags, t -> t = 'b')) = 1", [["tags"]], ({ tags }) => unless(tags, () => tags!.includes("b"))],
    ["list_contains(tags, 'a')", [["tags"]], ({ tags }) => unless(tags, () => tags!.includes("a"))],
    ["random() < 2", [], () => 1],
  ])("%s", async (sql, columns, expected) => {
    const predicate = await parse(sql);
    const opaque = (predicate.op === "and" ? predicate.terms.at(-1) : predicate) as OpaquePredicate;
    expect(opaque.op).toBe("opaque");
    expect(opaque.columns).toEqual(columns);
    expect([...(await opaque.evaluate(batch))]).toEqual(rows.map((row) => expected(row as unknown as Row)));
    expect([...(await opaque.evaluate(batch.slice(0, 0)))]).toEqual([]);
  });

  test("leaves the other terms typed, and is one term", async () => {
    const predicate = await parse(
      "id % 2 = 0 AND id > 5 AND length(name) > 2 AND NOT (d = DATE '2024-01-31' OR ok = (x > 0))",
    );
    expect(predicate).toMatchObject({
      op: "and",
      terms: [
        { op: ">", column: ["id"] },
        { op: "not", term: { op: "or", terms: [{ op: "=", column: ["d"] }, { op: "opaque" }] } },
        { op: "opaque", columns: [["id"], ["name"]] },
      ],
    });
  });

  test("leaves no temporary files, not even after a failure", async () => {
    const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith("delta-table-sql-"));
    const before = temporary();
    const predicate = (await parse("CAST(name AS INTEGER) = 1")) as OpaquePredicate;
    const error = await expectCode("DELTA_INVALID_PREDICATE", () => predicate.evaluate(batch));
    expect(error.cause).toBeDefined();
    expect(temporary()).toEqual(before);
  });
});

describe("refused", () => {
  test.each<[string, number | undefined]>([
    ["id =", undefined],
    ["id = 1) OR (1 = 1", 6],
    ["id = 1; DROP TABLE t", undefined],
    ["id = 1 ORDER BY id", 7],
    ["id = 1 LIMIT 1", 7],
    ["id = 1 UNION SELECT 1", 7],
    ["id = 1)--", 6],
    ["id == = 1", undefined],
    ["name = 'it's'", undefined],
    ["id = 1 \0", 7],
    ["", undefined],
    ["  ", undefined],
    ["/* nothing */", undefined],
    ["id > 1e400", undefined],
  ])("%j is no expression", async (sql, position) => {
    const error = await expectCode("DELTA_INVALID_PREDICATE", () => parse(sql));
    expect(error.data.where).toBe(sql);
    if (position !== undefined) expect(error.data.position).toBe(position);
  });

  test.each([
    "id IN (SELECT 1)",
    "EXISTS (SELECT 1)",
    "id = (SELECT max(id) FROM t)",
    "id > ALL (SELECT 1)",
    "row_number() OVER () = 1",
    "count(*) > 1",
    "sum(id) > 1",
    "unnest(tags) = 'a'",
    "COLUMNS(*) > 1",
    "*",
    "id = ?",
    "id = $1",
    "nosuchfunction(id)",
    "name > 5",
    "tags = 5",
    "d = 1",
    "id = 'x'",
    "id = CAST('x' AS INTEGER)",
    "a.b.c = 1",
  ])("%s", async (sql) => {
    await expectCode("DELTA_INVALID_PREDICATE", () => parse(sql));
  });

  test.each([
    ["nme = 'x'", "nme", "name"],
    ["upper(nme) = 'X'", "nme", "name"],
    ["a.bb = 1", "a.bb", "a.b"],
    ['name = "abc"', "abc", undefined],
    ["rowid = 1", "rowid", undefined],
    ["len(list_filter(tags, t -> t = other)) = 1", "other", undefined],
  ])("the unknown column in %s", async (sql, column, nearest) => {
    const error = await expectCode("DELTA_INVALID_PREDICATE", () => parse(sql));
    expect(error.data.column).toBe(column);
    if (nearest) expect(error.data.nearest).toBe(nearest);
  });
});
