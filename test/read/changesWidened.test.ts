import { describe, expect, test } from "vitest";
import type { Action, AddCDCFile, Protocol } from "#src/log/actions.js";
import type { DataType, StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { array, inFile, map, metaData, putFile, struct, tableOf } from "./mappedTable.js";

const PROTOCOL: { protocol: Protocol } = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ["typeWidening", "timestampNtz"],
    writerFeatures: ["typeWidening", "timestampNtz", "changeDataFeed"],
  },
};
const ON = { configuration: { "delta.enableChangeDataFeed": "true" } };

interface Change {
  readonly from: string;
  readonly to: string;
  readonly fieldPath?: string;
}

const changesOf = (...changes: Change[]) => ({
  "delta.typeChanges": changes.map(({ from, to, fieldPath }) => ({
    fromType: from,
    toType: to,
    ...(fieldPath !== undefined && { fieldPath }),
  })),
});
const column = (type: DataType, metadata: Record<string, unknown> = {}): StructField => {
  return { name: "v", type, nullable: true, metadata };
};
const metadataOf = (field: StructField) => metaData([field], "none", ON);

/**
 * Versions 1 and 2 add a row and update it under the older type, version 3 widens it, version 4 adds a row of the newer one, and
 * version 5 removes the first file.
 */
async function widenedTable(older: StructField, newer: StructField, value: unknown, updated: unknown, added: unknown) {
  const store = memoryStore();
  const first = await putFile(store, "first.parquet", [inFile("v", older.type)], [{ v: value }]);
  const second = await putFile(store, "second.parquet", [inFile("v", older.type)], [{ v: updated }]);
  const later = await putFile(store, "later.parquet", [inFile("v", newer.type)], [{ v: added }]);
  const changeColumns = [inFile("v", older.type), inFile("_change_type", "string")];
  const changes = await putFile(store, "_change_data/c.parquet", changeColumns, [
    { v: value, _change_type: "update_preimage" },
    { v: updated, _change_type: "update_postimage" },
  ]);
  const { path, size } = changes.add;
  const cdc: AddCDCFile = { path, size, partitionValues: {}, dataChange: false };
  const removeOf = (path: string, size: number): Action => ({
    remove: { path, size, partitionValues: {}, dataChange: true },
  });
  return tableOf(
    store,
    [PROTOCOL, metadataOf(older)],
    [first],
    [removeOf("first.parquet", first.add.size), second, { cdc }],
    [metadataOf(newer)],
    [later],
    [removeOf("second.parquet", second.add.size)],
  );
}

type Told = readonly [type: string, version: bigint, value: unknown];

async function toldOf(table: Awaited<ReturnType<typeof widenedTable>>, options: object = {}): Promise<Told[]> {
  const rows = await table.changes({ from: 0, ...options }).toArray();
  return rows.map(({ _change_type, _commit_version, v }) => [_change_type, _commit_version, v] as const);
}

