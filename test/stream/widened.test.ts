import { expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { inFile, metaData, putFile, tableOf } from "../read/mappedTable.js";

const PROTOCOL = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["typeWidening"],
    writerFeatures: ["typeWidening"],
  },
};
const column = (type: "integer" | "long", metadata: Record<string, unknown> = {}): StructField => ({
  name: "v",
  type,
  nullable: true,
  metadata,
});
const WIDENED = column("long", { "delta.typeChanges": [{ fromType: "integer", toType: "long" }] });

/** Version 1 adds a row under the older type, version 2 makes it the newer one, version 3 adds a row of that. */
async function changedTable(newer: StructField) {
  const store = memoryStore();
  const first = await putFile(store, "first.parquet", [inFile("v", "integer")], [{ v: 1 }]);
  const later = await putFile(store, "later.parquet", [inFile("v", "long")], [{ v: 2n ** 40n }]);
  return tableOf(
    store,
    [PROTOCOL, metaData([column("integer")], "none")],
    [first],
    [metaData([newer], "none")],
    [later],
  );
}

const streamed = async (source: Table, target: Table) =>
  source.stream({ startingVersion: 0 }).toTable(target, { checkpoint: memoryStore() });

test("[R-TW-1] a stream gives rows from before a column was widened in the wider type", async () => {
  const target = Table.open(memoryStore());
  await streamed(await changedTable(WIDENED), target);
  expect(await target.toArray()).toEqual([{ v: 1n }, { v: 2n ** 40n }]);
});

test("a stream stops where a column came to be of another type, and wasn't widened", async () => {
  const target = Table.open(memoryStore());
  const source = await changedTable(column("long"));
  await expectCode("DELTA_SCHEMA_CHANGED", () => streamed(source, target));
});
