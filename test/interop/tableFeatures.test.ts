import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";
import { type Content, canonicalRow, typesOf } from "./canonical.js";
import { here, READERS, sortedById, spark } from "./engines.js";

const sparkReader = READERS.find(({ name }) => name === "Spark")!;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-features-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs SQL in which TABLE stands for the table at `path`. */
async function sql<Row = unknown>(path: string, ...texts: readonly string[]): Promise<Row[]> {
  let rows: Row[] = [];
  for (const text of texts) {
    rows = await (await spark()).request<Row[]>("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
  }
  return rows;
}

async function readHere(path: string, options: Parameters<typeof Table.open>[1], zone?: string): Promise<Content> {
  const table = Table.open(path, options);
  const schema = await table.schema();
  const rows = await table.toArray({ partitionTimeZone: zone });
  return sortedById({ types: typesOf(schema), rows: rows.map((row) => canonicalRow(row, schema)) });
}

interface Described {
  readonly version: number;
  readonly timestamp: string;
}

describe("in-commit timestamps that Spark turns on", () => {
  const ADD = "insert into TABLE select max(id) + 1 from TABLE";
  let path: string;

  beforeAll(async () => {
    path = join(folder, "times");
    await sql(path, "create table TABLE using delta as select 0L as id", ADD);
    await sql(path, "alter table TABLE set tblproperties ('delta.enableInCommitTimestamps' = 'true')", ADD, ADD);
  });

  test("[R-ICT-1] [R-ICT-2] give each version the time that Spark gives it", async () => {
    const there = await sql<Described>(path, "describe history TABLE");
    const told = await Table.open(path).history();
    expect(told.map(({ version, timestamp }) => [version, timestamp.getTime()])).toEqual(
      there.map(({ version, timestamp }) => [version, Date.parse(timestamp)]),
    );
    expect(told).toHaveLength(5);
  });

  test("[R-ICT-3] lead to the same versions by time", async () => {
    const history = await Table.open(path).history();
    const [last, first] = [history[0]!.timestamp.getTime(), history.at(-1)!.timestamp.getTime()];
    const times = history
      .flatMap(({ timestamp }) => [-1, 0, 1].map((more) => timestamp.getTime() + more))
      .filter((time) => time >= first && time <= last)
      .map((time) => new Date(time));
    const counts = times.map(
      (at, i) => `select ${i} as i, count(*) as n from TABLE timestamp as of '${at.toISOString()}'`,
    );
    const there = await sql<{ i: number; n: number }>(path, counts.join(" union all "));
    expect(there.map(({ i }) => i).sort((a, b) => a - b)).toEqual([...times.keys()]);
    for (const { i, n } of there) expect(await Table.open(path).at(times[i]!).count(), times[i]!.toISOString()).toBe(n);
  });

  test("are kept by appends from here, which Spark goes on from", async () => {
    await Table.open(path).append([{ id: 100n }]);
    await sql(path, ADD);
    const there = await sql<Described>(path, "describe history TABLE limit 2");
    const told = await Table.open(path).history({ limit: 2 });
    expect(told.map(({ timestamp }) => timestamp.getTime())).toEqual(
      there.map(({ timestamp }) => Date.parse(timestamp)),
    );
    expect(told[0]!.timestamp > told[1]!.timestamp).toBe(true);
    expect(sortedById(await here.read(path))).toEqual(sortedById(await sparkReader.read(path)));
    expect((await Table.open(path).verify()).ok).toBe(true);
  });
});

describe("[R-FILE-5] a shallow clone that Spark makes", () => {
  let [source, clone]: [string, string] = ["", ""];

  beforeAll(async () => {
    source = join(folder, "the source %41+ü");
    clone = join(folder, "clone");
    await sql(
      source,
      `create table TABLE (id bigint, day string) using delta partitioned by (day)
       tblproperties ('delta.enableDeletionVectors' = 'true')`,
      `insert into TABLE select /*+ coalesce(1) */ id, case id % 5 when 0 then null when 1 then 'a b%20+' when 2 then 'x:y/z'
         when 3 then '=é日' else '{[#?&]}' end from range(0, 50, 1, 1)`,
      "delete from TABLE where id = 10 or id = 11",
    );
    await sql(clone, `create table TABLE shallow clone delta.\`${source}\``);
  });

  test("has the rows of the table that it was made from, where that one's folder is allowed", async () => {
    expect(await readHere(clone, { dataRoots: [source] })).toEqual(sortedById(await sparkReader.read(clone)));
    expect(await readHere(clone, { dataRoots: [`${source}/`, "/nowhere"] })).toEqual(
      sortedById(await sparkReader.read(source)),
    );
    expect(await Table.open(clone, { dataRoots: [source] }).count()).toBe(48);
    expect((await Table.open(clone, { dataRoots: [source] }).verify()).findings).toEqual([]);
  });

  test("is refused otherwise, but for its schema and the like", async () => {
    const table = Table.open(clone);
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () => table.toArray());
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () =>
      Table.open(clone, { dataRoots: [folder.slice(0, -1)] }).count(),
    );
    expect((await table.schema()).fields).toHaveLength(2);
  });

  test("is read at every version after both are changed", async () => {
    await sql(clone, "delete from TABLE where id % 7 = 3", "insert into TABLE values (1000, 'new')");
    await sql(clone, "update TABLE set day = 'moved' where id = 8");
    await sql(source, "delete from TABLE where id = 20");
    for (let version = 0; version <= 3; version++) {
      const there = sortedById(await sparkReader.read(clone, version));
      const table = Table.open(clone, { dataRoots: [source] }).at(version);
      const schema = await table.schema();
      const rows = (await table.toArray()).map((row) => canonicalRow(row, schema));
      expect(sortedById({ types: typesOf(schema), rows }), `version ${version}`).toEqual(there);
    }
    await (await spark()).request("checkpoint", { path: clone });
    expect(await readHere(clone, { dataRoots: [source] })).toEqual(sortedById(await sparkReader.read(clone)));
    const changed = await Table.open(clone, { dataRoots: [source] })
      .changes({ from: 1, to: 1 })
      .toArray();
    expect(changed.every(({ _change_type }) => _change_type === "delete")).toBe(true);
    expect(changed).toHaveLength(6);
    expect(await readdir(join(source, "_delta_log"))).not.toContain(`${"4".padStart(20, "0")}.json`);
  });
});

