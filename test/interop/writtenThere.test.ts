import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { here, peerAppend, removeCommitsBefore, sortedById, spark, WRITERS } from "./engines.js";
import {
  type Column,
  NEGATIVE_DECIMAL_PARTITIONS,
  NESTED,
  ODD_NAMES,
  PARTITION_STRINGS,
  PARTITION_TYPES,
  PRIMITIVES,
  testTable,
} from "./values.js";

interface Case {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly partitioned?: boolean;
  /** Only by these writers. */
  readonly by?: readonly string[];
}

const CASES: readonly Case[] = [
  // [R-NTZ-1] [R-PQ-2]
  { title: "every primitive type", columns: PRIMITIVES },
  { title: "nested types", columns: NESTED },
  { title: "odd column names", columns: ODD_NAMES },
  { title: "partitions of every type", columns: PARTITION_TYPES, partitioned: true },
  { title: "partitions of negative decimals", columns: NEGATIVE_DECIMAL_PARTITIONS, partitioned: true, by: ["Spark"] },
  { title: "partition values that need escaping", columns: PARTITION_STRINGS, partitioned: true },
];

describe.each(WRITERS)("a table written by $name", (writer) => {
  describe.each(CASES.filter(({ by }) => by?.includes(writer.name) ?? true))(
    "$title",
    ({ columns, partitioned = false }) => {
      const source = testTable(columns);
      const { expected } = source;
      const half = expected.rows.length >> 1;
      const partitionBy = partitioned ? columns.map(({ name }) => name) : [];
      let path: string;

      beforeAll(async () => {
        path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
        await peerAppend(writer, path, source, expected.rows.slice(0, half), { partitionBy });
        await peerAppend(writer, path, source, expected.rows.slice(half));
      });
      afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

      test("is read here", async () => {
        expect(sortedById(await here.read(path))).toEqual(expected);
      });

      test("has no errors, by verify", async () => {
        const { findings, checked } = await Table.open(path).verify();
        expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
        expect(checked.rows).toBe(expected.rows.length);
      });

      test("is read here at its first version", async () => {
        expect(sortedById(await here.read(path, 0))).toEqual({ ...expected, rows: expected.rows.slice(0, half) });
      });

      test("is read here from its checkpoint alone", async () => {
        await (await writer.peer()).request("checkpoint", { path });
        const version = await Table.open(path).version();
        await removeCommitsBefore(path, version);
        expect(await readdir(join(path, "_delta_log"))).toContain(
          `${String(version).padStart(20, "0")}.checkpoint.parquet`,
        );
        expect(sortedById(await here.read(path))).toEqual(expected);
      });
    },
  );
});

describe("a table that Spark deletes from and overwrites", () => {
  const source = testTable([{ name: "value", type: "integer", values: [[1, "int:1"]] }]);
  let path: string;

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    const rows = [1, 2, 3].map((id) => ({ id: `int:${id}`, value: `int:${id}` }));
    const peer = await spark();
    await peerAppend(WRITERS[1]!, path, source, rows);
    await peer.request("sql", { text: `delete from delta.\`${path}\` where id = 2` });
    await peer.request("sql", { text: `update delta.\`${path}\` set value = 9 where id = 3` });
    await peer.request("checkpoint", { path });
    await peer.request("write", { path, schema: source.schema, rows: rows.slice(0, 1), mode: "overwrite" });
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test.each([
    [0, { 1: 1, 2: 2, 3: 3 }],
    [1, { 1: 1, 3: 3 }],
    [2, { 1: 1, 3: 9 }],
    [3, { 1: 1 }],
  ])("is read here at version %i", async (version, values) => {
    const { rows } = sortedById(await here.read(path, version));
    expect(rows).toEqual(Object.entries(values).map(([id, value]) => ({ id: `int:${id}`, value: `int:${value}` })));
  });

  test("has nothing that verify finds, its version checksums and its checkpoint compared", async () => {
    expect(await Table.open(path).verify()).toMatchObject({
      findings: [],
      checked: { commits: 4, checkpoints: 1, checksums: 4 },
    });
  });
});
