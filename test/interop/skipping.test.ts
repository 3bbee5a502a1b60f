import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLong } from "../form.js";
import { spark } from "./engines.js";
import { digitsIn, digitsOf, makePlain, makeWidened, makeWithVectors, plannedHere } from "./skippedFiles.js";
import { type Expected, PLAIN, VECTORS, WIDENED } from "./skippedFilesExpected.js";

const TABLES = [
  { name: "partitioned", make: makePlain, table: PLAIN },
  { name: "of mapped columns, with deletion vectors", make: makeWithVectors, table: VECTORS },
  { name: "whose types were widened", make: makeWidened, table: WIDENED },
];

interface Scanned {
  readonly planned: readonly string[];
  readonly having: readonly string[];
}

/** Of the long table each second one: planning takes Spark most of a second on a busy machine. */
const inShort = (table: readonly Expected[]) =>
  isLong || table.length < 50 ? table : table.filter(({ spark }, i) => spark !== undefined || i % 2 === 0);

describe.each(TABLES)("files that a condition rules out here and in Spark: a table $name", ({ make, table }) => {
  let path: string;
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-skipping-")), "table");
    await make(path);
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("[R-STAT-2] [R-STAT-4] [R-TW-2] [R-DV-7] are as expected, and never one that has such a row", async () => {
    const expected = inShort(table);
    const digits = await digitsOf(path);
    const conditions = expected.map(({ where }) => where);
    const found = await (await spark()).request<Scanned[]>("scanned", { path, conditions });
    const planned = await plannedHere(
      path,
      expected.map(({ where, here = where }) => here),
    );
    const missed = expected.flatMap(({ where }, i) => {
      const read = digitsIn(digits, planned[i]!);
      const lost = [...digitsIn(digits, found[i]!.having)].filter((digit) => !read.includes(digit));
      return lost.length === 0 ? [] : [{ where, lost }];
    });
    expect(missed).toEqual([]);
    const seen = expected.map(({ where }, i) => {
      const [ours, theirs] = [digitsIn(digits, planned[i]!), digitsIn(digits, found[i]!.planned)];
      return { where, ours, spark: theirs };
    });
    expect(seen).toEqual(expected.map(({ where, ours, spark = ours }) => ({ where, ours, spark })));
  });

  test("are Spark's at least, but for a reason", () => {
    const more = table.filter(({ ours, spark = ours }) => [...ours].some((digit) => !spark.includes(digit)));
    expect(more.filter(({ why }) => why === undefined)).toEqual([]);
    expect(table.filter((one) => one.why !== undefined && !more.includes(one))).toEqual([]);
  });
});
