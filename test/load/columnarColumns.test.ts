import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Table as ArrowTable, type RecordBatch, tableToIPC } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { buildBatch } from "#src/arrow/build.js";
import { Table } from "#src/index.js";
import { encodeParquet } from "#src/parquet/write.js";
import type { StructType } from "#src/schema/types.js";
import { range, scratchFolder } from "./loadFixture.js";

const root = await scratchFolder();
const field = (name: string, type: StructType["fields"][number]["type"]) => ({
  name,
  type,
  nullable: true,
  metadata: {},
});
const struct = (...fields: StructType["fields"]): StructType => ({ type: "struct", fields });
const WIDE = struct(
  field("id", "long"),
  field("w", struct(field("x", "long"), field("y", "string"))),
  field("v", "double"),
);
const rows = range(0, 3000).map((id) => ({ id: BigInt(id), w: { x: 1n, y: `y${id}` }, v: id / 2 }));
const batches: RecordBatch[] = [0, 1000, 2000].map((start) => buildBatch(WIDE, rows.slice(start, start + 1000), start));

async function written(kind: string): Promise<string> {
  const path = join(root, `${kind.replace(" ", ".")}.${kind.startsWith("arrow") ? "arrow" : "parquet"}`);
  const bytes =
    kind === "parquet"
      ? (await encodeParquet(batches, { compression: "snappy" })).bytes
      : tableToIPC(new ArrowTable(batches), kind === "arrow file" ? "file" : "stream");
  await writeFile(path, bytes);
  return path;
}

describe.each(["parquet", "arrow file", "arrow stream"])("a source of columns (%s)", (kind) => {
  it("gives a table columns that it lacks, nested ones too, with mergeSchema", async () => {
    const source = await written(kind);
    const table = Table.open(join(root, `${kind}.merge`));
    await table.append([{ id: -1n, w: { x: 0n } }]);
    const result = await table.load(source, { mergeSchema: true });
    expect(result).toMatchObject({ rowsLoaded: 3000, rowsDead: 0 });
    const read = (await table.toArray()).sort((a, b) => Number(a.id) - Number(b.id));
    expect(read.slice(0, 2)).toEqual([
      { id: -1n, w: { x: 0n, y: null }, v: null },
      { id: 0n, w: { x: 1n, y: "y0" }, v: 0 },
    ]);
  });

  it("is cut into batches, whose bytes add up", async () => {
    const source = await written(kind);
    const table = Table.open(join(root, `${kind}.cut`));
    const told: number[] = [];
    const onProgress = ({ bytesRead, isCommitted }: { bytesRead: number; isCommitted: boolean }) =>
      isCommitted && told.push(bytesRead);
    const result = await table.load(source, { batchBytes: 40_000, onProgress });
    expect(result.batches).toBeGreaterThan(2);
    expect(told[0]).toBeGreaterThan(0);
    expect(await table.count()).toBe(3000);
  });
});
