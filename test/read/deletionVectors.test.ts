import type { RecordBatch } from "apache-arrow";
import { beforeEach, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { scanBatches } from "#src/read/scan.js";
import type { Predicate } from "#src/schema/predicate.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { inlineVector, putVectors } from "../log/deletionVectorBytes.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { nameOf, replaceVector, tableOf } from "./tableWithVectors.js";

const UUID = "d2c639aa-8816-431a-aaf6-d3fe2512ff61";
const VECTORS = `deletion_vector_${UUID}.bin`;

let store: CountingStore;
beforeEach(() => {
  store = countingStore(memoryStore());
});

const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);
const idsOf = (rows: readonly Record<string, unknown>[]) => rows.map(({ id }) => Number(id));
const gets = () => store.take().filter((call) => !call.includes("_delta_log"));

describe("removed rows", () => {
  test("[R-DV-1] are left out of rows, projections, limits, counts and conditions", async () => {
    const table = await tableOf(store, [
      { first: 0, rowCount: 10, deletionVector: inlineVector([0, 4, 9]) },
      { first: 100, rowCount: 5, day: "tue" },
      { first: 200, rowCount: 4, day: "tue", deletionVector: inlineVector([1, 2]) },
    ]);
    const left = [1, 2, 3, 5, 6, 7, 8, 100, 101, 102, 103, 104, 200, 203];
    const rows = await table.toArray();
    expect(idsOf(rows)).toEqual(left);
    expect(rows.map(({ name }) => name)).toEqual(left.map(nameOf));
    expect(await table.toArray({ columns: ["name"] })).toEqual(left.map((id) => ({ name: nameOf(id) })));
    expect(await table.toArray({ columns: ["day"], where: { day: "tue" } })).toEqual(Array(7).fill({ day: "tue" }));
    expect(idsOf(await table.toArray({ limit: 4 }))).toEqual([1, 2, 3, 5]);
    expect(idsOf(await table.toArray({ limit: 8 }))).toEqual([1, 2, 3, 5, 6, 7, 8, 100]);
    expect(idsOf(await table.toArray({ where: { id: { between: [3, 100] } } }))).toEqual([3, 5, 6, 7, 8, 100]);
    expect(idsOf(await table.toArray({ where: { name: null } }))).toEqual([3, 6, 102]);
    expect(idsOf(await table.toArray({ where: { id: { gt: 8 } }, limit: 2 }))).toEqual([100, 101]);
    expect(await table.count()).toBe(14);
    expect(await table.count({ where: { day: "tue" } })).toBe(7);
    expect(await table.count({ where: { id: { lte: 202 } } })).toBe(13);
    expect(await table.count({ where: { name: null } })).toBe(3);
    expect(await table.count({ where: { id: 4 } })).toBe(0);
    expect((await table.toArrow()).numRows).toBe(14);
  });

  test("are those of each version", async () => {
    const table = await tableOf(store, [{ first: 0, rowCount: 6 }]);
    await replaceVector(store, "f0.parquet", inlineVector([1]));
    const [stored] = await putVectors(store, UUID, [[1, 2, 5]]);
    await replaceVector(store, "f0.parquet", stored);
    await replaceVector(store, "f0.parquet");
    const expected = [[], range(0, 6), [0, 2, 3, 4, 5], [0, 3, 4], range(0, 6)];
    for (const [version, ids] of expected.entries()) {
      expect(idsOf(await table.at(version).toArray()), `version ${version}`).toEqual(ids);
      expect(await table.at(version).count(), `version ${version}`).toEqual(ids.length);
    }
    expect((await table.at(3).files())[0]!.deletionVector).toEqual(stored);
    expect((await table.files())[0]).not.toHaveProperty("deletionVector");
  });

  test("stay removed behind a checkpoint", async () => {
    const [stored] = await putVectors(store, UUID, [[1, 2, 5]], "ab");
    const table = await tableOf(store, [
      { first: 0, rowCount: 6, deletionVector: stored },
      { first: 10, rowCount: 3 },
      { first: 20, rowCount: 3, deletionVector: inlineVector([0]) },
    ]);
    await table.checkpoint();
    await store.delete("_delta_log/00000000000000000000.json");
    const reopened = Table.open(store);
    expect(idsOf(await reopened.toArray())).toEqual([0, 3, 4, 10, 11, 12, 21, 22]);
    expect(await reopened.count()).toBe(8);
    await replaceVector(store, "f0.parquet", inlineVector([0, 1, 2, 5]));
    expect(idsOf(await Table.open(store).toArray()).sort((a, b) => a - b)).toEqual([3, 4, 10, 11, 12, 21, 22]);
    const vectors = (await reopened.files()).map(({ path, deletionVector }) => [path, deletionVector?.cardinality]);
    expect(vectors.sort()).toEqual([
      ["f0.parquet", 4],
      ["f1.parquet", undefined],
      ["f2.parquet", 1],
    ]);
  });

  test("are never shown to a condition", async () => {
    await tableOf(store, [{ first: 0, rowCount: 10, deletionVector: inlineVector([2, 3, 7]) }]);
    const shown: number[] = [];
    const predicate: Predicate = {
      op: "opaque",
      text: "id is even",
      columns: [["id"]],
      evaluate: async (batch) => {
        const ids = [...(batch as RecordBatch).getChild("id")!].map(Number);
        shown.push(...ids);
        return Uint8Array.from(ids, (id) => 1 - (id % 2));
      },
    };
    const found: number[] = [];
    for await (const batch of scanBatches(await loadSnapshot(store), { predicate })) {
      found.push(...[...batch.getChild("id")!].map(Number));
    }
    expect(shown).toEqual([0, 1, 4, 5, 6, 8, 9]);
    expect(found).toEqual([0, 4, 6, 8]);
  });

  test("[R-DV-6] are the right ones across row groups, whatever is asked for", async () => {
    const scenario = fc.record({
      rowCount: fc.integer({ min: 1, max: 400 }),
      rowGroupRows: fc.integer({ min: 1, max: 150 }),
      share: fc.constantFrom(0.02, 0.5, 0.98),
      seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      columns: fc.constantFrom(["id"], ["name"], ["name", "id"], ["day", "id"]),
      above: fc.option(fc.nat(400)),
      limit: fc.option(fc.nat(300)),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ rowCount, rowGroupRows, share, seed, columns, above, limit }) => {
        const removed = range(0, rowCount).filter(() => (seed.next().value as number) < share);
        const files = memoryStore();
        const deletionVector = inlineVector(removed);
        const table = await tableOf(files, [
          { first: 0, rowCount, rowGroupRows, deletionVector },
          { first: 500, rowCount: 2 },
        ]);
        const gone = new Set(removed);
        const ids = [...range(0, rowCount).filter((id) => !gone.has(id)), 500, 501];
        const passing = ids.filter((id) => above === null || id > above);
        const where = above === null ? undefined : { id: { gt: above } };
        const found = await table.toArray({ columns, where, limit: limit ?? undefined });
        const row = (id: number) => ({ id: BigInt(id), name: nameOf(id), day: "mon" });
        const expected = passing.slice(0, limit ?? undefined).map((id) => {
          const all: Record<string, unknown> = row(id);
          return Object.fromEntries(columns.map((column) => [column, all[column]]));
        });
        expect(found).toEqual(expected);
        expect(await table.count({ where })).toBe(passing.length);
      }),
      { numRuns: 60 },
    );
  });

  test("are the right ones in a row group that is decoded in pieces", async () => {
    const rowCount = 900_000;
    const isRemoved = (id: number) => id % 1000 < 3 || (id >= 300_000 && id < 600_000);
    const removed = range(0, rowCount).filter(isRemoved);
    const table = await tableOf(store, [{ first: 0, rowCount, deletionVector: inlineVector(removed) }]);
    let at = 0;
    let wrong = 0;
    let count = 0;
    let batches = 0;
    for await (const batch of table.scan({ columns: ["name", "id"] }).batches()) {
      const ids = batch.getChild("id")!.data[0]!.values as BigInt64Array;
      const names = batch.getChild("name")!;
      batches++;
      for (let row = 0; row < batch.numRows; row++) {
        while (isRemoved(at)) at++;
        if (Number(ids[row]) !== at) wrong++;
        if (row % 97 === 0 && names.get(row) !== nameOf(at)) wrong++;
        at++;
        count++;
      }
    }
    expect(wrong).toBe(0);
    // Some pieces have no rows left.
    expect(batches).toBeGreaterThan(4);
    expect(count).toBe(rowCount - removed.length);
    expect(idsOf(await table.toArray({ where: { id: { between: [299_999, 600_004] } } }))).toEqual([
      299_999, 600_003, 600_004,
    ]);
  });
});

