import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { planFiles } from "#src/read/plan.js";
import type { StructType } from "#src/schema/types.js";
import { localStore } from "#src/storage/local.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { flatSchemas, schemas, values } from "../arrow/arbitrary.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table merge a=b "));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const field = (name: string, type: "long" | "string") => ({ name, type, nullable: true, metadata: {} }) as const;
const [KEY, PART, SET] = [field("key", "long"), field("part", "string"), field("set", "long")];
const keyed = (row: object, key: bigint | null, part: string | null) => ({ ...row, key, part, set: 5n });

/** Names of fields in structs that tables may have, too. */
const named = schemas.filter((schema) => {
  const inside = JSON.stringify(schema.fields.map(({ type }) => type)).matchAll(/"name":"((?:[^"\\]|\\.)*)"/g);
  return [...inside].every(([, name]) => /^[a-z0-9]+$/.test(name!));
});

const MATCHED = [
  [{ update: "*" }],
  [{ where: "target.set = 5 and source.key > 2", delete: true }, { update: { set: sql`target.key + 1` } }],
  [{ where: "source.key < 6", update: "*" }, { delete: true }],
] as const;

const drawn = fc.oneof(flatSchemas, named).chain((schema) => {
  const fields = schema.fields.map((own, i) => ({ ...own, name: `c${i}` }));
  const row = fc.record(Object.fromEntries(fields.map(({ name, type, nullable }) => [name, values(type, nullable)])));
  const own: StructType = { type: "struct", fields: [KEY, ...fields, PART, SET] };
  return fc.record({
    schema: fc.constant(own),
    rows: fc.array(row, { minLength: 2, maxLength: 16 }),
    merged: fc.array(row, { minLength: 1, maxLength: 6 }),
    matched: fc.constantFrom(...MATCHED),
    clears: fc.boolean(),
    partitioned: fc.boolean(),
    evolves: fc.boolean(),
    properties: fc.record({
      "delta.enableDeletionVectors": fc.constantFrom("true", "false"),
      "delta.enableChangeDataFeed": fc.constantFrom("true", "false"),
      "delta.enableRowTracking": fc.constantFrom("true", "false", "false"),
      "delta.columnMapping.mode": fc.constantFrom("name", "none", "none"),
    }),
  });
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

async function merged(store: ObjectStore, drawing: Drawn) {
  const { schema, rows, properties, matched, clears, evolves } = drawing;
  const table = Table.open(store);
  await table.create({ schema, properties, partitionBy: drawing.partitioned ? ["part"] : [] });
  const all = rows.map((row, i) => keyed(row, i % 5 === 4 ? null : BigInt(i), i % 3 === 0 ? null : `p=${i % 3}`));
  const half = Math.ceil(all.length / 2);
  await table.append(all.slice(0, half));
  await table.append(all.slice(half));
  await table.delete({ key: 1n });
  const source = drawing.merged.map((row, i) => ({
    ...keyed(row, i === 1 ? null : BigInt(i * 3), "p=1"),
    ...(evolves && { more: i === 1 ? null : "more" }),
  }));
  const options = {
    on: "target.key = source.key",
    whenMatched: matched,
    whenNotMatched: [{ insert: "*" }],
    ...(clears && { whenNotMatchedBySource: [{ where: "target.key > 5", update: { set: 9n } }] }),
    mergeSchema: evolves,
  } as const;
  const { version, ...result } = await table.merge(source as never, options as never);
  // What is written anew has vectors and new columns to be merged with.
  const again = await table.merge(
    [keyed(drawing.merged[0]!, 0n, "p=2")] as never,
    { ...options, mergeSchema: true } as never,
  );
  const found = (await table.toArray()) as { key: bigint | null }[];
  const order = (row: object) => JSON.stringify(Object.entries(row).map(([name, value]) => [name, String(value)]));
  const snapshot = await new DeltaLog(store, {}).latest();
  const statistics = [];
  for await (const { add } of planFiles(snapshot, { withAdd: true }))
    statistics.push(add?.stats?.replace(/col-[0-9a-f-]{36}/g, "col"));
  const changes =
    properties["delta.enableChangeDataFeed"] === "true" ? await table.changes({ from: version }).toArray() : [];
  const told = changes.map(({ _commit_timestamp, ...change }) => change);
  return {
    counts: [result, again].map((one) => {
      const { insertedRowCount, updatedRowCount, deletedRowCount, copiedRowCount, sourceRowCount } = one;
      return { insertedRowCount, updatedRowCount, deletedRowCount, copiedRowCount, sourceRowCount };
    }),
    rows: found.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
    statistics: statistics.sort(),
    told: told.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
  };
}

test("a merge whose target DuckDB reads is one whose target is read here, with the same statistics and changes", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(drawn, async (drawing) => {
      const local = await merged(localStore(join(folder, String(count++)), { fsync: false }), drawing);
      expect(local).toEqual(await merged(memoryStore(), drawing));
    }),
    { numRuns: 40 },
  );
});

const rows = (first: number) => Array.from({ length: 10 }, (_, i) => ({ key: BigInt(first + i), text: "1", set: 0n }));
const TEXTS = { key: "long", text: "string", set: "long" } as const;

test("a condition that fails on a removed row only doesn't fail, on a live one it does", async () => {
  const table = Table.open(folder);
  await table.create({ schema: TEXTS, properties: { "delta.enableDeletionVectors": "true" } });
  await table.append([...rows(0), { key: 10n, text: "x", set: 0n }]);
  await table.delete({ key: 10n });
  const merge = (key: bigint) =>
    table.merge([{ key, text: "2", set: 7n }], {
      on: "target.key >= source.key AND CAST(target.text AS INTEGER) = 1 AND target.key <= source.key",
      whenMatched: [{ update: "*" }],
    });
  expect(await merge(3n)).toMatchObject({ updatedRowCount: 1 });
  await table.append([{ key: 10n, text: "y", set: 0n }]);
  await expectCode("DELTA_INVALID_PREDICATE", () => merge(10n));
});

test("several rows of the source that match one", async () => {
  const table = Table.open(folder);
  await table.append(rows(0));
  const twice = [1n, 1n].map((key) => ({ key, text: "2", set: 7n }));
  await expectCode("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", () =>
    table.merge(twice, { on: "key", whenMatched: [{ update: "*" }] }),
  );
  expect(await table.merge(twice, { on: "key", whenMatched: [{ delete: true }] })).toMatchObject({
    deletedRowCount: 1,
  });
});

test("a damaged file is told of", async () => {
  const table = Table.open(folder);
  await table.append(rows(0));
  const [file] = (await readdir(folder)).filter((name) => name.endsWith(".parquet"));
  await truncate(join(folder, file!), 40);
  await expect(
    table.merge([{ key: 1n, text: "2", set: 7n }], { on: "key", whenMatched: [{ update: "*" }] }),
  ).rejects.toMatchObject({ name: "DeltaError" });
});
