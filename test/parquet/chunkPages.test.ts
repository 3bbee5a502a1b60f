import { describe, expect, it } from "vitest";
import { ChunkPages, type PageRun } from "#src/parquet/chunkPages.js";
import { readPageHeader } from "#src/parquet/pageHeader.js";
import { ThriftWriter } from "#src/parquet/thriftWriter.js";

interface PageSpec {
  readonly type?: number;
  readonly rows?: number;
  readonly body?: number;
  readonly claims?: number;
  /** Length of a statistic in the header. */
  readonly statistics?: number;
}

function page({ type = 0, rows = 10, body = 20, claims = body, statistics = 0 }: PageSpec): Uint8Array {
  const out = new ThriftWriter();
  out.struct(() => {
    out.i32Field(1, type);
    out.i32Field(2, body * 2);
    out.i32Field(3, claims);
    if (type === 0 || type === 3) {
      out.structField(type === 0 ? 5 : 8, () => {
        out.i32Field(1, rows);
        if (statistics > 0) out.structField(5, () => out.stringField(1, "x".repeat(statistics)));
      });
    }
  });
  return Buffer.concat([out.finish(), new Uint8Array(body).fill(rows)]);
}

/** The pages at byte 100 of a file. */
function pagesOf(pages: readonly Uint8Array[], rowCount: number, windowBytes = 1000): ChunkPages {
  const chunk = Buffer.concat(pages);
  const read = async ({ start, end }: { start: number; end: number }) => chunk.subarray(start - 100, end - 100);
  return new ChunkPages(read, { start: 100, end: 100 + chunk.length }, rowCount, windowBytes);
}

const bytesOf = (run: PageRun | undefined) => Buffer.concat(run!.pages).toString("hex");
const hex = (...pages: Uint8Array[]) => Buffer.concat(pages).toString("hex");

describe("ChunkPages", () => {
  const dictionary = page({ type: 2, body: 50 });
  const data = [page({ rows: 10 }), page({ type: 3, rows: 5, body: 300 }), page({ rows: 7, statistics: 900 })];

  it.each([1, 3, 64, 350, 10_000])(
    "cuts behind the page that reaches the row, in windows of %d bytes",
    async (window) => {
      const pages = pagesOf([dictionary, ...data], 22, window);
      const first = await pages.take(4);
      expect(first).toMatchObject({ firstRow: 0, rowCount: 10, dictionaryBytes: dictionary.length });
      expect(bytesOf(first)).toBe(hex(dictionary, data[0]!));
      expect(await pages.take(10)).toBeUndefined();
      const second = await pages.take(22);
      expect(second).toMatchObject({ firstRow: 10, rowCount: 12 });
      expect(bytesOf(second)).toBe(hex(dictionary, data[1]!, data[2]!));
      expect(second!.uncompressedBytes).toBe(hex(dictionary, data[1]!, data[2]!).length / 2 + 50 + 300 + 20);
      expect(await pages.take(22)).toBeUndefined();
    },
  );

  it("leaves out pages of other kinds", async () => {
    const run = await pagesOf([data[0]!, page({ type: 1 }), data[0]!], 20).take(20);
    expect(bytesOf(run)).toBe(hex(data[0]!, data[0]!));
    expect(run).toMatchObject({ rowCount: 20, dictionaryBytes: 0 });
  });

  it.each([
    ["fewer rows than the row group", [page({ rows: 3 })], 10],
    ["more rows than the row group", [page({ rows: 30 })], 10],
    ["a page longer than the chunk", [page({ claims: 21 })], 10],
    ["a page of a negative size", [page({ claims: -1 })], 10],
    ["a page of a negative row count", [page({ rows: -5 }), page({ rows: 15 })], 10],
    ["a cut header", [page({ statistics: 500, body: 0 }).subarray(0, 300)], 10],
    ["pages without rows to the end", new Array(1000).fill(page({ rows: 0, body: 0 })), 10],
    ["no Thrift", [new Uint8Array(5000).fill(0xff)], 10],
    ["no bytes", [], 10],
  ])("refuses %s", async (_, pages, rowCount) => {
    await expect(pagesOf(pages, rowCount).take(rowCount)).rejects.toThrow(RangeError);
  });
});

describe("readPageHeader", () => {
  it("refuses a data page without a row count", () => {
    const out = new ThriftWriter();
    out.struct(() => {
      for (const id of [1, 2, 3]) out.i32Field(id, 0);
    });
    expect(() => readPageHeader(out.finish(), 0)).toThrow(RangeError);
  });
});
