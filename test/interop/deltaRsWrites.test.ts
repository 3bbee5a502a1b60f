import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CreateOptions, type StructField, Table } from "#src/index.js";
import type { Content } from "./canonical.js";
import {
  type Change,
  canonical,
  changeHere,
  changesHere,
  changesOf,
  DELTA_SCHEMA,
  FIELDS,
  faults,
  type Model,
  ordered,
  put,
  type Row,
  remove,
  rowsOf,
  SCHEMA,
  update,
} from "./changingRows.js";
import { here, python } from "./engines.js";

type Args = Record<string, unknown>;

/** One of delta-rs's verbs, and what it does to the rows. */
interface Verb {
  readonly name: string;
  readonly run: (path: string) => Promise<unknown>;
  readonly apply: Change;
}

const change = async (path: string, verb: string, args: Args = {}) =>
  (await python()).request("change", { path, verb, ...args });

const VERBS: readonly Verb[] = [
  {
    name: "append",
    run: async (path) =>
      (await python()).request("write", {
        path,
        schema: DELTA_SCHEMA,
        rows: rowsOf(100, 10, "appended").map(canonical),
      }),
    apply: put(rowsOf(100, 10, "appended")),
  },
  {
    name: "delete",
    run: (path) => change(path, "delete", { predicate: "id % 7 = 3 or amount > 103" }),
    apply: remove(({ id, amount }) => id % 7n === 3n || Number(amount ?? 0) > 103),
  },
  {
    name: "delete of a partition value",
    run: (path) => change(path, "delete", { predicate: "part is null and id < 40" }),
    apply: remove(({ id, part }) => part === null && id < 40n),
  },
  {
    name: "update",
    run: (path) =>
      change(path, "update", {
        updates: { value: "concat(value, '!')", part: "'moved'" },
        predicate: "id >= 20 and id < 30",
      }),
    apply: update(
      ({ id }) => id >= 20n && id < 30n,
      (row) => ({ ...row, value: `${row.value}!`, part: "moved" }),
    ),
  },
  {
    name: "merge",
    run: (path) =>
      change(path, "merge", {
        rows: rowsOf(25, 40, "merged").map(canonical),
        schema: DELTA_SCHEMA,
        predicate: "target.id = source.id",
      }),
    apply: put(rowsOf(25, 40, "merged")),
  },
  { name: "optimize", run: (path) => change(path, "compact"), apply: () => {} },
  { name: "z-order", run: (path) => change(path, "z_order", { columns: ["id", "value"] }), apply: () => {} },
];

interface Form {
  readonly name: string;
  readonly options?: Omit<CreateOptions, "schema">;
  /** Alters the table once it is there. */
  readonly after?: (table: Table<Row>) => Promise<unknown>;
  /** Whether it tells its changes, delta-rs's among them. */
  readonly tells?: boolean;
  /** Verbs that delta-rs doesn't have for such tables. */
  readonly refused?: readonly string[];
}

const FORMS: readonly Form[] = [
  { name: "plain" },
  { name: "partitioned", options: { partitionBy: ["part"] } },
  {
    name: "with a change feed, partitioned",
    options: { partitionBy: ["part"], properties: { "delta.enableChangeDataFeed": "true" } },
    tells: true,
  },
  {
    name: "with a constraint and a column that must not be null",
    after: async (table) => {
      await table.alter.addConstraint("positive", "id >= 0");
      await table.alter.changeColumn("id", { nullable: false });
    },
  },
  {
    name: "with few statistics and frequent checkpoints",
    options: {
      properties: {
        "delta.dataSkippingNumIndexedCols": "2",
        "delta.checkpointInterval": "3",
        "delta.checkpoint.writeStatsAsStruct": "true",
      },
    },
  },
  {
    name: "with deletion vectors",
    options: { properties: { "delta.enableDeletionVectors": "true" } },
    after: (table) => table.delete({ id: { in: [1n, 11n, 21n] } }),
  },
  {
    name: "with V2 checkpoints",
    options: { properties: { "delta.checkpointPolicy": "v2", "delta.checkpointInterval": "3" } },
  },
  {
    name: "with mapped columns",
    options: { partitionBy: ["part"], properties: { "delta.columnMapping.mode": "name" } },
    refused: ["optimize", "z-order"],
  },
];

const STARTED = 60;

