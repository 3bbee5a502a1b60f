import { describe, expect, it } from "vitest";
import { type SchemaLiteral, Table } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { readFooter } from "#src/parquet/footer.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";

const V1 = { "delta.enableIcebergCompatV1": "true" };
const V2 = { "delta.enableIcebergCompatV2": "true" };

/** Each column of the first file, by its name in there, with its id. */
async function columnsInFile(store: ObjectStore): Promise<[string, number | undefined][]> {
  const [file] = await Table.open(store).files();
  const { root } = await readFooter(store, { path: decodeURIComponent(file!.path), sizeBytes: file!.size });
  const found: [string, number | undefined][] = [];
  const visit = ({ element, children }: typeof root) => {
    found.push([element.name, element.field_id]);
    for (const child of children) visit(child);
  };
  for (const child of root.children) visit(child);
  return found;
}

async function created(schema: SchemaLiteral, properties: Record<string, string>, partitionBy: string[] = []) {
  const store = memoryStore();
  const table = Table.open(store);
  await table.create({ schema, properties, partitionBy });
  return { store, table };
}

describe("a table that Iceberg can read", () => {
  it("has ids for all fields, and partition columns in its files, behind the others", async () => {
    const schema = { p: "string", l: [{ a: "long" }], m: { map: ["string", ["long"]] } } as const;
    const { store, table } = await created(schema, V2, ["p"]);
    expect((await table.detail()).tableFeatures).toEqual(["columnMapping", "icebergCompatV2"]);
    expect((await table.detail()).properties["delta.columnMapping.mode"]).toBe("name");
    await table.append([{ p: "x", l: [{ a: 1n }], m: new Map([["k", [2n]]]) }]);
    const columns = await columnsInFile(store);
    const ids = columns.flatMap(([, id]) => (id === undefined ? [] : [id]));
    expect(new Set(ids).size).toBe(8);
    expect(columns.filter(([, id]) => id === undefined).map(([name]) => name)).toEqual(["list", "key_value", "list"]);
    const { schemaString } = (await new DeltaLog(store).latest()).metadata;
    const [p] = JSON.parse(schemaString).fields;
    expect(columns.at(-1)![0]).toBe(p.metadata["delta.columnMapping.physicalName"]);
    expect(await table.toArray()).toEqual([{ p: "x", l: [{ a: 1n }], m: new Map([["k", [2n]]]) }]);
    await table.append([{ p: "y", l: [{ a: 1n, b: 2n }] }], { mergeSchema: true });
    expect((await table.verify()).findings).toEqual([]);
    const { metadata } = await new DeltaLog(store).latest();
    expect(metadata.configuration["delta.columnMapping.maxColumnId"]).toBe("9");
  });

  it("has what Iceberg has, and nothing else", async () => {
    const code = "DELTA_ICEBERG_COMPAT_VIOLATION";
    await expectCode(code, () => created({ l: ["long"] }, V1));
    await expectCode(code, () => created({ id: "long" }, { ...V1, ...V2 }));
    await expectCode(code, () => created({ id: "long" }, { ...V2, "delta.columnMapping.mode": "none" }));
    await expectCode(code, () => created({ id: "long" }, { ...V2, "delta.enableDeletionVectors": "true" }));
    const { table } = await created({ n: "integer", p: "string" }, { ...V2, "delta.enableTypeWidening": "true" }, [
      "p",
    ]);
    await expectCode("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", () =>
      table.alter.changeColumn("n", { type: "double" }),
    );
    await table.alter.changeColumn("n", { type: "long" });
    await expectCode(code, () => table.alter.setProperties({ "delta.enableDeletionVectors": "true" }));
    await expectCode(code, () => table.overwrite([{ n: 1n, p: "x" }], { overwriteSchema: true, partitionBy: ["n"] }));
  });

  it("is so from its creation on", async () => {
    const { table } = await created({ id: "long" }, { "delta.columnMapping.mode": "name" });
    await expectCode("DELTA_ICEBERG_COMPAT_VIOLATION", () => table.alter.setProperties(V2));
  });
});

describe("partition columns", () => {
  it.each([
    ["delta.feature.materializePartitionColumns", "supported"],
    ["delta.writePartitionColumnsToParquet", "true"],
  ])("are in files too by %s", async (name, value) => {
    const { store, table } = await created({ p: "string", id: "long" }, { [name]: value }, ["p"]);
    await table.append([
      { id: 1n, p: "a" },
      { id: 2n, p: null },
    ]);
    expect((await columnsInFile(store)).map(([column]) => column)).toEqual(["id", "p"]);
    expect(await table.toArray({ where: { p: "a" } })).toEqual([{ p: "a", id: 1n }]);
    expect(await table.toArray({ where: { p: null } })).toEqual([{ p: null, id: 2n }]);
    expect((await table.verify()).findings).toEqual([]);
  });
});
