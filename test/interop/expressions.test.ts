import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeBatch } from "#src/arrow/column.js";
import { rowReader } from "#src/arrow/rows.js";
import { toArrowField } from "#src/arrow/schema.js";
import { type StructType, Table } from "#src/index.js";
import { evaluateAll } from "#src/sql/spark/evaluate.js";
import { sparkExpression } from "#src/sql/spark/expression.js";
import fc from "../fastCheck.js";
import { type Canonical, canonicalRow, typesOf } from "./canonical.js";
import { spark } from "./engines.js";
import { COLUMNS, EXPRESSIONS, FAILING, ROWS } from "./expressions.js";

type Outcome = { readonly error: string } | { readonly type: string; readonly values: readonly Canonical[] };

let path: string;
let schema: StructType;
let batch: RecordBatch;
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
  await Table.open(path).append(ROWS, { schema: COLUMNS });
  schema = await Table.open(path).schema();
  for await (const some of Table.open(path).batches()) batch = some;
  expect(batch.numRows).toBe(ROWS.length);
});
afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

/** All at once, or one by one where one fails. */
async function here(texts: readonly string[]): Promise<Outcome[]> {
  try {
    const expressions = texts.map((text) => sparkExpression(text, schema));
    const columns = await evaluateAll(expressions, batch);
    return columns.map((column, i) => {
      const own: StructType = {
        type: "struct",
        fields: [{ name: "c", type: expressions[i]!.type, nullable: true, metadata: {} }],
      };
      const rows = rowReader(own)(makeBatch(own.fields.map(toArrowField), [column], batch.numRows));
      return { type: typesOf(own).c!, values: rows.map((row) => canonicalRow(row, own).c!) };
    });
  } catch (error) {
    if (texts.length === 1) return [{ error: String(error) }];
    const middle = texts.length >> 1;
    return [...(await here(texts.slice(0, middle))), ...(await here(texts.slice(middle)))];
  }
}

const there = async (texts: readonly string[]) =>
  (await spark()).request<Outcome[]>("evaluate", { path, expressions: texts });

function differences(texts: readonly string[], own: readonly Outcome[], others: readonly Outcome[]): string[] {
  return texts.flatMap((text, i) => {
    const [one, other] = [own[i]!, others[i]!];
    if ("error" in one || "error" in other) {
      if ("error" in one && "error" in other) return [];
      return [`${text}: ${JSON.stringify(one).slice(0, 200)} here, ${JSON.stringify(other).slice(0, 200)} there`];
    }
    const found = one.type === other.type ? [] : [`${text}: ${one.type} here, ${other.type} there`];
    one.values.forEach((value, row) => {
      const [a, b] = [JSON.stringify(value), JSON.stringify(other.values[row])];
      if (a !== b) found.push(`${text}, row ${row}: ${a} here, ${b} there`);
    });
    return found;
  });
}

test("expressions have the types and values here that they have in Spark", async () => {
  const own = await here(EXPRESSIONS);
  expect(EXPRESSIONS.filter((_, i) => "error" in own[i]!)).toEqual([]);
  expect(differences(EXPRESSIONS, own, await there(EXPRESSIONS))).toEqual([]);
});

test("what fails in Spark for some row fails here", async () => {
  for (const text of FAILING) {
    const [[own], [other]] = [await here([text]), await there([text])];
    expect([text, "error" in own!, "error" in other!]).toEqual([text, true, true]);
  }
});

test("so have drawn ones", async () => {
  const numbers = fc.constantFrom("i", "l", "b", "d", "m", "1", "-3", "2L", "0.5", "cast(i as bigint)", "null");
  const { condition } = fc.letrec<{ number: string; condition: string }>((tie) => ({
    number: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      numbers,
      fc.tuple(tie("number"), fc.constantFrom("+", "-", "*"), tie("number")).map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc.tuple(tie("condition"), tie("number"), tie("number")).map(([c, a, b]) => `if(${c}, ${a}, ${b})`),
      fc.tuple(tie("number"), tie("number")).map(([a, b]) => `coalesce(${a}, ${b})`),
      tie("number").map((a) => `abs(${a})`),
    ),
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom("o", "s = 'abc'", "i is null", "dt > '2000-01-01'", "s like '%b%'"),
      fc
        .tuple(tie("number"), fc.constantFrom("=", "<", "<=", ">", "!=", "<=>"), tie("number"))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(tie("condition"), fc.constantFrom("and", "or"), tie("condition"))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie("condition").map((a) => `(not ${a})`),
      fc.tuple(tie("number"), tie("number"), tie("number")).map(([a, b, c]) => `(${a} in (${b}, ${c}))`),
    ),
  }));
  const texts = fc.sample(condition, { numRuns: 60, seed: 7 });
  const own = await here(texts);
  const known = texts.flatMap((_, i) => ("error" in own[i]! ? [] : [i]));
  const pick = <T>(all: readonly T[]) => known.map((i) => all[i]!);
  expect(known.length).toBeGreaterThan(texts.length / 2);
  expect(differences(pick(texts), pick(own), await there(pick(texts)))).toEqual([]);
});
