import { describe, expect, it } from "vitest";
import { type SchemaLiteral, type StructType, Table } from "#src/index.js";
import { DeltaLog } from "#src/log/deltaLog.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";

const MAPPED = { "delta.columnMapping.mode": "name" };
const WIDENING = { "delta.enableTypeWidening": "true" };

async function tableOf(schema: SchemaLiteral, properties: Record<string, string> = {}, partitionBy: string[] = []) {
  const store = memoryStore();
  const table = Table.open(store);
  await table.create({ schema, properties, partitionBy });
  return { store, table };
}

const names = ({ fields }: StructType) => fields.map(({ name }) => name);
const namesOf = async (table: Table) => names(await table.schema());
const propertiesOf = async (table: Table) => (await table.detail()).properties;
const last = async (table: Table) => (await table.history({ limit: 1 }))[0]!;
/** The store, on which something else is done before a version is claimed. */
function beforeClaims(store: ObjectStore, act: () => Promise<unknown>): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === "putIfAbsent") {
        return async (...given: Parameters<ObjectStore["putIfAbsent"]>) => {
          await act();
          return target.putIfAbsent(...given);
        };
      }
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
const metadataIn = async (store: ObjectStore) => (await new DeltaLog(store).latest()).metadata;

describe("addColumns", () => {
  it("adds columns, which are null in the rows that are there", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.append([{ id: 1n }]);
    expect(await table.alter.addColumns({ score: "double", tags: ["string"] })).toEqual({ version: 2 });
    await table.append([{ id: 2n, score: 0.5, tags: ["a"] }]);
    expect(await table.toArray()).toEqual([
      { id: 1n, score: null, tags: null },
      { id: 2n, score: 0.5, tags: ["a"] },
    ]);
    expect((await table.history())[1]!.operation).toBe("ADD COLUMNS");
  });

  it("adds nested ones, at places, with comments", async () => {
    const { table } = await tableOf({ id: "long", s: { a: "long" }, list: [{ x: "long" }] });
    await table.alter.addColumns([
      { path: "first", type: "string", position: "first" },
      { path: "s.b", type: { c: "string" }, comment: "of s" },
      { path: ["list", "element", "y"], type: "date", position: { after: "X" } },
      { path: "S.b.d", type: "long", position: "first" },
      { path: "`a.dot`", type: "long", position: { after: "id" } },
    ]);
    const schema = await table.schema();
    expect(names(schema)).toEqual(["first", "id", "a.dot", "s", "list"]);
    const s = schema.fields[3]!.type as StructType;
    expect(names(s)).toEqual(["a", "b"]);
    expect(s.fields[1]!.metadata).toEqual({ comment: "of s" });
    expect(names(s.fields[1]!.type as StructType)).toEqual(["d", "c"]);
    await table.append([{ id: 1n, s: { a: 1n, b: { d: 2n } }, list: [{ x: 1n, y: "2024-01-31" }] }]);
    expect(await table.count()).toBe(1);
  });

  it("refuses what is there, what isn't, and what can't be null", async () => {
    const { table } = await tableOf({ id: "long", s: { a: "long" } });
    await expectCode("DELTA_DUPLICATE_COLUMNS_FOUND", () => table.alter.addColumns({ ID: "long" }));
    const missing = await expectCode("DELTA_COLUMN_NOT_FOUND", () =>
      table.alter.addColumns([{ path: "t.b", type: "long" }]),
    );
    expect(missing.data.column).toBe("t");
    await expectCode("DELTA_COLUMN_NOT_FOUND", () => table.alter.addColumns([{ path: "id.b", type: "long" }]));
    await expectCode("DELTA_COLUMN_NOT_FOUND", () =>
      table.alter.addColumns([{ path: "b", type: "long", position: { after: "nowhere" } }]),
    );
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.alter.addColumns({ b: "long not null" }));
    await expectCode("DELTA_INVALID_SCHEMA", () => table.alter.addColumns({ "odd name": "long" }));
    await expectCode("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", () => table.alter.addColumns({ at: "timestamp_ntz" }));
    expect(await table.version()).toBe(0);
  });

  it("gives mapped columns ids", async () => {
    const { store, table } = await tableOf({ id: "long" }, MAPPED);
    await table.alter.addColumns({ "odd name": "long", s: { a: "long" } });
    const { configuration, schemaString } = await metadataIn(store);
    expect(configuration["delta.columnMapping.maxColumnId"]).toBe("4");
    expect(JSON.parse(schemaString).fields[2].metadata["delta.columnMapping.id"]).toBe(3);
    await table.append([{ id: 1n, "odd name": 2n, s: { a: 3n } }]);
    expect(await table.toArray()).toEqual([{ id: 1n, "odd name": 2n, s: { a: 3n } }]);
  });
});

