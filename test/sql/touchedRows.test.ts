import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { planFiles } from "#src/read/plan.js";
import type { StructType } from "#src/schema/types.js";
import { localStore } from "#src/storage/local.js";
import { flatSchemas, schemas, values } from "../arrow/arbitrary.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-table touched-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const VECTORS = { "delta.enableDeletionVectors": "true" };
/** Adopted as DuckDB writes them, taken batch by batch, read here. */
const WAYS = [
  VECTORS,
  { ...VECTORS, "delta.parquet.compression.codec": "zstd" },
  { ...VECTORS, "delta.enableRowTracking": "true" },
];

const KEY = { name: "key", type: "long", nullable: true, metadata: {} } as const;
const SET = { name: "set", type: "long", nullable: true, metadata: {} } as const;

/** Names of fields in structs that tables may have, too. */
const named = schemas.filter((schema) => {
  const inside = JSON.stringify(schema.fields.map(({ type }) => type)).matchAll(/"name":"((?:[^"\\]|\\.)*)"/g);
  return [...inside].every(([, name]) => /^[a-z0-9]+$/.test(name!));
});

const drawn = fc.oneof(flatSchemas, named).chain((schema) => {
  const fields = schema.fields.map((field, i) => ({ ...field, name: `c${i}` }));
  const row = fc.record(Object.fromEntries(fields.map(({ name, type, nullable }) => [name, values(type, nullable)])));
  const own: StructType = { type: "struct", fields: [KEY, ...fields, SET] };
  return fc.record({ schema: fc.constant(own), rows: fc.array(row, { minLength: 1, maxLength: 20 }) });
});

async function changed(path: string, properties: Record<string, string>, schema: StructType, rows: readonly object[]) {
  const table = Table.open(path);
  await table.create({ schema, properties });
  const keyed = rows.map((row, i) => ({ ...row, key: BigInt(i), set: i % 3 === 0 ? null : 5n }));
  const half = Math.ceil(keyed.length / 2);
  await table.append(keyed.slice(0, half));
  await table.append(keyed.slice(half));
  await table.delete({ key: 1n });
  const { updatedRowCount } = await table.update({ set: { set: sql`key * 2 - 4` }, where: "key % 3 = 1 or key = 2" });
  const found = await table.toArray();
  const snapshot = await new DeltaLog(localStore(path), {}).latest();
  const statistics = [];
  for await (const { add } of planFiles(snapshot, { withAdd: true })) {
    // Files whose rows are all still theirs are compared by the rows.
    if (add?.deletionVector === undefined) statistics.push(JSON.parse(add?.stats ?? "null") as unknown);
  }
  return {
    updatedRowCount,
    rows: found.sort((a, b) => Number((a as { key: bigint }).key - (b as { key: bigint }).key)),
    statistics: statistics.map((one) => JSON.stringify(one)).sort(),
  };
}

test("rows that DuckDB takes, or writes, are those that are read here, with the same statistics", async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(drawn, async ({ schema, rows }) => {
      const base = join(folder, String(count++));
      const [first, ...others] = await Promise.all(
        WAYS.map((properties, i) => changed(`${base}-${i}`, properties, schema, rows)),
      );
      for (const other of others) expect(other).toEqual(first);
    }),
    { numRuns: 25 },
  );
});

test("old vectors, rows of whole files, nulls where none may be, failing values", async () => {
  const table = Table.open(folder);
  const schema: StructType = {
    type: "struct",
    fields: [KEY, { ...SET, nullable: false }],
  };
  await table.create({ schema, properties: VECTORS });
  const rows = (first: number) => Array.from({ length: 10 }, (_, i) => ({ key: BigInt(first + i), set: 0n }));
  await table.append(rows(0));
  await table.append(rows(10));
  await table.delete("key % 10 = 3");
  await expectCode("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", () =>
    table.update({ set: { set: sql`nullif(key, 4)` }, where: "key + 0 >= 0" }),
  );
  await expectCode("DELTA_INVALID_PREDICATE", () =>
    table.update({ set: { set: sql`cast(key || 'x' as bigint)` }, where: "key + 0 >= 0" }),
  );
  const { updatedRowCount } = await table.update({ set: { set: sql`key` }, where: "key + 0 <= 9 or key % 10 = 4" });
  expect(updatedRowCount).toBe(10);
  const found = (await table.toArray()) as { key: bigint; set: bigint }[];
  expect(found.length).toBe(18);
  for (const { key, set } of found) expect(set).toBe(key <= 9n || key % 10n === 4n ? key : 0n);
});
