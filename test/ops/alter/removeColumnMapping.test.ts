import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { expectCode } from "../../expectCode.js";
import { BEFORE, beforeClaims, metadataOf, operations, PROTECTED, protocolOf, tableOf } from "./removedFeatures.js";

const MODE = "delta.columnMapping.mode";

/** A table whose columns were renamed, dropped and added, with a vector. */
async function mapped(mode: string, properties: Record<string, string> = {}) {
  const schema = { id: "long", s: { a: "string" }, list: [{ x: "long" }], p: "string", gone: "long" } as const;
  const made = await tableOf(schema, { [MODE]: mode, ...properties }, ["p"]);
  const { table } = made;
  const row = (id: bigint, p: string) => ({ id, s: { a: `a${id}` }, list: [{ x: id }], p, gone: 9n });
  await table.append([row(1n, "u"), row(2n, "u"), row(3n, "v")]);
  await table.alter.renameColumn("s.a", "b");
  await table.alter.renameColumn("p", "part");
  await table.alter.dropColumns(["gone"]);
  await table.alter.addColumns({ gone: "string" });
  await table.append([{ id: 4n, s: { b: "b4" }, list: [], part: "v", gone: "back" }]);
  await table.delete({ id: 2n });
  return made;
}

const rowsOf = async (table: Table) => (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));
const isPlain = ({ schemaString, configuration }: { schemaString: string; configuration: object }) =>
  !schemaString.includes("delta.columnMapping") && !Object.hasOwn(configuration, "delta.columnMapping.maxColumnId");

describe.each(["name", "id"])("a table that maps its columns by %s", (mode) => {
  it("writes its files anew where the property is set to none", async () => {
    const { store, table } = await mapped(mode, { "delta.enableDeletionVectors": "true" });
    const before = await rowsOf(table);
    await table.alter.setProperties({ [MODE]: "none", owner: "me" });
    const metadata = await metadataOf(store);
    expect(isPlain(metadata)).toBe(true);
    expect(metadata.configuration).toMatchObject({ [MODE]: "none", owner: "me" });
    expect(await operations(table, 2)).toEqual(["REMOVE COLUMN MAPPING", "SET TBLPROPERTIES"]);
    const fresh = Table.open(store);
    expect(await rowsOf(fresh)).toEqual(before);
    for (const { path, deletionVector, partitionValues } of await fresh.files()) {
      expect([path.startsWith("part="), deletionVector]).toEqual([true, undefined]);
      expect(Object.keys(partitionValues)).toEqual(["part"]);
    }
    expect((await fresh.verify()).findings).toEqual([]);
    await expectCode("DELTA_UNSUPPORTED_RENAME_COLUMN", () => fresh.alter.renameColumn("id", "key"));
    // The files are the table's own again.
    await fresh.alter.setProperties({ [MODE]: "name" });
    await fresh.alter.renameColumn("id", "key");
    expect(await fresh.count({ where: { key: { lt: 3n } } })).toBe(1);
  });

  it("loses the feature", async () => {
    const { store, table } = await mapped(mode);
    const before = await rowsOf(table);
    const { version } = await table.alter.dropFeature("columnMapping");
    expect(await protocolOf(store)).toEqual(PROTECTED);
    const metadata = await metadataOf(store);
    expect([isPlain(metadata), metadata.configuration]).toEqual([true, { [BEFORE]: String(version) }]);
    expect(await operations(table, 5)).toEqual([
      "REMOVE COLUMN MAPPING",
      "Empty Commit",
      "Empty Commit",
      "Empty Commit",
      "DROP FEATURE",
    ]);
    expect(await rowsOf(Table.open(store))).toEqual(before);
    expect(await rowsOf(Table.open(store).at(version - 5))).toEqual(before);
    expect((await Table.open(store).verify()).findings).toEqual([]);
  });

  it("goes on after a crash at each step of dropping it", async () => {
    for (let failing = 1; failing <= 5; failing++) {
      const { store, table } = await mapped(mode);
      const before = await rowsOf(table);
      let claims = 0;
      const crashing = beforeClaims(store, async () => {
        if (++claims === failing) throw new Error("crashed");
      });
      await expect(Table.open(crashing).alter.dropFeature("columnMapping")).rejects.toThrow("crashed");
      expect(await rowsOf(Table.open(store))).toEqual(before);
      await Table.open(store).alter.dropFeature("columnMapping");
      expect(await rowsOf(Table.open(store))).toEqual(before);
      expect(await protocolOf(store)).toEqual(PROTECTED);
    }
  });

  it("keeps the rows' ids", async () => {
    const { store, table } = await mapped(mode, { "delta.enableRowTracking": "true" });
    const columns = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;
    const idsOf = async () =>
      (await Table.open(store).toArray({ columns })).sort((a, b) => Number(a.id) - Number(b.id));
    const before = await idsOf();
    await table.alter.unsetProperties([MODE]);
    expect(await idsOf()).toEqual(before);
    expect((await metadataOf(store)).configuration[MODE]).toBeUndefined();
    expect((await Table.open(store).verify()).findings).toEqual([]);
  });
});

