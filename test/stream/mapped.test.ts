import { beforeEach, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Action } from "#src/log/actions.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { putCommit } from "../log/build.js";
import { inFile, LISTED, mapped, metaData, putFile, tableOf } from "../read/mappedTable.js";

const ID = mapped("id", "c1", 1, "long");
const PART = mapped("part", "c2", 2, "string");
const VALUE = mapped("value", "c3", 3, "string");
const OTHER = mapped("other", "c3", 3, "string");
const AGAIN = mapped("value", "c4", 4, "string");
const CONFIGURATION = { "delta.enableChangeDataFeed": "true" };

let store: ObjectStore;
let targetStore: ObjectStore;
let target: Table;
let checkpoint: ObjectStore;
beforeEach(() => {
  store = memoryStore();
  targetStore = memoryStore();
  target = Table.open(targetStore);
  checkpoint = memoryStore();
});

const has = (...fields: (typeof ID)[]) => {
  return metaData([ID, PART, ...fields], "name", { partitionColumns: ["part"], configuration: CONFIGURATION });
};
const file = (id: number, physical: string) =>
  putFile(
    store,
    `${id}.parquet`,
    [inFile(physical, "string"), inFile("c1", "long")],
    [{ c1: BigInt(id), [physical]: `v${id}` }],
    {
      partitionValues: { c2: "x" },
    },
  );
const row = (id: number, values: object) => ({ id: BigInt(id), part: "x", ...values });
const run = (options = {}) => Table.open(store).stream(options).toTable(target, { checkpoint });

describe("a stream of a table whose columns are mapped", () => {
  test("gives rows under logical names, into a table of its own", async () => {
    await tableOf(store, [{ protocol: LISTED }, has(VALUE)], [await file(1, "c3")], [await file(2, "c3")]);
    await run();
    expect(await target.toArray()).toEqual([row(1, { value: "v1" }), row(2, { value: "v2" })]);
    expect((await target.schema()).fields.map(({ metadata }) => metadata)).toEqual([{}, {}, {}]);
    const commit = new TextDecoder().decode(await targetStore.get(commitPath(0)));
    expect(commit).not.toContain("delta.columnMapping");
  });

  test("gives changes under logical names", async () => {
    await tableOf(store, [{ protocol: LISTED }, has(VALUE)], [await file(1, "c3")], [await file(2, "c3")]);
    await run({ readChangeFeed: true, startingVersion: 0 });
    const columns = ["_change_type", "id", "value"] as const;
    expect(await target.toArray({ columns })).toEqual([
      { _change_type: "insert", id: 1n, value: "v1" },
      { _change_type: "insert", id: 2n, value: "v2" },
    ]);
  });

  test("goes on after a renaming with today's names", async () => {
    await tableOf(store, [{ protocol: LISTED }, has(VALUE)], [await file(1, "c3")]);
    await target.create({ schema: { id: "long", part: "string", value: "string", other: "string" } });
    await run();
    const later: Action[][] = [[await file(2, "c3")], [has(OTHER)], [await file(3, "c3")]];
    for (const [i, actions] of later.entries()) await putCommit(store, 2 + i, ...actions);
    await run();
    expect(await target.toArray()).toEqual([
      row(1, { value: "v1", other: null }),
      row(2, { value: null, other: "v2" }),
      row(3, { value: null, other: "v3" }),
    ]);
  });

  test("is refused where another column has a dropped one's name by now", async () => {
    await tableOf(store, [{ protocol: LISTED }, has(VALUE)], [await file(1, "c3")]);
    await run();
    const later: Action[][] = [[await file(2, "c3")], [has()], [has(AGAIN)], [await file(3, "c4")]];
    for (const [i, actions] of later.entries()) await putCommit(store, 2 + i, ...actions);
    const error = await expectCode("DELTA_SCHEMA_CHANGED", run);
    expect(error.data).toEqual({ version: 2, columns: ["value"] });
    expect(await target.toArray()).toEqual([row(1, { value: "v1" })]);
    const anew = Table.open(memoryStore());
    await Table.open(store).stream({ startingVersion: 4 }).toTable(anew, { checkpoint: memoryStore() });
    expect(await anew.toArray()).toEqual([row(3, { value: "v3" })]);
  });

  test.each([
    ["renamed", [OTHER], "c3", ["other"]],
    ["dropped and added again", [AGAIN], "c4", ["value"]],
  ] as const)("stops where a column is %s while it runs", async (_, fields, physical, columns) => {
    await tableOf(store, [{ protocol: LISTED }, has(VALUE)], [await file(1, "c3")]);
    let batches = 0;
    const onProgress = async () => {
      if (batches++ > 0) return;
      const later: Action[][] = [[await file(2, "c3")], [has(...fields)], [await file(3, physical)]];
      for (const [i, actions] of later.entries()) await putCommit(store, 2 + i, ...actions);
    };
    const error = await expectCode("DELTA_SCHEMA_CHANGED", () =>
      Table.open(store)
        .stream()
        .toTable(target, { checkpoint, trigger: { everyMs: 1 }, onProgress }),
    );
    expect(error.data).toEqual({ version: 3, columns });
    expect(await target.toArray()).toEqual([row(1, { value: "v1" }), row(2, { value: "v2" })]);
  });
});
