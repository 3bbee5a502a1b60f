import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { readFooter } from "#src/parquet/footer.js";
import { expectCode } from "../../expectCode.js";
import { Gate } from "../../storage/gatedStore.js";
import { BEFORE, beforeClaims, metadataOf, operations, PROTECTED, protocolOf, tableOf } from "./removedFeatures.js";

const WIDENING = { "delta.enableTypeWidening": "true" };

/** A table of which some files hold the types that were, others those that are. */
async function widened(properties: Record<string, string> = {}) {
  const schema = {
    id: "long",
    n: "short",
    s: { a: "integer", b: "string" },
    l: [{ x: "byte" }],
    m: { map: ["integer", "float"] },
    p: "integer",
  } as const;
  const made = await tableOf(schema, { ...WIDENING, ...properties }, ["p"]);
  const { table } = made;
  const row = (id: bigint, p: number) => ({
    id,
    n: 7,
    s: { a: 8, b: "b" },
    l: [{ x: 9 }],
    m: new Map([[1, 0.5]]),
    p,
  });
  await table.append([row(1n, 1), row(2n, 1), row(3n, 2)]);
  await table.alter.changeColumn("n", { type: "integer" });
  await table.alter.changeColumn("s.a", { type: "long" });
  await table.alter.changeColumn("l.element.x", { type: "integer" });
  await table.alter.changeColumn("m.value", { type: "double" });
  await table.alter.changeColumn("p", { type: "long" });
  await table.append([row(4n, 1)]);
  return made;
}

const rowsOf = async (table: Table) => (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));

describe("dropping typeWidening", () => {
  it.each(["none", "name", "id"])(
    "[R-TW-4] writes files of older types anew, and forgets that they were (%s)",
    async (mode) => {
      const { store, table } = await widened({ "delta.columnMapping.mode": mode });
      const before = await rowsOf(table);
      const schema = JSON.stringify(
        (await table.schema()).fields.map(({ name, type, nullable }) => [name, type, nullable]),
      );
      const paths = new Set((await table.files()).map(({ path }) => path));
      expect(schema).toContain("delta.typeChanges");
      const { version } = await table.alter.dropFeature("typeWidening");
      const fresh = Table.open(store);
      expect(await rowsOf(fresh)).toEqual(before);
      const { schemaString, configuration } = await metadataOf(store);
      expect(schemaString).not.toContain("delta.typeChanges");
      expect(configuration[BEFORE]).toBe(String(version));
      expect(configuration["delta.enableTypeWidening"]).toBeUndefined();
      const mapped = {
        minReaderVersion: 2,
        minWriterVersion: 7,
        writerFeatures: ["columnMapping", "checkpointProtection"],
      };
      expect(await protocolOf(store)).toEqual(mode === "none" ? PROTECTED : mapped);
      expect(await operations(fresh, 7)).toEqual([
        "UNSET TBLPROPERTIES",
        "REORG",
        "DROP FEATURE",
        "Empty Commit",
        "Empty Commit",
        "Empty Commit",
        "DROP FEATURE",
      ]);
      // Of three files only the two from before the changes are others now.
      const after = (await fresh.files()).map(({ path }) => path);
      expect(after).toHaveLength(3);
      expect(after.filter((path) => paths.has(path))).toHaveLength(1);
      expect((await fresh.verify()).findings).toEqual([]);
      await expectCode("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", () =>
        fresh.alter.changeColumn("n", { type: "long" }),
      );
      expect(await rowsOf(Table.open(store).at(7))).toEqual(before);
    },
  );

  it("leaves a table alone whose types never changed, but for its protocol", async () => {
    const { store, table } = await tableOf({ id: "long" }, WIDENING);
    await table.append([{ id: 1n }]);
    const files = await table.files();
    await table.alter.dropFeature("typeWidening");
    expect(await Table.open(store).files()).toEqual(files);
    expect(await operations(table, 5)).toEqual([
      "UNSET TBLPROPERTIES",
      "Empty Commit",
      "Empty Commit",
      "Empty Commit",
      "DROP FEATURE",
    ]);
  });

  it("of the preview goes the same way", async () => {
    const { store, table } = await tableOf({ id: "integer" }, { "delta.feature.typeWidening-preview": "supported" });
    await table.alter.dropFeature("typeWidening-preview");
    expect(await protocolOf(store)).toMatchObject({ minReaderVersion: 1, minWriterVersion: 7 });
  });

  it("goes on after a crash at each of its steps", async () => {
    for (let failing = 1; failing <= 7; failing++) {
      const { store, table } = await widened();
      const before = await rowsOf(table);
      let claims = 0;
      const crashing = beforeClaims(store, async () => {
        if (++claims === failing) throw new Error("crashed");
      });
      await expect(Table.open(crashing).alter.dropFeature("typeWidening")).rejects.toThrow("crashed");
      expect(await rowsOf(Table.open(store))).toEqual(before);
      await Table.open(store).alter.dropFeature("typeWidening");
      expect(await rowsOf(Table.open(store))).toEqual(before);
      expect(await protocolOf(store)).toEqual(PROTECTED);
    }
  });
});

it("an append that was on its way before a column was widened is written again once the feature is gone", async () => {
  const { store, table } = await tableOf({ id: "integer" }, WIDENING);
  await table.append([{ id: 1 }]);
  const gate = new Gate(store);
  const slow = Table.open(gate.store);
  await slow.version();
  const reached = gate.shut();
  const appending = slow.append([{ id: 2 }]);
  await reached;
  await table.alter.changeColumn("id", { type: "long" });
  await table.alter.dropFeature("typeWidening");
  gate.open();
  await appending;
  expect(await table.toArray()).toEqual(expect.arrayContaining([{ id: 1n }, { id: 2n }]));
  expect((await table.verify()).findings.filter(({ code }) => code !== "not-checked")).toEqual([]);
  for (const { path } of await table.files()) {
    const { root } = await readFooter(store, { path, sizeBytes: (await store.head(path))!.sizeBytes });
    expect(root.children[0]!.element.type).toBe("INT64");
  }
});
