import { describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { Table } from "#src/index.js";
import { classicCheckpointPath, commitPath } from "#src/log/names.js";
import { encodeParquet } from "#src/parquet/write.js";
import { schemaOf } from "#src/schema/literal.js";
import { openStore } from "#src/storage/open.js";
import { askAll, freshLocation, metaData, PROTOCOL, putLines } from "./tables.js";

const STATE = {
  protocol: { minReaderVersion: "integer", minWriterVersion: "integer" },
  metaData: {
    id: "string",
    schemaString: "string",
    partitionColumns: ["string"],
    configuration: { map: ["string", "string"] },
  },
  add: { path: "string", size: "long", modificationTime: "long", partitionValues: { map: ["string", "string"] } },
} as const;

const PROTOCOL_ROW = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } };
const META_DATA_ROW = {
  metaData: {
    id: "i",
    schemaString: JSON.parse(metaData()).metaData.schemaString,
    partitionColumns: [],
    configuration: new Map(),
  },
};
const ADD_ROW = { add: { path: "a.parquet", size: 100n, modificationTime: 1n, partitionValues: new Map() } };

/** A table of two commits and a checkpoint of the second one. */
async function tableWith(schema: object, rows: readonly object[]): Promise<string> {
  const location = freshLocation();
  await putLines(location, 0, [PROTOCOL, metaData()]);
  await putLines(location, 1, ['{"x":1}']);
  const { bytes } = await encodeParquet([buildBatch(schemaOf(schema as never), rows as never, 0)]);
  await openStore(location).put(classicCheckpointPath(1), bytes);
  return location;
}

describe("a checkpoint whose columns are others than a checkpoint's", () => {
  const sound = [PROTOCOL_ROW, META_DATA_ROW, ADD_ROW];
  const state = [PROTOCOL_ROW, META_DATA_ROW];
  test.each<[string, object, readonly object[]]>([
    ["add as a number", { ...STATE, add: "long" }, [...state, { add: 5n }]],
    ["add as a list", { ...STATE, add: ["long"] }, [...state, { add: [5n] }]],
    [
      "a path as a number",
      { ...STATE, add: { ...STATE.add, path: "long" } },
      [...state, { add: { ...ADD_ROW.add, path: 5n } }],
    ],
    ["a file without a path", STATE, [...state, { add: { ...ADD_ROW.add, path: null } }]],
    ["files without paths", { ...STATE, add: { size: "long" } }, [...state, { add: { size: 1n } }]],
    [
      "a size as a text",
      { ...STATE, add: { ...STATE.add, size: "string" } },
      [...state, { add: { ...ADD_ROW.add, size: "x" } }],
    ],
    [
      "partition values as a text",
      { ...STATE, add: { ...STATE.add, partitionValues: "string" } },
      [...state, { add: { ...ADD_ROW.add, partitionValues: "x" } }],
    ],
    ["the protocol as a text", { ...STATE, protocol: "string" }, [{ protocol: "x" }, META_DATA_ROW, ADD_ROW]],
    [
      "the protocol's versions as texts",
      { ...STATE, protocol: { minReaderVersion: "string", minWriterVersion: "integer" } },
      [{ protocol: { minReaderVersion: "1", minWriterVersion: 2 } }, META_DATA_ROW, ADD_ROW],
    ],
    [
      "the configuration as a list",
      { ...STATE, metaData: { ...STATE.metaData, configuration: ["string"] } },
      [PROTOCOL_ROW, { metaData: { ...META_DATA_ROW.metaData, configuration: ["x"] } }, ADD_ROW],
    ],
    [
      "an application's version as a fraction",
      { ...STATE, txn: { appId: "string", version: "double" } },
      [...sound, { txn: { appId: "a", version: 1.5 } }],
    ],
    ["an application without an id", { ...STATE, txn: { version: "long" } }, [...sound, { txn: { version: 1n } }]],
  ])("%s: passed over for the commits, or an error that names it", async (_, schema, rows) => {
    const location = await tableWith(schema, rows);
    expect(await Table.open(location).files()).toEqual([]);
    expect(await Table.open(location).version()).toBe(1);

    await openStore(location).delete(commitPath(0));
    const answers = await askAll(location);
    expect([answers.files, answers.rows]).toEqual(["DELTA_PARQUET_UNREADABLE", "DELTA_PARQUET_UNREADABLE"]);
    const error = await Table.open(location)
      .files()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ data: { path: classicCheckpointPath(1) } });
  });

  test("nothing that a table has: the state can't be rebuilt", async () => {
    const location = await tableWith({ x: "long" }, [{ x: 1n }]);
    expect(new Set(Object.values(await askAll(location)))).toEqual(new Set(["DELTA_STATE_RECOVER_ERROR"]));
  });

  test("the same one, sound, is read", async () => {
    const location = await tableWith(STATE, sound);
    await openStore(location).delete(commitPath(0));
    expect(await Table.open(location).files()).toMatchObject([{ path: "a.parquet", size: 100 }]);
  });
});
