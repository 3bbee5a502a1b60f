import { describe, expect, it } from "vitest";
import { buildColumn } from "#src/arrow/buildColumn.js";
import { makeBatch } from "#src/arrow/column.js";
import { toArrowField } from "#src/arrow/schema.js";
import type { Action } from "#src/log/actions.js";
import { readCheckpoint } from "#src/log/checkpointRead.js";
import { checkpointFields } from "#src/log/checkpointSchema.js";
import { readStateActions } from "#src/log/checkpointState.js";
import { readFooter } from "#src/parquet/footer.js";
import { type EncodeParquetOptions, encodeParquet } from "#src/parquet/write.js";
import { storeOf } from "../parquet/fixtures.js";
import { add, metaData, PROTOCOL } from "./build.js";

const ROWS = 30_000;

/** A checkpoint of files, with state actions among them. */
async function checkpointOf(state: ReadonlyMap<number, Action>, options: EncodeParquetOptions) {
  const actions = Array.from({ length: ROWS }, (_, row) => state.get(row) ?? add(`part-${row}.parquet`));
  const fields = checkpointFields();
  const columns = fields.map(({ name, type }) => {
    const values = actions.map((action) => (action as unknown as Record<string, unknown>)[name] ?? null);
    return buildColumn(type, values, { column: name, rowOf: (row) => row });
  });
  return storeOf((await encodeParquet([makeBatch(fields.map(toArrowField), columns, ROWS)], options)).bytes);
}

async function stateOf(store: Parameters<typeof readStateActions>[0]): Promise<Action[]> {
  const actions: Action[] = [];
  for await (const action of readStateActions(store, { version: 1, paths: ["file"] })) actions.push(action);
  return actions;
}

const txn = (version: number): Action => ({ txn: { appId: `app ${version}`, version, lastUpdated: 5 } });

describe("readStateActions of a large checkpoint", () => {
  it.each([ROWS, 7000])("finds every state action, in row groups of %d rows", async (rowGroupRows) => {
    const state = new Map<number, Action>([
      [0, txn(0)],
      [1, txn(1)],
      [6999, txn(2)],
      [7000, PROTOCOL],
      [13_000, metaData({ a: "b" })],
      ...Array.from({ length: 40 }, (_, i): [number, Action] => [14_000 + i * 100, txn(100 + i)]),
      [ROWS - 1, { domainMetadata: { domain: "d", configuration: "{}", removed: false } }],
    ]);
    const { store } = await checkpointOf(state, { rowGroupRows });
    const found = await stateOf(store);
    expect(found).toHaveLength(state.size);
    expect(found).toEqual(expect.arrayContaining([...state.values()]));
  });

  it("fetches no column of files", async () => {
    const state = new Map<number, Action>([
      [3, PROTOCOL],
      [4, metaData()],
    ]);
    const { store, ranges } = await checkpointOf(state, { rowGroupRows: 10_000 });
    const { sizeBytes } = (await store.head("file"))!;
    const footer = await readFooter(store, { path: "file", sizeBytes });
    const path = footer.leaves.findIndex((leaf) => leaf.path.join(".") === "add.path");
    const fileChunks = footer.rowGroups.map(({ chunks }) => chunks[path]!);
    ranges.length = 0;
    expect(await stateOf(store)).toHaveLength(2);
    const tail = sizeBytes - 65_536;
    for (const chunk of fileChunks.filter(({ end }) => end < tail)) {
      expect(ranges.filter(({ start, end }) => start < chunk.end && end > chunk.start && end < sizeBytes)).toEqual([]);
    }
    expect(fileChunks.filter(({ end }) => end < tail).length).toBeGreaterThan(0);
  });
});

describe("the deletion vectors of a checkpoint", () => {
  const COLUMNS = ["path", "deletionVector"].map((name) => ["add", name]);
  const vector = { storageType: "u", pathOrInlineDv: "v", offset: 1, sizeInBytes: 9, cardinality: 2 };

  /** The vectors found, or undefined where their column wasn't read. */
  async function vectorsOf({ store }: Awaited<ReturnType<typeof checkpointOf>>): Promise<unknown[] | undefined> {
    const found: unknown[] = [];
    let isRead = false;
    let rows = 0;
    for await (const batch of readCheckpoint(store, { version: 1, paths: ["file"] }, COLUMNS)) {
      rows += batch.numRows;
      const vectors = batch.getChild("add")!.getChild("deletionVector");
      isRead ||= vectors !== null;
      for (const value of vectors ?? []) if (value !== null) found.push(value.toJSON());
    }
    expect(rows).toBe(ROWS);
    return isRead ? found : undefined;
  }

  it("aren't decoded where there are none", async () => {
    expect(await vectorsOf(await checkpointOf(new Map(), { rowGroupRows: 3000 }))).toBe(undefined);
  });

  it("are read where one file has one", async () => {
    const state = new Map([[ROWS - 1, add("last", { deletionVector: vector })]]);
    const found = await vectorsOf(await checkpointOf(state, { rowGroupRows: 3000 }));
    expect(found).toEqual([{ ...vector, cardinality: 2n }]);
  });
});
