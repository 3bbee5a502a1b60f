import { beforeEach, describe, expect, test } from "vitest";
import type { Table } from "#src/index.js";
import type { Protocol } from "#src/log/actions.js";
import type { Where } from "#src/schema/where.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import { inlineVector } from "../log/deletionVectorBytes.js";
import { inFile, mapped, metaData, putFile, tableOf } from "./mappedTable.js";

const PROTOCOL: Protocol = {
  minReaderVersion: 3,
  minWriterVersion: 7,
  readerFeatures: ["columnMapping", "deletionVectors"],
  writerFeatures: ["columnMapping", "deletionVectors", "domainMetadata", "rowTracking", "clustering"],
};
const ON = {
  "delta.enableRowTracking": "true",
  "delta.rowTracking.materializedRowIdColumnName": "kept-ids",
  "delta.rowTracking.materializedRowCommitVersionColumnName": "kept-versions",
};
const ROW_ID = "_metadata.row_id";
const ROW_COMMIT_VERSION = "_metadata.row_commit_version";
const TRACKED = [ROW_ID, ROW_COMMIT_VERSION] as const;

let store: ObjectStore;
beforeEach(() => {
  store = memoryStore();
});

const ID = mapped("id", "p-id", 1, "long");

/** File `a` has ten rows in three row groups and never moved; some rows of file `b` did. */
async function trackedTable(mode: string, configuration: Record<string, string> = ON): Promise<Table> {
  const name = mode === "none" ? "id" : "p-id";
  const a = Array.from({ length: 10 }, (_, i) => ({ [name]: BigInt(i) }));
  const b = [
    { "kept-versions": 1n, [name]: 100n, "kept-ids": 7n },
    { "kept-versions": null, [name]: 101n, "kept-ids": null },
    { "kept-versions": null, [name]: 102n, "kept-ids": 8n },
  ];
  const columns = [inFile("kept-versions", "long"), inFile(name, "long", 1), inFile("kept-ids", "long")];
  return tableOf(
    store,
    [{ protocol: PROTOCOL }, metaData([ID], mode, { configuration })],
    [
      await putFile(store, "a.parquet", [inFile(name, "long", 1)], a, {
        rowGroupRows: 4,
        baseRowId: 0,
        defaultRowCommitVersion: 1,
        deletionVector: inlineVector([0, 5]),
        stats: '{"numRecords":10}',
      }),
      await putFile(store, "b.parquet", columns, b, { baseRowId: 1000, defaultRowCommitVersion: 5 }),
    ],
  );
}

describe.each(["none", "name", "id"])("a row's id and version, with column mapping %s,", (mode) => {
  const row = (id: number, rowId: number, version: number) => {
    return { id: BigInt(id), [ROW_ID]: BigInt(rowId), [ROW_COMMIT_VERSION]: BigInt(version) };
  };
  const all = [
    ...[1, 2, 3, 4, 6, 7, 8, 9].map((id) => row(id, id, 1)),
    row(100, 7, 1),
    row(101, 1001, 5),
    row(102, 8, 5),
  ];

  test("[R-ROW-1] [R-ROW-2] [R-ROW-3] are those that its file holds, else counted on from the log's", async () => {
    const table = await trackedTable(mode);
    expect(await table.toArray({ columns: ["id", ...TRACKED] })).toEqual(all);
    const schema = await table.scan({ columns: [ROW_ID] }).schema();
    expect(schema.fields).toEqual([{ name: ROW_ID, type: "long", nullable: false, metadata: {} }]);
    expect((await table.toArrow({ columns: [...TRACKED] })).schema.names).toEqual(TRACKED);
  });

  test("[R-ROW-4] come with conditions, limits, alone and in any order, and only if asked for", async () => {
    const table = await trackedTable(mode);
    const columns = [ROW_ID] as const;
    expect(await table.toArray({ columns, where: { id: { gte: 9 } } })).toEqual(
      [9n, 7n, 1001n, 8n].map((id) => ({ [ROW_ID]: id })),
    );
    expect(await table.toArray({ columns: [ROW_COMMIT_VERSION, "id"], limit: 1 })).toEqual([
      { [ROW_COMMIT_VERSION]: 1n, id: 1n },
    ]);
    expect((await table.toArray({ columns, limit: 10 })).at(-1)).toEqual({ [ROW_ID]: 1001n });
    expect(await table.toArray()).toEqual(all.map(({ id }) => ({ id })));
    expect(await table.count({ columns })).toBe(11);
  });
});