describe("[R-CDC-6] changes from before a type was widened have the newer type", () => {
  const day = new Date("1969-12-31T00:00:00Z");
  test.each<[string, string, unknown, unknown, unknown, unknown]>([
    ["byte", "short", -128, 127, -128, 127],
    ["byte", "integer", -128, 127, -128, 127],
    ["byte", "long", -128, 127, -128n, 127n],
    ["byte", "double", -128, 127, -128, 127],
    ["byte", "decimal(12,2)", -128, 127, "-128.00", "127.00"],
    ["short", "integer", -32768, 32767, -32768, 32767],
    ["short", "long", -32768, 32767, -32768n, 32767n],
    ["short", "double", -32768, 32767, -32768, 32767],
    ["short", "decimal(10,0)", -32768, 32767, "-32768", "32767"],
    ["integer", "long", -(2 ** 31), 2 ** 31 - 1, -2147483648n, 2147483647n],
    ["integer", "double", -(2 ** 31), 2 ** 31 - 1, -2147483648, 2147483647],
    ["integer", "decimal(20,10)", -1, 2 ** 31 - 1, "-1.0000000000", "2147483647.0000000000"],
    ["long", "decimal(20,0)", -(2n ** 63n), 2n ** 63n - 1n, "-9223372036854775808", "9223372036854775807"],
    ["float", "double", 0.1, -1.5, Math.fround(0.1), -1.5],
    ["decimal(4,2)", "decimal(38,20)", "-99.99", "0.01", `-99.99${"0".repeat(18)}`, `0.01${"0".repeat(18)}`],
    ["date", "timestamp_ntz", day, new Date("9999-12-31"), day, new Date("9999-12-31T00:00:00Z")],
  ])("%s to %s", async (from, to, value, updated, widened, widenedUpdate) => {
    const newer = column(to as DataType, changesOf({ from, to }));
    const table = await widenedTable(column(from as DataType), newer, value, updated, null);
    const rows: Told[] = [
      ["insert", 1n, widened],
      ["update_preimage", 2n, widened],
      ["update_postimage", 2n, widenedUpdate],
      ["insert", 4n, null],
      ["delete", 5n, widenedUpdate],
    ];
    expect(await toldOf(table)).toEqual(rows);
    const { fields } = await table.changes({ from: 0 }).schema();
    expect(fields[0]!.type).toBe(to);
    // The first version may remove rows that are older than its own schema.
    expect(await toldOf(table, { from: 5 })).toEqual(rows.slice(4));
    expect(await toldOf(table, { from: 3 })).toEqual(rows.slice(3));
    expect((await toldOf(table, { where: { v: { isNull: false } } })).length).toBe(4);
    // Up to the version before, the type is the older one.
    expect((await table.changes({ from: 0, to: 2 }).schema()).fields[0]!.type).toBe(from);
  });

  test("in several steps, and in structs, arrays and maps", async () => {
    const item = (type: DataType, metadata = {}) => struct({ name: "x", type, nullable: true, metadata });
    const older: DataType = struct(
      { name: "l", type: array(map("byte", "float")), nullable: true, metadata: {} },
      { name: "s", type: array(item("short")), nullable: true, metadata: {} },
    );
    const newer: DataType = struct(
      {
        name: "l",
        type: array(map("long", "double")),
        nullable: true,
        metadata: changesOf(
          { from: "byte", to: "integer", fieldPath: "element.key" },
          { from: "float", to: "double", fieldPath: "element.value" },
          { from: "integer", to: "long", fieldPath: "element.key" },
        ),
      },
      {
        name: "s",
        type: array(item("decimal(10,0)", changesOf({ from: "short", to: "decimal(10,0)" }))),
        nullable: true,
        metadata: {},
      },
    );
    const value = { l: [new Map([[7, 0.5]])], s: [{ x: 3 }, null] };
    const table = await widenedTable(column(older), column(newer), value, value, null);
    const widened = { l: [new Map([[7n, 0.5]])], s: [{ x: "3" }, null] };
    expect(await toldOf(table)).toEqual([
      ["insert", 1n, widened],
      ["update_preimage", 2n, widened],
      ["update_postimage", 2n, widened],
      ["insert", 4n, null],
      ["delete", 5n, widened],
    ]);
  });

  test("as a partition column", async () => {
    const fields = (type: DataType, metadata = {}) => [
      { name: "id", type: "long", nullable: true, metadata: {} } as const,
      column(type, metadata),
    ];
    const partitioned = (type: DataType, metadata = {}) =>
      metaData(fields(type, metadata), "none", { ...ON, partitionColumns: ["v"] });
    const store = memoryStore();
    const fileOf = async (id: bigint, v: string) =>
      putFile(store, `${id}.parquet`, [inFile("id", "long")], [{ id }], { partitionValues: { v } });
    const table = await tableOf(
      store,
      [PROTOCOL, partitioned("date")],
      [await fileOf(1n, "2024-02-29")],
      [partitioned("timestamp_ntz", changesOf({ from: "date", to: "timestamp_ntz" }))],
      [await fileOf(2n, "2024-02-29 12:00:00")],
    );
    expect(await table.changes({ from: 0, columns: ["id", "v"] }).toArray()).toEqual([
      { id: 1n, v: new Date("2024-02-29T00:00:00Z") },
      { id: 2n, v: new Date("2024-02-29T12:00:00Z") },
    ]);
    const where = { v: { lt: "2024-02-29 01:00:00" } };
    expect(await table.changes({ from: 0, columns: ["id"], where }).toArray()).toEqual([{ id: 1n }]);
  });
});

describe("what a column's type wasn't widened from", () => {
  test.each<[string, string, string, Change]>([
    ["another type than the change says", "integer", "long", { from: "short", to: "long" }],
    ["a change of what is inside", "integer", "long", { from: "integer", to: "long", fieldPath: "element" }],
    ["a change that isn't one of the protocol's", "integer", "string", { from: "integer", to: "string" }],
  ])("%s is refused", async (_, from, to, change) => {
    const newer = column(to as DataType, changesOf(change));
    const table = await widenedTable(column(from as DataType), newer, 1, 2, null);
    const code =
      to === "string" ? "DELTA_UNSUPPORTED_FEATURES_FOR_READ" : "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA";
    await expectCode(code, () => toldOf(table));
  });

  test("a type that goes back to the narrower one is refused", async () => {
    const store = memoryStore();
    const wide = column("long", changesOf({ from: "integer", to: "long" }));
    const table = await tableOf(
      store,
      [PROTOCOL, metadataOf(column("integer"))],
      [metadataOf(wide)],
      [metadataOf(column("integer"))],
    );
    const error = await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE", () => toldOf(table));
    expect(error.data).toMatchObject({ version: 1, columns: ["v"] });
  });
});