describe("renameColumn", () => {
  it("renames columns whose rows stay where they are", async () => {
    const { table } = await tableOf({ id: "long", s: { a: "long" }, part: "string" }, MAPPED, ["part"]);
    await table.append([{ id: 1n, s: { a: 2n }, part: "p" }]);
    await table.alter.renameColumn("id", "Key");
    await table.alter.renameColumn("s.a", "odd name");
    await table.alter.renameColumn("part", "folder");
    await table.alter.renameColumn("key", "key");
    await table.append([{ key: 3n, s: { "odd name": 4n }, folder: "q" }]);
    expect(await table.toArray({ where: { folder: "p" } })).toEqual([{ key: 1n, s: { "odd name": 2n }, folder: "p" }]);
    expect(await table.count()).toBe(2);
    expect((await table.detail()).partitionColumns).toEqual(["folder"]);
    const renames = (await table.history()).filter(({ operation }) => operation === "RENAME COLUMN");
    expect(renames.map(({ operationParameters }) => operationParameters)).toEqual([
      { oldColumnPath: "Key", newColumnPath: "key" },
      { oldColumnPath: "part", newColumnPath: "folder" },
      { oldColumnPath: "s.a", newColumnPath: "s.`odd name`" },
      { oldColumnPath: "id", newColumnPath: "Key" },
    ]);
  });

  it("renames columns in the list of those with statistics", async () => {
    const properties = { ...MAPPED, "delta.dataSkippingStatsColumns": "s.a, id" };
    const { table } = await tableOf({ id: "long", s: { a: "long" } }, properties);
    await table.alter.renameColumn("s", "t u");
    expect((await propertiesOf(table))["delta.dataSkippingStatsColumns"]).toBe("`t u`.a,id");
    await table.alter.dropColumns(["id"]);
    expect((await propertiesOf(table))["delta.dataSkippingStatsColumns"]).toBe("`t u`.a");
  });

  it("needs column mapping, a column and a free name", async () => {
    const { table: plain } = await tableOf({ id: "long" });
    await expectCode("DELTA_UNSUPPORTED_RENAME_COLUMN", () => plain.alter.renameColumn("id", "key"));
    const { table } = await tableOf({ id: "long", b: "long" }, MAPPED);
    await expectCode("DELTA_COLUMN_NOT_FOUND", () => table.alter.renameColumn("nowhere", "key"));
    await expectCode("DELTA_DUPLICATE_COLUMNS_FOUND", () => table.alter.renameColumn("id", "B"));
    expect(await table.alter.renameColumn("id", "id")).toEqual({ version: 0 });
  });
});

describe("dropColumns", () => {
  it("takes columns away, and their names can be used again", async () => {
    const { table } = await tableOf({ id: "long", b: "long", s: { a: "long", c: "long" } }, MAPPED);
    await table.append([{ id: 1n, b: 2n, s: { a: 3n, c: 4n } }]);
    await table.alter.dropColumns(["b", "s.c"]);
    expect(await table.toArray()).toEqual([{ id: 1n, s: { a: 3n } }]);
    await table.alter.addColumns({ b: "string" });
    expect(await table.toArray()).toEqual([{ id: 1n, s: { a: 3n }, b: null }]);
    expect((await table.history())[1]!.operationParameters).toEqual({ columns: '["b","s.c"]' });
  });

  it("refuses what the table needs", async () => {
    const { table } = await tableOf({ id: "long", part: "string", s: { a: "long" } }, MAPPED, ["part"]);
    await expectCode("DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN", () => table.alter.dropColumns(["part"]));
    await expectCode("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", () => table.alter.dropColumns(["s.a"]));
    await expectCode("DELTA_INVALID_PARTITION_COLUMN", () => table.alter.dropColumns(["id", "s"]));
    await expectCode("DELTA_COLUMN_NOT_FOUND", () => table.alter.dropColumns("nowhere"));
    const { table: plain } = await tableOf({ id: "long", b: "long" });
    await expectCode("DELTA_UNSUPPORTED_DROP_COLUMN", () => plain.alter.dropColumns(["b"]));
  });
});

