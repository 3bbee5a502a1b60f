import { describe, expect, it } from "vitest";
import { type StructType, Table } from "#src/index.js";
import type { AddFile, Metadata, Protocol } from "#src/log/actions.js";
import { readFooter } from "#src/parquet/footer.js";
import type { StructField } from "#src/schema/types.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";

const SCHEMA = {
  id: "long",
  "part of it": "string",
  s: { a: "integer" },
  list: [{ x: "long" }],
  map: { map: ["string", { v: "double" }] },
} as const;

const row = (id: bigint, part: string | null) => ({
  id,
  "part of it": part,
  s: { a: Number(id) },
  list: [{ x: id }],
  map: new Map([["k", { v: 0.5 }]]),
});

const mode = (name: string) => ({ "delta.columnMapping.mode": name });

async function actionsOf<T>(store: ObjectStore, version: number, kind: string): Promise<T[]> {
  const bytes = await store.get(`_delta_log/${String(version).padStart(20, "0")}.json`);
  const lines = new TextDecoder().decode(bytes).trim().split("\n");
  return lines.map((line) => JSON.parse(line)[kind]).filter((action) => action !== undefined);
}

async function schemaIn(store: ObjectStore, version: number): Promise<{ schema: StructType; metadata: Metadata }> {
  const [metadata] = await actionsOf<Metadata>(store, version, "metaData");
  return { schema: JSON.parse(metadata!.schemaString), metadata: metadata! };
}

const idOf = ({ metadata }: StructField) => metadata["delta.columnMapping.id"];
const nameIn = ({ metadata }: StructField) => String(metadata["delta.columnMapping.physicalName"]);

/** Names and ids of all groups and columns in a file that stand for columns of the table. */
async function idsInFile(store: ObjectStore, add: AddFile): Promise<Map<number, string>> {
  const footer = await readFooter(store, { path: decodeURIComponent(add.path), sizeBytes: add.size });
  const found = new Map<number, string>();
  const visit = ({ element, children }: typeof footer.root) => {
    if (element.field_id !== undefined) found.set(element.field_id, element.name);
    for (const child of children) visit(child);
  };
  visit(footer.root);
  return found;
}

