import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { readFooter } from "#src/parquet/footer.js";
import { localStore } from "#src/storage/local.js";
import { here, READERS, removeCommitsBefore, sortedById, spark } from "./engines.js";

/** Everybody that applies deletion vectors: delta-rs does so by itself, but not by way of pyarrow. */
const APPLIERS = READERS.filter(({ name }) => name !== "delta-rs with pyarrow");

const ROWS = 4000;

type Rows = ReadonlyMap<number, string | null>;

const inserted: Rows = new Map(Array.from({ length: ROWS }, (_, id) => [id, id % 5 === 0 ? null : `v${id}`]));
const without = (rows: Rows, isRemoved: (id: number) => boolean): Rows =>
  new Map([...rows].filter(([id]) => !isRemoved(id)));
const withValue = (rows: Rows, isChanged: (id: number) => boolean, value: string): Rows =>
  new Map([...rows].map(([id, before]) => [id, isChanged(id) ? value : before]));
const canonical = (rows: Rows) =>
  [...rows].map(([id, value]) => ({
    id: `int:${id}`,
    part: `int:${id % 2}`,
    value: value === null ? null : `string:${value}`,
  }));

/** What each version does, and the rows that it leaves. */
const STEPS: readonly { readonly sql: string; readonly leaves: (before: Rows) => Rows }[] = [
  {
    sql: `insert into TABLE select /*+ repartition(2, id) */ id, cast(id % 2 as int) part,
          case when id % 5 = 0 then null else concat('v', id) end value from range(0, ${ROWS}, 1, 1)`,
    leaves: () => inserted,
  },
  { sql: "delete from TABLE where id % 7 = 0", leaves: (rows) => without(rows, (id) => id % 7 === 0) },
  {
    sql: "delete from TABLE where id between 1000 and 2499",
    leaves: (rows) => without(rows, (id) => id >= 1000 && id < 2500),
  },
  {
    sql: "update TABLE set value = 'new' where id % 10 = 3 and part = 1",
    leaves: (rows) => withValue(rows, (id) => id % 10 === 3, "new"),
  },
  {
    sql: `merge into TABLE t using (select id from range(3990, 4010)) s on t.id = s.id
          when matched then update set value = 'merged'
          when not matched then insert (id, part, value) values (s.id, cast(s.id % 2 as int), 'added')`,
    leaves: (rows) =>
      new Map([
        ...withValue(rows, (id) => id >= 3990, "merged"),
        ...Array.from({ length: 4010 - 3990 }, (_, i) => 3990 + i)
          .filter((id) => !rows.has(id))
          .map((id) => [id, "added"] as const),
      ]),
  },
  {
    sql: "delete from TABLE where value = 'added'",
    leaves: (rows) => new Map([...rows].filter(([, v]) => v !== "added")),
  },
];

/** The rows of each version; the first one has none. */
const VERSIONS: Rows[] = [new Map()];
for (const { leaves } of STEPS) VERSIONS.push(leaves(VERSIONS.at(-1)!));

describe("a table from which Spark removes rows by deletion vectors", () => {
  let path: string;

  const request = async (sql: string) =>
    (await spark()).request("sql", { text: sql.replaceAll("TABLE", `delta.\`${path}\``) });
  const byId = (rows: Rows) => new Map([...rows].sort(([a], [b]) => a - b));

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await request(
      `create table TABLE (id bigint, part int, value string) using delta partitioned by (part)
       tblproperties ('delta.enableDeletionVectors' = 'true', 'delta.randomizeFilePrefixes' = 'true')`,
    );
    // Small row groups, so that a file has several.
    await request("set parquet.block.size = 4096");
    await request("set parquet.page.size.row.check.min = 100");
    await request("set parquet.page.size.row.check.max = 100");
    for (const { sql } of STEPS) await request(sql);
    for (const name of ["block.size", "page.size.row.check.min", "page.size.row.check.max"]) {
      await request(`reset parquet.${name}`);
    }
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("has several vectors in a file behind a prefix, and several row groups", async () => {
    const files = await Table.open(path).files();
    const vectors = files.flatMap(({ deletionVector }) => deletionVector ?? []);
    expect(vectors.some(({ offset }) => offset! > 1)).toBe(true);
    expect(vectors.every(({ pathOrInlineDv }) => pathOrInlineDv.length > 20)).toBe(true);
    const store = localStore(path);
    const footers = await Promise.all(files.map((file) => readFooter(store, { ...file, sizeBytes: file.size })));
    expect(Math.max(...footers.map(({ rowGroups }) => rowGroups.length))).toBeGreaterThan(1);
  });

  test("is read here at each version", async () => {
    for (const [version, rows] of VERSIONS.entries()) {
      expect(sortedById(await here.read(path, version)).rows, `version ${version}`).toEqual(canonical(byId(rows)));
    }
  });

  test("each version is counted and looked through here", async () => {
    for (const [version, rows] of VERSIONS.entries()) {
      const table = Table.open(path).at(version);
      expect(await table.count()).toBe(rows.size);
      const where = { id: { between: [990, 2600] }, value: null } as const;
      const matching = [...rows].filter(([id, value]) => id >= 990 && id <= 2600 && value === null);
      expect(await table.count({ where })).toBe(matching.length);
      const ids = (await table.toArray({ columns: ["id"], where })).map(({ id }) => Number(id));
      expect(ids.sort((a, b) => a - b)).toEqual(matching.map(([id]) => id).sort((a, b) => a - b));
      expect(await table.count({ where: { part: 1 } })).toBe([...rows.keys()].filter((id) => id % 2 === 1).length);
    }
  });

  test("goes on between both: appends and a checkpoint from here, removals from there", async () => {
    const table = Table.open(path);
    await table.append([
      { id: 9000n, part: 0, value: "here" },
      { id: 9001n, part: 1, value: null },
    ]);
    await table.checkpoint();
    const version = await table.version();
    const appended = new Map([...VERSIONS.at(-1)!, [9000, "here"], [9001, null]] as const);
    await removeCommitsBefore(path, version);
    for (const { read } of APPLIERS) {
      expect(sortedById(await read(path)).rows).toEqual(canonical(byId(appended)));
    }
    await request("delete from TABLE where id in (1, 9001)");
    const left = without(appended, (id) => id === 1 || id === 9001);
    expect(sortedById(await here.read(path)).rows).toEqual(canonical(byId(left)));
    await (await spark()).request("checkpoint", { path });
    const newest = await Table.open(path).version();
    await removeCommitsBefore(path, newest);
    for (const { read } of APPLIERS) expect(sortedById(await read(path)).rows).toEqual(canonical(byId(left)));
    const log = join(path, "_delta_log");
    const commit = `${String(newest).padStart(20, "0")}.json`;
    expect(await readdir(log)).toContain(commit.replace("json", "checkpoint.parquet"));
    expect(await readFile(join(log, commit), "utf8")).toContain('"deletionVector"');
  });
});
