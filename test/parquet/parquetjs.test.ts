import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { readParquet } from "#src/parquet/read.js";
import { encodeParquet } from "#src/parquet/write.js";
import { schemaOf } from "#src/schema/literal.js";
import { localStore } from "#src/storage/local.js";

// parquetjs-lite reads and writes as Parquet's tools did ten years ago: plain and RLE encodings, V1 pages.
const { ParquetReader, ParquetSchema, ParquetWriter } = createRequire(import.meta.url)("parquetjs-lite");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "delta-parquetjs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const schema = schemaOf({ id: "long", name: "string", score: "double", ok: "boolean" });
const rows = Array.from({ length: 5000 }, (_, i) => ({
  id: BigInt(i) - 2500n,
  name: i % 7 === 0 ? null : `name ${i} é`,
  score: i / 3,
  ok: i % 2 === 0,
}));

describe("parquetjs-lite", () => {
  it("writes files that are read here", async () => {
    const file = join(folder, "old.parquet");
    const writer = await ParquetWriter.openFile(
      new ParquetSchema({
        id: { type: "INT64", optional: true },
        name: { type: "UTF8", optional: true, compression: "SNAPPY" },
        score: { type: "DOUBLE", optional: true, compression: "GZIP" },
        ok: { type: "BOOLEAN", optional: true },
      }),
      file,
      { rowGroupSize: 2000 },
    );
    for (const { id, name, score, ok } of rows) {
      await writer.appendRow({ id: Number(id), score, ok, ...(name === null ? {} : { name }) });
    }
    await writer.close();
    const store = localStore(folder);
    const { sizeBytes } = (await store.head("old.parquet"))!;
    const read: unknown[] = [];
    for await (const batch of readParquet(store, { path: "old.parquet", sizeBytes })) {
      read.push(...rowReader(schema)(conformBatch(batch, schema)));
    }
    expect(read).toEqual(rows);
  });

  it("reads files written here, where no column has a dictionary", async () => {
    const distinct = { type: "struct" as const, fields: schema.fields.filter((field) => field.name !== "ok") };
    const input = rows.map(({ id, name, score }) => ({ id, name: name ?? `null ${id}`, score }));
    const { bytes } = await encodeParquet([buildBatch(distinct, input, 0)], { compression: "gzip" });
    const file = join(folder, "new.parquet");
    await writeFile(file, bytes);
    const reader = await ParquetReader.openFile(file);
    const cursor = reader.getCursor();
    const read: unknown[] = [];
    for (let row = await cursor.next(); row !== null; row = await cursor.next()) read.push({ ...row });
    await reader.close();
    expect(read).toEqual(input.map((row) => ({ ...row, id: BigInt(row.id) })));
  });
});
