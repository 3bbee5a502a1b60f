import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { readFooter } from "#src/parquet/footer.js";
import { readPageBounds } from "#src/parquet/pageBounds.js";
import { boundText } from "#src/read/pageBoundTexts.js";
import { localStore } from "#src/storage/local.js";
import fc from "../fastCheck.js";

const ROWS = 150_000;
const BLOCK = 10_000;
const SCHEMA = {
  id: "long",
  small: "integer",
  at: "timestamp",
  day: "date",
  amount: "double",
  name: "string",
  price: "decimal(12,2)",
} as const;

/** Values that are alike in blocks of rows, some of which have only nulls, and NaN in one. */
function rowOf(index: number): Record<string, unknown> {
  const block = Math.floor(index / BLOCK);
  const isGap = block % 5 === 3;
  return {
    id: BigInt(index),
    small: isGap ? null : block * 7 - 40 + (index % 3),
    at: isGap && index % 2 === 0 ? null : new Date(Date.UTC(2024, 0, 1 + block) + (index % 1000)),
    day: new Date(Date.UTC(1960 + ((block * 7) % 15), 5, 1)),
    amount: index === 54_321 ? Number.NaN : isGap ? -0 : (block - 7) / 4,
    name: isGap ? null : `${"long name ".repeat(block % 4 === 0 ? 8 : 0)}é${String(block).padStart(2, "0")}`,
    price: `${block}.50`,
  };
}

/** Compared with values that the rows have, and some beside. */
const block = fc.integer({ min: -1, max: 16 });
const row = fc.integer({ min: -1, max: ROWS + 1 });
const values = {
  id: row.map(BigInt),
  small: block.map((n) => n * 7 - 39),
  at: block.map((n) => new Date(Date.UTC(2024, 0, 1 + n) + 500)),
  day: block.map((n) => new Date(Date.UTC(1960 + n, 5, 1))),
  amount: fc.oneof(
    block.map((n) => (n - 7) / 4),
    fc.constantFrom(Number.NaN, 0, -0),
  ),
  name: fc.tuple(block, fc.constantFrom(0, 8)).map(([n, long]) => {
    return `${"long name ".repeat(long)}é${String(n).padStart(2, "0")}`;
  }),
  price: block.map((n) => `${n}.50`),
};
const test1 = fc.constantFrom(...(Object.keys(values) as (keyof typeof values)[])).chain((name) => {
  const value = values[name] as fc.Arbitrary<unknown>;
  return fc.oneof(
    fc
      .tuple(fc.constantFrom("gt", "gte", "lt", "lte", "eq", "ne"), value)
      .map(([op, one]) => ({ [name]: { [op]: one } })),
    fc.array(value, { minLength: 1, maxLength: 3 }).map((some) => ({ [name]: { in: some } })),
    fc.boolean().map((isNull) => ({ [name]: isNull ? null : { ne: null } })),
  );
});
const where = fc.oneof(
  test1,
  fc.tuple(test1, test1).map((and) => ({ $and: and })),
  fc.tuple(test1, test1).map((or) => ({ $or: or })),
  test1.map((not) => ({ $not: not })),
);

describe.each(["none", "name"])("conditions on files with a page index, column mapping %s", (mode) => {
  let folder: string;
  let near: Table;
  let far: Table;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "delta-table-ranges-"));
    near = Table.open(join(folder, "t"));
    far = Table.open(`memory:row-ranges-${mode}`);
    const rows = Array.from({ length: ROWS }, (_, index) => rowOf(index));
    const properties = { "delta.enableDeletionVectors": "true", "delta.columnMapping.mode": mode };
    for (const table of [near, far]) {
      await table.create({ schema: SCHEMA, properties });
      await table.append(rows);
      await table.delete({ id: { in: [3n, 19_999n, 20_000n, 77_777n] } });
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("rows are those that are found without it", async () => {
    await fc.assert(
      fc.asyncProperty(where, async (condition) => {
        const options = { where: condition as never, columns: ["name", "id"] };
        const [found, wanted] = await Promise.all([near, far].map((table) => table.toArrow(options)));
        expect(found!.numRows).toBe(wanted!.numRows);
        const idsOf = (table: typeof found) => table!.getChild("id")?.toArray().join();
        expect(idsOf(found) === idsOf(wanted)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("the index tells of each column that it can", async () => {
    const [file] = await near.files();
    const store = localStore(join(folder, "t"));
    const footer = await readFooter(store, { path: file!.path, sizeBytes: file!.size });
    const leaves = [...footer.leaves.keys()];
    const pages = await readPageBounds(store, footer, 0, leaves);
    // Those of amount would not tell of NaN.
    expect(pages.map((column) => (column?.firstRows.length ?? 0) > 1)).toEqual(leaves.map((leaf) => leaf !== 4));
    const types = Object.values(SCHEMA);
    const known = leaves.filter((leaf) => boundText(footer.leaves[leaf]!.element, types[leaf]!) !== undefined);
    expect(known).toEqual([0, 1, 2, 3, 4, 5]);
    const text = boundText(footer.leaves[0]!.element, "long")!;
    expect(pages[0]!.bounds[0]!.map(text)).toEqual(["0", String(pages[0]!.firstRows[1]! - 1)]);
  });
});
