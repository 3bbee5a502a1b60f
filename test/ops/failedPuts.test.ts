import { expect, test } from "vitest";
import { DeltaError } from "#src/errors.js";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";

/** A store that takes its time to say that a data file can't be put. */
function fullStore(inner: ObjectStore): ObjectStore {
  const putNew = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new DeltaError("DELTA_DISK_FULL", "full");
  };
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === "putNew") return putNew;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

type Row = { id: bigint; part: string };
const ROW = { id: 9n, part: "b" };
const WHERE = { id: 2n };

test.each<[string, (table: Table<Row>) => Promise<unknown>]>([
  ["delete", (table) => table.delete(WHERE)],
  ["update", (table) => table.update({ set: { part: "c" }, where: WHERE })],
  ["overwrite", (table) => table.overwrite([ROW])],
  ["overwrite of a part", (table) => table.overwrite([ROW], { where: { part: "b" } })],
  ["merge", (table) => table.merge([{ id: 99n, part: "b" }], { on: ["id"], whenNotMatched: [{ insert: "*" }] })],
  ["optimize", (table) => table.optimize()],
])("a file that can't be put fails its %s, and is heard of nowhere else", async (_, change) => {
  for (const hasVectors of [false, true]) {
    const store = memoryStore();
    const properties: Record<string, string> = hasVectors ? { "delta.enableDeletionVectors": "true" } : {};
    await Table.open(store).create({ schema: { id: "long", part: "string" }, properties });
    for (const id of [1n, 3n]) await Table.open(store).append([ROW, { id, part: "a" }, { id: id + 1n, part: "b" }]);
    await expect(change(Table.open<Row>(fullStore(store)))).rejects.toMatchObject({ code: "DELTA_DISK_FULL" });
    expect(await Table.open(store).version()).toBe(2);
  }
});

test("in a transaction it fails the change that it is of", async () => {
  const store = memoryStore();
  await Table.open(store).append([ROW]);
  const transaction = Table.open<Row>(fullStore(store)).transaction(async (tx) => {
    await tx.append([{ id: 1n, part: "a" }]);
    await tx.update({ set: { part: "z" } });
    await new Promise((resolve) => setTimeout(resolve, 30));
  });
  await expect(transaction).rejects.toMatchObject({ code: "DELTA_DISK_FULL" });
  expect(await Table.open(store).version()).toBe(0);
});
