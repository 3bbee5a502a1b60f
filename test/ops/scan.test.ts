import { Table as ArrowTable } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { CountingStore } from "../storage/countingStore.js";

async function days(): Promise<{ table: Table; store: CountingStore }> {
  const store = new CountingStore(memoryStore());
  const table = Table.open(store);
  await table.create({ schema: { id: "long", day: "date", name: "string" }, partitionBy: ["day"] });
  for (let d = 1; d <= 5; d++) {
    const day = `2024-01-0${d}`;
    const rows = Array.from({ length: 10 }, (_, i) => ({ id: d * 100 + i, day, name: i % 2 === 0 ? `n${i}` : null }));
    await table.append(rows);
  }
  return { table, store };
}

const dataGets = (store: CountingStore) =>
  store.calls.filter((call) => call.verb === "get" && call.path.endsWith(".parquet"));

describe("scan", () => {
  it("gives columns in the order asked for, partition columns too", async () => {
    const { table } = await days();
    const rows = await table.toArray({ columns: ["name", "day"], where: { id: 301 } });
    expect(rows).toEqual([{ name: null, day: new Date("2024-01-03") }]);
    expect(Object.keys(rows[0])).toEqual(["name", "day"]);
    expect(await table.count({ columns: ["day"] })).toBe(50);
    expect((await table.toArray({ columns: ["day"], limit: 1 }))[0]).toEqual({ day: new Date("2024-01-01") });
  });

  it("reads only the files that may match", async () => {
    const { table, store } = await days();
    store.take();
    expect(await table.toArray({ where: { day: "2024-01-04" }, columns: ["id"] })).toHaveLength(10);
    expect(new Set(dataGets(store).map((call) => call.path)).size).toBe(1);
    store.take();
    expect(await table.toArray({ where: { id: { between: [205, 301] } } })).toHaveLength(7);
    expect(new Set(dataGets(store).map((call) => call.path)).size).toBe(2);
    store.take();
    expect(await table.toArray({ where: { id: { gt: 9999 } } })).toEqual([]);
    expect(dataGets(store)).toEqual([]);
  });

  it("counts from statistics alone where they decide", async () => {
    const { table, store } = await days();
    store.take();
    expect(await table.count()).toBe(50);
    expect(await table.count({ where: { day: { gte: "2024-01-04" } } })).toBe(20);
    expect(await table.count({ where: { id: { gt: 499 } } })).toBe(10);
    expect(dataGets(store)).toEqual([]);
    expect(await table.count({ where: { id: { gt: 504 } } })).toBe(5);
    expect(new Set(dataGets(store).map((call) => call.path)).size).toBe(1);
    expect(await table.count({ where: { name: null } })).toBe(25);
    expect(await table.count({ where: { name: { ne: "n2" } } })).toBe(20);
    expect(await table.count({ where: { $not: { name: "n2" } } })).toBe(20);
    expect(await table.count({ limit: 7 })).toBe(7);
  });

  it("takes SQL as well", async () => {
    const { table } = await days();
    expect(await table.count({ where: "day >= DATE '2024-01-04' AND name IS NOT NULL" })).toBe(10);
    expect(await table.count({ where: "id % 100 = 3 OR upper(name) = 'N2'" })).toBe(10);
  });

  it("stops reading at the limit", async () => {
    const { table, store } = await days();
    store.take();
    expect(await table.toArray({ limit: 12 })).toHaveLength(12);
    expect(new Set(dataGets(store).map((call) => call.path)).size).toBe(2);
    expect(await table.toArray({ limit: 0 })).toEqual([]);
    let seen = 0;
    for await (const _ of table.rows()) if (++seen === 3) break;
    expect(seen).toBe(3);
  });

  it("gives the same rows as rows, batches and Arrow", async () => {
    const { table } = await days();
    const arrow = await table.toArrow();
    expect(arrow).toBeInstanceOf(ArrowTable);
    expect(arrow.numRows).toBe(50);
    let batched = 0;
    for await (const batch of table.batches()) batched += batch.numRows;
    expect(batched).toBe(50);
    const streamed = [];
    for await (const row of table) streamed.push(row);
    expect(streamed).toEqual(await table.toArray());
  });

  it("fixes the version at the first call of a scan", async () => {
    const { table } = await days();
    const scan = table.scan();
    expect(await scan.count()).toBe(50);
    await table.append([{ id: 1, day: "2024-02-01", name: "late" }]);
    expect(await scan.count()).toBe(50);
    expect(await table.count()).toBe(51);
  });

  it("refuses what it doesn't know, with the nearest name", async () => {
    const { table } = await days();
    const column = await expectCode("DELTA_INVALID_ARGUMENT", () => table.toArray({ columns: ["nam"] as never }));
    expect(column.data).toMatchObject({ column: "nam", nearest: "name" });
    const spelled = await expectCode("DELTA_INVALID_ARGUMENT", () => table.toArray({ columns: ["NAME"] as never }));
    expect(spelled.data).toMatchObject({ column: "NAME", nearest: "name" });
    await expectCode("DELTA_INVALID_PREDICATE", () => table.toArray({ where: { nam: 1 } as never }));
    await expectCode("DELTA_INVALID_PREDICATE", () => table.toArray({ where: { id: undefined } as never }));
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.toArray({ limit: -1 }));
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(memoryStore()).toArray());
  });
});

