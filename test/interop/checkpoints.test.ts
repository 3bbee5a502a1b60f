import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { jsonChecksum } from "#src/log/lastCheckpoint.js";
import { checksumPath, LAST_CHECKPOINT_PATH } from "#src/log/names.js";
import { loadSnapshot } from "#src/log/snapshot.js";
import { localStore } from "#src/storage/local.js";
import { countingStore } from "../storage/countingStore.js";
import { here, python, READERS, removeCommitsBefore, sortedById, spark } from "./engines.js";

interface Layout {
  readonly title: string;
  readonly properties?: string;
  /** Of checkpoints: 2 where it's left out. */
  readonly interval?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Names of files that the log must have, or the test would show nothing. */
  readonly has: readonly RegExp[];
}

const V2 = "'delta.checkpointPolicy' = 'v2'";
const TOP_FORMAT = "spark.databricks.delta.checkpointV2.topLevelFileFormat";
const PART_SIZE = "spark.databricks.delta.checkpoint.partSize";

/** Spark then writes `partitionValues_parsed`, but no `stats_parsed`. */
const WITHOUT_TEXTS = "'delta.checkpoint.writeStatsAsJson' = 'false', 'delta.checkpoint.writeStatsAsStruct' = 'true'";

const LAYOUTS: readonly Layout[] = [
  { title: "classic checkpoints", has: [/4\.checkpoint\.parquet$/, /4\.crc$/] },
  {
    title: "checkpoints of several parts",
    settings: { [PART_SIZE]: "4" },
    has: [/4\.checkpoint\.0000000002\.000000000\d\.parquet$/],
  },
  {
    title: "checkpoints without statistics",
    properties: WITHOUT_TEXTS,
    has: [/4\.checkpoint\.parquet$/],
  },
  {
    title: "checkpoints of V2 in JSON",
    properties: V2,
    settings: { [TOP_FORMAT]: "json" },
    has: [/4\.checkpoint\.[^.]{36}\.json$/, /_sidecars\/.*\.parquet$/],
  },
  {
    title: "checkpoints of V2 in Parquet with several sidecars",
    properties: V2,
    settings: { [TOP_FORMAT]: "parquet", [PART_SIZE]: "3" },
    has: [/4\.checkpoint\.[^.]{36}\.parquet$/, /_sidecars\/.*0000000002\.000000000\d\..*\.parquet$/],
  },
  {
    title: "checkpoints of V2 without statistics",
    properties: `${V2}, ${WITHOUT_TEXTS}`,
    settings: { [TOP_FORMAT]: "json" },
    has: [/_sidecars\/.*\.parquet$/],
  },
];

type Rows = ReadonlyMap<number, string>;

const RANGE = (from: number, to: number, word: string): [number, string][] =>
  Array.from({ length: to - from }, (_, i) => [from + i, `${word}${from + i}`]);

const insert = (from: number, to: number, word: string) => `
  insert into TABLE select /*+ repartition(2, id) */ id, cast(id % 3 as int) part, concat('${word}', id) value,
    cast(id * 1000000000000000 as decimal(20, 2)) amount, timestamp_millis(id * 1000) at, date_add(date'2024-01-01', cast(id as int)) day
  from range(${from}, ${to}, 1, 1)`;

/** What each version does, and the rows that it leaves. */
const STEPS: readonly { readonly sql: string; readonly leaves: (before: Rows) => Rows }[] = [
  { sql: insert(0, 50, "a"), leaves: () => new Map(RANGE(0, 50, "a")) },
  { sql: "delete from TABLE where part = 1", leaves: (rows) => new Map([...rows].filter(([id]) => id % 3 !== 1)) },
  {
    sql: "update TABLE set value = 'new' where id between 30 and 44",
    leaves: (rows) => new Map([...rows].map(([id, value]) => [id, id >= 30 && id <= 44 ? "new" : value])),
  },
  { sql: insert(50, 55, "d"), leaves: (rows) => new Map([...rows, ...RANGE(50, 55, "d")]) },
];

const VERSIONS: Rows[] = [new Map()];
for (const { leaves } of STEPS) VERSIONS.push(leaves(VERSIONS.at(-1)!));
const NEWEST = VERSIONS.length - 1;

