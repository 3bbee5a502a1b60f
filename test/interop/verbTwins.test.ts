import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { isLong } from "../form.js";
import type { Content } from "./canonical.js";
import { here, READERS, spark } from "./engines.js";

interface Row {
  readonly id: bigint;
  readonly part: number;
  readonly value: string;
}

const rowsFrom = (first: number, count: number, value: string, part?: number): Row[] =>
  Array.from({ length: count }, (_, i) => ({ id: BigInt(first + i), part: part ?? (first + i) % 3, value }));
const select = (first: number, end: number, value: string, more = "") =>
  `select /*+ coalesce(1) */ id, cast(id % 3 as int) part, '${value}' value${more} from range(${first}, ${end})`;

/** A data frame that is saved with an option, beside SQL. */
interface Saved {
  readonly query: string;
  readonly mode: "append" | "overwrite";
  readonly options: Readonly<Record<string, string>>;
}

type Side = "here" | "spark";

/** What one of the two commits tells that the other one doesn't: keys of commitInfo, with a reason. */
interface Difference {
  readonly here?: readonly string[];
  readonly spark?: readonly string[];
  /** Keys whose values have to be unlike each other. */
  readonly unlike?: readonly string[];
  readonly why: string;
}

interface Step {
  readonly name: string;
  readonly spark: string | Saved;
  readonly here: (table: Table) => Promise<unknown>;
  readonly differences?: readonly Difference[];
  /** Not the same in Spark: its operation's name, or none where it commits nothing. */
  readonly operations?: readonly string[];
}

const PHASES: Difference = {
  spark: ["operationMetrics.scanTimeMs", "operationMetrics.rewriteTimeMs"],
  why: "finding rows and writing files is one pass here: its time is executionTimeMs",
};

const NESTED = { id: "long", part: "integer", value: "string", st: { a: "integer", b: "string" } } as const;

