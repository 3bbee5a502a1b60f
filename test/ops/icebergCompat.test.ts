import { describe, expect, it } from "vitest";
import { type SchemaLiteral, Table } from "#src/index.js";
import type { Metadata } from "#src/log/actions.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { checkIcebergCompat } from "#src/log/icebergCompat.js";
import { protocolWith } from "#src/log/protocolUpgrade.js";
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

  it("[R-ICE-2] has what Iceberg has, and nothing else", async () => {
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

describe("a table that Iceberg's third version can read", () => {
  const V3 = { "delta.enableIcebergCompatV3": "true" };
  const VECTORS = { "delta.enableDeletionVectors": "true" };

  it.each(["name", "id"])(
    "[R-ICE-3] has ids of Iceberg's for what row tracking keeps in files (by %s)",
    async (mode) => {
      const schema = { id: "long", p: "string", l: ["long"] } as const;
      const { store, table } = await created(schema, { ...V3, ...VECTORS, "delta.columnMapping.mode": mode }, ["p"]);
      expect((await table.detail()).tableFeatures).toEqual([
        "columnMapping",
        "deletionVectors",
        "domainMetadata",
        "icebergCompatV3",
        "rowTracking",
      ]);
      expect((await table.detail()).properties["delta.enableRowTracking"]).toBe("true");
      await table.append([1n, 2n, 3n, 4n].map((id) => ({ id, p: "x", l: [id] })));
      // Vectors may be.
      await table.delete({ id: 2n });
      expect((await table.files())[0]!.deletionVector).toBeDefined();
      const columns = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;
      const before = await table.toArray({ columns });
      expect(before.map((row) => row["_metadata.row_id"])).toEqual([0n, 2n, 3n]);
      await table.optimize({ purge: true });
      expect(await table.toArray({ columns })).toEqual(before);
      const inFile = await columnsInFile(store);
      const names = (await table.detail()).properties;
      expect(inFile.filter(([, id]) => id !== undefined && id > 1000)).toEqual([
        [names["delta.rowTracking.materializedRowIdColumnName"], 2_147_483_540],
        [names["delta.rowTracking.materializedRowCommitVersionColumnName"], 2_147_483_539],
      ]);
      // Three columns with one element, and the two of row tracking.
      expect(inFile.filter(([, id]) => id !== undefined)).toHaveLength(6);
      expect((await table.verify()).findings).toEqual([]);
    },
  );

  it("has what V3 asks for, and nothing of V1 and V2", async () => {
    const code = "DELTA_ICEBERG_COMPAT_VIOLATION";
    await expectCode(code, () => created({ id: "long" }, { ...V3, ...V2 }));
    await expectCode(code, () => created({ id: "long" }, { ...V3, ...V1 }));
    await expectCode(code, () => created({ id: "long" }, { ...V3, "delta.enableRowTracking": "false" }));
    await expectCode(code, () => created({ id: "long" }, { ...V3, "delta.columnMapping.mode": "none" }));
    const properties = {
      ...V3,
      "delta.enableTypeWidening": "true",
      "delta.feature.allowColumnDefaults": "supported",
    };
    const { table } = await created({ n: "integer", t: "string" }, properties, ["t"]);
    await expectCode(code, () => table.alter.setProperties({ "delta.enableRowTracking": "false" }));
    await expectCode(code, () => table.alter.setProperties({ "delta.columnMapping.mode": "none" }));
    await expectCode("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", () => table.alter.dropFeature("rowTracking"));
    await expectCode("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", () => table.alter.dropFeature("columnMapping"));
    await expectCode("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", () => table.alter.dropFeature("icebergCompatV3"));
    await expectCode("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", () =>
      table.alter.changeColumn("n", { type: "double" }),
    );
    await expectCode(code, () => table.alter.changeColumn("n", { default: "1 + 1" }));
    await table.alter.changeColumn("n", { default: "-7" });
    await expectCode(code, () => table.overwrite([{ n: 1n, t: "x" }], { overwriteSchema: true, partitionBy: ["n"] }));
    const { table: plain } = await created({ id: "long" }, {});
    await expectCode(code, () => plain.alter.setProperties({ ...V3, "delta.columnMapping.mode": "name" }));
  });

  it.each([
    ["7", true],
    ["-7.5e3", true],
    ["7L", true],
    ["null", true],
    ["'it''s'", false],
    ["'it\\'s'", true],
    ["date'2024-01-31'", true],
    ["TRUE", true],
    ["'a' || 'b'", false],
    ["current_date()", false],
    ["1 + 1", false],
  ])("has defaults that are literals: %s", async (value, isOne) => {
    const schema = {
      type: "struct",
      fields: [{ name: "t", type: "string", nullable: true, metadata: { CURRENT_DEFAULT: value } }],
    } as const;
    const configuration = { ...V3, "delta.enableRowTracking": "true", "delta.columnMapping.mode": "name" };
    const metadata: Metadata = {
      id: "x",
      format: { provider: "parquet", options: {} },
      schemaString: JSON.stringify(schema),
      partitionColumns: [],
      configuration,
    };
    const protocol = protocolWith({ minReaderVersion: 1, minWriterVersion: 2 }, ["icebergCompatV3"]);
    const check = () => checkIcebergCompat(protocol, metadata);
    if (isOne) check();
    else await expectCode("DELTA_ICEBERG_COMPAT_VIOLATION", async () => check());
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