describe("changeColumn", () => {
  it("changes comment, nullability and place", async () => {
    const { table } = await tableOf({ id: "long not null", b: "long", s: { a: "long", c: "long" } });
    await table.alter.changeColumn("ID", { comment: "a key", nullable: true, position: { after: "b" } });
    await table.alter.changeColumn("s.c", { position: "first" });
    const { fields } = await table.schema();
    expect(fields.map(({ name, nullable, metadata }) => [name, nullable, metadata])).toEqual([
      ["b", true, {}],
      ["id", true, { comment: "a key" }],
      ["s", true, {}],
    ]);
    expect(names(fields[2]!.type as StructType)).toEqual(["c", "a"]);
    await table.append([{ id: null, b: 1n, s: { a: 1n, c: 2n } }]);
    expect(await table.toArray()).toEqual([{ b: 1n, id: null, s: { c: 2n, a: 1n } }]);
    await table.alter.changeColumn("id", { comment: null });
    expect((await table.schema()).fields[1]!.metadata).toEqual({});
    expect(await table.alter.changeColumn("id", { comment: null })).toEqual({ version: await table.version() });
  });

  it("widens types where the table lets it", async () => {
    const { table } = await tableOf({ n: "integer", list: ["float"], m: { map: ["byte", "date"] } }, WIDENING);
    await table.append([{ n: 1, list: [0.5], m: new Map([[1, "2024-01-31"]]) }]);
    await table.alter.changeColumn("n", { type: "decimal(12,2)" });
    await table.alter.changeColumn("list.element", { type: "double" });
    await table.alter.changeColumn("m.key", { type: "long" });
    const schema = await table.schema();
    expect(schema.fields.map(({ metadata }) => metadata["delta.typeChanges"])).toEqual([
      [{ fromType: "integer", toType: "decimal(12,2)" }],
      [{ fromType: "float", toType: "double", fieldPath: "element" }],
      [{ fromType: "byte", toType: "long", fieldPath: "key" }],
    ]);
    const [row] = await table.toArray();
    expect(row).toMatchObject({ n: "1.00", list: [0.5] });
    expect([...(row!.m as Map<bigint, unknown>).keys()]).toEqual([1n]);
    await expectCode("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", () =>
      table.alter.changeColumn("n", { type: "integer" }),
    );
  });

  it("refuses other types, and wider ones where the table doesn't let it", async () => {
    const { table } = await tableOf({ n: "integer", s: { a: "long" } });
    const code = "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP";
    await expectCode(code, () => table.alter.changeColumn("n", { type: "long" }));
    await table.alter.setProperties(WIDENING);
    await expectCode(code, () => table.alter.changeColumn("n", { type: "string" }));
    await expectCode(code, () => table.alter.changeColumn("s", { type: { a: "long", b: "long" } }));
    await table.alter.changeColumn("n", { type: "long" });
    expect(await table.version()).toBe(2);
  });

  it("takes null out of a column in which it isn't", async () => {
    const { table } = await tableOf({ id: "long", s: { a: "long" } });
    await table.append([
      { id: 1n, s: { a: 1n } },
      { id: 2n, s: null },
    ]);
    await table.alter.changeColumn("id", { nullable: false });
    await table.alter.changeColumn("s.a", { nullable: false });
    await expectCode("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", () => table.alter.changeColumn("s", { nullable: false }));
    await expectCode("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", () => table.append([{ id: null }]));
  });

  it("conflicts with rows that come while it looks for nulls", async () => {
    const { store, table } = await tableOf({ id: "long" });
    await table.append([{ id: 1n }]);
    const other = Table.open(store);
    const slow = beforeClaims(store, () => other.append([{ id: null }]));
    await expectCode("DELTA_CONCURRENT_APPEND", () => Table.open(slow).alter.changeColumn("id", { nullable: false }));
  });
});

