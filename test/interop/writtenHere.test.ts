import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import type { Canonical, Content } from "./canonical.js";
import { READERS, readWithDuckDB, removeCommitsBefore, sortedById } from "./engines.js";
import {
  type Column,
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
  {
    title: "partitions of every type",
    columns: PARTITION_TYPES,
    partitioned: true,
    // It turns the partition value "-1.50" into "-1.-50", in tables of Spark's too.
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
    expect(fromFolderTexts(content, expected.types, partitionBy)).toEqual(expected);
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

/** The content with its partition columns read from the folders' texts, in the types that they were written with. */
function fromFolderTexts({ types, rows }: Content, wanted: Content["types"], partitions: readonly string[]): Content {
  const read = (row: Content["rows"][number]) =>
    partitions.map((name) => [name, fromFolderText(row[name] ?? null, wanted[name] ?? "")]);
  expect(partitions.map((name) => types[name])).toEqual(partitions.map(() => "string"));
  return {
    types: { ...types, ...Object.fromEntries(partitions.map((name) => [name, wanted[name] ?? ""])) },
    rows: rows.map((row) => ({ ...row, ...Object.fromEntries(read(row)) })),
  };
}

function fromFolderText(value: Canonical, type: string): Canonical {
  if (typeof value !== "string") return value;
  const text = value.slice("string:".length);
  if (type === "string") return value;
  if (type === "boolean") return text === "true";
  if (type === "float" || type === "double") return Number(text);
  if (type === "date") return `date:${text}`;
  if (type.startsWith("decimal")) return `decimal:${text}`;
  if (!type.startsWith("timestamp")) return `int:${text}`;
  const [, day, time, fraction = ""] = /^(.{10})[T ](.{8})(?:\.(\d+))?Z?$/.exec(text) ?? [];
  return `${type === "timestamp" ? "timestamp" : "ntz"}:${day}T${time}.${fraction.padEnd(6, "0")}`;
}