describe("a part of a column", () => {
  const table = Table.open(memoryStore());
  const read = (column: string) => table.toArray({ columns: [column] as never });
  const refused = (column: string) => expectCode("DELTA_INVALID_ARGUMENT", () => read(column));

  it("isn't read alone: the error names the column to ask for", async () => {
    await table.append([{ address: { city: "Rome", geo: { lat: 1.5 } }, "a.b": 1n, a: { b: 2n } }]);
    expect((await refused("address.city")).data).toEqual({ column: "address.city", nearest: "address" });
    expect((await refused("Address.Geo.lat")).data).toEqual({ column: "Address.Geo.lat", nearest: "address" });
    expect((await refused("addres")).data).toEqual({ column: "addres", nearest: "address" });
    expect((await refused("nowhere.city")).data).toMatchObject({ column: "nowhere.city" });
    expect(await read("a.b")).toEqual([{ "a.b": 1n }]);
    expect(await table.count({ where: { "address.geo.lat": 1.5 } })).toBe(1);
  });
});

describe("time travel", () => {
  it("reads a version, and stays there", async () => {
    const { table } = await days();
    const past = table.at(2);
    expect(await past.version()).toBe(2);
    expect(await past.count()).toBe(20);
    await table.append([{ id: 1, day: "2024-02-01", name: "late" }]);
    expect(await past.count()).toBe(20);
    expect((await past.history()).map((entry) => entry.version)).toEqual([2, 1, 0]);
    expect((await past.history({ limit: 1 }))[0]).toMatchObject({ version: 2, operation: "WRITE" });
  });

  it("reads a time, given as a Date or as text", async () => {
    const { table } = await days();
    const history = await table.history();
    const third = history.find((entry) => entry.version === 3)!.timestamp;
    expect(await table.at(third).version()).toBe(3);
    expect(await table.at(third.toISOString()).version()).toBe(3);
    expect(await table.at(history[0].timestamp).version()).toBe(5);
  });

  it("names the range when there is no such version or time", async () => {
    const { table } = await days();
    const version = await expectCode("DELTA_VERSION_NOT_FOUND", () => table.at(99).count());
    expect(version.data).toMatchObject({ earliest: 0, latest: 5 });
    await expectCode("DELTA_TIMESTAMP_OUT_OF_RANGE", () => table.at("1999-01-01").count());
    await expectCode("DELTA_TIMESTAMP_OUT_OF_RANGE", () => table.at("2999-01-01T00:00:00Z").count());
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.at("yesterday"));
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.at(-1));
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.at(1.5));
  });
});
