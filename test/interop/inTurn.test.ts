import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Canonical } from "./canonical.js";
import { peerAppend, READERS, sortedById, WRITERS } from "./engines.js";
import { type Column, testTable } from "./values.js";

const ROUNDS = 4;
const ROWS_PER_APPEND = 3;
const COLUMNS: readonly Column[] = [
  { name: "by", type: "string", values: [] },
  { name: "value", type: "double", values: [] },
  { name: "at", type: "timestamp", values: [] },
];
const NAMES = ["delta-table", ...WRITERS.map(({ name }) => name)];

describe.each([
  { title: "without partitions", partitionBy: [] },
  { title: "partitioned", partitionBy: ["by"] },
])("a table that all append to in turn, $title", ({ partitionBy }) => {
  const source = testTable(COLUMNS);
  const expected: Record<string, Canonical>[] = [];
  let path: string;

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    for (let round = 0; round < ROUNDS; round++) {
      // Each round starts with another writer, so that each creates, follows each other and follows a checkpoint of ours.
      for (let turn = 0; turn < NAMES.length; turn++) await append((round + turn) % NAMES.length);
      await Table.open(path).checkpoint();
    }
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  async function append(who: number): Promise<void> {
    const ids = Array.from({ length: ROWS_PER_APPEND }, (_, n) => expected.length + n);
    const name = NAMES[who]!;
    const second = (id: number) => String(id).padStart(2, "0");
    const rows = ids.map((id) => ({
      id: `int:${id}`,
      by: `string:${name}`,
      value: id + 0.5,
      at: `timestamp:2026-01-01T00:00:${second(id)}.000000`,
    }));
    expected.push(...rows);
    if (who > 0) {
      await peerAppend(WRITERS[who - 1]!, path, source, rows, { partitionBy });
      return;
    }
    const own = ids.map((id) => ({
      id: BigInt(id),
      by: name,
      value: id + 0.5,
      at: new Date(`2026-01-01T00:00:${second(id)}Z`),
    }));
    await Table.open(path).append(own, { schema: source.schema, partitionBy });
  }

  test.each(READERS)("$name reads all rows", async ({ read }) => {
    expect(sortedById(await read(path))).toEqual({ ...source.expected, rows: expected });
  });

  test.each(READERS)("$name reads each version", async ({ read }) => {
    for (let version = 0; version < ROUNDS * NAMES.length; version++) {
      const rows = expected.slice(0, (version + 1) * ROWS_PER_APPEND);
      expect(sortedById(await read(path, version)).rows).toEqual(rows);
    }
  });
});