const ROW_STEPS: readonly Step[] = [
  { name: "append", spark: `insert into TABLE ${select(0, 30, "a")}`, here: (t) => t.append(rowsFrom(0, 30, "a")) },
  {
    name: "append again",
    spark: `insert into TABLE ${select(30, 60, "b")}`,
    here: (t) => t.append(rowsFrom(30, 30, "b")),
  },
  {
    name: "overwrite of the partitions that there are rows of",
    spark: {
      query: "select /*+ coalesce(1) */ id, 1 part, 'dynamic' value from range(100, 105)",
      mode: "overwrite",
      options: { partitionOverwriteMode: "dynamic" },
    },
    here: (t) => t.overwrite(rowsFrom(100, 5, "dynamic", 1), { dynamicPartitions: true }),
  },
  {
    name: "append with a new struct",
    spark: {
      query: select(200, 203, "m", ", named_struct('a', 1, 'b', 'x') st"),
      mode: "append",
      options: { mergeSchema: "true" },
    },
    here: (t) =>
      t.append(
        rowsFrom(200, 3, "m").map((row) => ({ ...row, st: { a: 1, b: "x" } })),
        { mergeSchema: true, schema: NESTED },
      ),
  },
  {
    name: "append with a new column in the struct",
    spark: {
      query: select(210, 213, "m", ", named_struct('a', 1, 'b', 'x', 'c', date'2024-01-01') st"),
      mode: "append",
      options: { mergeSchema: "true" },
    },
    here: (t) =>
      t.append(
        rowsFrom(210, 3, "m").map((row) => ({ ...row, st: { a: 1, b: "x", c: "2024-01-01" } })),
        { mergeSchema: true, schema: { ...NESTED, st: { ...NESTED.st, c: "date" } } },
      ),
  },
  {
    name: "delete of a partition",
    spark: "delete from TABLE where part = 2",
    here: (t) => t.delete({ part: 2 }),
    differences: [PHASES],
  },
  {
    name: "delete of rows",
    spark: "delete from TABLE where id % 7 = 0",
    here: (t) => t.delete("id % 7 = 0"),
    differences: [PHASES],
  },
  { name: "delete of nothing", spark: "delete from TABLE where id = 99999", here: (t) => t.delete({ id: 99999n }) },
  {
    name: "update",
    spark: "update TABLE set value = 'u' where id < 10",
    here: (t) => t.update({ set: { value: "u" }, where: "id < 10" }),
    differences: [PHASES],
  },
  {
    name: "update of all",
    spark: "update TABLE set value = 'all'",
    here: (t) => t.update({ set: { value: "all" } }),
    differences: [PHASES],
  },
  {
    name: "merge",
    spark: `merge into TABLE target
            using (${select(50, 70, "merged", ", cast(null as struct<a:int,b:string,c:date>) st")}) source
            on target.id = source.id when matched then update set * when not matched then insert *`,
    here: (t) =>
      t.merge(
        rowsFrom(50, 20, "merged").map((row) => ({ ...row, st: null })),
        { on: "target.id = source.id", whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] },
      ),
    differences: [
      PHASES,
      { spark: ["operationMetrics.materializeSourceTimeMs"], why: "the source is no step of its own here" },
    ],
  },
  {
    name: "overwrite where",
    spark:
      "insert into TABLE replace where part = 1 select /*+ coalesce(1) */ id, 1, 'again', null from range(300, 305)",
    here: (t) => t.overwrite(rowsFrom(300, 5, "again", 1), { where: "part = 1" }),
  },
  {
    name: "append for optimize",
    spark: `insert into TABLE ${select(400, 430, "b", ", null")}`,
    here: (t) => t.append(rowsFrom(400, 30, "b")),
  },
  { name: "optimize where", spark: "optimize TABLE where part = 0", here: (t) => t.optimize({ where: "part = 0" }) },
  {
    name: "z-order",
    spark: "optimize TABLE zorder by (id, value)",
    here: (t) => t.optimize({ zOrderBy: ["id", "value"] }),
  },
  { name: "optimize of nothing", spark: "optimize TABLE", here: (t) => t.optimize() },
  {
    name: "overwrite with another schema",
    spark: {
      query: "select /*+ coalesce(1) */ id, 'x' other, cast(id % 2 as int) part from range(0, 5)",
      mode: "overwrite",
      options: { overwriteSchema: "true" },
    },
    here: (t) =>
      t.overwrite(
        rowsFrom(0, 5, "").map(({ id }) => ({ id, other: "x", part: Number(id) % 2 })),
        { overwriteSchema: true, schema: { id: "long", other: "string", part: "integer" } },
      ),
  },
  {
    name: "overwrite",
    spark: "insert overwrite TABLE select /*+ coalesce(1) */ id, 'y', 0 from range(0, 7)",
    here: (t) => t.overwrite(rowsFrom(0, 7, "").map(({ id }) => ({ id, other: "y", part: 0 }))),
  },
  { name: "restore", spark: "restore table TABLE to version as of 5", here: (t) => t.restore(5) },
];

