import { describe, expect, it } from "vitest";
import { Table } from "#src/index.js";
import { memoryStore } from "#src/storage/memory.js";

const BEYOND = 8_640_000_000_000_000_001n;

describe("a partition column of times", () => {
  it.each(["timestamp", "timestamp_ntz"] as const)("takes a %s that no Date can hold, as it is read", async (type) => {
    const store = memoryStore();
    await Table.open(store).create({ schema: { id: "long", at: type }, partitionBy: ["at"] });
    const rows = [
      { id: 1n, at: BEYOND },
      { id: 2n, at: -BEYOND },
      { id: 3n, at: new Date(0) },
    ];
    await Table.open(store).append(rows);
    const read = await Table.open<{ id: bigint; at: Date | bigint }>(store).toArray();
    expect(read.sort((a, b) => Number(a.id - b.id))).toEqual(rows);
  });
});