describe.each(["name", "id"])("a table created with delta.columnMapping.mode %s", (name) => {
  it("gives each column, nested ones too, an id and an unguessable name", async () => {
    const store = memoryStore();
    await Table.open(store).create({ schema: SCHEMA, properties: mode(name) });
    const [protocol] = await actionsOf<Protocol>(store, 0, "protocol");
    expect(protocol).toEqual({
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ["columnMapping"],
      writerFeatures: ["columnMapping"],
    });
    const { schema, metadata } = await schemaIn(store, 0);
    expect(metadata.configuration).toEqual({ ...mode(name), "delta.columnMapping.maxColumnId": "8" });
    expect(schema.fields.map(idOf)).toEqual([1, 2, 3, 5, 7]);
    const fields = new Set(schema.fields.map(nameIn));
    expect(fields.size).toBe(5);
    for (const physical of fields) expect(physical).toMatch(/^col-[0-9a-f-]{36}$/);
    expect(await Table.open(store).schema()).toEqual(await Table.open(store).schema());
    expect(
      (await Table.open(store).schema()).fields.every(
        ({ metadata: own }) => idOf({ metadata: own } as StructField) === undefined,
      ),
    ).toBe(true);
  });

  it("has physical names and ids in files, in statistics and in partition values", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.append([row(1n, "a b"), row(2n, null)], {
      schema: SCHEMA,
      partitionBy: ["part of it"],
      properties: mode(name),
    });
    const { schema } = await schemaIn(store, 0);
    const [id, part, s, list, map] = schema.fields as [StructField, StructField, StructField, StructField, StructField];
    const adds = await actionsOf<AddFile>(store, 0, "add");
    expect(adds.map(({ partitionValues }) => partitionValues)).toEqual([
      { [nameIn(part)]: "a b" },
      { [nameIn(part)]: null },
    ]);
    const a = nameIn((s.type as StructType).fields[0]!);
    expect(JSON.parse(adds[0]!.stats!)).toEqual({
      numRecords: 1,
      minValues: { [nameIn(id)]: 1, [nameIn(s)]: { [a]: 1 } },
      maxValues: { [nameIn(id)]: 1, [nameIn(s)]: { [a]: 1 } },
      nullCount: { [nameIn(id)]: 0, [nameIn(s)]: { [a]: 0 }, [nameIn(list)]: 0, [nameIn(map)]: 0 },
    });
    const inFile = await idsInFile(store, adds[0]!);
    expect([...inFile.keys()].sort()).toEqual([1, 3, 4, 5, 6, 7, 8]);
    expect([1, 3, 4, 5, 7].map((key) => inFile.get(key))).toEqual(
      [id, s].map(nameIn).concat(a, [list, map].map(nameIn)),
    );
    expect(await table.toArray({ where: { id: { lt: 2n } } })).toEqual([row(1n, "a b")]);
    expect((await table.verify()).findings).toEqual([]);
  });

  it("gives columns that an append adds new ids", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    await table.append([{ id: 1n, s: { a: 1 } }], { properties: mode(name) });
    await table.append([{ id: 2n, s: { a: 2, b: "x" }, "new one": true }], { mergeSchema: true });
    const { schema, metadata } = await schemaIn(store, 1);
    const [, s, added] = schema.fields as [StructField, StructField, StructField];
    expect((s.type as StructType).fields.map(idOf)).toEqual([3, 4]);
    expect(idOf(added)).toBe(5);
    expect(metadata.configuration["delta.columnMapping.maxColumnId"]).toBe("5");
    expect(await table.toArray()).toEqual([
      { id: 1n, s: { a: 1, b: null }, "new one": null },
      { id: 2n, s: { a: 2, b: "x" }, "new one": true },
    ]);
  });

  it("takes many rows by the large encoder, in the same way", async () => {
    const store = memoryStore();
    const table = Table.open(store);
    const rows = Array.from({ length: 30_000 }, (_, i) => row(BigInt(i), "p"));
    await table.append(rows, { schema: SCHEMA, properties: mode(name) });
    const [add] = await actionsOf<AddFile>(store, 0, "add");
    expect([...(await idsInFile(store, add!)).keys()].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await table.toArray({ where: { id: 29_999n } })).toEqual([row(29_999n, "p")]);
  });
});

describe("column mapping", () => {
  it("lets no two appends that add columns have the same ids", async () => {
    const store = memoryStore();
    const [one, other] = [Table.open(store), Table.open(store)];
    await one.append([{ id: 1n }], { properties: mode("name") });
    await other.version();
    async function* rows() {
      yield { id: 2n, b: "mine" };
      await other.append([{ id: 3n, c: "theirs" }], { mergeSchema: true });
    }
    await expectCode("DELTA_METADATA_CHANGED", () => one.append(rows(), { mergeSchema: true }));
    await one.append([{ id: 2n, b: "mine" }], { mergeSchema: true });
    expect((await schemaIn(store, 2)).schema.fields.map(idOf)).toEqual([1, 2, 3]);
    expect(await one.count()).toBe(3);
  });

  it("lets rows stand where another writer added columns only", async () => {
    const store = memoryStore();
    const [one, other] = [Table.open(store), Table.open(store)];
    await one.append([{ id: 1n }], { properties: mode("name") });
    async function* rows() {
      yield { id: 2n };
      await other.append([{ id: 3n, c: "theirs" }], { mergeSchema: true });
    }
    await one.append(rows());
    expect(await one.toArray()).toEqual([
      { id: 1n, c: null },
      { id: 3n, c: "theirs" },
      { id: 2n, c: null },
    ]);
  });

  it("takes nothing from the mapping of another table's schema", async () => {
    const [one, other] = [memoryStore(), memoryStore()];
    await Table.open(one).append([{ id: 1n }], { properties: mode("name") });
    const { schema } = await schemaIn(one, 0);
    await Table.open(other).create({ schema, properties: mode("id") });
    const copied = (await schemaIn(other, 0)).schema;
    expect(nameIn(copied.fields[0]!)).not.toBe(nameIn(schema.fields[0]!));
  });
});
