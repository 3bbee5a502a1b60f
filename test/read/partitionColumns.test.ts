import { beforeEach, describe, expect, test } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { type ObjectStore, Table } from "#src/index.js";
import type { Action, Metadata } from "#src/log/actions.js";
import { encodeParquet } from "#src/parquet/write.js";
import { schemaToJson } from "#src/schema/json.js";
import { schemaOf } from "#src/schema/literal.js";
import type { DataType } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { add, metaData, PROTOCOL, putCommit } from "../log/build.js";

let store: ObjectStore;

beforeEach(() => {
  store = memoryStore();
});

/** A table of `id`, partitioned by `part` of this type. */
async function createTable(type: DataType, protocol: Action = PROTOCOL): Promise<void> {
  const schema = schemaOf({ id: "long", part: type as "string" });
  const { metaData: metadata } = metaData({}, schemaToJson(schema)) as { metaData: Metadata };
  await putCommit(store, 0, protocol, { metaData: { ...metadata, partitionColumns: ["part"] } });
}

/** Adds a file for each text, of one row whose id is its place; the files lie in a folder of another value. */
async function addFiles(texts: readonly (string | null)[]): Promise<void> {
  const rows = schemaOf({ id: "long" });
  const files = texts.map(async (part, id) => {
    const path = `part=wrong/${id}.parquet`;
    const { bytes } = await encodeParquet([buildBatch(rows, [{ id: BigInt(id) }], 0)]);
    await store.put(path, bytes);
    return add(path, { size: bytes.length, partitionValues: { part }, stats: '{"numRecords":1}' });
  });
  await putCommit(store, 1, ...(await Promise.all(files)));
}

async function partsOf(timeZone?: string): Promise<unknown[]> {
  const rows = await Table.open(store).toArray({ partitionTimeZone: timeZone });
  return rows.sort((a, b) => Number(a.id) - Number(b.id)).map(({ part }) => part);
}

describe("[R-PART-6] values of partition columns are those of the log", () => {
  test.each<[DataType, string, unknown]>([
    ["string", "é ü%20/x", "é ü%20/x"],
    ["byte", "-128", -128],
    ["short", "32767", 32767],
    ["integer", "-2147483648", -2147483648],
    ["long", "9223372036854775807", 9223372036854775807n],
    ["decimal(12,5)", "-2342342.23423", "-2342342.23423"],
    ["decimal(38,18)", "-0.000000000000000001", "-0.000000000000000001"],
    ["float", "NaN", Number.NaN],
    ["double", "-Infinity", Number.NEGATIVE_INFINITY],
    ["double", "-0.0", -0],
    ["double", "1.5E-7", 1.5e-7],
    ["boolean", "TRUE", true],
    ["binary", "\u0001\u0002\u0003", Uint8Array.of(1, 2, 3)],
    ["binary", "\\u0001\\u00ff", Uint8Array.of(1, 255)],
    ["date", "0001-01-01", new Date("0001-01-01T00:00:00Z")],
    ["date", "1582-10-10", new Date("1582-10-10T00:00:00Z")],
    ["timestamp", "0001-01-01 00:00:00", new Date("0001-01-01T00:00:00Z")],
    ["timestamp", "2024-02-29T12:34:56.789000Z", new Date("2024-02-29T12:34:56.789Z")],
    ["timestamp", "2024-02-29T12:34:56+02:00", new Date("2024-02-29T10:34:56Z")],
    ["timestamp_ntz", "1582-10-10 23:59:59.5", new Date("1582-10-10T23:59:59.5Z")],
  ])("[R-PART-1] [R-PART-2] [R-PART-3] [R-PART-5] %s %s, null and the empty text", async (type, text, value) => {
    await createTable(type);
    await addFiles([text, null, ""]);
    expect(await partsOf()).toEqual([value, null, null]);
    expect(await Table.open(store).count({ where: { part: { isNull: true } } })).toBe(2);
    expect(await Table.open(store).count({ where: { part: { isNull: false } } })).toBe(1);
  });

  test("[R-PART-7] those without a zone by type stay as they are in any zone", async () => {
    await createTable("timestamp_ntz");
    await addFiles(["2024-01-01 10:00:00.5"]);
    for (const zone of ["America/Los_Angeles", "Asia/Tokyo", undefined]) {
      expect(await partsOf(zone)).toEqual([new Date("2024-01-01T10:00:00.5Z")]);
      const where = { part: "2024-01-01 10:00:00.5" };
      expect(await Table.open(store).count({ where, partitionTimeZone: zone })).toBe(1);
    }
  });

  test("[R-MAT-1] [R-FILE-8] also where the files hold such columns too, with other values", async () => {
    const protocol: Action = {
      protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["materializePartitionColumns"] },
    };
    await createTable("string", protocol);
    const schema = schemaOf({ id: "long", part: "string", more: "long" });
    const rows = [1n, 2n].map((id) => ({ id, part: `file ${id}`, more: 0n }));
    const { bytes } = await encodeParquet([buildBatch(schema, rows, 0)]);
    await store.put("x.parquet", bytes);
    await putCommit(store, 1, add("x.parquet", { size: bytes.length, partitionValues: { part: "log" } }));
    const table = Table.open(store);
    const expected = [1n, 2n].map((id) => ({ id, part: "log" }));
    expect(await table.toArray()).toEqual(expected);
    expect(await table.toArray({ columns: ["part"] })).toEqual([{ part: "log" }, { part: "log" }]);
    expect(await table.toArray({ where: { part: "log", id: { gt: 1n } } })).toEqual(expected.slice(1));
    expect(await table.count({ where: { part: "file 1" } })).toBe(0);
    expect(await table.changes({ from: 1 }).toArray()).toMatchObject(expected);
  });
});

