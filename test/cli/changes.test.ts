import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { localStore } from "#src/storage/local.js";
import { ChangingTable } from "../read/changingTable.js";
import { failed, inFolder, ok, run } from "./command.js";

/** A table of which version 2 changed a row and deleted another. */
async function withTable(call: (path: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, "t");
    const table = await ChangingTable.create(localStore(path), { "delta.enableChangeDataFeed": "true" });
    await table.insert([1, 2].map((id) => ({ id, value: id })));
    await table.rewrite((row) => (row.id === 1 ? { ...row, value: 10 } : undefined));
    await call(path);
  });
}

describe("delta-table changes", () => {
  it("prints what changed, in the formats that rows are printed in", async () => {
    await withTable(async (path) => {
      const columns = ["--columns", "id,value,_change_type,_commit_version"];
      expect(await ok(["changes", path, "--from", "2", ...columns])).toBe(
        [
          '{"id":1,"value":1,"_change_type":"update_preimage","_commit_version":2}\n',
          '{"id":1,"value":10,"_change_type":"update_postimage","_commit_version":2}\n',
          '{"id":2,"value":2,"_change_type":"delete","_commit_version":2}\n',
        ].join(""),
      );
      const where = ["--where", "_change_type = 'delete' OR _commit_version < 2", "--format", "csv"];
      expect(await ok(["changes", path, "--from", "0", "--to", "2", ...columns, ...where])).toBe(
        "id,value,_change_type,_commit_version\n1,1,insert,1\n2,2,insert,1\n2,2,delete,2\n",
      );
      const table = await ok([
        "changes",
        path,
        "--from",
        "1970-01-02",
        "--limit",
        "2",
        "--format",
        "table",
        ...columns,
      ]);
      expect(table).toMatch(/2 rows/);
      const { bytes } = await run(["changes", path, "--from", "2", "--format", "arrow"]);
      expect(tableFromIPC(bytes).numRows).toBe(3);
      expect(JSON.parse((await ok(["changes", path, "--from", "1", "--limit", "1"])).trim())._commit_timestamp).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
      );
    });
  });

  it("says what is wrong with the range", async () => {
    await withTable(async (path) => {
      expect((await failed(1, ["changes", path, "--from", "9"])).code).toBe("DELTA_VERSION_NOT_FOUND");
      expect((await failed(1, ["changes", path, "--from", "2", "--to", "1"])).code).toBe("DELTA_INVALID_CDC_RANGE");
      for (const args of [[], ["--from", "yesterday"], ["--from", "0", "--to", "-1"]]) {
        expect((await run(["changes", path, ...args])).code, args.join(" ")).toBe(2);
      }
    });
  });

  it("streams them to another table", async () => {
    await withTable(async (path) => {
      const target = `${path}-changes`;
      const args = ["stream", path, target, "--checkpoint", `${path}-checkpoint`, "--starting-version", "2"];
      await ok([...args, "--read-change-feed"]);
      expect(await ok(["read", target, "--columns", "id,_change_type", "--where", "id = 2"])).toBe(
        '{"id":2,"_change_type":"delete"}\n',
      );
      expect((await run([...args, "--read-change-feed", "--ignore-deletes"])).code).toBe(2);
    });
  });
});
