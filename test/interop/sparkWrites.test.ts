import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CreateOptions, type StructField, Table } from "#src/index.js";
import { isLong } from "../form.js";
import type { Content } from "./canonical.js";
import {
  type Change,
  changeHere,
  changesHere,
  changesOf,
  FIELDS,
  faults,
  type Model,
  ordered,
  put,
  type Row,
  remove,
  rowsOf,
  update,
} from "./changingRows.js";
import { here, spark } from "./engines.js";

/** `changingRows.row` in Spark's SQL. */
const select = (first: number, end: number, value: string) =>
  `select /*+ coalesce(1) */ id, if(id % 5 = 0, null, concat('p ', id % 2)) as part, '${value}' as value,
   if(id % 4 = 0, null, cast(concat(id, '.25') as decimal(12, 2))) as amount,
   date_add(date'2024-01-01', cast(id % 28 as int)) as day from range(${first}, ${end})`;
const COLUMNS = "id, part, value, amount, day";

interface Verb {
  readonly name: string;
  /** In Spark; one for clustered tables where that is another. */
  readonly sql: string;
  readonly clustered?: string;
  readonly apply: Change;
}

const VERBS: readonly Verb[] = [
  {
    name: "append",
    sql: `insert into TABLE (${COLUMNS}) ${select(100, 110, "appended")}`,
    apply: put(rowsOf(100, 10, "appended")),
  },
  {
    name: "delete",
    sql: "delete from TABLE where id % 7 = 3 or amount > 103",
    apply: remove(({ id, amount }) => id % 7n === 3n || Number(amount ?? 0) > 103),
  },
  {
    name: "delete of a partition value",
    sql: "delete from TABLE where part is null and id < 40",
    apply: remove(({ id, part }) => part === null && id < 40n),
  },
  {
    name: "update",
    sql: "update TABLE set value = concat(value, '!'), part = 'moved' where id >= 20 and id < 30",
    apply: update(
      ({ id }) => id >= 20n && id < 30n,
      (row) => ({ ...row, value: `${row.value}!`, part: "moved" }),
    ),
  },
  {
    name: "merge",
    sql: `merge into TABLE target using (${select(25, 65, "merged")}) source on target.id = source.id
          when matched then update set part = source.part, value = source.value, amount = source.amount, day = source.day
          when not matched then insert (${COLUMNS}) values (${COLUMNS})`,
    apply: put(rowsOf(25, 40, "merged")),
  },
  { name: "optimize", sql: "optimize TABLE", apply: () => {} },
  {
    name: "z-order",
    sql: "optimize TABLE zorder by (id, value)",
    clustered: "optimize TABLE full",
    apply: () => {},
  },
];

interface Form {
  readonly name: string;
  readonly options?: Omit<CreateOptions, "schema">;
  /** Fields in place of the schema's, and columns behind it. */
  readonly fields?: readonly StructField[];
  readonly after?: (table: Table<Row>) => Promise<unknown>;
  readonly tells?: boolean;
  readonly features: readonly string[];
  /** Of the long form only. */
  readonly long?: boolean;
}

const field = (name: string, type: StructField["type"], metadata: StructField["metadata"] = {}): StructField => ({
  name,
  type,
  nullable: true,
  metadata,
});
const deleteSome = (table: Table<Row>) => table.delete({ id: { in: [1n, 11n, 21n] } });
const widen = async (table: Table<Row>) => {
  await table.alter.changeColumn("id", { type: "long" });
  await table.alter.changeColumn("amount", { type: "decimal(20,2)" });
};
const GIVEN: readonly StructField[] = [
  field("number", "long", {
    "delta.identity.start": 10,
    "delta.identity.step": 5,
    "delta.identity.allowExplicitInsert": false,
  }),
  field("month", "integer", { "delta.generationExpression": "month(day)" }),
  field("said", "string", { CURRENT_DEFAULT: "'nothing'" }),
];
const GIVEN_FEATURES = ["identityColumns", "generatedColumns", "allowColumnDefaults"];