describe("what constraints and generated columns speak of", () => {
  const field = (name: string, metadata = {}) => ({ name, type: "long", nullable: true, metadata });
  async function described(more: Record<string, string>, metadata = {}) {
    const store = memoryStore();
    const protocol = {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ["columnMapping"],
      writerFeatures: ["columnMapping"],
    };
    const mapped = (id: number) => ({ "delta.columnMapping.id": id, "delta.columnMapping.physicalName": `p${id}` });
    const fields = [field("id", mapped(1)), field("b", mapped(2)), field("g", { ...mapped(3), ...metadata })];
    const metaData = {
      id: "a",
      format: { provider: "parquet", options: {} },
      schemaString: JSON.stringify({ type: "struct", fields }),
      partitionColumns: [],
      configuration: { ...MAPPED, ...more },
    };
    const actions = [{ commitInfo: { operation: "x", timestamp: 1 } }, { protocol }, { metaData }];
    const text = actions.map((action) => JSON.stringify(action)).join("\n");
    await store.put("_delta_log/00000000000000000000.json", new TextEncoder().encode(text));
    return Table.open(store);
  }

  it("isn't renamed or dropped", async () => {
    const constrained = await described({ "delta.constraints.positive": "`id` > 0" });
    const code = "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE";
    const error = await expectCode(code, () => constrained.alter.renameColumn("id", "key"));
    expect(error.data).toEqual({ column: "id", constraint: "positive", expression: "`id` > 0" });
    await expectCode(code, () => constrained.alter.dropColumns(["id"]));
    const generated = await described({}, { "delta.generationExpression": "ID + 1" });
    await expectCode("DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE", () => generated.alter.dropColumns(["id"]));
    const invariant = await described({}, { "delta.invariants": '{"expression":{"expression":"g > 1"}}' });
    await expectCode(code, () => invariant.alter.renameColumn("g", "key"));
  });
});

describe("addConstraint and dropConstraint", () => {
  it("have rows checked, those that are there first", async () => {
    const { table } = await tableOf({ id: "long", "a.b": "string", s: { x: "integer" } });
    await table.append([{ id: 1n, "a.b": "x", s: { x: 1 } }]);
    await expectCode("DELTA_NEW_CHECK_CONSTRAINT_VIOLATION", () => table.alter.addConstraint("large", "id > 5"));
    await table.alter.addConstraint("Positive", "id > 0 and s.x is not null");
    expect(await propertiesOf(table)).toEqual({ "delta.constraints.positive": "id > 0 and s.x is not null" });
    expect((await table.detail()).tableFeatures).toEqual(["appendOnly", "checkConstraints", "invariants"]);
    await expectCode("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES", () => table.append([{ id: -1n, s: { x: 1 } }]));
    await expectCode("DELTA_CONSTRAINT_ALREADY_EXISTS", () => table.alter.addConstraint("POSITIVE", "id > 1"));
    await table.append([{ id: 2n, s: { x: 1 } }]);
    const code = "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE";
    await table.alter.setProperties(MAPPED);
    await expectCode(code, () => table.alter.renameColumn("s.x", "y"));
    await table.alter.renameColumn("`a.b`", "c");
    await expectCode("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", () => table.alter.dropFeature("checkConstraints"));
    await table.alter.dropConstraint("positive");
    await table.append([{ id: -1n }]);
    await table.alter.dropFeature("checkConstraints");
    await expectCode("DELTA_CONSTRAINT_DOES_NOT_EXIST", () => table.alter.dropConstraint("positive"));
    const version = await table.version();
    expect(await table.alter.dropConstraint("positive", { ifExists: true })).toEqual({ version });
  });

  it("refuse what is no condition", async () => {
    const { table } = await tableOf({ id: "long" });
    await expectCode("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", () => table.alter.addConstraint("c", "id + 1"));
    await expectCode("DELTA_INVALID_EXPRESSION", () => table.alter.addConstraint("c", "nowhere > 1"));
    await expectCode("DELTA_INVALID_ARGUMENT", () => table.alter.addConstraint("", "id > 1"));
    expect(await table.version()).toBe(0);
  });
});

