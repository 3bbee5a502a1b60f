import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as arrow from "apache-arrow";
import { afterAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { encodeParquet } from "#src/parquet/write.js";
import { memoryStore } from "#src/storage/memory.js";
import { storedBatches } from "#src/write/storedBatches.js";
import { binaryColumn, encodeNames, structColumn } from "../arrow/variantBytes.js";
import { temporaryFolder } from "./format/sourceFile.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

async function loaded(name: string, bytes: string | Uint8Array): Promise<Table<{ id: number; v: unknown }>> {
  const path = join(folder.path, name);
  await writeFile(path, bytes);
  const table = Table.open<{ id: number; v: unknown }>(memoryStore());
  await table.create({ schema: { id: "integer", v: "variant" } });
  expect(await table.load(path)).toMatchObject({ rowsDead: 0 });
  return table;
}

/** The bytes of the values by `id`. */
async function bytesOf(table: Table<{ id: number; v: unknown }>): Promise<Record<number, string | null>> {
  const found: Record<number, string | null> = {};
  for await (const batch of table[storedBatches]()) {
    const [id, v] = [batch.getChild("id")!, batch.getChild("v")!];
    for (let i = 0; i < batch.numRows; i++) {
      const value = v.get(i) as { value: Uint8Array } | null;
      found[id.get(i) as number] = value && Buffer.from(value.value).toString("hex");
    }
  }
  return found;
}

describe("variants are loaded", () => {
  test("from JSON lines, with all digits of their numbers", async () => {
    const lines = [
      '{"id":1,"v":12.30}',
      '{"id":2,"v":"text"}',
      '{"id":3,"v":null}',
      '{"id":4,"v":{"b":[1e2,true],"a":7}}',
    ];
    const table = await loaded("rows.jsonl", `${lines.join("\n")}\n`);
    expect(await bytesOf(table)).toEqual({
      1: "2002ce040000",
      2: "1174657874",
      3: null,
      4: "020201000f0011030200090a1c0000000000005940040c07",
    });
  });

  test("from CSV, of JSON", async () => {
    const table = await loaded("rows.csv", 'id,v\n1,12.30\n2,"""text"""\n3,\n4,"{""a"": 7}"\n5,null\n');
    expect(await bytesOf(table)).toEqual({ 1: "2002ce040000", 2: "1174657874", 3: null, 4: "02010000020c07", 5: "00" });
  });

  test("from Parquet and Arrow, as they are", async () => {
    const given = ["1c000000000000f03f", "380000803f", "00"];
    const v = structColumn(
      {
        metadata: binaryColumn(given.map(() => encodeNames([]))),
        value: binaryColumn(given.map((text) => Buffer.from(text, "hex"))),
      },
      given.length,
    );
    const columns = { id: arrow.vectorFromArray([0, 1, 2], new arrow.Int32()).data[0]!, v };
    const fields = Object.entries(columns).map(([name, { type }]) => new arrow.Field(name, type, true));
    const rows = structColumn(columns, 3) as arrow.Data<arrow.Struct>;
    const batch = new arrow.RecordBatch(new arrow.Schema(fields), rows);
    const { bytes } = await encodeParquet([batch]);
    for (const [name, file] of [
      ["rows.parquet", bytes],
      ["rows.arrow", arrow.tableToIPC(new arrow.Table(batch))],
    ] as const) {
      const table = await loaded(name, file);
      expect(await bytesOf(table)).toEqual({ 0: given[0], 1: given[1], 2: given[2] });
    }
  });
});
