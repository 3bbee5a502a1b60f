import { link, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sql, Table } from "#src/index.js";
import type { AddFile } from "#src/log/actions.js";
import { parseCommit, serializeCommit } from "#src/log/commitFile.js";
import { commitPath } from "#src/log/names.js";
import { readFooter } from "#src/parquet/footer.js";
import { localStore } from "#src/storage/local.js";
import type { Canonical } from "./canonical.js";
import { here, READERS, removeCommitsBefore, sortedById, spark } from "./engines.js";
import { PRIMITIVES, type Value } from "./values.js";

type Rows = ReadonlyMap<number, Record<string, Canonical>>;

const ROWS = 400;
/** Of bytes that don't compress: files become so large that DuckDB copies their rows. */
const FILLER_BYTES = 12_000;

const COLUMNS = [
  ...PRIMITIVES,
  { name: "old", type: "timestamp", values: PRIMITIVES.find(({ name }) => name === "timestamp")!.values },
] as const;
const SCHEMA = Object.fromEntries([
  ["id", "long"],
  ...COLUMNS.map(({ name, type }) => [name, type]),
  ["filler", "binary"],
]) as Record<string, "long">;

let seed = 1;
function noise(): Uint8Array {
  const bytes = new Uint8Array(FILLER_BYTES);
  for (let i = 0; i < bytes.length; i++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[i] = seed >> 16;
  }
  return bytes;
}

const NULL: Value = [null, null];

/** A row as it is appended, and as every engine must give it: each column's values in turn, and null. */
function row(id: number): [Record<string, unknown>, Record<string, Canonical>] {
  const filler = noise();
  const pairs: [string, Value][] = [
    ["id", [BigInt(id), `int:${id}`]],
    ...COLUMNS.map(({ name, values }): [string, Value] => [name, [...values, NULL][id % (values.length + 1)]!]),
    ["filler", [filler, `binary:${Buffer.from(filler).toString("hex")}`]],
  ];
  return [
    Object.fromEntries(pairs.map(([name, [written]]) => [name, written])),
    Object.fromEntries(pairs.map(([name, [, expected]]) => [name, expected])),
  ];
}

interface Step {
  readonly name: string;
  readonly change: (table: Table) => Promise<{ readonly version: number }>;
  readonly leaves: (before: Rows) => Rows;
}

const changed = (rows: Rows, isChanged: (id: number) => boolean, more: Record<string, Canonical>): Rows =>
  new Map([...rows].map(([id, before]) => [id, isChanged(id) ? { ...before, ...more } : before]));
const without = (rows: Rows, isGone: (id: number) => boolean): Rows => new Map([...rows].filter(([id]) => !isGone(id)));

const STEPS: readonly Step[] = [
  {
    name: "a delete",
    change: (table) => table.delete("id % 10 = 3"),
    leaves: (rows) => without(rows, (id) => id % 10 === 3),
  },
  {
    name: "an update",
    change: (table) => table.update({ set: { string: "updated", integer: sql`7` }, where: "id % 10 = 4" } as never),
    leaves: (rows) => changed(rows, (id) => id % 10 === 4, { string: "string:updated", integer: "int:7" }),
  },
  {
    name: "an update of some columns",
    change: (table) =>
      table.update({ set: { string: sql`'again'`, date: sql`NULL`, integer: sql`id` }, where: "id % 10 = 6" } as never),
    leaves: (rows) =>
      new Map(
        [...rows].map(([id, before]) =>
          id % 10 === 6 ? [id, { ...before, string: "string:again", date: null, integer: `int:${id}` }] : [id, before],
        ),
      ),
  },
  {
    name: "a merge",
    change: (table) =>
      table.merge([{ id: 5n }, { id: BigInt(ROWS + 6) }, { id: BigInt(ROWS + 7) }] as never, {
        on: ["id"],
        whenMatched: [{ where: "target.id = 5", delete: true }, { update: { string: "merged" } as never }],
      }),
    leaves: (rows) =>
      changed(
        without(rows, (id) => id === 5),
        (id) => id === ROWS + 6 || id === ROWS + 7,
        { string: "string:merged" },
      ),
  },
  { name: "an optimize", change: (table) => table.optimize({ purge: true } as never), leaves: (rows) => rows },
];