describe("setProperties and unsetProperties", () => {
  it("set properties, and take them away", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.alter.setProperties({ "delta.checkpointInterval": "5", owner: "me" });
    expect(await propertiesOf(table)).toEqual({ "delta.checkpointInterval": "5", owner: "me" });
    expect(await table.alter.setProperties({ owner: "me" })).toEqual({ version: 1 });
    await table.alter.unsetProperties(["owner"]);
    expect(await propertiesOf(table)).toEqual({ "delta.checkpointInterval": "5" });
    expect((await last(table)).operationParameters).toEqual({ properties: '["owner"]', ifExists: "false" });
    await expectCode("DELTA_UNSET_NON_EXISTENT_PROPERTY", () => table.alter.unsetProperties(["owner"]));
    expect(await table.alter.unsetProperties(["owner"], { ifExists: true })).toEqual({ version: 2 });
  });

  it("refuse what makes no sense", async () => {
    const { table } = await tableOf({ id: "long" });
    const set = (properties: Record<string, string>) => table.alter.setProperties(properties);
    const unknown = await expectCode("DELTA_UNKNOWN_PROPERTY", () => set({ "delta.apendOnly": "true" }));
    expect(unknown.data.nearest).toBe("delta.appendOnly");
    await expectCode("DELTA_INVALID_PROPERTY_VALUE", () => set({ "delta.checkpointInterval": "0" }));
    await expectCode("DELTA_CANNOT_MODIFY_TABLE_PROPERTY", () => set({ "delta.columnMapping.maxColumnId": "7" }));
    await expectCode("DELTA_ADD_CONSTRAINTS", () => set({ "delta.constraints.c": "id > 0" }));
    await expectCode("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", () =>
      set({ "delta.enableIcebergWriterCompatV1": "true" }),
    );
    expect(await table.version()).toBe(0);
  });

  it("add the features that properties turn on, and keep those that the versions implied", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.alter.setProperties({ "delta.enableChangeDataFeed": "true" });
    const detail = await table.detail();
    expect([detail.minReaderVersion, detail.minWriterVersion]).toEqual([1, 7]);
    expect(detail.tableFeatures).toEqual(["appendOnly", "changeDataFeed", "invariants"]);
    await table.alter.setProperties({ "delta.enableDeletionVectors": "true" });
    const after = await table.detail();
    expect([after.minReaderVersion, after.minWriterVersion]).toEqual([3, 7]);
    expect(after.tableFeatures).toEqual(["appendOnly", "changeDataFeed", "deletionVectors", "invariants"]);
    await table.alter.unsetProperties(["delta.enableDeletionVectors"]);
    expect((await table.detail()).tableFeatures).toEqual(after.tableFeatures);
  });

  it("map the columns of a table that has been without", async () => {
    const { store, table } = await tableOf({ id: "long", s: { a: "long" } });
    await table.append([{ id: 1n, s: { a: 2n } }]);
    await table.alter.setProperties(MAPPED);
    const { schemaString, configuration } = await metadataIn(store);
    expect(configuration).toEqual({ ...MAPPED, "delta.columnMapping.maxColumnId": "3" });
    expect(JSON.parse(schemaString).fields[0].metadata).toEqual({
      "delta.columnMapping.id": 1,
      "delta.columnMapping.physicalName": "id",
    });
    await table.alter.renameColumn("s.a", "b");
    await table.append([{ id: 3n, s: { b: 4n } }]);
    expect(await table.toArray()).toEqual([
      { id: 1n, s: { b: 2n } },
      { id: 3n, s: { b: 4n } },
    ]);
    const code = "DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE";
    await expectCode(code, () => table.alter.setProperties({ "delta.columnMapping.mode": "id" }));
    const { table: plain } = await tableOf({ id: "long" });
    await expectCode(code, () => plain.alter.setProperties({ "delta.columnMapping.mode": "id" }));
  });

  it("turn in-commit timestamps on, and say since when", async () => {
    const { store, table } = await tableOf({ id: "long" });
    await table.append([{ id: 1n }]);
    await table.alter.setProperties({ "delta.enableInCommitTimestamps": "true" });
    await table.append([{ id: 2n }]);
    const configuration = (await metadataIn(store)).configuration;
    expect(configuration["delta.inCommitTimestampEnablementVersion"]).toBe("2");
    const text = new TextDecoder().decode(await store.get("_delta_log/00000000000000000002.json"));
    const time = JSON.parse(text.split("\n")[0]!).commitInfo.inCommitTimestamp;
    expect(configuration["delta.inCommitTimestampEnablementTimestamp"]).toBe(String(time));
    expect((await table.history()).map(({ version }) => version)).toEqual([3, 2, 1, 0]);
    expect(await table.at(new Date(time)).version()).toBe(2);
    await table.alter.setProperties({ "delta.enableInCommitTimestamps": "false" });
    expect(await propertiesOf(table)).toEqual({ "delta.enableInCommitTimestamps": "false" });
    expect(await table.count()).toBe(2);
  });

  it("turn row tracking on, in files that are there too", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.append([{ id: 1n }, { id: 2n }]);
    await table.append([{ id: 3n }]);
    await table.alter.setProperties({ "delta.enableRowTracking": "true" });
    await table.append([{ id: 4n }]);
    const columns = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;
    const rows = (await table.toArray({ columns })).map((row) => columns.map((name) => row[name]));
    expect(rows.sort((a, b) => Number(a[0]) - Number(b[0])).map(([id, , version]) => [id, version])).toEqual([
      [1n, 4n],
      [2n, 4n],
      [3n, 4n],
      [4n, 6n],
    ]);
    expect(new Set(rows.map(([, id]) => id)).size).toBe(4);
    expect((await table.history()).map(({ operation }) => operation)).toEqual([
      "WRITE",
      "SET TBLPROPERTIES",
      "ROW TRACKING BACKFILL",
      "SET TBLPROPERTIES",
      "WRITE",
      "WRITE",
      "CREATE TABLE",
    ]);
    expect((await table.verify()).findings).toEqual([]);
  });
});

