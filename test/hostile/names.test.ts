import { afterAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { nearestName } from "#src/schema/columns.js";
import { expectCode } from "../expectCode.js";
import { freshLocation, metaData, schemaString, tableOf } from "./tables.js";

const NAMES = [
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "length",
    "hasOwnProperty",
    "valueOf",
    "then",
    "__defineGetter__",
  ],
  ...[
    ".",
    "a.b",
    "a/b",
    "../x",
    "a%2Fb",
    "a\\b",
    'a"b',
    "a'b",
    "a`b",
    "$1",
    "0",
    "null",
    "path",
    "partitionValues",
    "t",
  ],
  ...["a\u2028b", "\u{1f600}", "a\u001b[31mb", "x".repeat(10_000)],
];

afterAll(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

/** Own properties, whatever their names. */
const row = (name: string, value: unknown, more: object = {}) =>
  Object.fromEntries([[name, value], ...Object.entries(more)]);

describe.each(NAMES)("a column %.20j", (name) => {
  test("is written, read, asked for and checkpointed like any other", async () => {
    const table = Table.open(freshLocation());
    await table.append([row(name, 1n, { other: "x" }), row(name, 2n, { other: "y" })]);
    await table.checkpoint();
    const rows = await table.scan().toArray();
    for (const [i, read] of rows.entries()) {
      expect(Object.getOwnPropertyDescriptor(read, name)?.value).toBe(BigInt(i + 1));
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    }
    expect(await table.scan({ columns: [name] }).toArray()).toHaveLength(2);
    expect(await table.scan({ where: row(name, { gt: 1n }) as never }).count()).toBe(1);
  });

  test("is a field, a key of a map and a partition", async () => {
    const nested = Table.open(freshLocation());
    await nested.append([{ s: row(name, 1n), m: new Map([[name, 1n]]), a: [row(name, 2n)] }]);
    const [{ s, m, a }] = (await nested.scan().toArray()) as [{ s: object; m: Map<string, bigint>; a: object[] }];
    expect(Object.getOwnPropertyDescriptor(s, name)?.value).toBe(1n);
    expect(Object.getOwnPropertyDescriptor(a[0], name)?.value).toBe(2n);
    expect([...m]).toEqual([[name, 1n]]);

    const parted = Table.open(freshLocation());
    await parted.append([row(name, 1n, { v: 1n }), row(name, 2n, { v: 2n })], { partitionBy: [name] });
    const files = await parted.files();
    expect(files.map(({ partitionValues }) => Object.entries(partitionValues))).toEqual([[[name, "1"]], [[name, "2"]]]);
    expect(await parted.scan({ where: row(name, 2n) as never }).toArray()).toHaveLength(1);
  });
});

test.each(["", "a b", "a,b", "a;b", "a=b", "a\nb", "a\tb", "a\0b", "\ufeffa"])(
  "a new column %j is refused",
  async (name) => {
    await expectCode("DELTA_INVALID_SCHEMA", () => Table.open(freshLocation()).append([row(name, 1n, { other: 1n })]));
  },
);

test("keys that every object has are nothing special in properties, tags and statistics", async () => {
  const entries = '{"__proto__":"x","constructor":"y","toString":"z"}';
  const meta = metaData().replace('"configuration":{}', `"configuration":${entries}`);
  const add = `{"add":{"path":"a","size":1,"partitionValues":${entries},"tags":${entries},"stats":"{\\"numRecords\\":1,\\"minValues\\":{\\"__proto__\\":{\\"id\\":9}}}","dataChange":true,"modificationTime":1}}`;
  const table = Table.open(
    await tableOf(meta, add, `{"commitInfo":{"operationMetrics":${entries},"operationParameters":${entries}}}`),
  );
  expect(Object.entries((await table.detail()).properties)).toEqual(Object.entries(JSON.parse(entries)));
  const [file] = await table.files();
  expect(Object.entries(file!.partitionValues)).toEqual(Object.entries(JSON.parse(entries)));
  const [entry] = await table.history();
  expect(Object.entries(entry!.operationMetrics)).toEqual(Object.entries(JSON.parse(entries)));
  expect(await table.count()).toBe(1);
});

test("a mistyped name is looked for among 100,000 of 10,000 characters only where that can pay", async () => {
  const long = "y".repeat(10_000);
  const names = Array.from({ length: 100_000 }, (_, i) => (i === 5 ? "Identifier" : long));
  expect(nearestName("identifer", names)).toBe("Identifier");
  expect(nearestName("x".repeat(10_000), names)).toBeUndefined();
  const table = Table.open(await tableOf(metaData({ schemaString: schemaString([long, "long"], ["id", "long"]) })));
  const error = await expectCode("DELTA_INVALID_ARGUMENT", () => table.scan({ columns: ["zz"] as never }).count());
  expect(error.message.length).toBeLessThan(10_100);
});
