import { describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Action, Metadata } from "#src/log/actions.js";
import { parseCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { ChangingTable, changesOf, expectedChanges, sorted, type TestRow } from "./changingTable.js";

const ON = { "delta.enableChangeDataFeed": "true" };
const rowsOf = (...ids: number[]): TestRow[] => ids.map((id) => ({ id, value: 10 * id }));
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);
const create = (properties: Record<string, string> = ON) => ChangingTable.create(memoryStore(), properties);

async function metadataOf({ store }: ChangingTable): Promise<Metadata> {
  const actions = parseCommit(0, await store.get(commitPath(0)));
  return actions.flatMap((action) => ("metaData" in action ? [action.metaData] : []))[0]!;
}

async function setProperties(table: ChangingTable, configuration: Record<string, string>): Promise<void> {
  await table.commit([{ metaData: { ...(await metadataOf(table)), configuration } }]);
}

async function setSchema(
  table: ChangingTable,
  fields: (before: { name: string; type: unknown; nullable: boolean; metadata: object }[]) => object[],
  more: Action[] = [],
): Promise<void> {
  const metadata = await metadataOf(table);
  const schema = JSON.parse(metadata.schemaString);
  const schemaString = JSON.stringify({ ...schema, fields: fields(schema.fields) });
  await table.commit([{ metaData: { ...metadata, schemaString } }, ...more]);
}

describe("a change file", () => {
  test("without its types is refused, unless nobody asks for them", async () => {
    const table = await create();
    await table.insert(rowsOf(1, 2));
    const [file] = await table.table.files();
    const { path, size } = file!;
    await table.commit([{ cdc: { path, size, partitionValues: { part: "b" }, dataChange: false } }]);
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => changesOf(table.table, { from: 2 }));
    expect(error.data).toEqual({ path, column: "_change_type" });
    expect(await table.table.changes({ from: 2, columns: ["id"] }).toArray()).toEqual([{ id: 1n }, { id: 2n }]);
  });

  test("isn't looked for outside of the table, or in its log", async () => {
    for (const path of ["../other.parquet", "_delta_log/x.parquet", "/etc/passwd"]) {
      const table = await create();
      await table.commit([{ cdc: { path, size: 10, partitionValues: { part: "b" }, dataChange: false } }]);
      await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => changesOf(table.table, { from: 0 }));
    }
  });
});

describe("without the feed", () => {
  test("[R-CDC-2] [R-CDC-5] what adds only, removes only, or removes by vectors is told exactly", async () => {
    const table = await create({});
    await table.insert(rowsOf(...upTo(9)));
    await table.setRemoved((id) => id === 4);
    await table.setRemoved((id) => id === 5);
    await table.optimize();
    await table.removeFiles(() => true);
    expect(sorted(await changesOf(table.table, { from: 0 }))).toEqual(expectedChanges(table, 0, 5));
  });

  test("what wrote files anew is refused", async () => {
    const table = await create({});
    await table.insert(rowsOf(1, 2));
    await table.rewrite((row) => ({ ...row, value: row.id === 1 ? 0 : row.value }), false);
    await setProperties(table, ON);
    await table.rewrite((row) => ({ ...row, value: 7 }));
    const error = await expectCode("DELTA_MISSING_CHANGE_DATA", () => changesOf(table.table, { from: 1 }));
    expect(error.data).toEqual({ version: 2 });
    expect(sorted(await changesOf(table.table, { from: 3 }))).toEqual(expectedChanges(table, 3, 4));
  });

  test("turned off within the range", async () => {
    const table = await create();
    await table.insert(rowsOf(1, 2));
    await setProperties(table, {});
    await table.insert(rowsOf(3));
    expect(await changesOf(table.table, { from: 0 })).toHaveLength(3);
    await table.overwrite(rowsOf(4));
    await expectCode("DELTA_MISSING_CHANGE_DATA", () => changesOf(table.table, { from: 0 }));
  });
});