const ALTER_STEPS: readonly Step[] = [
  {
    name: "set properties",
    spark: "alter table TABLE set tblproperties ('delta.logRetentionDuration' = 'interval 10 days')",
    here: (t) => t.alter.setProperties({ "delta.logRetentionDuration": "interval 10 days" }),
  },
  {
    name: "unset properties",
    spark: "alter table TABLE unset tblproperties ('delta.logRetentionDuration')",
    here: (t) => t.alter.unsetProperties(["delta.logRetentionDuration"]),
  },
  {
    name: "add columns",
    spark: "alter table TABLE add columns (extra string comment 'c' after id, st struct<a: int>)",
    here: (t) =>
      t.alter.addColumns([
        { path: "extra", type: "string", comment: "c", position: { after: "id" } },
        { path: "st", type: { a: "integer" } },
      ]),
  },
  {
    name: "add a column in a struct",
    spark: "alter table TABLE add columns (st.d int)",
    here: (t) => t.alter.addColumns([{ path: "st.d", type: "integer" }]),
  },
  {
    name: "comment on a column",
    spark: "alter table TABLE alter column value comment 'hello'",
    here: (t) => t.alter.changeColumn("value", { comment: "hello" }),
  },
  {
    name: "put a column first",
    spark: "alter table TABLE alter column extra first",
    here: (t) => t.alter.changeColumn("extra", { position: "first" }),
  },
  {
    name: "add a constraint",
    spark: "alter table TABLE add constraint pos check (id >= 0)",
    here: (t) => t.alter.addConstraint("pos", "id >= 0"),
  },
  {
    name: "drop a constraint",
    spark: "alter table TABLE drop constraint pos",
    here: (t) => t.alter.dropConstraint("pos"),
  },
  {
    name: "map columns",
    spark: `alter table TABLE set tblproperties
            ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')`,
    here: (t) => t.alter.setProperties({ "delta.columnMapping.mode": "name" }),
  },
  {
    name: "rename a column",
    spark: "alter table TABLE rename column extra to more",
    here: (t) => t.alter.renameColumn("extra", "more"),
  },
  {
    name: "drop columns",
    spark: "alter table TABLE drop columns (more, st.d)",
    here: (t) => t.alter.dropColumns(["more", "st.d"]),
  },
  {
    name: "describe the table",
    spark: "comment on table TABLE is 'text'",
    here: (t) => t.alter.describe({ description: "text" }),
    operations: ["SET TBLPROPERTIES"],
    differences: [
      {
        here: ["operationParameters.description"],
        spark: ["operationParameters.properties"],
        why: "Spark's SQL gives comments as a property, and has no names for tables of a path; this is delta-rs's operation",
      },
    ],
  },
  {
    name: "add a feature",
    spark: "alter table TABLE set tblproperties ('delta.feature.vacuumProtocolCheck' = 'supported')",
    here: (t) => t.alter.addFeature("vacuumProtocolCheck"),
  },
  {
    name: "turn type widening on",
    spark: "alter table TABLE set tblproperties ('delta.enableTypeWidening' = 'true')",
    here: (t) => t.alter.setProperties({ "delta.enableTypeWidening": "true" }),
  },
  {
    name: "widen a column",
    spark: "alter table TABLE alter column part type long",
    here: (t) => t.alter.changeColumn("part", { type: "long" }),
  },
  {
    name: "append with a wider column",
    spark: {
      query:
        "select /*+ coalesce(1) */ id, cast(id as long) part, 'w' value, named_struct('a', 5000000000L) st from range(500, 503)",
      mode: "append",
      options: { mergeSchema: "true" },
    },
    here: (t) =>
      t.append(
        rowsFrom(500, 3, "w").map(({ id, value }) => ({ id, part: id, value, st: { a: 5_000_000_000n } })),
        { mergeSchema: true, schema: { id: "long", part: "long", value: "string", st: { a: "long" } } },
      ),
  },
  {
    name: "vacuum",
    spark: "vacuum TABLE retain 1000 hours",
    here: (t) => t.vacuum({ retentionHours: 1000 }),
    differences: [
      {
        unlike: ["isolationLevel"],
        why: "nothing is read or written by it: Spark calls that SnapshotIsolation, here it has the table's",
      },
    ],
  },
];

const FORMS = [
  {
    name: "with deletion vectors and change files",
    properties: { "delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true" },
    steps: ROW_STEPS,
  },
  { name: "that are altered", properties: {}, steps: [...ROW_STEPS.slice(0, 2), ...ALTER_STEPS] },
  ...(isLong ? [{ name: "plain", properties: {}, steps: ROW_STEPS }] : []),
] as const;

const CREATED: readonly Difference[] = [];

type CommitInfo = Readonly<Record<string, unknown>>;

/** What engines tell of themselves, or that counts on. */
const OWN = new Set(["timestamp", "engineInfo", "txnId", "readVersion", "operation", "inCommitTimestamp"]);

const record = (value: unknown) => (value ?? {}) as Readonly<Record<string, unknown>>;

/** The keys of a commit's info, those of its parameters and metrics among them. */
function keysOf(info: CommitInfo): string[] {
  const inner = ["operationParameters", "operationMetrics"].flatMap((part) =>
    Object.keys(record(info[part])).map((key) => `${part}.${key}`),
  );
  return [...Object.keys(info).filter((key) => !OWN.has(key)), ...inner].sort();
}

