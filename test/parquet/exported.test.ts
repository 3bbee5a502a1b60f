import { readdir } from "node:fs/promises";
import { type RecordBatch, tableFromIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { compileWasm, instantiate } from "#src/parquet/codec.js";
import { copyBuffers } from "#src/parquet/exported.js";
import { loadBuffers } from "#src/parquet/loadBuffers.js";
import { fixture, plain } from "./fixtures.js";

const wasm = await instantiate(await compileWasm(1 << 30));
const files = (await readdir(new URL("./fixtures/", import.meta.url))).filter((name) => name.endsWith(".parquet"));

const facts = (batches: readonly RecordBatch[]) =>
  batches.map(({ numRows, schema, data }) => ({
    numRows,
    fields: schema.fields.map((field) => [field.name, String(field), [...field.metadata]]),
    nulls: data.children.map(({ nullCount }) => nullCount),
  }));

describe("copyBuffers", () => {
  it.each(files)("gives the batches of %s that the library's own IPC gives", async (name) => {
    const bytes = await fixture(name.replace(".parquet", ""));
    for (const batchSize of [7, 1000]) {
      const table = wasm.readParquet(bytes, { batchSize });
      const copied = copyBuffers(wasm, table);
      // With views and dictionaries, which Parquet files are never read as without the hint that this one carries.
      if (name === "arrow-types.parquet") return expect(copied).toBeUndefined();
      const expected = tableFromIPC(table.intoIPCStream()).batches.filter(({ numRows }) => numRows > 0);
      const found = loadBuffers(copied!);
      expect(facts(found)).toEqual(facts(expected));
      expect(plain(found)).toEqual(plain(expected));
    }
  });

  it("gives the rows that were asked for", async () => {
    const table = wasm.readParquet(await fixture("pages-v1-lz4-plain"), { batchSize: 1000, offset: 3, limit: 20 });
    const copied = copyBuffers(wasm, table);
    expect(plain(loadBuffers(copied!))).toEqual(plain(tableFromIPC(table.intoIPCStream()).batches));
  });

  it("leaves nothing in the library's memory", async () => {
    const bytes = await fixture("pages-v1-lz4-plain");
    const round = () => {
      const table = wasm.readParquet(bytes, { batchSize: 1000 });
      copyBuffers(wasm, table);
      table.free();
    };
    for (let i = 0; i < 20; i++) round();
    const before = wasm.wasmMemory().buffer.byteLength;
    for (let i = 0; i < 500; i++) round();
    expect(wasm.wasmMemory().buffer.byteLength).toBe(before);
  });
});