describe("taking column mapping away", () => {
  it("is refused before anything is written where names or Iceberg need it", async () => {
    const { store, table } = await tableOf({ id: "long", s: { "a b": "long" }, "c,d": "long" }, { [MODE]: "name" });
    const code = "DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING";
    const error = await expectCode(code, () => table.alter.setProperties({ [MODE]: "none" }));
    expect(error.data.columns).toEqual(["s.a b", "c,d"]);
    await expectCode(code, () => table.alter.dropFeature("columnMapping"));
    await expectCode(code, () => table.alter.unsetProperties([MODE]));
    expect((await loadSnapshot(store)).version).toBe(0);
    const { table: iceberg } = await tableOf({ id: "long" }, { "delta.enableIcebergCompatV2": "true" });
    await expectCode("DELTA_ICEBERG_COMPAT_VIOLATION", () => iceberg.alter.setProperties({ [MODE]: "none" }));
    await expectCode("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", () => iceberg.alter.dropFeature("columnMapping"));
    expect(await iceberg.version()).toBe(0);
  });

  it("names the columns that the table is clustered by anew", async () => {
    const { store, table } = await tableOf(
      { id: "long", s: { a: "long" } },
      { [MODE]: "name", "delta.feature.clustering": "supported" },
    );
    await table.append([{ id: 1n, s: { a: 2n } }]);
    await table.alter.clusterBy(["s.a"]);
    await table.alter.setProperties({ [MODE]: "none" });
    expect(JSON.parse((await loadSnapshot(store)).domainMetadata.get("delta.clustering")!.configuration)).toMatchObject(
      {
        clusteringColumns: [["s", "a"]],
      },
    );
    expect((await table.optimize()).addedFileCount).toBe(1);
    expect((await Table.open(store).verify()).findings).toEqual([]);
  });

  it("leaves no file where rows come meanwhile, and makes an append that was on its way try again", async () => {
    const { store, table } = await mapped("name");
    const before = await rowsOf(table);
    const filesBefore = new Set<string>();
    for await (const { path } of store.list("")) if (path.endsWith(".parquet")) filesBefore.add(path);
    const other = Table.open(store);
    let raced = 0;
    const row = { id: 9n, s: { b: "b9" }, list: [], part: "w", gone: null };
    const racing = beforeClaims(store, async () => {
      if (raced++ === 0) await other.append([row]);
    });
    await expectCode("DELTA_CONCURRENT_APPEND", () => Table.open(racing).alter.setProperties({ [MODE]: "none" }));
    expect(await rowsOf(Table.open(store))).toEqual([...before, row]);
    let count = 0;
    for await (const { path } of store.list("")) if (path.endsWith(".parquet") && !filesBefore.has(path)) count++;
    expect(count).toBe(1);

    const appending = beforeClaims(store, async (commit) => {
      if (commit.includes('"WRITE"') && raced++ === 1) await other.alter.setProperties({ [MODE]: "none" });
    });
    await expectCode("DELTA_METADATA_CHANGED", () => Table.open(appending).append([{ ...row, id: 10n }]));
    expect(await rowsOf(Table.open(store))).toEqual([...before, row]);
  });
});