describe("what it costs", () => {
  test("files that share a file of vectors: one request more", async () => {
    const vectors = await putVectors(store, UUID, [[0], [1, 2], [3]]);
    const table = await tableOf(
      store,
      vectors.map((deletionVector, i) => ({ first: i * 10, rowCount: 5, deletionVector })),
    );
    await table.version();
    gets();
    expect(await table.toArray()).toHaveLength(11);
    expect(gets().sort()).toEqual([`get ${VECTORS}`, "get f0.parquet", "get f1.parquet", "get f2.parquet"]);
    expect(await table.count()).toBe(11);
    expect(await table.count({ where: { id: { gt: 8 } } })).toBe(7);
    expect(gets()).toEqual([]);
    expect(idsOf(await table.toArray({ where: { id: 11 } }))).toEqual([]);
    expect(gets().sort()).toEqual([`get ${VECTORS}`, "get f1.parquet"]);
  });

  test("a vector in the log, or a file that is left out: none", async () => {
    const [stored] = await putVectors(store, UUID, [[0, 1, 2, 3, 4]]);
    const table = await tableOf(store, [
      { first: 0, rowCount: 5, deletionVector: inlineVector([3]) },
      { first: 10, rowCount: 5, deletionVector: stored },
    ]);
    gets();
    // The second file has no rows left, by its statistics.
    expect(await table.toArray()).toHaveLength(4);
    expect(gets()).toEqual(["get f0.parquet"]);
    expect(await table.count()).toBe(4);
    expect(await table.toArray({ where: { id: { gt: 7 } } })).toEqual([]);
    expect(gets()).toEqual([]);
  });

  test("[R-DV-7] without statistics, the footer tells how many rows are left", async () => {
    const table = await tableOf(store, [
      { first: 0, rowCount: 5, deletionVector: inlineVector([3]), stats: null },
      { first: 10, rowCount: 2, deletionVector: inlineVector([0, 1]), stats: null },
    ]);
    expect(await table.count()).toBe(4);
    expect(await table.count({ where: { id: { gt: 2 } } })).toBe(1);
    expect(idsOf(await table.toArray())).toEqual([0, 1, 2, 4]);
  });
});

describe("a vector that doesn't fit", () => {
  test("by a row beyond the file's: nothing is given", async () => {
    const table = await tableOf(store, [{ first: 0, rowCount: 5, deletionVector: inlineVector([1, 5]) }]);
    const error = await expectCode("DELTA_DELETION_VECTOR_INVALID_ROW_INDEX", () => table.toArray({ limit: 1 }));
    expect(error.data).toEqual({ path: "f0.parquet", rowCount: 5 });
  });

  test("by removing more rows than there are", async () => {
    const deletionVector = { ...inlineVector([1]), cardinality: 6 };
    const table = await tableOf(store, [{ first: 0, rowCount: 5, deletionVector }]);
    await expectCode("DELTA_DELETION_VECTOR_INVALID_ROW_INDEX", () => table.count());
    await expectCode("DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH", () => table.toArray());
  });

  test("because its file is gone", async () => {
    const [stored] = await putVectors(store, UUID, [[0]]);
    const table = await tableOf(store, [{ first: 0, rowCount: 5, deletionVector: stored }]);
    await store.delete(VECTORS);
    await expectCode("DELTA_FILE_NOT_FOUND", () => table.toArray());
    expect(await table.count()).toBe(4);
  });
});
