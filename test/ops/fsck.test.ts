import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Table } from "#src/table.js";
import { expectCode } from "../expectCode.js";

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "delta-table-fsck-"));
});
afterEach(() => rm(path, { recursive: true, force: true }));

it("takes lost files out of the table", async () => {
  const table = Table.open(path);
  await table.append([{ id: 1n, p: "a b" }], { partitionBy: ["p"] });
  await table.append([{ id: 2n, p: "a b" }]);
  expect(await table.fsck()).toEqual({ version: 1, fileCount: 2, missing: [] });
  const [lost] = (await table.at(0).files()).map((file) => file.path);
  rmSync(join(path, lost!));
  await expectCode("DELTA_FILE_NOT_FOUND", () => table.toArray());
  const missing = [{ path: lost, dataFileMissing: true, deletionVectorMissing: false }];
  expect(await table.fsck({ dryRun: true })).toEqual({ version: 1, fileCount: 2, missing });
  expect(await table.fsck()).toEqual({ version: 2, fileCount: 2, missing });
  expect(await table.toArray()).toEqual([{ id: 2n, p: "a b" }]);
  expect((await table.history())[0]).toMatchObject({
    operation: "FSCK",
    operationParameters: { dryRun: "false" },
    operationMetrics: { numMissingFiles: "1", numFilesScanned: "2" },
  });
  expect((await table.verify()).ok).toBe(true);
});

it("doesn't guess what a lost deletion vector said", async () => {
  const table = Table.open(path);
  await table.append([{ id: 1n }, { id: 2n }], { properties: { "delta.enableDeletionVectors": "true" } });
  await table.delete({ id: 1n });
  const { readdirSync } = await import("node:fs");
  for (const name of readdirSync(path)) if (name.endsWith(".bin")) rmSync(join(path, name));
  const { missing } = await table.fsck({ dryRun: true });
  expect(missing).toMatchObject([{ dataFileMissing: false, deletionVectorMissing: true }]);
  await expectCode("DELTA_FILE_NOT_FOUND", () => table.fsck());
  expect(await table.version()).toBe(1);
});
