import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type LoadOptions, Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";
import { range, scratchFolder, write } from "./loadFixture.js";

const root = await scratchFolder();
let tables = 0;

/** Loads JSON lines into a new table, or one that is there. */
async function load(lines: readonly string[], options: LoadOptions = {}, table = newTable()) {
  const source = await write(join(root, `${tables++}.jsonl`), `${lines.join("\n")}\n`);
  const result = await table.load(source, options);
  const types = Object.fromEntries((await table.schema()).fields.map(({ name, type }) => [name, type]));
  return { table, result, types, rows: await table.toArray() };
}

function newTable(): Table {
  return Table.open(join(root, `table${tables++}`));
}

describe("columns of JSON lines, without a schema, are of the narrowest type that holds every value", () => {
  it.each<[string, string[], unknown, unknown[]]>([
    ["whole numbers", ["1", "-9007199254740993"], "long", [1n, -9007199254740993n]],
    ["numbers with a point", ["1", "2.50", "1e3"], "double", [1, 2.5, 1000]],
    ["large whole numbers beside them", ["9007199254740993", "2.50"], "string", ["9007199254740993", "2.50"]],
    ["whole numbers beyond long", ["1", "9223372036854775808"], "decimal(38,0)", ["1", "9223372036854775808"]],
    ["numbers beyond all types", ["1e400", `${"9".repeat(39)}`], "string", ["1e400", "9".repeat(39)]],
    [
      "numbers and texts",
      ["1.10", '"1.2.3"', "12345678901234567890.0"],
      "string",
      ["1.10", "1.2.3", "12345678901234567890.0"],
    ],
    [
      "all kinds",
      ['"a"', "true", '{"b":[1.0,"x\\n"]}', "[]", "null"],
      "string",
      ["a", "true", '{"b":[1.0,"x\\n"]}', "[]", null],
    ],
    ["nulls only", ["null", "null"], "string", [null, null]],
    ["empty objects", ["{}", "null"], "string", ["{}", null]],
    ["empty arrays", ["[]"], { type: "array", elementType: "string", containsNull: true }, [[]]],
    [
      "arrays of two kinds",
      ["[1.0]", '["x",null]'],
      { type: "array", elementType: "string", containsNull: true },
      [["1.0"], ["x", null]],
    ],
  ])("%s", async (_, values, type, expected) => {
    const { types, rows, result } = await load(values.map((value, id) => `{"id":${id},"v":${value}}`));
    expect(result).toMatchObject({ rowsLoaded: values.length, rowsDead: 0 });
    expect(types.v).toEqual(type);
    rows.sort((a, b) => Number(a.id) - Number(b.id));
    expect(rows.map(({ v }) => (typeof v === "object" && v !== null && !Array.isArray(v) ? String(v) : v))).toEqual(
      expected,
    );
  });

  it("whatever lines that aren't UTF-8 hold: those are bad records", async () => {
    const path = join(root, "latin1.jsonl");
    await writeFile(path, Buffer.from('{"id":1}\n{"id":"M\u00fcller","name":"M\u00fcller"}\n{"id":2}\n', "latin1"));
    const table = newTable();
    expect(await table.load(path)).toMatchObject({ rowsLoaded: 2, rowsDead: 1 });
    expect((await table.schema()).fields.map(({ name, type }) => [name, type])).toEqual([["id", "long"]]);
  });

  it("as texts where they nest deeper than types may", async () => {
    const deep = `${"[".repeat(200)}1${"]".repeat(200)}`;
    const { rows, result } = await load([`{"a":${deep}}`, `{"b":${'{"x":'.repeat(300)}"end"${"}".repeat(300)}}`]);
    expect(result.rowsDead).toBe(0);
    const text = JSON.stringify(rows.map(({ a, b }) => a ?? b));
    expect(text.split("[").length - 1).toBe(201);
    expect(text.split("x").length - 1).toBe(300);
  });

  it("which the first of several files shows, though another one is looked at for longer", async () => {
    const folder = join(root, String(tables++));
    await write(join(folder, "a.jsonl"), '{"id":1,"text":"first"}\n');
    const many = range(0, 15_000).map((id) => `{"id":${id},"text":"some words that take room"}`);
    await write(join(folder, "b.jsonl"), `${many.join("\n")}\n{"id":-1,"none":[]}\n`);
    const table = newTable();
    expect(await table.load(folder, { mergeSchema: true })).toMatchObject({ rowsLoaded: 15_001, rowsDead: 1 });
    expect((await table.schema()).fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "id long",
      "text string",
    ]);
  });

  it("and what doesn't fit later is a bad record", async () => {
    const many = range(0, 120_000).map((id) => `{"id":${id},"v":${id},"text":"some words that take room"}`);
    const { table, types, result } = await load([
      ...many,
      '{"id":-1,"v":"x"}',
      '{"id":-2,"v":1.5}',
      '{"id":-3,"new":1}',
    ]);
    expect(types).toEqual({ id: "long", v: "long", text: "string" });
    expect(result).toMatchObject({ rowsLoaded: 120_000, rowsDead: 3 });
    const letters = await Table.open(join(table.url, "_dead_letters")).toArray({ columns: ["code", "column"] });
    expect(letters.map(({ code, column }) => `${code} ${column}`)).toEqual(["TYPE v", "TYPE v", "UNKNOWN_COLUMN new"]);
  });
});

