import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { peerAppend, spark, WRITERS } from "./engines.js";
import { type Column, NESTED, ODD_NAMES, PRIMITIVES, testTable } from "./values.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "interop-statistics-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const TEXTS = [
  ...["a".repeat(31), "a".repeat(32), "a".repeat(33), "é".repeat(33), "x".repeat(5000), `${"a".repeat(31)}\u007fb`],
  ...["🎈".repeat(20), "🎈".repeat(40), `${"a".repeat(31)}🎈b`, "\uffff".repeat(40), "\ud7ff".repeat(40)],
  ...["\u{10ffff}".repeat(40), `${"a".repeat(31)}\u{10ffff}b`, `${"\u{10ffff}".repeat(31)}az`],
];

const alone = ({ name, type, values }: Column): Column[] =>
  values.map((value, i) => ({ name: `${name}_${i}`, type, values: [value] }));

interface Form {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly properties?: Readonly<Record<string, string>>;
}

const FORMS: readonly Form[] = [
  { name: "all types", columns: PRIMITIVES },
  {
    name: "each value alone",
    columns: PRIMITIVES.flatMap(alone),
    properties: { "delta.dataSkippingNumIndexedCols": "-1" },
  },
  { name: "nested columns", columns: NESTED },
  { name: "odd names", columns: ODD_NAMES },
  {
    name: "long texts",
    columns: TEXTS.map((text, i) => ({ name: `text_${i}`, type: "string", values: [[text, `string:${text}`]] })),
  },
  { name: "the first columns only", columns: PRIMITIVES, properties: { "delta.dataSkippingNumIndexedCols": "3" } },
  {
    name: "some columns only",
    columns: PRIMITIVES,
    properties: { "delta.dataSkippingStatsColumns": "long,date,string" },
  },
  { name: "mapped columns", columns: PRIMITIVES, properties: { "delta.columnMapping.mode": "name" } },
  { name: "deletion vectors", columns: PRIMITIVES, properties: { "delta.enableDeletionVectors": "true" } },
];

interface Unlike {
  readonly path: string;
  readonly here: unknown;
  readonly spark: unknown;
}

/** A zone or none: the difference of two is the same. */
const millis = (value: unknown) => Date.parse(String(value).replace(/Z?$/, "Z"));
const isMax = ({ path }: Unlike) => path.startsWith("maxValues.");

/** What Spark writes otherwise, and why it is left so. */
const DIFFERENCES: readonly { readonly why: string; readonly is: (unlike: Unlike) => boolean }[] = [
  {
    why: "NaN and infinities are no numbers of JSON: a bound that would be one is left out, which every reader understands",
    is: ({ here, spark }) => here === undefined && /^(NaN|-?Infinity)$/.test(String(spark)),
  },
  {
    why: "the greatest time is rounded up to a millisecond: rounded down as there, it is no bound to a reader that adds none",
    is: (unlike) => isMax(unlike) && millis(unlike.here) - millis(unlike.spark) === 1,
  },
  {
    why: "the last microseconds of the year 9999 can't be rounded up",
    is: (unlike) =>
      isMax(unlike) && unlike.here === undefined && String(unlike.spark).startsWith("9999-12-31T23:59:59.999"),
  },
  {
    why: "a float is written as the number that it is, not as the shortest one that is read as it",
    is: ({ here, spark }) => typeof here === "number" && here !== spark && here === Math.fround(Number(spark)),
  },
  {
    why: "texts are cut behind 32 characters, not 32 halves of some; one that can't be raised stays whole",
    is: (unlike) =>
      /^m..Values\.text_/.test(unlike.path) &&
      String(unlike.here).length > 20 &&
      (unlike.spark === undefined || String(unlike.here).length > String(unlike.spark).length),
  },
  {
    why: "bounds that nothing is said of are tight",
    is: ({ path, here, spark }) => path === "tightBounds" && here === undefined && spark === true,
  },
];

function* unlikeIn(here: unknown, spark: unknown, path: readonly string[] = []): Generator<Unlike> {
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  if (isObject(here) && isObject(spark)) {
    for (const key of new Set([...Object.keys(here), ...Object.keys(spark)])) {
      yield* unlikeIn(here[key], spark[key], [...path, key]);
    }
  } else if (here !== spark) yield { path: path.join("."), here, spark };
}

async function newestStatistics(path: string): Promise<unknown> {
  const table = Table.open(path);
  const files = await table.files();
  expect(files).toHaveLength(1);
  return JSON.parse(files[0]!.stats!);
}

const seen = new Set<string>();

test.each(FORMS)(
  "statistics written here are Spark's, but for what is listed: $name",
  async ({ name, columns, properties = {} }) => {
    const source = testTable(columns);
    const [own, twin] = [join(folder, name, "here"), join(folder, name, "spark")];
    const table = Table.open(own);
    await table.create({ schema: source.schema, properties });
    // Physical names are the same so.
    await table.clone(twin);
    await table.append(source.rows);
    await peerAppend(WRITERS.find((writer) => writer.name === "Spark")!, twin, source);
    const compare = async () => {
      const left: Unlike[] = [];
      for (const unlike of unlikeIn(await newestStatistics(own), await newestStatistics(twin))) {
        const difference = DIFFERENCES.find(({ is }) => is(unlike));
        if (difference === undefined) left.push(unlike);
        else seen.add(difference.why);
      }
      expect(left).toEqual([]);
    };
    await compare();
    if (!("delta.enableDeletionVectors" in properties)) return;
    await table.delete({ id: 2n });
    await (await spark()).request("sql", { text: `delete from delta.\`${twin}\` where id = 2` });
    expect(await newestStatistics(own)).toMatchObject({ tightBounds: false });
    await compare();
  },
);

test("each difference that is listed is there", () => {
  expect(DIFFERENCES.map(({ why }) => why).filter((why) => !seen.has(why))).toEqual([]);
});
