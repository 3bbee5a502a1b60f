import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { READERS, readWithDuckDB, removeCommitsBefore, sortedById } from "./engines.js";
import { fromFolders, withoutNullTexts } from "./folders.js";
import {
  type Column,
  NEGATIVE_DECIMAL_PARTITIONS,
  NESTED,
  ODD_NAMES,
  ODD_PARTITION_NAMES,
  PARTITION_STRINGS,
  PARTITION_TYPES,
  PRIMITIVES,
  testTable,
} from "./values.js";

interface Case {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly partitioned?: boolean;
  /** Readers that get this wrong whoever wrote it. */
  readonly unfit?: readonly string[];
}

const CASES: readonly Case[] = [
  { title: "every primitive type", columns: PRIMITIVES },
  { title: "nested types", columns: NESTED },
  { title: "odd column names", columns: ODD_NAMES },
  { title: "partitions of every type", columns: PARTITION_TYPES, partitioned: true },
  {
    title: "partitions of negative decimals",
    columns: NEGATIVE_DECIMAL_PARTITIONS,
    partitioned: true,
    unfit: ["delta-rs with pyarrow"],
  },
  { title: "partition values that need escaping", columns: PARTITION_STRINGS, partitioned: true },
  { title: "partition columns with odd names", columns: ODD_PARTITION_NAMES, partitioned: true },
];

describe.each(CASES)("a table written here: $title", ({ columns, partitioned = false, unfit = [] }) => {
  const readers = READERS.filter(({ name }) => !unfit.includes(name));
  const { schema, rows, expected } = testTable(columns);
  const partitionBy = partitioned ? columns.map(({ name }) => name) : [];
  let path: string;

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-")), "table");
    const half = rows.length >> 1;
    await Table.open(path).append(rows.slice(0, half), { schema, partitionBy });
    await Table.open(path).append(rows.slice(half));
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test.each(readers)("is read by $name", async ({ read }) => {
    expect(sortedById(await read(path))).toEqual(expected);
  });

  test.each(readers)("is read at its first version by $name", async ({ read }) => {
    const first = { types: expected.types, rows: expected.rows.slice(0, rows.length >> 1) };
    expect(sortedById(await read(path, 0))).toEqual(first);
  });

  test("its active files are read by DuckDB", async () => {
    const content = sortedById(await readWithDuckDB(path, partitionBy));
    expect(fromFolders(content, expected, partitionBy)).toEqual(withoutNullTexts(expected, partitionBy));
  });

  describe("from its checkpoint alone", () => {
    beforeAll(async () => {
      const { version } = await Table.open(path).checkpoint();
      await removeCommitsBefore(path, version);
    });

    test.each(readers)("is read by $name", async ({ read }) => {
      expect(sortedById(await read(path))).toEqual(expected);
    });
  });
});
