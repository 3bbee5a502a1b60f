import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type StructField, Table } from "#src/index.js";
import { expectCode } from "../expectCode.js";
import { scratchFolder, write } from "./loadFixture.js";

const field = (name: string, type: StructField["type"], metadata: Record<string, unknown> = {}): StructField => ({
  ...{ name, type, nullable: true, metadata },
});

/** A table with every rule there is. */
async function ruledTable(path: string): Promise<Table> {
  const table = Table.open(path);
  const identity = { "delta.identity.start": 1, "delta.identity.step": 1, "delta.identity.allowExplicitInsert": false };
  await table.create({
    schema: {
      type: "struct",
      fields: [
        field("id", "long", identity),
        field("x", "integer", { "delta.invariants": JSON.stringify({ expression: { expression: "x > 0" } }) }),
        field("s", "string", { CURRENT_DEFAULT: "'none'" }),
        { ...field("y", "integer", { "delta.generationExpression": "CAST(100 DIV (x - 9) AS INT)" }), nullable: false },
      ],
    },
    properties: { "delta.constraints.good": "s <> 'bad'" },
  });
  return table;
}

async function lettersOf(location: string | undefined) {
  const rows = await Table.open(location!).toArray();
  return rows.map(({ code, column, raw }) => [code, column, Buffer.from(raw as Uint8Array).toString()]);
}

// A dead letter may have used up an identity value.
const columnsOf = async (table: Table) => (await table.toArray()).map(({ x, s, y }) => [x, s, y]);

describe("rows that break a rule", () => {
  test("of CSV files become dead letters, in the order of the records", async () => {
    const folder = await scratchFolder();
    const table = await ruledTable(join(folder, "table"));
    const source = await write(join(folder, "in", "a.csv"), "x,s\n1,a\n0,b\n2,\nno,c\n3,bad\n9,e\n10,f\n");
    const result = await table.load(source);
    expect(result).toMatchObject({ rowsRead: 7, rowsLoaded: 2, rowsDead: 5 });
    expect(await columnsOf(table)).toEqual([
      [1, "a", -12],
      [10, "f", 100],
    ]);
    expect(await lettersOf(result.deadLetters)).toEqual([
      ["CONSTRAINT", "x", "0,b"],
      ["CONSTRAINT", null, "2,"],
      ["TYPE", "x", "no,c"],
      ["CONSTRAINT", null, "3,bad"],
      ["CONSTRAINT", null, "9,e"],
    ]);
  });

  test("of JSON lines become dead letters; what a line leaves out is filled", async () => {
    const folder = await scratchFolder();
    const table = await ruledTable(join(folder, "table"));
    const lines = [
      '{"x":1}',
      '{"x":0}',
      '{"x":2,"s":null}',
      '{"x":3,"s":"bad"}',
      '{"x":"no"}',
      '{"x":4,"y":-20,"s":"own"}',
    ];
    const source = await write(join(folder, "in", "a.jsonl"), `${lines.join("\n")}\n{"x":4,"y":7}\n`);
    const result = await table.load(source);
    expect(result).toMatchObject({ rowsRead: 7, rowsLoaded: 2, rowsDead: 5 });
    expect(await columnsOf(table)).toEqual([
      [1, "none", -12],
      [4, "own", -20],
    ]);
    const letters = await lettersOf(result.deadLetters);
    expect(letters.map(([code]) => code)).toEqual(["CONSTRAINT", "CONSTRAINT", "CONSTRAINT", "TYPE", "CONSTRAINT"]);
    expect(letters[0]).toEqual(["CONSTRAINT", "x", lines[1]]);
    expect(letters[4]).toEqual(["CONSTRAINT", "y", '{"x":4,"y":7}']);
  });

  test("of Parquet files become dead letters too, and where keeps its part", async () => {
    const folder = await scratchFolder();
    const table = await ruledTable(join(folder, "table"));
    const other = Table.open(join(folder, "other"));
    const rows = [1, 0, 2, 9, 3].map((x) => ({ x }));
    await other.append(rows, { schema: { x: "integer" } });
    const [file] = await other.files();
    const result = await table.load(join(folder, "other", file!.path), { where: "x <> 2" });
    expect(result).toMatchObject({ rowsRead: 5, rowsLoaded: 2, rowsDead: 2, rowsFiltered: 1 });
    expect(await columnsOf(table)).toEqual([
      [1, "none", -12],
      [3, "none", -16],
    ]);
    expect((await lettersOf(result.deadLetters)).map(([, , raw]) => raw)).toEqual(['{"x":0}', '{"x":9}']);
  });

  test("stop a load that may have no bad records", async () => {
    const folder = await scratchFolder();
    const table = await ruledTable(join(folder, "table"));
    const source = await write(join(folder, "in", "a.csv"), "x\n1\n0\n");
    await expectCode("DELTA_LOAD_TOO_MANY_BAD_RECORDS", () => table.load(source, { deadLetters: false }));
    expect(await table.version()).toBe(0);
  });
});

describe("a load into a table with rules", () => {
  test("goes on with identity values from batch to batch, and takes dead letters again once they are mended", async () => {
    const folder = await scratchFolder();
    const table = await ruledTable(join(folder, "table"));
    const lines = Array.from({ length: 3000 }, (_, i) => `${i + 10},${i % 1000 === 7 ? "bad" : "ok"}`);
    const source = await write(join(folder, "in", "a.csv"), `x,s\n${lines.join("\n")}\n`);
    const result = await table.load(source, { batchBytes: 8000 });
    expect(result.batches).toBeGreaterThan(2);
    expect(result).toMatchObject({ rowsLoaded: 2997, rowsDead: 3 });
    const ids = async () => (await table.toArray({ columns: ["id"] })).map(({ id }) => Number(id));
    expect(new Set(await ids()).size).toBe(2997);
    const mended = [];
    for await (const { id, raw } of table.deadLetters())
      mended.push({ id, raw: Buffer.from(raw).toString().replace("bad", "good") });
    expect(mended).toHaveLength(3);
    expect(await table.retryDeadLetters({ mended })).toMatchObject({ rowsLoaded: 3, rowsDead: 0 });
    expect(new Set(await ids()).size).toBe(3000);
  });

  test("that gets columns in the middle of a batch gives no identity value twice", async () => {
    const folder = await scratchFolder();
    const table = await ruledTable(join(folder, "table"));
    const lines = Array.from({ length: 20_000 }, (_, i) => (i < 19_000 ? `{"x":${i + 10}}` : `{"x":${i + 10},"z":1}`));
    const source = await write(join(folder, "in", "a.jsonl"), `${lines.join("\n")}\n`);
    const result = await table.load(source, { mergeSchema: true });
    expect(result).toMatchObject({ rowsLoaded: 20_000, rowsDead: 0 });
    const ids = (await table.toArray({ columns: ["id"] })).map(({ id }) => Number(id));
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1));
  });
});
