import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Table } from "#src/table.js";
import { failed, inFolder, ok } from "./command.js";

it("converts a folder of Parquet files", () =>
  inFolder(async (folder) => {
    const T = join(folder, "t");
    await Table.open(T).append([{ id: 1n, day: "2026-01-31" }], { partitionBy: ["day"] });
    rmSync(join(T, "_delta_log"), { recursive: true });
    const result = await ok(["convert", T, "--partition-by", "day date", "--json"]);
    expect(JSON.parse(result)).toMatchObject({ version: 0, fileCount: 1, skipped: false });
    expect(await ok(["read", T])).toBe('{"id":1,"day":"2026-01-31"}\n');
    expect(await ok(["convert", T])).toBe(`already a table: ${T}, version 0\n`);
    expect((await failed(1, ["convert", join(folder, "nothing")])).code).toBe("DELTA_EMPTY_DIRECTORY");
  }));