describe("columns that come later in JSON lines", () => {
  const SCHEMA = { id: "long", text: "string" } as const;
  /** The first file shows none of the columns to come, nor does the beginning of the second. */
  async function loadTwo(lines: readonly string[], options: LoadOptions) {
    const table = newTable();
    await load(['{"id":-9,"text":"first"}'], { ...options, job: "two" }, table);
    return load(lines, { ...options, job: "two" }, table);
  }
  const plain = (from: number, to: number) =>
    range(from, to).map((id) => `{"id":${id},"text":"${"words ".repeat(20)}"}`);
  const late = ['{"id":-1,"v":1}', '{"id":-2,"v":1.5,"w":{"x":true}}', '{"id":-3,"w":{"y":null,"z":"z"}}'];

  it.each<[string, number]>([
    ["in one batch", 2 ** 27],
    ["in many", 100_000],
  ])("are added with mergeSchema, behind the sample that is looked at first: %s", async (_, batchBytes) => {
    const { rows, types, result } = await loadTwo([...plain(0, 5000), ...late, ...plain(5000, 6000)], {
      schema: SCHEMA,
      mergeSchema: true,
      batchBytes,
    });
    expect(result).toMatchObject({ rowsLoaded: 6003, rowsDead: 0 });
    expect(Object.keys(types)).toEqual(["id", "text", "v", "w"]);
    expect(types.v).toBe("double");
    rows.sort((a, b) => Number(a.id) - Number(b.id));
    expect(rows.slice(1, 4)).toEqual([
      { id: -3n, text: null, v: null, w: { x: null, z: "z" } },
      { id: -2n, text: null, v: 1.5, w: { x: true, z: null } },
      { id: -1n, text: null, v: 1, w: null },
    ]);
    expect(rows[5001]).toMatchObject({ id: 4997n, v: null, w: null });
  });

  it("go to the column for that, or are bad records; nulls are nothing to lose", async () => {
    const lines = [...plain(0, 5000), ...late, '{"id":-4,"u":null}'];
    const { result, rows } = await loadTwo(lines, { schema: SCHEMA });
    expect(result).toMatchObject({ rowsLoaded: 5001, rowsDead: 3 });
    expect(rows.some(({ id }) => id === -4n)).toBe(true);
    const rescued = await loadTwo(lines, { schema: SCHEMA, rescuedDataColumn: "rest" });
    expect(rescued.result).toMatchObject({ rowsLoaded: 5004, rowsDead: 0 });
    const rests = rescued.rows.filter(({ rest }) => rest !== null).map(({ id, rest }) => `${id} ${rest}`);
    expect(rests.sort()).toEqual(['-1 {"v":1}', '-2 {"v":1.5,"w":{"x":true}}', '-3 {"w":{"y":null,"z":"z"}}']);
  });

  it("are added with those that fit nothing rescued, where both are asked for", async () => {
    const lines = [...plain(0, 5000), ...late, '{"id":"no","v":2}'];
    const { rows, result } = await loadTwo(lines, { schema: SCHEMA, mergeSchema: true, rescuedDataColumn: "rest" });
    expect(result).toMatchObject({ rowsLoaded: 5004, rowsDead: 0 });
    expect(rows.find(({ rest }) => rest !== null)).toMatchObject({ id: null, v: 2, rest: '{"id":"no"}' });
  });

  it("at the beginning of a file are told before it is read; those with only nulls are none", async () => {
    const table = newTable();
    await table.append([{ id: 1n }]);
    expect((await load(['{"id":2,"u":null}'], {}, table)).types).toEqual({ id: "long" });
    const { data } = await expectCode("DELTA_SCHEMA_MISMATCH", () => load(['{"id":3,"v":1}'], {}, table));
    expect(data.columns).toEqual(["v"]);
    expect(await table.count()).toBe(2);
  });
});
