import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RecordBatch, Table, tableToIPC } from "apache-arrow";
import { afterAll, describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { formats } from "#src/load/format/formats.js";
import type { SourceFormat } from "#src/load/source/source.js";
import { fileDuckdb } from "#src/sql/duckdb.js";
import { expectCode } from "../../expectCode.js";
import { collect, schemaOf } from "./collect.js";
import { sourceFile, temporaryFolder } from "./sourceFile.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const own = schemaOf({ id: "long", name: "string" });
const ROWS = 5000;
const rowOf = (id: number) => ({ id: BigInt(id), name: id % 3 === 0 ? null : `n${id}` });

const WRITE: Readonly<Record<"parquet" | "arrow stream" | "arrow file", () => Promise<[SourceFormat, Uint8Array]>>> = {
  parquet: async () => {
    const path = join(folder.path, "written.parquet");
    const db = await fileDuckdb();
    const rows = `SELECT i AS id, CASE WHEN i % 3 <> 0 THEN 'n' || i END AS name FROM range(${ROWS}) t(i)`;
    await db.columns(`COPY (${rows}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
    return ["parquet", readFileSync(path)];
  },
  "arrow stream": async () => ["arrow", tableToIPC(new Table(batches()), "stream")],
  "arrow file": async () => ["arrow", tableToIPC(new Table(batches()), "file")],
};

function batches(): RecordBatch[] {
  const rows = Array.from({ length: ROWS }, (_, id) => rowOf(id));
  return [0, 2000, 2500].map((start, i) => buildBatch(own, rows.slice(start, [2000, 2500, ROWS][i]), start));
}

describe.each(Object.keys(WRITE) as (keyof typeof WRITE)[])("a file of columns (%s)", (kind) => {
  it.each([
    [500, false],
    [3000, true],
    [20_000, true],
    [1 << 20, false],
  ])("comes whole in slices of %i bytes, opened anew: %s", async (sliceBytes, reopens) => {
    const [name, bytes] = await WRITE[kind]();
    const format = await formats[name]();
    const file = sourceFile(join(folder.path, `${sliceBytes}.${name}`), bytes, name);
    const shape = await format.shape(file, {});
    expect(shape.schema).toMatchObject({
      fields: [
        { name: "id", type: "long" },
        { name: "name", type: "string" },
      ],
    });
    const schema = schemaOf({ id: "long", name: "string", other: "double" });
    const { rows, bad } = await collect(format, file, { shape, schema, sliceBytes, reopens });
    expect(bad).toEqual([]);
    expect(rows).toEqual(Array.from({ length: ROWS }, (_, id) => ({ ...rowOf(id), other: null })));
  });

  it("has a bad record for each row that the table can't take", async () => {
    const [name, bytes] = await WRITE[kind]();
    const format = await formats[name]();
    const file = sourceFile(join(folder.path, `bad.${name}`), bytes, name);
    const shape = await format.shape(file, {});
    const schema = schemaOf({ id: "long", name: "string" }, ["name"]);
    const { rows, bad } = await collect(format, file, { shape, schema });
    expect(rows).toHaveLength(3333);
    expect(bad).toHaveLength(1667);
    expect(bad[1]).toMatchObject({ code: "CONSTRAINT", column: "name", record: 3 });
    expect(JSON.parse(Buffer.from(bad[1]!.raw).toString())).toEqual({ id: 3, name: null });
  });

  it("has stored and unpacked bytes, which add up to about the file's and its content's", async () => {
    const [name, bytes] = await WRITE[kind]();
    const format = await formats[name]();
    const file = sourceFile(join(folder.path, `sizes.${name}`), bytes, name);
    const [first, all] = [
      { stored: 0, decoded: 0 },
      { stored: 0, decoded: 0 },
    ];
    await using reader = await format.open(file, undefined, await format.shape(file, {}), {});
    for (let slice = await reader.next(10_000); slice !== undefined; slice = await reader.next(10_000)) {
      all.stored += slice.storedBytes;
      all.decoded += slice.decodedBytes!;
      if (first.decoded === 0) Object.assign(first, all);
    }
    expect(first.decoded).toBeGreaterThan(1000);
    expect(first.decoded).toBeLessThan(11_000);
    expect(all.decoded).toBeGreaterThan(ROWS * 8);
    expect(all.stored / bytes.length).toBeGreaterThan(0.9);
    expect(all.stored / bytes.length).toBeLessThanOrEqual(1.01);
  });

  it("keeps in the column for that what the table doesn't take", async () => {
    const [name, bytes] = await WRITE[kind]();
    const format = await formats[name]();
    const file = sourceFile(join(folder.path, `rescue.${name}`), bytes, name);
    const shape = await format.shape(file, {});
    const schema = schemaOf({ name: "string", rest: "string" });
    const parse = { rescuedDataColumn: "rest" };
    const { rows, bad } = await collect(format, file, { shape, schema, parse, sliceBytes: 20_000 });
    expect(bad).toEqual([]);
    expect(rows).toEqual(Array.from({ length: ROWS }, (_, id) => ({ name: rowOf(id).name, rest: `{"id":${id}}` })));
    const narrow = schemaOf({ id: "boolean", name: "string", rest: "string" });
    const other = await collect(format, file, { shape, schema: narrow, parse });
    expect(other.rows[7]).toEqual({ id: null, name: "n7", rest: '{"id":7}' });
  });

  it("is refused where a column's type can't become the table's", async () => {
    const [name, bytes] = await WRITE[kind]();
    const format = await formats[name]();
    const file = sourceFile(join(folder.path, `mismatch.${name}`), bytes, name);
    const shape = await format.shape(file, {});
    const schema = schemaOf({ id: "boolean", name: "string" });
    await expectCode("DELTA_SCHEMA_MISMATCH", () => collect(format, file, { shape, schema }));
  });
});

it.each(["parquet", "arrow"] as const)("damaged files are told (%s)", async (name) => {
  const format = await formats[name]();
  const file = sourceFile(join(folder.path, `damaged.${name}`), Buffer.from("no such thing at all"), name);
  const code = name === "parquet" ? "DELTA_PARQUET_UNREADABLE" : "DELTA_INPUT_UNREADABLE";
  await expectCode(code, () => format.shape(file, {}));
});

it("an Arrow file is gone on with at the batch it was left in: what comes before isn't read again", async () => {
  const [name, bytes] = await WRITE["arrow file"]();
  const format = await formats[name]();
  const file = sourceFile(join(folder.path, "seek.arrow"), bytes, name);
  const shape = await format.shape(file, {});
  // The first batch's values are gone; its size stays.
  const damaged = bytes.slice();
  damaged.fill(0xff, 700, 10_000);
  const after = sourceFile(join(folder.path, "seek.arrow"), damaged, name);
  await using reader = await format.open(after, { record: 2100, group: 1 }, shape, {});
  const slice = await reader.next(1 << 20);
  expect(slice).toMatchObject({ start: { record: 2100, group: 1 }, recordCount: ROWS - 2100 });
  await using whole = await format.open(after, { record: 5000, group: 2 }, shape, {});
  expect(await whole.next(1 << 20)).toBeUndefined();
});
