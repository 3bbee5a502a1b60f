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
import { ARRAY_EXPRESSIONS, MIXED_EXPRESSIONS, TEXT_EXPRESSIONS, TIME_EXPRESSIONS } from "./functionExpressions.js";
import { NUMBER_COLUMNS, NUMBER_EXPRESSIONS, NUMBER_ROWS } from "./numberExpressions.js";

type Outcome = { readonly error: string } | { readonly type: string; readonly values: readonly Canonical[] };

/** A table that both sides read, as a batch. */
interface Rows {
  readonly path: string;
  readonly schema: StructType;
  readonly batch: RecordBatch;
}

let folder: string;
let corners: Rows;
let numbers: Rows;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-"));
  corners = await tableOf("corners", ROWS, COLUMNS);
  numbers = await tableOf("numbers", NUMBER_ROWS, NUMBER_COLUMNS);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function tableOf(name: string, rows: readonly object[], columns: StructType): Promise<Rows> {
  const path = join(folder, name);
  await Table.open(path).append(rows, { schema: columns });
  const schema = await Table.open(path).schema();
  const batches: RecordBatch[] = [];
  for await (const batch of Table.open(path).batches()) batches.push(batch);
  expect(batches.map(({ numRows }) => numRows)).toEqual([rows.length]);
  return { path, schema, batch: batches[0]! };
}

/** All at once, or one by one where one fails. */
async function here(texts: readonly string[], rows: Rows = corners): Promise<Outcome[]> {
  const { schema, batch } = rows;
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
    return [...(await here(texts.slice(0, middle), rows)), ...(await here(texts.slice(middle), rows))];
  }
}

const there = async (texts: readonly string[], { path }: Rows = corners) =>
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

test.each([
  ["expressions", EXPRESSIONS],
  ["functions of times", TIME_EXPRESSIONS],
  ["functions of texts", TEXT_EXPRESSIONS],
  ["functions of arrays and maps", ARRAY_EXPRESSIONS],
  ["values of several types", MIXED_EXPRESSIONS],
])("%s have the types and values here that they have in Spark", async (_, texts) => {
  const own = await here(texts);
  expect(texts.filter((_, i) => "error" in own[i]!)).toEqual([]);
  expect(differences(texts, own, await there(texts))).toEqual([]);
});

test("functions of numbers are the same to the last bit", async () => {
  const own = await here(NUMBER_EXPRESSIONS, numbers);
  expect(NUMBER_EXPRESSIONS.filter((_, i) => "error" in own[i]!)).toEqual([]);
  expect(differences(NUMBER_EXPRESSIONS, own, await there(NUMBER_EXPRESSIONS, numbers))).toEqual([]);
});

test("what fails in Spark for some row fails here", async () => {
  for (const text of FAILING) {
    const [[own], [other]] = [await here([text]), await there([text])];
    expect([text, "error" in own!, "error" in other!]).toEqual([text, true, true]);
  }
});

test("so have drawn ones", async () => {
  const terms = fc.constantFrom("i", "l", "b", "d", "m", "1", "-3", "2L", "0.5", "cast(i as bigint)", "null");
  const { condition } = fc.letrec<{ number: string; condition: string }>((tie) => ({
    number: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      terms,
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