const FORMS: readonly Form[] = [
  { name: "partitioned", options: { partitionBy: ["part"] }, features: [] },
  {
    name: "with deletion vectors, a change feed and in-commit timestamps",
    options: {
      partitionBy: ["part"],
      properties: {
        "delta.enableDeletionVectors": "true",
        "delta.enableChangeDataFeed": "true",
        "delta.enableInCommitTimestamps": "true",
      },
    },
    after: deleteSome,
    tells: true,
    features: ["deletionVectors", "changeDataFeed", "inCommitTimestamp"],
  },
  {
    name: "with mapped columns, tracked rows, a change feed and V2 checkpoints",
    options: {
      properties: {
        "delta.columnMapping.mode": "name",
        "delta.enableRowTracking": "true",
        "delta.enableChangeDataFeed": "true",
        "delta.checkpointPolicy": "v2",
        "delta.checkpointInterval": "3",
      },
    },
    after: async (table) => {
      await table.alter.addColumns([{ path: "old", type: "string" }]);
      await table.alter.dropColumns("old");
    },
    tells: true,
    features: ["columnMapping", "rowTracking", "v2Checkpoint"],
  },
  {
    name: "clustered, with deletion vectors",
    options: { clusterBy: ["id", "day"], properties: { "delta.enableDeletionVectors": "true" } },
    after: deleteSome,
    features: ["clustering", "deletionVectors"],
  },
  {
    name: "widened, with identity, generated and default columns",
    options: { properties: { "delta.enableTypeWidening": "true" } },
    fields: [field("id", "integer"), ...GIVEN],
    after: widen,
    features: ["typeWidening", ...GIVEN_FEATURES],
  },
  { name: "plain", features: [], long: true },
  {
    name: "with mapped columns by id, partitioned, with deletion vectors",
    options: {
      partitionBy: ["part"],
      properties: { "delta.columnMapping.mode": "id", "delta.enableDeletionVectors": "true" },
    },
    after: deleteSome,
    features: ["columnMapping", "deletionVectors"],
    long: true,
  },
  {
    name: "widened, with tracked rows and deletion vectors",
    options: {
      properties: {
        "delta.enableTypeWidening": "true",
        "delta.enableRowTracking": "true",
        "delta.enableDeletionVectors": "true",
      },
    },
    fields: [field("id", "integer")],
    after: async (table) => {
      await deleteSome(table);
      await widen(table);
    },
    features: ["typeWidening", "rowTracking", "deletionVectors"],
    long: true,
  },
  {
    name: "compatible with Iceberg",
    options: { partitionBy: ["part"], properties: { "delta.enableIcebergCompatV2": "true" } },
    features: ["icebergCompatV2"],
    long: true,
  },
  {
    name: "clustered, with mapped columns and identity, generated and default ones",
    options: { clusterBy: ["day"], properties: { "delta.columnMapping.mode": "name" } },
    fields: GIVEN,
    features: ["clustering", "columnMapping", ...GIVEN_FEATURES],
    long: true,
  },
];

const STARTED = 60;

describe.each(FORMS.filter(({ long }) => isLong || long !== true))(
  "a table that Spark changes, $name",
  ({ options = {}, fields = [], after, tells = false, features }) => {
    let path: string;
    /** When the table was made, and its rows then. */
    let made: { readonly version: number; readonly rows: Model };
    const model: Model = new Map();
    const expected = () => ordered(model);
    const request = async (text: string) =>
      (await spark()).request("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
    const readHere = async (version?: number) => ordered((await here.read(path, version)).rows);
    const readThere = async () =>
      ordered((await (await spark()).request<Content>("read", { path, version: null })).rows);

    beforeAll(async () => {
      path = join(await mkdtemp(join(tmpdir(), "interop-spark-")), "table");
      const table = Table.open<Row>(path);
      const own = new Map([...FIELDS, ...fields].map((one) => [one.name, one]));
      await table.create({ schema: { type: "struct", fields: [...own.values()] as StructField[] }, ...options });
      await table.append(rowsOf(0, 30, "old"));
      await table.append(rowsOf(30, STARTED - 30, "old"));
      await after?.(table);
      put(rowsOf(0, STARTED, "old"))(model);
      const left = new Set((await table.toArray({ columns: ["id"] })).map(({ id }) => id));
      remove(({ id }) => !left.has(id))(model);
      made = { version: await table.version(), rows: new Map(model) };
    });
    afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

    test("has the rows at each version that Spark's verbs should leave", async () => {
      expect((await Table.open(path).detail()).tableFeatures).toEqual(expect.arrayContaining([...features]));
      const left: { name: string; version: number; rows: readonly unknown[] }[] = [];
      for (const { name, sql, clustered, apply } of VERBS) {
        const [before, first] = [new Map(model), (await Table.open(path).version()) + 1];
        await request(options.clusterBy === undefined ? sql : (clustered ?? sql));
        apply(model);
        expect(await readHere(), name).toEqual(expected());
        if (tells) expect(await changesHere(path, first), name).toEqual(changesOf(before, model));
        left.push({ name, version: await Table.open(path).version(), rows: expected() });
      }
      for (const { name, version, rows } of left) expect(await readHere(version), name).toEqual(rows);
      expect(await faults(path)).toEqual([]);
    });

    test("is restored there, gone on with here, and there again", async () => {
      await request(`restore table TABLE to version as of ${made.version}`);
      model.clear();
      for (const [id, row] of made.rows) model.set(id, row);
      expect(await readHere()).toEqual(expected());
      const table = Table.open<Row>(path);
      await changeHere(table, model, "p 1", options.clusterBy === undefined ? { zOrderBy: ["day"] } : { full: true });
      expect(await readHere()).toEqual(expected());
      expect(await readThere()).toEqual(expected());
      await request("delete from TABLE where id = 203");
      remove(({ id }) => id === 203n)(model);
      await table.checkpoint();
      expect(await readThere()).toEqual(expected());
      expect(await readHere()).toEqual(expected());
      expect(await faults(path)).toEqual([]);
    });

    test("loses no file that it needs to Spark's vacuum, nor to ours", async () => {
      await request("set spark.databricks.delta.retentionDurationCheck.enabled = false");
      await request("set spark.sql.sources.parallelPartitionDiscovery.parallelism = 2");
      await request("vacuum TABLE retain 0 hours");
      expect(await readHere()).toEqual(expected());
      await Table.open(path).vacuum({ retentionHours: 0, enforceRetention: false });
      expect(await readThere()).toEqual(expected());
      expect(await faults(path)).toEqual([]);
    });
  },
);