describe("describe", () => {
  it("gives the table a name and a description, and takes them away", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.alter.describe({ name: "orders", description: "one row an order" });
    expect(await table.detail()).toMatchObject({ name: "orders", description: "one row an order" });
    await table.alter.describe({ name: null });
    expect(await table.detail()).toMatchObject({ name: null, description: "one row an order" });
    expect(await table.alter.describe({ name: null })).toEqual({ version: 2 });
  });
});

describe("addFeature and dropFeature", () => {
  it("add a feature with those that it needs, and drop it", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.alter.addFeature("timestampntz");
    await table.alter.addColumns({ at: "timestamp_ntz" });
    await table.alter.addFeature("rowTracking");
    expect((await table.detail()).tableFeatures).toEqual([
      "appendOnly",
      "domainMetadata",
      "invariants",
      "rowTracking",
      "timestampNtz",
    ]);
    expect(await table.alter.addFeature("rowTracking")).toEqual({ version: 3 });
    const unknown = await expectCode("DELTA_UNSUPPORTED_FEATURES_IN_CONFIG", () =>
      table.alter.addFeature("rowTraking"),
    );
    expect(unknown.data.nearest).toBe("rowTracking");
  });

  it("drop what leaves nothing behind, down to the version numbers that say the same", async () => {
    const { table } = await tableOf({ id: "long" });
    await table.alter.setProperties({ "delta.enableChangeDataFeed": "true" });
    await expectCode("DELTA_FEATURE_DROP_IN_USE", () => table.alter.dropFeature("changeDataFeed"));
    await table.alter.unsetProperties(["delta.enableChangeDataFeed"]);
    await table.alter.dropFeature("changeDataFeed");
    const detail = await table.detail();
    expect([detail.minReaderVersion, detail.minWriterVersion, detail.tableFeatures]).toEqual([1, 2, []]);
    expect(await last(table)).toMatchObject({
      operation: "DROP FEATURE",
      operationParameters: { featureName: "changeDataFeed", truncateHistory: "false" },
    });
  });

  it("refuse to drop what isn't there, what others need, and what older versions need", async () => {
    const { table } = await tableOf({ id: "long" }, { "delta.feature.rowTracking": "supported", ...MAPPED });
    const drop = (feature: string) => () => table.alter.dropFeature(feature);
    await expectCode("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", drop("v2Checkpoint"));
    await expectCode("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", drop("domainMetadata"));
    await expectCode("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", drop("timestampNtz"));
    await expectCode("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", drop("noSuchFeature"));
  });
});

describe("every verb", () => {
  it("conflicts with other changes of the table, and leaves appends alone", async () => {
    const { store, table } = await tableOf({ id: "long" });
    const [one, other] = [Table.open(store), Table.open(store)];
    await Promise.all([one.version(), other.version()]);
    const racing = beforeClaims(store, async () => {
      if ((await table.version()) === 0) await other.append([{ id: 1n }]);
      if ((await table.version()) === 2) await other.alter.addColumns({ b: "long" });
    });
    expect(await Table.open(racing).alter.addColumns({ a: "long" })).toEqual({ version: 2 });
    await expectCode("DELTA_METADATA_CHANGED", () => Table.open(racing).alter.addColumns({ c: "long" }));
    expect(await namesOf(table)).toEqual(["id", "a", "b"]);
  });

  it("is refused on a table at a past version, and on none", async () => {
    const { table } = await tableOf({ id: "long" });
    await expectCode("DELTA_READ_ONLY", () => table.at(0).alter);
    await expectCode("DELTA_TABLE_NOT_FOUND", () => Table.open(memoryStore()).alter.describe({ name: "a" }));
  });
});