describe("schemas", () => {
  const text = { name: "text", type: "string", nullable: true, metadata: {} };

  test("are those of the last version: columns that came later are null before", async () => {
    const table = await create();
    await table.insert(rowsOf(1));
    await setSchema(table, (fields) => [...fields, text]);
    await Table.open(table.store).append([{ id: 2n, value: 20, part: "b", text: "x" }]);
    const rows = await table.table.changes({ from: 0 }).toArray();
    expect(rows.map(({ id, text }) => [id, text])).toEqual([
      [1n, null],
      [2n, "x"],
    ]);
    expect(await table.table.changes({ from: 0, to: 1 }).toArray()).toEqual([
      expect.not.objectContaining({ text: expect.anything() }),
    ]);
  });

  test("that older rows don't fit are refused, and each stretch can be read", async () => {
    const others: Record<string, Parameters<typeof setSchema>[1]> = {
      dropped: (fields) => fields.filter(({ name }) => name !== "value"),
      retyped: (fields) => fields.map((field) => (field.name === "value" ? { ...field, type: "long" } : field)),
      narrowed: (fields) => fields.map((field) => (field.name === "value" ? { ...field, nullable: false } : field)),
      renamed: (fields) => fields.map((field) => (field.name === "value" ? { ...field, name: "Value" } : field)),
    };
    for (const [kind, change] of Object.entries(others)) {
      const table = await create();
      await table.insert(rowsOf(1));
      await setSchema(table, change);
      const asked = (from: number, to?: number) => table.table.changes({ from, ...(to && { to }) }).toArray();
      const error = await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", () => asked(0));
      expect(error.data, kind).toMatchObject({ version: 0, readVersion: 2 });
      expect(await asked(0, 1), kind).toHaveLength(1);
      expect(await asked(2), kind).toHaveLength(0);
    }
  });

  test("that change to and fro are refused at the version", async () => {
    const table = await create();
    await setSchema(table, (fields) => [...fields, text]);
    await setSchema(table, (fields) => fields);
    const error = await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE", () =>
      changesOf(table.table, { from: 0 }),
    );
    expect(error.data).toEqual({ version: 1, readVersion: 2, columns: ["text"] });
  });

  test("rows that the first version of the range removes may be older than its schema", async () => {
    const table = await create();
    await table.insert(rowsOf(1));
    const [file] = await table.table.files();
    const { path, size } = file!;
    const removed: Action = { remove: { path, size, partitionValues: { part: "b" }, dataChange: true } };
    const long = (type: string) => (fields: { name: string }[]) =>
      fields.map((field) => (field.name === "value" ? { ...field, type } : field));
    await setSchema(table, long("string"), [removed]);
    await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", () => changesOf(table.table, { from: 2 }));
  });

  test("other partition columns", async () => {
    const table = await create();
    await table.insert(rowsOf(1));
    await table.commit([{ metaData: { ...(await metadataOf(table)), partitionColumns: [] } }]);
    const error = await expectCode("DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA", () =>
      changesOf(table.table, { from: 1 }),
    );
    expect(error.data.columns).toEqual(["part"]);
  });

  test("with a column of a change's name", async () => {
    const table = Table.open(memoryStore());
    await table.append([{ _Commit_version: 1n }]);
    const error = await expectCode("DELTA_INVALID_SCHEMA", () => table.changes({ from: 0 }).toArray());
    expect(error.data).toEqual({ column: "_Commit_version" });
  });
});

describe("old writers' removes", () => {
  test("without a size are asked for it; without partition values they can't be told", async () => {
    const table = await create();
    await table.insert(rowsOf(1, 4));
    const [file] = await table.table.files();
    const bare = { path: file!.path, dataChange: true };
    await table.commit([{ remove: { ...bare, partitionValues: { part: "b" } } }]);
    expect((await changesOf(table.table, { from: 2 })).map(({ id }) => id)).toEqual([1, 4]);
    await table.commit([{ remove: bare }]);
    const error = await expectCode("DELTA_MISSING_CHANGE_DATA", () => changesOf(table.table, { from: 3 }));
    expect(error.data).toEqual({ version: 3, path: file!.path });
  });
});
