import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { spark } from "./engines.js";
import { comparedVersions } from "./versions.js";

const STEPS: readonly string[] = [
  "insert into TABLE select /*+ repartition(2, id) */ id, cast(id % 2 as int), concat('v', id) from range(0, 200)",
  "update TABLE set value = 'new' where id % 10 = 3",
  "delete from TABLE where id % 7 = 0",
  `merge into TABLE t using (select id from range(190, 210)) s on t.id = s.id
   when matched then update set value = 'merged' when not matched then insert (id, part, value) values (s.id, 5, 'added')`,
  "checkpoint",
  "optimize TABLE",
  "insert into TABLE values (1001, 1, 'x'), (1002, 0, null)",
  "update TABLE set part = 3 where id < 20",
];

interface TrackedRow {
  readonly id: number;
  readonly row_id: number;
  readonly row_commit_version: number;
}

describe.each([
  ["", "'delta.enableDeletionVectors' = 'true'"],
  ["and whose columns it maps", "'delta.columnMapping.mode' = 'id'"],
])("a table whose rows Spark tracks %s", (_, properties) => {
  let path: string;
  const request = async <T>(sql: string) =>
    (await spark()).request<T>("sql", { text: sql.replaceAll("TABLE", `delta.\`${path}\``) });

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    await request(
      `create table TABLE (id bigint, part int, value string) using delta partitioned by (part)
       tblproperties ('delta.enableRowTracking' = 'true', ${properties})`,
    );
    await request("set parquet.block.size = 1024");
    await request("set parquet.page.size.row.check.min = 20");
    await request("set parquet.page.size.row.check.max = 20");
    for (const step of STEPS) {
      if (step === "checkpoint") await (await spark()).request("checkpoint", { path });
      else await request(step);
    }
    for (const name of ["block.size", "page.size.row.check.min", "page.size.row.check.max"]) {
      await request(`reset parquet.${name}`);
    }
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("gives the ids and versions here that it gives there, at each version", async () => {
    const newest = await Table.open(path).version();
    expect(newest).toBeGreaterThanOrEqual(STEPS.length - 2);
    for (const version of comparedVersions(newest)) {
      const expected = await request<TrackedRow[]>(
        `select id, _metadata.row_id, _metadata.row_commit_version from TABLE version as of ${version} order by id`,
      );
      const columns = ["id", "_metadata.row_id", "_metadata.row_commit_version"] as const;
      const rows = await Table.open(path).at(version).toArray({ columns });
      const found = rows.map((row) => ({
        id: Number(row.id),
        row_id: Number(row["_metadata.row_id"]),
        row_commit_version: Number(row["_metadata.row_commit_version"]),
      }));
      expect(
        found.sort((a, b) => a.id - b.id),
        `version ${version}`,
      ).toEqual(expected);
    }
  });
});
