import { describe, expect, it } from "vitest";
import { type StructField, Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../../expectCode.js";
import { beforeClaims, operations, tableOf } from "./removedFeatures.js";

const DEFAULTS = { "delta.feature.allowColumnDefaults": "supported" };

describe("a column's default", () => {
  it("is set and taken away, for rows to come", async () => {
    const { store, table } = await tableOf({ id: "long", n: "integer", t: "string", s: { a: "long" } }, DEFAULTS);
    await table.append([{ id: 1n, n: 1, t: "a" }]);
    await table.alter.changeColumn("n", { default: "7" });
    await table.alter.changeColumn("t", { default: "upper('new')", comment: "state" });
    await table.append([{ id: 2n }, { id: 3n, n: null, t: "c" }]);
    await table.alter.changeColumn("t", { default: null });
    expect(await table.alter.changeColumn("t", { default: null })).toEqual({ version: 5 });
    await table.append([{ id: 4n }]);
    expect(await operations(table, 6)).toEqual([
      "WRITE",
      "CHANGE COLUMN",
      "CHANGE COLUMN",
      "WRITE",
      "CHANGE COLUMN",
      "WRITE",
    ]);
    expect(await Table.open(store).toArray()).toEqual([
      { id: 1n, n: 1, t: "a", s: null },
      { id: 2n, n: 7, t: "NEW", s: null },
      { id: 3n, n: null, t: "c", s: null },
      { id: 4n, n: 7, t: null, s: null },
    ]);
    const fields = (await table.schema()).fields.map(({ name, metadata }) => [name, metadata]);
    expect(fields.slice(1, 3)).toEqual([
      ["n", { CURRENT_DEFAULT: "7" }],
      ["t", { comment: "state" }],
    ]);
  });

  it.each([
    ["DELTA_INVALID_EXPRESSION", "n", "id + 1"],
    ["DELTA_INVALID_EXPRESSION", "n", "current_date()"],
    ["DELTA_INVALID_EXPRESSION", "n", "'x'"],
    ["DELTA_EXPRESSION_FAILED", "n", "1 div 0"],
    ["DELTA_INVALID_SCHEMA", "s.a", "1"],
    ["DELTA_INVALID_SCHEMA", "g", "1L"],
  ] as const)("is refused with %s of %s as %s", async (code, column, sql) => {
    const g: StructField = {
      name: "g",
      type: "long",
      nullable: true,
      metadata: { "delta.generationExpression": "id + 1" },
    };
    const table = Table.open(memoryStore());
    const { table: plain } = await tableOf({ id: "long", n: "integer", s: { a: "long" } });
    const { fields } = await plain.schema();
    await table.create({ schema: { type: "struct", fields: [...fields, g] }, properties: DEFAULTS });
    await expectCode(code, () => table.alter.changeColumn(column, { default: sql }));
    expect(await table.version()).toBe(0);
  });

  it("needs the feature, which isn't added unasked", async () => {
    const { table } = await tableOf({ id: "long" });
    const error = await expectCode("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", () =>
      table.alter.changeColumn("id", { default: "1" }),
    );
    expect(error.data.features).toEqual(["allowColumnDefaults"]);
    await table.alter.addFeature("allowColumnDefaults");
    await table.alter.changeColumn("id", { default: "1" });
    await expectCode("DELTA_FEATURE_DROP_IN_USE", () => table.alter.dropFeature("allowColumnDefaults"));
  });
});

describe("syncIdentity", () => {
  const identity = (start: number, step: number): StructField => ({
    name: "id",
    type: "long",
    nullable: true,
    metadata: {
      "delta.identity.start": start,
      "delta.identity.step": step,
      "delta.identity.allowExplicitInsert": true,
    },
  });
  const v: StructField = { name: "v", type: "string", nullable: true, metadata: {} };
  async function identityTable(start: number, step: number, properties: Record<string, string> = {}) {
    const store = memoryStore();
    const table = Table.open(store);
    await table.create({ schema: { type: "struct", fields: [identity(start, step), v] }, properties });
    return { store, table };
  }
  const markOf = async (table: Table) => (await table.schema()).fields[0]!.metadata["delta.identity.highWaterMark"];

  it.each([
    [10, 3, [1000], 1000, 1003],
    [10, 3, [999, 5], 1000, 1003],
    [10, -3, [-5, 50], -5, -8],
    [10, -3, [-6], -8, -11],
    [10, 3, [5], undefined, 10],
  ] as const)("[R-RULE-5] of values from %d by %d goes behind %j", async (start, step, given, mark, next) => {
    const { table } = await identityTable(start, step);
    await table.append(given.map((id) => ({ id, v: "given" })));
    const { version } = await table.alter.syncIdentity("ID");
    expect(version).toBe(mark === undefined ? 1 : 2);
    expect(await markOf(table)).toBe(mark);
    await table.append([{ v: "next" }]);
    expect(await table.toArray({ where: { v: "next" } })).toEqual([{ id: BigInt(next), v: "next" }]);
  });

  it("never goes back", async () => {
    const { table } = await identityTable(1, 1, { "delta.enableDeletionVectors": "true" });
    expect(await table.alter.syncIdentity("id")).toEqual({ version: 0 });
    await table.append([{ v: "a" }, { v: "b" }, { v: "c" }]);
    await table.delete({ id: { gt: 1n } });
    expect(await table.alter.syncIdentity("id")).toEqual({ version: 2 });
    expect(await markOf(table)).toBe(3);
  });

  it("is refused of other columns, and loses to rows that come meanwhile", async () => {
    const { store, table } = await identityTable(1, 1, { "delta.enableTypeWidening": "true" });
    await expectCode("DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN", () => table.alter.syncIdentity("v"));
    await expectCode("DELTA_COLUMN_NOT_FOUND", () => table.alter.syncIdentity("w"));
    await expectCode("DELTA_IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED", () =>
      table.alter.changeColumn("id", { type: "decimal(20,0)" }),
    );
    await table.append([{ id: 100n, v: "a" }]);
    const other = Table.open(store);
    let raced = 0;
    const racing = beforeClaims(store, async () => {
      if (raced++ === 0) await other.append([{ id: 200n, v: "b" }]);
    });
    await expectCode("DELTA_CONCURRENT_APPEND", () => Table.open(racing).alter.syncIdentity("id"));
    await table.alter.syncIdentity("id");
    expect(await markOf(table)).toBe(200);
  });
});
