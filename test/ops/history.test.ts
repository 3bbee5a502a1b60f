import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Table } from "#src/index.js";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "history-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const newest = async () => (await Table.open(path).history({ limit: 1 }))[0]!;

test("tells how a table was created", async () => {
  const table = Table.open(path);
  await table.create({ schema: { id: "long", day: "date" }, clusterBy: ["day"], description: "days" });
  expect((await newest()).operationParameters).toMatchObject({
    isManaged: "false",
    description: "days",
    clusterBy: '["day"]',
    partitionBy: "[]",
  });
});

test.each([
  ["error", "ErrorIfExists"],
  ["ignore", "Ignore"],
  ["append", "Append"],
] as const)("calls an append that creates the table, %s otherwise, by its save mode", async (ifExists, mode) => {
  await Table.open(path).append([{ id: 1n }], { ifExists });
  expect((await newest()).operationParameters.mode).toBe(mode);
  await Table.open(path).append([{ id: 2n }]);
  expect((await newest()).operationParameters.mode).toBe("Append");
});

test("tells which rows were overwritten, and how many", async () => {
  const table = Table.open(path);
  await table.append([
    { id: 1n, part: "a" },
    { id: 2n, part: "b" },
    { id: 3n, part: "b" },
  ]);
  await table.overwrite([{ id: 4n, part: "b" }], { where: "part = 'b'" });
  const { operationParameters, operationMetrics } = await newest();
  expect(operationParameters).toEqual({ mode: "Overwrite", partitionBy: "[]", predicate: "part = 'b'" });
  expect(operationMetrics).toMatchObject({ numOutputRows: "1", numDeletedRows: "2", numCopiedRows: "1" });
  expect(Object.keys(operationMetrics)).not.toContain("numAddedFiles");
});

test("tells that a constraint was there when it was dropped", async () => {
  const table = Table.open(path);
  await table.append([{ id: 1n }]);
  await table.alter.addConstraint("positive", "id > 0");
  await table.alter.dropConstraint("positive");
  expect((await newest()).operationParameters).toEqual({ name: "positive", expr: "id > 0", existed: "true" });
});
