import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Action, AddFile, Metadata } from "#src/log/actions.js";
import { checkpointFields } from "#src/log/checkpointSchema.js";
import { classicCheckpointPath, commitPath } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { replaceRuntime } from "#src/runtime.js";
import { parsePartitionValue } from "#src/schema/partition.js";
import type { DataType, StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { add, liveFiles, metaData, PROTOCOL, putCommit } from "./build.js";
import { field, METADATA_OF_2, parquetOf, struct } from "./checkpointFiles.js";

/** Of each type a value, and the text that stands for it. */
const VALUES: readonly (readonly [type: DataType, value: unknown, text: string | null])[] = [
  ["string", "a b/ü", "a b/ü"],
  ["string", "", null],
  ["long", -9_223_372_036_854_775_808n, "-9223372036854775808"],
  ["integer", 7, "7"],
  ["short", -7, "-7"],
  ["byte", 127, "127"],
  ["boolean", false, "false"],
  ["date", "0001-01-01", "0001-01-01"],
  ["date", "9999-12-31", "9999-12-31"],
  ["timestamp", "2024-02-29T12:34:56.123456Z", "2024-02-29T12:34:56.123456Z"],
  ["timestamp", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"],
  ["timestamp_ntz", "1969-12-31T23:59:59.999999", "1969-12-31 23:59:59.999999"],
  ["decimal(6,2)", "-1.50", "-1.50"],
  ["decimal(38,0)", "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"],
  ["double", 0.1, "0.1"],
  ["double", Number.NEGATIVE_INFINITY, "-Infinity"],
  ["double", -0, "-0.0"],
  ["float", Number.NaN, "NaN"],
  ["binary", new TextEncoder().encode("xyz"), "xyz"],
  ["long", null, null],
];

const PATH = classicCheckpointPath(2);
const names = VALUES.map((_, i) => (i === 0 ? "a column" : `col-${i}`));
const SCHEMA = JSON.stringify({ type: "struct", fields: VALUES.map(([type], i) => field(names[i]!, type)) });
const PARSED = struct(...VALUES.map(([type], i) => field(names[i]!, type)));

/** A checkpoint's columns with other ones of partition values. */
function fieldsWith(...ofPartitions: StructField[]): StructField[] {
  return checkpointFields().map((column) => {
    if (column.name !== "add" || typeof column.type === "string" || column.type.type !== "struct") return column;
    const others = column.type.fields.filter(({ name }) => name !== "partitionValues");
    return { ...column, type: { ...column.type, fields: [...ofPartitions, ...others] } };
  });
}

function bodyOf<T>(action: Action, key: string): T {
  return (action as unknown as Record<string, T>)[key]!;
}

describe("a checkpoint of a partitioned table", () => {
  let store: ObjectStore;
  let warnings: string[];
  let restore: () => void;
  const meta: Action = {
    metaData: { ...bodyOf<Metadata>(metaData({}, SCHEMA), "metaData"), partitionColumns: names },
  };
  const text = Object.fromEntries(VALUES.map(([, , told], i) => [names[i]!, told]));
  const [nulls, none] = [Object.fromEntries(names.map((name) => [name, null])), {}];

  beforeEach(async () => {
    warnings = [];
    restore = replaceRuntime({ warn: (message) => warnings.push(message) });
    store = memoryStore();
    await putCommit(store, 0, PROTOCOL, meta);
    await putCommit(store, 1, add("a", { partitionValues: text }), add("b", { partitionValues: nulls }));
    await putCommit(store, 2, { txn: { appId: "x", version: 1 } });
  });
  afterEach(() => restore());

  async function putCheckpoint(ofPartitions: readonly StructField[], more: (path: string) => object): Promise<void> {
    const adds = ["a", "b"].map((path) => {
      const { partitionValues: _, ...file } = bodyOf<AddFile>(add(path), "add");
      return { add: { ...file, ...more(path) } };
    });
    await store.put(PATH, await parquetOf([METADATA_OF_2, PROTOCOL, meta, ...adds], fieldsWith(...ofPartitions)));
  }
  const dropCommits = () => Promise.all([0, 1, 2].map((version) => store.delete(commitPath(version))));
  const parsed = (path: string) => ({
    partitionValues_parsed: Object.fromEntries(VALUES.map(([, value], i) => [names[i]!, path === "a" ? value : null])),
  });
  const partitions = async () =>
    (await liveFiles(await loadSnapshot(store))).map(({ path, partitionValues }) => [path, partitionValues]);
  const map = checkpointFields()
    .flatMap(({ type }) => (typeof type !== "string" && type.type === "struct" ? type.fields : []))
    .find(({ name }) => name === "partitionValues")!;

  test("[R-CKPT-11] has texts of the values that it tells as structs only", async () => {
    await putCheckpoint([field("partitionValues_parsed", PARSED)], parsed);
    await dropCommits();
    expect(await partitions()).toEqual([
      ["a", text],
      ["b", nulls],
    ]);
    for (const [type, value, told] of VALUES) {
      if (typeof value === "number" || typeof value === "bigint")
        expect(parsePartitionValue(type, told)).toEqual(value);
    }
  });

  test.each([
    ["null", null],
    ["empty", {}],
  ])("has them too where its maps of texts are %s", async (_, maps) => {
    await putCheckpoint([field("partitionValues_parsed", PARSED), map], (path) => ({
      ...parsed(path),
      partitionValues: maps,
    }));
    await dropCommits();
    expect((await partitions())[0]).toEqual(["a", text]);
  });

  test("is believed in its texts where it has both", async () => {
    await putCheckpoint([map, field("partitionValues_parsed", PARSED)], (path) => ({
      ...parsed(path),
      partitionValues: { [names[0]!]: "of the map" },
    }));
    await dropCommits();
    expect((await partitions())[0]).toEqual(["a", { [names[0]!]: "of the map" }]);
  });

  test.each<[string, readonly StructField[], (path: string) => object]>([
    ["neither texts nor structs", [], () => none],
    ["null maps", [map], () => ({ partitionValues: null })],
    ["null structs", [field("partitionValues_parsed", PARSED)], () => ({ partitionValues_parsed: null })],
    [
      "structs of a type that no partition has",
      [field("partitionValues_parsed", struct(field(names[0]!, struct(field("x", "long")))))],
      () => ({ partitionValues_parsed: { [names[0]!]: { x: 1n } } }),
    ],
    ["structs that are numbers", [field("partitionValues_parsed", "long")], () => ({ partitionValues_parsed: 1n })],
    [
      "bytes without text",
      [field("partitionValues_parsed", struct(field(names[0]!, "binary")))],
      () => ({ partitionValues_parsed: { [names[0]!]: Uint8Array.of(255) } }),
    ],
  ])("with %s is passed over for the commits, or an error that names it", async (_, columns, more) => {
    await putCheckpoint(columns, more);
    expect(await partitions()).toEqual([
      ["a", text],
      ["b", nulls],
    ]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(PATH);
    await dropCommits();
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", partitions);
    expect(error.data.path).toBe(PATH);
  });
});

test("a checkpoint of a table without partitions needs no partition values", async () => {
  const store = memoryStore();
  const { partitionValues: _, ...file } = bodyOf<AddFile>(add("a"), "add");
  const fields = fieldsWith();
  await store.put(PATH, await parquetOf([METADATA_OF_2, PROTOCOL, metaData(), { add: file }], fields));
  expect((await liveFiles(await loadSnapshot(store))).map(({ path }) => path)).toEqual(["a"]);
});
