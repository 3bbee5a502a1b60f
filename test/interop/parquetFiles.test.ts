import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { conformBatch } from "#src/arrow/conform.js";
import { rowReader } from "#src/arrow/rows.js";
import { fromArrowSchema } from "#src/arrow/schema.js";
import { readFooter } from "#src/parquet/footer.js";
import { readParquet } from "#src/parquet/read.js";
import { localStore } from "#src/storage/local.js";
import { expectCode } from "../expectCode.js";
import { type Content, canonicalRow } from "./canonical.js";
import { python } from "./engines.js";

interface Written {
  readonly name: string;
  readonly file: string;
  readonly rows: Content["rows"];
}

let folder: string;
let written: readonly Written[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parquet-"));
  written = await (await python()).request<Written[]>("parquet_files", { folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("every value of every file is read as pyarrow reads it [R-PQ-1] [R-PQ-2] [R-PQ-4] [R-PQ-5]", async () => {
  const store = localStore(folder);
  expect(written.length).toBeGreaterThan(30);
  for (const { name, file, rows } of written) {
    const { sizeBytes } = (await store.head(file))!;
    // As a whole, and cut at the borders of pages.
    for (const pieceBytes of [undefined, 512]) {
      const read: Content["rows"][number][] = [];
      for await (const batch of readParquet(store, { path: file, sizeBytes }, { pieceBytes })) {
        const schema = fromArrowSchema(batch.schema);
        read.push(...rowReader(schema)(conformBatch(batch, schema)).map((row) => canonicalRow(row, schema)));
      }
      expect(name === "int96" ? asInstants(read) : read, name).toEqual(name === "int96" ? asInstants(rows) : rows);
    }
  }
});

/** INT96 is an instant, which pyarrow gives as a time without a zone. */
function asInstants(rows: Content["rows"]): unknown {
  return JSON.parse(JSON.stringify(rows).replaceAll('"ntz:', '"timestamp:'));
}

test("encrypted files are refused", async () => {
  const files = await (await python()).request<string[]>("encrypted_files", { folder });
  const store = localStore(folder);
  expect(files).toHaveLength(2);
  for (const path of files) {
    const { sizeBytes } = (await store.head(path))!;
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => readFooter(store, { path, sizeBytes }));
    expect(error.data.path).toBe(path);
  }
});