async function addsOf(path: string, version: number): Promise<AddFile[]> {
  const bytes = new Uint8Array(await readFile(join(path, commitPath(version))));
  return parseCommit(version, bytes).flatMap((action) => ("add" in action && action.add ? [action.add] : []));
}

const FORMS = [
  {
    name: "without deletion vectors",
    properties: {} as Record<string, string>,
    copying: ["a delete", "an update", "a merge", "an optimize"],
  },
  {
    name: "with deletion vectors",
    properties: { "delta.enableDeletionVectors": "true" },
    copying: ["an optimize"],
  },
] as const;

describe.each(FORMS)("large files changed here, $name", ({ properties, copying }) => {
  let path: string;
  const versions: { readonly step: Step; readonly version: number; readonly rows: Rows }[] = [];

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-large-")), "table");
    const table = Table.open(path);
    await table.create({ schema: SCHEMA, properties });
    let rows: Rows = new Map();
    for (const first of [0, ROWS]) {
      const some = Array.from({ length: ROWS }, (_, i) => row(first + i));
      await table.append(some.map(([written]) => written) as never);
      rows = new Map([...rows, ...some.map(([, expected], i) => [first + i, expected] as const)]);
    }
    for (const step of STEPS) {
      const { version } = await step.change(Table.open(path));
      rows = step.leaves(rows);
      versions.push({ step, version, rows });
    }
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("have rows that DuckDB copied", async () => {
    for (const { step, version } of versions) {
      if (!(copying as readonly string[]).includes(step.name)) continue;
      const footers = await Promise.all(
        (await addsOf(path, version)).map((add) =>
          readFooter(localStore(path), { path: add.path, sizeBytes: add.size }),
        ),
      );
      expect(
        footers.some(({ createdBy }) => createdBy?.startsWith("DuckDB")),
        step.name,
      ).toBe(true);
    }
  });

  // pyarrow's own reader doesn't know deletion vectors.
  const readers = READERS.filter(({ name }) => Object.keys(properties).length === 0 || !name.includes("pyarrow"));

  test.each(readers)("are read by $name", async ({ read }) => {
    for (const { step, version, rows } of versions) {
      const found = sortedById(await read(path, version)).rows;
      const expected = [...rows].sort(([a], [b]) => a - b).map(([, expected]) => expected);
      expect(found.length, step.name).toBe(expected.length);
      // To print a difference of whole tables would take minutes.
      const different = expected.flatMap((each, i) =>
        Object.keys(each).flatMap((column) =>
          isDeepStrictEqual(found[i]![column], each[column])
            ? []
            : [`${i} ${column}: ${String(found[i]![column]).slice(0, 50)} for ${String(each[column]).slice(0, 50)}`],
        ),
      );
      expect(different.slice(0, 20), step.name).toEqual([]);
    }
  });

  test("have statistics by which Spark finds its rows, and are right in themselves", async () => {
    const count = async (where: string) => {
      const text = `select count(*) n from delta.\`${path}\` where ${where}`;
      const [found] = await (await spark()).request<{ n: number }[]>("sql", { text });
      return found!.n;
    };
    const { rows } = versions.at(-1)!;
    const having = (column: string, value: Canonical) =>
      [...rows.values()].filter((found) => found[column] === value).length;
    expect(await count("old = timestamp'0001-01-01 00:00:00'")).toBe(
      having("old", "timestamp:0001-01-01T00:00:00.000000"),
    );
    expect(await count("date = date'9999-12-31'")).toBe(having("date", "date:9999-12-31"));
    expect(await count("decimal_38_0 = 0")).toBe(having("decimal_38_0", "decimal:0"));
    expect(await count("string is null")).toBe(having("string", null));
    expect((await Table.open(path).verify()).findings).toEqual([]);
  });
});