describe("a condition on a row's id and version", () => {
  test.each<[string, Where | string, bigint[]]>([
    ["an id", { [ROW_ID]: 8n }, [8n, 102n]],
    ["a range of ids", { [ROW_ID]: { between: [7n, 8n] } }, [7n, 8n, 100n, 102n]],
    ["a version", { [ROW_COMMIT_VERSION]: { gt: 1 } }, [101n, 102n]],
    ["none", { [ROW_ID]: null }, []],
    ["both, and a column", { [ROW_ID]: { lt: 1000 }, [ROW_COMMIT_VERSION]: 1n, id: { gte: 9n } }, [9n, 100n]],
    ["SQL", "_metadata.row_id IN (7, 1001)", [7n, 100n, 101n]],
    ["SQL with quotes", '"_metadata.row_commit_version" = 5 AND id > 101', [102n]],
    ["SQL that no typed test can say", "_metadata.row_id % 1000 = 1", [1n, 101n]],
  ])("%s", async (_, where, ids) => {
    for (const mode of ["none", "name", "id"]) {
      store = memoryStore();
      const table = await trackedTable(mode);
      expect(await table.toArray({ where })).toEqual(ids.map((id) => ({ id })));
      expect(await table.count({ where })).toBe(ids.length);
      const tracked = await table.toArray({ columns: [ROW_ID], where });
      expect(tracked.map((row) => Object.keys(row))).toEqual(ids.map(() => [ROW_ID]));
    }
  });

  test("names the columns that there are", async () => {
    const error = await expectCode("DELTA_INVALID_PREDICATE", async () =>
      (await trackedTable("none")).toArray({ where: { "_metadata.rowid": 1 } }),
    );
    expect(error.data).toMatchObject({ nearest: ROW_ID });
  });
});

describe("where rows aren't tracked", () => {
  test.each([
    ["the property is off", { ...ON, "delta.enableRowTracking": "false" }],
    ["the property is missing", {}],
  ])("nobody can ask for them: %s", async (_, configuration) => {
    const table = await trackedTable("none", configuration);
    const error = await expectCode("DELTA_INVALID_ARGUMENT", () => table.toArray({ columns: [ROW_ID] }));
    expect(error.data).toEqual({ column: ROW_ID });
    const inWhere = await expectCode("DELTA_INVALID_PREDICATE", () => table.count({ where: { [ROW_ID]: 1n } }));
    expect(inWhere.data).toMatchObject({ column: ROW_ID });
    await expectCode("DELTA_INVALID_PREDICATE", () => table.count({ where: "_metadata.row_id = 1" }));
    expect(await table.count()).toBe(11);
  });

  test("[R-ROW-5] changes have none", async () => {
    const table = await trackedTable("none");
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.changes({ from: 1, columns: [ROW_ID] }).toArray());
  });

  test("a file of which the log says nothing is an error, unless it says itself", async () => {
    const metadata = metaData([{ ...ID, metadata: {} }], "none", { configuration: ON });
    const columns = [inFile("id", "long"), inFile("kept-ids", "long")];
    const table = await tableOf(
      store,
      [{ protocol: PROTOCOL }, metadata],
      [await putFile(store, "a.parquet", columns, [{ id: 1n, "kept-ids": 50n }])],
      [await putFile(store, "b.parquet", columns, [{ id: 2n, "kept-ids": null }])],
    );
    expect(await table.at(1).toArray({ columns: [ROW_ID] })).toEqual([{ [ROW_ID]: 50n }]);
    const error = await expectCode("DELTA_LOG_CORRUPT", () => table.toArray({ columns: [ROW_ID] }));
    expect(error.data).toEqual({ path: "b.parquet", field: "baseRowId" });
    expect(await table.toArray()).toEqual([{ id: 1n }, { id: 2n }]);
  });
});

test("a table's own column of such a name is that column", async () => {
  const own = { name: ROW_ID, type: "string", nullable: true, metadata: {} } as const;
  const table = await tableOf(
    store,
    [{ protocol: PROTOCOL }, metaData([own], "none", { configuration: ON })],
    [
      await putFile(store, "a.parquet", [inFile(ROW_ID, "string")], [{ [ROW_ID]: "own" }], {
        baseRowId: 3,
        defaultRowCommitVersion: 1,
      }),
    ],
  );
  expect(await table.toArray({ columns: [ROW_ID] })).toEqual([{ [ROW_ID]: "own" }]);
  expect(await table.count({ where: { [ROW_ID]: "own" } })).toBe(1);
  expect(await table.count({ where: "_metadata.row_id || '!' = 'own!'" })).toBe(1);
});