describe("[R-PART-4] timestamps without a zone", () => {
  const ZONE = "America/Los_Angeles";
  const TEXTS = [
    "2021-09-08 11:11:11",
    "2021-01-01 00:00:00.123456",
    "1850-01-01 00:00:00",
    "2021-09-08T18:11:11.000000Z",
  ];
  const THERE = [
    "2021-09-08T18:11:11.000Z",
    "2021-01-01T08:00:00.123456Z",
    "1850-01-01T07:52:58.000Z",
    "2021-09-08T18:11:11.000Z",
  ];

  beforeEach(async () => {
    await createTable("timestamp");
    await addFiles(TEXTS);
  });

  test("are in UTC, or in the zone that the caller says", async () => {
    const iso = async (zone?: string) => (await partsOf(zone)).map((part) => (part as Date).toISOString());
    expect((await iso())[0]).toBe("2021-09-08T11:11:11.000Z");
    expect(await iso(ZONE)).toEqual(THERE);
  });

  test("in no zone that there is are refused", async () => {
    const table = Table.open(store);
    for (const read of [
      () => table.toArray({ partitionTimeZone: "Mars/Olympus" }),
      () => table.changes({ from: 1, partitionTimeZone: "" }).count(),
      () => table.stream({ partitionTimeZone: "Mars/Olympus" }),
    ]) {
      await expectCode("DELTA_INVALID_ARGUMENT", read);
    }
  });

  test("are compared, counted, told as changes and streamed in that zone", async () => {
    const table = Table.open(store);
    const options = { where: { part: new Date(THERE[0]!) }, partitionTimeZone: ZONE } as const;
    expect(await table.count(options)).toBe(2);
    expect(await table.count({ where: options.where })).toBe(1);
    expect((await table.toArray(options)).map(({ id }) => id)).toEqual([0n, 3n]);
    expect(await table.changes({ from: 1, ...options }).count()).toBe(2);
    const changed = await table.changes({ from: 1, partitionTimeZone: ZONE }).toArray();
    expect(changed.map(({ part }) => (part as Date).toISOString())).toEqual(THERE);
    const seen: string[] = [];
    await table.stream({ partitionTimeZone: ZONE }).forEachBatch(
      async (batch) => {
        for (const { part } of await batch.toArray()) seen.push((part as Date).toISOString());
      },
      { checkpoint: "memory:partition-zone" },
    );
    expect(seen.sort()).toEqual([...THERE].sort());
  });
});