const FILES = 8_300;

const CHECKPOINTS: readonly { readonly name: string; readonly properties: Readonly<Record<string, string>> }[] = [
  { name: "with statistics as text", properties: {} },
  { name: "with statistics as structs", properties: { "delta.checkpoint.writeStatsAsStruct": "true" } },
];

describe.each(CHECKPOINTS)("a checkpoint that takes over most of the one before, $name", ({ properties }) => {
  let path: string;
  let version: number;

  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), "interop-reuse-")), "table");
    const table = Table.open(path);
    await table.create({
      schema: { id: "long", part: "integer", text: "string" },
      partitionBy: ["part"],
      properties: { ...properties, "delta.checkpointInterval": "1000" },
    });
    await table.append([{ id: 1n, part: 1, text: "one" }] as never);
    const [add] = await addsOf(path, 1);
    const [folder] = [add!.path.split("/")[0]!];
    const adds = Array.from({ length: FILES }, (_, n) => ({
      add: { ...add!, path: `${folder}/${n}.parquet`, partitionValues: { part: n % 7 === 0 ? null : String(n % 7) } },
    }));
    for (const { add: linked } of adds) await link(join(path, add!.path), join(path, linked.path));
    await localStore(path).put(commitPath(2), serializeCommit(adds));
    await Table.open(path).checkpoint();
    const later = Table.open(path);
    await later.append([{ id: 2n, part: 1, text: "two" }] as never);
    await later.append([{ id: 3n, part: null, text: "three" }] as never);
    await later.delete({ id: 2n } as never);
    ({ version } = await later.checkpoint());
  });
  afterAll(() => rm(join(path, ".."), { recursive: true, force: true }));

  test("is read by Spark, and the table is gone on with there", async () => {
    const names = (await readdir(join(path, "_delta_log"))).filter((name) => name.endsWith(".checkpoint.parquet"));
    const newest = `_delta_log/${names.sort().at(-1)!}`;
    const store = localStore(path);
    const { rowGroups } = await readFooter(store, { path: newest, sizeBytes: (await store.head(newest))!.sizeBytes });
    expect(rowGroups.map(({ rowCount }) => rowCount)[0]).toBe(FILES + 1);
    expect(rowGroups).toHaveLength(2);
    await removeCommitsBefore(path, version);
    const request = async <T>(text: string) =>
      (await spark()).request<T[]>("sql", { text: text.replaceAll("TABLE", `delta.\`${path}\``) });
    const [detail] = await request<{ numFiles: number }>("describe detail TABLE");
    expect(detail!.numFiles).toBe(FILES + 2);
    const counted = "select count(*) n, count(part) parts, sum(id) ids from TABLE";
    const [counts] = await request<{ n: number; parts: number; ids: number }>(counted);
    expect(counts).toEqual({ n: FILES + 2, parts: FILES + 1 - Math.ceil(FILES / 7), ids: FILES + 1 + 3 });
    await request("delete from TABLE where part = 3");
    const after = await Table.open(path).count();
    expect(after).toBe(FILES + 2 - Array.from({ length: FILES }, (_, n) => n % 7).filter((part) => part === 3).length);
  });

  test("is read by delta-rs and here", async () => {
    const [rs] = READERS.filter(({ name }) => name === "delta-rs");
    const texts = (rows: readonly Record<string, Canonical>[]) =>
      rows.map((found) => JSON.stringify(Object.entries(found).sort())).sort();
    const own = texts((await here.read(path, version)).rows);
    expect(own).toHaveLength(FILES + 2);
    expect(isDeepStrictEqual(texts((await rs!.read(path, version)).rows), own)).toBe(true);
  });
});
