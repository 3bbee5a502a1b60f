import { afterEach, describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { commitPath } from "#src/log/names.js";
import { replaceRuntime } from "#src/runtime.js";
import { memoryStore } from "#src/storage/memory.js";

const DAY_MS = 24 * 60 * 60 * 1000;

let restore: (() => void) | undefined;
afterEach(() => restore?.());

/** Lets time go by for everything that asks the clock. */
function pass(ms: number): void {
  const now = Date.now() + ms;
  restore = replaceRuntime({ now: () => now });
}

/** A table of versions 0 to 3 as log cleanup leaves it, and a handle that knows version 0 only. */
async function cleanedUpBehind() {
  const store = memoryStore();
  const idle = Table.open(store);
  await idle.append([{ id: 0n }]);
  const other = Table.open(store);
  for (const id of [1n, 2n, 3n]) await other.append([{ id }]);
  await other.checkpoint();
  for (const version of [0, 1, 2]) await store.delete(commitPath(version));
  return { store, idle };
}

const ids = async (table: Table) => (await table.toArray()).map(({ id }) => id).sort();

describe("a handle that was idle while the log was cleaned up behind the version it knows", () => {
  it("reads the newest version", async () => {
    const { idle } = await cleanedUpBehind();
    pass(30 * DAY_MS);
    expect(await idle.version()).toBe(3);
    expect(await ids(idle)).toEqual([0n, 1n, 2n, 3n]);
  });

  it("appends after the newest version", async () => {
    const { store, idle } = await cleanedUpBehind();
    pass(30 * DAY_MS);
    expect(await idle.append([{ id: 4n }])).toMatchObject({ version: 4 });
    expect(await ids(Table.open(store))).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  it("appends after the newest version where the rows took that long to come", async () => {
    const { store, idle } = await cleanedUpBehind();
    const rows = async function* () {
      yield { id: 4n };
      pass(30 * DAY_MS);
    };
    expect(await idle.append(rows())).toMatchObject({ version: 4 });
    expect(await ids(Table.open(store))).toEqual([0n, 1n, 2n, 3n, 4n]);
  });
});
