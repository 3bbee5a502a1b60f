import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, ok } from "./command.js";

it("vacuums a table", () =>
  inFolder(async (folder) => {
    const T = join(folder, "t");
    await Table.open(T).append([{ id: 1n }]);
    writeFileSync(join(T, "old.parquet"), "x");
    utimesSync(join(T, "old.parquet"), 1e9, 1e9);
    expect(await ok(["vacuum", T, "--dry-run"])).toBe("old.parquet\nwould delete 1 file, 1 B\n");
    expect(JSON.parse(await ok(["vacuum", T, "--json"]))).toMatchObject({ dryRun: false, fileCount: 1, version: 2 });
    expect(await ok(["vacuum", T])).toBe("deleted 0 files, 0 B\n");
    const tooShort = await failed(1, ["vacuum", T, "--retention-hours", "1"]);
    expect(tooShort.code).toBe("DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT");
    await ok(["vacuum", T, "--retention-hours", "1", "--no-retention-check", "--lite"]);
    await failed(2, ["vacuum", T, "--retention-hours", "x"]);
  }));
