import { expect, test } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import { expectCode } from "../expectCode.js";
import { Gate } from "../storage/gatedStore.js";

const ROWS = [{ id: 1n }];

test("a table that is there is added to, is an error, or is left alone", async () => {
  const table = Table.open(memoryStore());
  expect(await table.append(ROWS, { ifExists: "error" })).toMatchObject({ version: 0, skipped: false });
  expect(await table.append(ROWS, { ifExists: "append" })).toMatchObject({ version: 1, skipped: false });
  expect(await table.append(ROWS, { ifExists: "ignore" })).toMatchObject({ version: 1, rowCount: 0, skipped: true });
  const error = await expectCode("DELTA_PATH_EXISTS", () => table.append(ROWS, { ifExists: "error" }));
  expect(error.data).toMatchObject({ version: 1 });
  expect(await table.count()).toBe(2);
});

test.each(["error", "ignore"] as const)("%s: also where another writer was first by a hair", async (ifExists) => {
  const store = memoryStore();
  const gate = new Gate(store);
  const reached = gate.shut();
  const late = Table.open(gate.store).append(ROWS, { ifExists });
  const outcome = late.catch((error: unknown) => error);
  await reached;
  await Table.open(store).append([{ id: 2n }]);
  gate.open();
  expect(await outcome).toMatchObject(
    ifExists === "error" ? { code: "DELTA_PATH_EXISTS" } : { version: 0, skipped: true },
  );
  const table = Table.open(store);
  expect(await table.toArray()).toEqual([{ id: 2n }]);
  expect((await table.verify()).findings).toEqual([]);
});