const COMPARED = ["isBlindAppend", "isolationLevel"];

/** What is told on one side only, or unlike; as {@link Difference} lists it. */
function unlike(own: CommitInfo, spark: CommitInfo, differences: readonly Difference[]) {
  const listed = (side: "here" | "spark" | "unlike") => new Set(differences.flatMap((one) => one[side] ?? []));
  const [mine, theirs] = [keysOf(own), keysOf(spark)];
  return {
    here: mine.filter((key) => !theirs.includes(key) && !listed("here").has(key)),
    spark: theirs.filter((key) => !mine.includes(key) && !listed("spark").has(key)),
    unlike: COMPARED.filter((key) => own[key] !== spark[key] && !listed("unlike").has(key)),
    // A difference that is gone has to leave the list.
    gone: [...listed("here")]
      .filter((key) => !mine.includes(key) || theirs.includes(key))
      .concat(
        [...listed("spark")].filter((key) => !theirs.includes(key) || mine.includes(key)),
        [...listed("unlike")].filter((key) => own[key] === spark[key]),
      ),
  };
}
const SAME = { here: [], spark: [], unlike: [], gone: [] };

const texts = ({ types, rows }: Content) => ({
  types,
  rows: rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort(),
});

describe.each(FORMS)("each verb here and in Spark on twin tables, $name", ({ properties, steps }) => {
  let folder: string;
  const pathOf = (side: Side) => join(folder, side);
  const request = async (text: string) =>
    (await spark()).request("sql", { text: text.replaceAll("TABLE", `delta.\`${pathOf("spark")}\``) });
  const commitsSince = async (side: Side, version: number): Promise<CommitInfo[]> => {
    const newest = await Table.open(pathOf(side)).version();
    const versions = Array.from({ length: newest - version }, (_, i) => version + 1 + i);
    return Promise.all(
      versions.map(async (at) => {
        const name = `${String(at).padStart(20, "0")}.json`;
        const lines = (await readFile(join(pathOf(side), "_delta_log", name), "utf8")).split("\n");
        return JSON.parse(lines.find((line) => line.includes('"commitInfo"'))!).commitInfo;
      }),
    );
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "interop-twins-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("has the same rows, schema and history, but for what is listed", async () => {
    const pairs = Object.entries(properties).map(([name, value]) => `'${name}' = '${value}'`);
    await request(
      `create table TABLE (id bigint, part int, value string) using delta partitioned by (part)
       ${pairs.length === 0 ? "" : `tblproperties (${pairs.join(", ")})`}`,
    );
    const schema = { id: "long", part: "integer", value: "string" } as const;
    await Table.open(pathOf("here")).create({ schema, properties, partitionBy: ["part"] });
    const [[made], [theirs]] = [await commitsSince("here", -1), await commitsSince("spark", -1)];
    expect(unlike(made!, theirs!, CREATED)).toEqual(SAME);
    for (const step of steps) {
      const before = {
        here: await Table.open(pathOf("here")).version(),
        spark: await Table.open(pathOf("spark")).version(),
      };
      if (typeof step.spark === "string") await request(step.spark);
      else await (await spark()).request("save", { path: pathOf("spark"), ...step.spark, partition_by: ["part"] });
      await step.here(Table.open(pathOf("here")));
      const own = await commitsSince("here", before.here);
      const found = await commitsSince("spark", before.spark);
      const operations = step.operations ?? own.map(({ operation }) => operation);
      expect(
        found.map(({ operation }) => operation),
        step.name,
      ).toEqual(operations);
      own.forEach((info, i) => {
        expect(unlike(info, found[i]!, step.differences ?? []), step.name).toEqual(SAME);
      });
      expect(texts(await here.read(pathOf("here"))), step.name).toEqual(texts(await here.read(pathOf("spark"))));
    }
    const [sparks] = READERS.filter(({ name }) => name === "Spark");
    expect(texts(await sparks!.read(pathOf("here")))).toEqual(texts(await sparks!.read(pathOf("spark"))));
  });
});