describe.each(FORMS)("a table that delta-rs changes, $name", ({ options = {}, after, tells = false, refused = [] }) => {
  let path: string;
  const model: Model = new Map();
  const expected = () => ordered(model);
  const readHere = async (version?: number) => ordered((await here.read(path, version)).rows);
  const readThere = async () =>
    ordered((await (await python()).request<Content>("read", { path, version: null })).rows);

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-delta-rs-")), "table");
    const table = Table.open<Row>(path);
    await table.create({ schema: SCHEMA, ...options });
    await table.append(rowsOf(0, 30, "old"));
    await table.append(rowsOf(30, STARTED - 30, "old"));
    await after?.(table);
    put(rowsOf(0, STARTED, "old"))(model);
    const left = new Set((await table.toArray({ columns: ["id"] })).map(({ id }) => id));
    remove(({ id }) => !left.has(id))(model);
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("has the rows at each version that delta-rs's verbs should leave", async () => {
    const left: { name: string; version: number; rows: readonly unknown[] }[] = [];
    for (const { name, run, apply } of VERBS) {
      if (refused.includes(name)) {
        const before = await Table.open(path).version();
        await expect(run(path), name).rejects.toThrow();
        expect(await Table.open(path).version(), name).toBe(before);
        continue;
      }
      const [before, first] = [new Map(model), (await Table.open(path).version()) + 1];
      await run(path);
      apply(model);
      if (tells) expect(await changesHere(path, first), name).toEqual(changesOf(before, model));
      expect(await readHere(), name).toEqual(expected());
      left.push({ name, version: await Table.open(path).version(), rows: expected() });
    }
    for (const { name, version, rows } of left) expect(await readHere(version), name).toEqual(rows);
    expect(await faults(path)).toEqual([]);
  });

  test("is gone on with here, and there again", async () => {
    const table = Table.open<Row>(path);
    await changeHere(table, model, "moved", { zOrderBy: ["day"] });
    expect(await readHere()).toEqual(expected());
    expect(await readThere()).toEqual(expected());
    const predicate = "id = 203";
    await change(path, "delete", { predicate });
    model.delete(203n);
    await table.checkpoint();
    expect(await readThere()).toEqual(expected());
    expect(await readHere()).toEqual(expected());
  });

  test("loses no file that it needs to delta-rs's vacuum, nor to ours", async () => {
    const args = { retention_hours: 0, enforce_retention_duration: false, dry_run: false, full: true };
    await change(path, "vacuum", args);
    expect(await readHere()).toEqual(expected());
    await Table.open(path).vacuum({ retentionHours: 0, enforceRetention: false });
    expect(await readThere()).toEqual(expected());
    expect(await faults(path)).toEqual([]);
  });
});

interface Locked {
  readonly feature: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly id?: StructField["metadata"];
  readonly clusterBy?: readonly string[];
  readonly alter?: (table: Table<Row>) => Promise<unknown>;
}

/** Tables of features that delta-rs doesn't write. */
const LOCKED: readonly Locked[] = [
  {
    feature: "identityColumns",
    id: { "delta.identity.start": 1000, "delta.identity.step": 1, "delta.identity.allowExplicitInsert": true },
  },
  { feature: "allowColumnDefaults", id: { CURRENT_DEFAULT: "7" } },
  { feature: "clustering", clusterBy: ["id"] },
  { feature: "domainMetadata", alter: (table) => table.alter.addFeature("domainMetadata") },
  { feature: "rowTracking", properties: { "delta.enableRowTracking": "true" } },
  { feature: "inCommitTimestamp", properties: { "delta.enableInCommitTimestamps": "true" } },
  {
    feature: "icebergCompatV2",
    properties: { "delta.enableIcebergCompatV2": "true", "delta.columnMapping.mode": "name" },
  },
  { feature: "vacuumProtocolCheck", alter: (table) => table.alter.addFeature("vacuumProtocolCheck") },
  { feature: "typeWidening", properties: { "delta.enableTypeWidening": "true" } },
  {
    feature: "checkpointProtection",
    properties: { "delta.enableDeletionVectors": "true" },
    alter: (table) => table.alter.dropFeature("deletionVectors"),
  },
];

describe.each(LOCKED)(
  "a table with $feature, which delta-rs doesn't write",
  ({ feature, properties = {}, id, clusterBy = [], alter }) => {
    let path: string;
    beforeAll(async () => {
      path = join(await mkdtemp(join(tmpdir(), "interop-locked-")), "table");
      const fields = FIELDS.map((field) =>
        field.name === "id" && id !== undefined ? { ...field, metadata: id } : field,
      );
      const table = Table.open<Row>(path);
      await table.create({ schema: { type: "struct", fields }, properties, clusterBy });
      await table.append(rowsOf(0, 30, "old"));
      await alter?.(table);
    });
    afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

    test("is left alone by each of its verbs, and goes on here", async () => {
      const table = Table.open<Row>(path);
      expect((await table.detail()).tableFeatures).toContain(feature);
      const state = async () => ({
        version: await Table.open(path).version(),
        files: (await Table.open(path).files()).map((file) => file.path),
        rows: ordered((await here.read(path)).rows),
        log: (await readdir(join(path, "_delta_log"))).sort(),
      });
      const before = await state();
      for (const { name, run } of VERBS) {
        await expect(run(path), name).rejects.toThrow();
        expect(await state(), name).toEqual(before);
      }
      await table.append(rowsOf(50, 5, "more"));
      await table.delete({ id: 3n });
      await table.update({ set: { value: "new" }, where: { id: { lt: 10n } } });
      expect(await table.count()).toBe(34);
      expect(await table.count({ where: { value: "new" } })).toBe(9);
      expect(await faults(path)).toEqual([]);
    });
  },
);