async function make(
  path: string,
  { properties, interval = 2, settings = {} }: Omit<Layout, "title" | "has">,
): Promise<void> {
  const sql = async (text: string) =>
    (await spark()).request("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
  for (const [name, value] of Object.entries(settings)) await sql(`set ${name} = ${value}`);
  const all = [`'delta.checkpointInterval' = '${interval}'`, ...(properties === undefined ? [] : [properties])].join(
    ", ",
  );
  await sql(
    `create table TABLE (id bigint, part int, value string, amount decimal(20, 2), at timestamp, day date)
     using delta partitioned by (part) tblproperties (${all})`,
  );
  for (const step of STEPS) await sql(step.sql);
  for (const name of Object.keys(settings)) await sql(`reset ${name}`);
}

async function idsAndValues(path: string, version?: number): Promise<[number, string][]> {
  const table = version === undefined ? Table.open(path) : Table.open(path).at(version);
  const rows = await table.toArray({ columns: ["id", "value"] });
  return rows.map(({ id, value }): [number, string] => [Number(id), String(value)]).sort(([a], [b]) => a - b);
}

const sorted = (rows: Rows) => [...rows].sort(([a], [b]) => a - b);

describe.each(LAYOUTS)("a table of Spark's with $title", (layout) => {
  let path: string;
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await make(path, layout);
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("has the files that it is about", async () => {
    const names = await readdir(join(path, "_delta_log"), { recursive: true });
    for (const pattern of layout.has) expect(names.filter((name) => pattern.test(name))).not.toEqual([]);
    const hint = JSON.parse(await readFile(join(path, LAST_CHECKPOINT_PATH), "utf8"));
    expect(hint.checksum).toBe(jsonChecksum(hint));
  });

  test("is read here at each version", async () => {
    for (const [version, rows] of VERSIONS.entries()) {
      expect(await idsAndValues(path, version), `version ${version}`).toEqual(sorted(rows));
    }
    expect(sortedById(await here.read(path))).toEqual(sortedById(await READERS[3]!.read(path)));
  });

  test("is counted, and skipped by its statistics where it has some", async () => {
    const hasStatistics = layout.properties?.includes(WITHOUT_TEXTS) !== true;
    const files = await Table.open(path).files();
    expect(files.every(({ numRecords }) => (typeof numRecords === "number") === hasStatistics)).toBe(true);
    const store = countingStore(localStore(path));
    const table = Table.open(store);
    expect(await table.count()).toBe(VERSIONS.at(-1)!.size);
    for (const where of [
      { id: { gte: 50 } },
      { day: { gte: "2024-02-20" } },
      { at: { gte: "1970-01-01T00:00:49.500Z" } },
      { amount: { gte: "49500000000000000.00" } },
    ]) {
      store.take();
      expect(await table.count({ where })).toBe(5);
      const reads = store.take().filter((call) => call.includes("part-"));
      expect(reads.length === 0).toBe(hasStatistics);
    }
  });

  test("has nothing that verify finds", async () => {
    const { findings, checked } = await Table.open(path).verify();
    expect(findings).toEqual([]);
    expect(checked.checkpoints).toBeGreaterThanOrEqual(2);
  });

  test("opens without its checkpoint, by its version checksums", async () => {
    const store = countingStore(localStore(path));
    await loadSnapshot(store, { version: 3 });
    expect(store.take()).toContain(`get ${checksumPath(3)}`);
  });

  test("is read here from its checkpoints alone, and goes on between both", async () => {
    for (const first of [2, NEWEST]) {
      await removeCommitsBefore(path, first);
      for (let version = first; version <= NEWEST; version++) {
        expect(await idsAndValues(path, version), `version ${version}`).toEqual(sorted(VERSIONS[version]!));
      }
    }
    const table = Table.open(path);
    const row = { id: 100n, part: 1, value: "here", amount: "1.00", at: "2024-01-01T00:00:00Z", day: "2024-01-01" };
    const expected = [...sorted(VERSIONS.at(-1)!), [100, "here"]];
    if (layout.properties?.includes(WITHOUT_TEXTS) !== true) {
      await table.append([row]);
      const version = await table.version();
      await table.checkpoint();
      const own = layout.properties?.includes(V2) ? /\.checkpoint\.[^.]{36}\.parquet$/ : /\.checkpoint\.parquet$/;
      const names = (await readdir(join(path, "_delta_log"))).filter((name) => Number(name.slice(0, 20)) === version);
      expect(names.filter((name) => own.test(name))).toHaveLength(1);
      await removeCommitsBefore(path, version);
      expect(await idsAndValues(path)).toEqual(expected);
      const there = sortedById(await READERS[3]!.read(path));
      expect(there.rows.map((found) => [Number(String(found.id).slice(4)), String(found.value).slice(7)])).toEqual(
        expected,
      );
    }
  });
});

describe("a table of Spark's whose log delta-rs compacted", () => {
  let path: string;
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await make(path, { interval: 100 });
    const peer = await python();
    await peer.request("compact_log", { path, first: 1, last: 2 });
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("is read here at each version, by the compactions where they fit", async () => {
    for (const [version, rows] of VERSIONS.entries()) {
      expect(await idsAndValues(path, version), `version ${version}`).toEqual(sorted(rows));
    }
    const store = countingStore(localStore(path));
    await loadSnapshot(store);
    const read = store
      .take()
      .flatMap(
        (call) => /^get _delta_log\/0*(\d+)\.(?:0*(\d+)\.compacted\.)?json$/.exec(call)?.slice(1, 3).join("-") ?? [],
      );
    expect(read).toEqual(["0-", "1-2", "3-", "4-"]);
  });
});
