import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { python, READERS, removeCommitsBefore, sortedById, spark } from "./engines.js";

interface Layout {
  readonly title: string;
  readonly properties: Readonly<Record<string, string>>;
  /** Names of files that the log must have, or the test would show nothing. */
  readonly has: readonly RegExp[];
  /** Readers that know no such tables. */
  readonly unfit?: readonly string[];
}

const STRUCTS = { "delta.checkpoint.writeStatsAsStruct": "true" };
const V2 = { "delta.checkpointPolicy": "v2" };

const LAYOUTS: readonly Layout[] = [
  { title: "classic checkpoints", properties: {}, has: [/8\.checkpoint\.parquet$/, /9\.crc$/] },
  { title: "statistics as structs", properties: STRUCTS, has: [/8\.checkpoint\.parquet$/] },
  {
    title: "statistics as structs only",
    properties: { ...STRUCTS, "delta.checkpoint.writeStatsAsJson": "false", "delta.enableInCommitTimestamps": "true" },
    has: [/8\.checkpoint\.parquet$/],
  },
  {
    title: "V2 checkpoints with statistics as structs",
    properties: { ...V2, ...STRUCTS },
    has: [/8\.checkpoint\.[^.]{36}\.parquet$/, /_sidecars\/.*\.parquet$/],
    unfit: ["delta-rs with pyarrow"],
  },
];

const SCHEMA = { id: "long", part: "integer", value: "string", amount: "decimal(20,2)", at: "timestamp" } as const;

const row = (id: number) => ({
  id: BigInt(id),
  part: id % 3,
  value: `v${id}`,
  amount: `${id}.25`,
  at: new Date(Date.UTC(2024, 0, 31, 12, 0, id)),
});

/** Of the table when it was written here. */
const NEWEST = 9;

describe.each(LAYOUTS)("a log kept here, with $title", ({ properties, has, unfit = [] }) => {
  let path: string;
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    const table = Table.open(path);
    const all = { ...properties, "delta.checkpointInterval": "4" };
    await table.create({ schema: SCHEMA, partitionBy: ["part"], properties: all });
    for (let version = 1; version <= NEWEST; version++) {
      await Table.open(path).append([row(2 * version), row(2 * version + 1)], { txn: { appId: "app", version } });
    }
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  const idsOf = (count: number) => Array.from({ length: count }, (_, i) => `long:${i + 2}`);

  test("has the files that it is about, which verify finds nothing in", async () => {
    const names = await readdir(join(path, "_delta_log"), { recursive: true });
    for (const pattern of has) expect(names.filter((name) => pattern.test(name))).not.toEqual([]);
    const { findings, checked } = await Table.open(path).verify();
    expect(findings).toEqual([]);
    expect(checked.checksums).toBe(NEWEST + 1);
  });

  test.each(READERS.filter(({ name }) => !unfit.includes(name)))(
    "is read by $name from its checkpoints, at its newest version and at one before",
    async ({ read }) => {
      await removeCommitsBefore(path, 8);
      const expected = await READERS[0]!.read(path);
      expect(sortedById(expected).rows.map(({ id }) => String(id).replace("int", "long"))).toEqual(idsOf(2 * NEWEST));
      expect(sortedById(await read(path))).toEqual(sortedById(expected));
      expect(sortedById(await read(path, 8))).toEqual(sortedById(await READERS[0]!.read(path, 8)));
    },
  );

  test("stands up to Spark's own validation, is appended to by Spark, and read here again", async () => {
    const sql = async (text: string) =>
      (await spark()).request<unknown>("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
    const settings = {
      "spark.databricks.delta.stateReconstructionValidation.enabled": "true",
      "spark.databricks.delta.state.corruptionIsFatal": "true",
      "spark.databricks.delta.checksum.validation.enabled": "true",
    };
    for (const [name, value] of Object.entries(settings)) await sql(`set ${name} = ${value}`);
    await sql("insert into TABLE values (100, 1, 'there', 1.25, timestamp'2024-02-01 00:00:00')");
    await sql("delete from TABLE where id in (2, 5)");
    for (const name of Object.keys(settings)) await sql(`reset ${name}`);
    await Table.open(path).append([row(101)]);
    const { findings } = await Table.open(path).verify();
    expect(findings).toEqual([]);
    const ids = (await Table.open(path).toArray({ columns: ["id"] })).map(({ id }) => Number(id)).sort((a, b) => a - b);
    expect(ids).toEqual([
      ...Array.from({ length: 2 * NEWEST }, (_, i) => i + 2).filter((id) => id !== 2 && id !== 5),
      100,
      101,
    ]);
  });

  test("is appended to by delta-rs where that writes such tables", async () => {
    if ("delta.enableInCommitTimestamps" in properties) return;
    const peer = await python();
    const before = await Table.open(path).count();
    const schema = JSON.parse(JSON.stringify(await Table.open(path).schema()));
    const rows = [{ id: "int:200", part: "int:1", value: "string:rs", amount: "decimal:2.50", at: null }];
    await peer.request("write", { path, schema, rows, partition_by: ["part"], configuration: null });
    expect(await Table.open(path).count()).toBe(before + 1);
    await Table.open(path).append([row(201)]);
    expect((await Table.open(path).verify()).findings).toEqual([]);
  });
});
