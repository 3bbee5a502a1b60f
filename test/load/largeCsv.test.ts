import { join } from "node:path";
import { expect, it } from "vitest";
import { Table } from "#src/index.js";
import { readParquet } from "#src/parquet/read.js";
import { localStore } from "#src/storage/local.js";
import { csvLines, deadIdsOf, HEADER, idsOf, isBad, range, SCHEMA, scratchFolder, write } from "./loadFixture.js";

const root = await scratchFolder();

it("makes one data file of a batch that is read in slices, with the statistics of its rows", async () => {
  const batchBytes = 20 * 1024 * 1024;
  const rowCount = 1_100_000;
  const source = await write(join(root, "a.csv"), HEADER + csvLines(0, rowCount));
  const table = Table.open(join(root, "t"));
  const { batches, rowsRead } = await table.load(source, { schema: SCHEMA, batchBytes });
  expect(rowsRead).toBe(rowCount);
  const ids = range(0, rowCount);
  expect(await deadIdsOf(join(root, "t/_dead_letters"))).toEqual(ids.filter(isBad));
  const loaded = await idsOf(table);
  expect(loaded.length).toBe(ids.length - ids.filter(isBad).length);
  expect(loaded.every((id, i) => !isBad(id) && (i === 0 || id > loaded[i - 1]!))).toBe(true);

  const store = localStore(join(root, "t"));
  const adds = await table.files();
  expect(adds.length).toBe(batches);
  let slices = 0;
  for (const { path, size: sizeBytes, stats } of adds) {
    let [least, most, rows] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for await (const batch of readParquet(store, { path, sizeBytes })) {
      slices++;
      rows += batch.numRows;
      for (const id of batch.getChild("id")!) [least, most] = [Math.min(least, Number(id)), Math.max(most, Number(id))];
    }
    expect(JSON.parse(stats!)).toMatchObject({ numRecords: rows, minValues: { id: least }, maxValues: { id: most } });
  }
  expect(slices).toBeGreaterThan(2 * batches);
});
