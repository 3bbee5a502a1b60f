import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { spark } from "./engines.js";

// So many that the encoder for large files writes them, with bounds of pages too.
const ROWS = 60_000;
const isNaNAt = (id: number) => id % 1000 === 3;
const NANS = ROWS / 1000;

/** To Spark, NaN is equal to itself and greater than all other numbers. */
const CONDITIONS: readonly (readonly [string, number])[] = [
  ["x = double('NaN')", NANS],
  ["isnan(x)", NANS],
  ["x > 1e300", NANS],
  ["x < 10", 9],
  ["s.y = float('NaN')", NANS],
  ["s.y >= 59999", NANS + 1],
  ["bounded > 59997", 2],
];

describe("NaN in files written here", () => {
  let path: string;

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-nan-")), "table");
    const rows = Array.from({ length: ROWS }, (_, id) => {
      const value = isNaNAt(id) ? Number.NaN : id;
      return { id: BigInt(id), x: value, s: { y: value }, bounded: id };
    });
    await Table.open(path).append(rows as never, {
      schema: { id: "long", x: "double", s: { y: "float" }, bounded: "double" } as never,
    });
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test.each(CONDITIONS)("is found by Spark: %s", async (condition, count) => {
    const text = `select id from delta.\`${path}\` where ${condition}`;
    expect(await (await spark()).request<unknown[]>("sql", { text })).toHaveLength(count);
  });
});