describe("[R-PART-4] timestamps of partitions that Spark writes without a zone, in another one than UTC", () => {
  const ZONE = "America/Los_Angeles";
  const SETTING = "spark.databricks.delta.write.utcTimestampPartitionValues";

  test("are read in that zone", async () => {
    const path = join(folder, "zones");
    try {
      await sql(
        path,
        `set spark.sql.session.timeZone = ${ZONE}`,
        `set ${SETTING} = false`,
        "create table TABLE (id bigint, at timestamp) using delta partitioned by (at)",
        `insert into TABLE values (1, timestamp'2021-09-08 11:11:11'), (2, timestamp'2021-01-01 00:00:00.123456'), (3, null),
           (4, timestamp'1969-12-31 23:59:59.999999'), (5, timestamp'2021-11-07 01:30:00 America/Los_Angeles')`,
        `set ${SETTING} = true`,
        "insert into TABLE values (6, timestamp'2021-09-08 11:11:11')",
      );
      const there = sortedById(await sparkReader.read(path));
      expect(await readHere(path, {}, ZONE)).toEqual(there);
      expect(await readHere(path, {})).not.toEqual(there);
    } finally {
      await sql(path, "set spark.sql.session.timeZone = UTC");
    }
  });
});

describe("[R-WRITE-1] [R-DOM-1] a table of Spark with features of writers", () => {
  const INSERT = "insert into TABLE (id, v) select id, concat('v', id) from range(0, 20, 1, 1)";
  test.each<[string, readonly string[]]>([
    ["clustering", ["create table TABLE (id bigint, v string) using delta cluster by (id)", INSERT]],
    [
      "rowTracking",
      [
        "create table TABLE (id bigint, v string) using delta tblproperties ('delta.enableRowTracking' = 'true')",
        INSERT,
        "delete from TABLE where id = 3",
      ],
    ],
    [
      "vacuumProtocolCheck",
      [
        "create table TABLE (id bigint, v string) using delta tblproperties ('delta.feature.vacuumProtocolCheck' = 'supported')",
        INSERT,
      ],
    ],
    [
      "allowColumnDefaults",
      [
        `create table TABLE (id bigint, v string, d int default 7) using delta
         tblproperties ('delta.feature.allowColumnDefaults' = 'supported')`,
        INSERT,
      ],
    ],
    [
      "checkConstraints",
      [
        "create table TABLE (id bigint, v string) using delta",
        "alter table TABLE add constraint c check (id >= 0)",
        INSERT,
      ],
    ],
  ])("%s is read and appended to, and told of by its protocol", async (feature, texts) => {
    const path = join(folder, feature);
    await sql(path, ...texts);
    expect(sortedById(await here.read(path))).toEqual(sortedById(await sparkReader.read(path)));
    const [detail] = await sql<Record<string, unknown>>(path, "describe detail TABLE");
    const { features, minReaderVersion, minWriterVersion, readRefusal, appendRefusal } =
      await Table.open(path).protocol();
    expect({ minReaderVersion, minWriterVersion, readRefusal, appendRefusal }).toEqual({
      minReaderVersion: detail!.minReaderVersion,
      minWriterVersion: detail!.minWriterVersion,
      readRefusal: null,
      appendRefusal: null,
    });
    expect(features.map(({ name }) => name).sort()).toEqual((detail!.tableFeatures as string[]).sort());
    expect(features.find(({ name }) => name === feature)?.isActive).toBe(true);
    await Table.open(path).append([{ id: 1000n, v: "here" }]);
    expect(sortedById(await here.read(path))).toEqual(sortedById(await sparkReader.read(path)));
  });
});
