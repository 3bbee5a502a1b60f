import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Table } from "#src/index.js";
import { replaceLimits } from "#src/limits.js";
import { ThriftWriter } from "#src/parquet/thriftWriter.js";
import { withMemoryLimit } from "#src/parquet/wasmMemory.js";
import { openStore } from "#src/storage/open.js";
import { expectCode } from "../expectCode.js";
import { read, storeOf } from "../parquet/fixtures.js";
import {
  BYTE_ARRAY,
  CODECS,
  type ColumnOptions,
  INT64,
  joined,
  page,
  parquetFile,
  RLE_DICTIONARY,
  repeatedIndex,
  withFooter,
} from "./parquetFiles.js";
import { add, freshLocation, metaData, PROTOCOL, putLines, schemaString } from "./tables.js";

// Bombs go off just as well in a small room.
let restore = () => {};
beforeAll(() => {
  restore = replaceLimits({ MAX_DECODER_MEMORY_BYTES: 64 * 2 ** 20, MAX_OWN_DECODER_MEMORY_BYTES: 32 * 2 ** 20 });
});
afterAll(() => restore());

const numbers = (count: number) => new Uint8Array(new Int32Array(count).buffer);
const four = page({ body: numbers(4), valueCount: 4 });
const plain: ColumnOptions = { pages: [four], valueCount: 4 };

function dictionary(bytes: number): Uint8Array {
  const body = new Uint8Array(4 + bytes);
  new DataView(body.buffer).setUint32(0, bytes, true);
  return page({ body, kind: "dictionary", valueCount: 1 });
}

/** A column of texts, all of them the one in its dictionary. */
function sameText(textBytes: number, count: number, more: Partial<ColumnOptions> = {}): ColumnOptions {
  const first = dictionary(textBytes);
  const data = page({ body: repeatedIndex(count), encoding: RLE_DICTIONARY, valueCount: count });
  return { type: BYTE_ARRAY, dictionaryBytes: first.length, pages: [first, data], valueCount: count, ...more };
}

/** A 64-bit integer in place of one of 32 bits. */
const INT32_FIELD = (out: ThriftWriter, id: number) => out.i64Field(id, 3);
/** A logical type whose first member, whatever it should be, is a 64-bit integer. */
const LOGICAL_FIELD = (out: ThriftWriter, id: number) =>
  out.structField(10, () =>
    out.structField(id, () => {
      out.i64Field(1, 3);
      if (id === 8) out.structField(2, () => out.structField(1, () => {}));
    }),
  );

const COLUMNS: readonly (readonly [string, ColumnOptions, number])[] = [
  [
    "a page that says 2 GiB (snappy)",
    {
      ...plain,
      codec: CODECS.snappy,
      pages: [page({ body: Uint8Array.of(255, 255, 255, 255, 7, 0), valueCount: 4, uncompressedBytes: 2 ** 31 - 1 })],
    },
    4,
  ],
  [
    "a page that says 4 GiB (snappy)",
    {
      ...plain,
      codec: CODECS.snappy,
      pages: [page({ body: Uint8Array.of(255, 255, 255, 255, 15, 0), valueCount: 4, uncompressedBytes: 16 })],
    },
    4,
  ],
  [
    "a page that says 2 GiB (lz4)",
    {
      ...plain,
      codec: CODECS.lz4_raw,
      pages: [page({ body: Uint8Array.of(16, 65, 0, 0), valueCount: 4, uncompressedBytes: 2 ** 31 - 1 })],
    },
    4,
  ],
  [
    "a page that says 2 GiB (zstd)",
    {
      ...plain,
      codec: CODECS.zstd,
      pages: [page({ body: Uint8Array.of(40, 181, 47, 253, 0, 0), valueCount: 4, uncompressedBytes: 2 ** 31 - 1 })],
    },
    4,
  ],
  [
    "a page that says 16 bytes and holds 200 million (gzip)",
    {
      ...plain,
      codec: CODECS.gzip,
      pages: [page({ body: gzipSync(new Uint8Array(200e6), { level: 1 }), valueCount: 4, uncompressedBytes: 16 })],
    },
    4,
  ],
  [
    "a page larger than its column",
    { ...plain, pages: [page({ body: numbers(4), valueCount: 4, compressedBytes: 2 ** 31 - 1 })] },
    4,
  ],
  [
    "a page of negative size",
    { ...plain, pages: [page({ body: numbers(4), valueCount: -4, uncompressedBytes: -1, compressedBytes: -1 })] },
    4,
  ],
  ["a page with 2^31 values", { ...plain, pages: [page({ body: numbers(4), valueCount: 2 ** 31 - 1 })] }, 4],
  ["a column with 2^31 values", { ...plain, valueCount: 2 ** 31 - 1 }, 2 ** 31 - 1],
  ["2^31 rows where there are four", plain, 2 ** 31 - 1],
  ["2^53 rows", { ...plain, valueCount: 2 ** 53 - 1 }, 2 ** 53 - 1],
  [
    "2^31 times one number",
    {
      type: INT64,
      dictionaryBytes: 24,
      pages: [
        page({ body: new Uint8Array(8), kind: "dictionary", valueCount: 1 }),
        page({ body: repeatedIndex(2 ** 31 - 1), encoding: RLE_DICTIONARY, valueCount: 2 ** 31 - 1 }),
      ],
      valueCount: 2 ** 31 - 1,
    },
    2 ** 31 - 1,
  ],
  ["a million times one megabyte", sameText(1e6, 1e6), 1e6],
  ["a hundred thousand times ten kilobytes, said to be thousand", sameText(1e4, 1e5, { valueCount: 1000 }), 1000],
  [
    "a dictionary of 2^31 values",
    {
      type: INT64,
      dictionaryBytes: 26,
      pages: [
        page({ body: new Uint8Array(8), kind: "dictionary", valueCount: 2 ** 31 - 1 }),
        page({ body: repeatedIndex(4), encoding: RLE_DICTIONARY, valueCount: 4 }),
      ],
      valueCount: 4,
    },
    4,
  ],
  [
    "a dictionary of negative length",
    {
      type: INT64,
      dictionaryBytes: 22,
      pages: [
        page({ body: new Uint8Array(8), kind: "dictionary", valueCount: -5 }),
        page({ body: repeatedIndex(4), encoding: RLE_DICTIONARY, valueCount: 4 }),
      ],
      valueCount: 4,
    },
    4,
  ],
  [
    "an index beyond the dictionary",
    { type: INT64, pages: [page({ body: repeatedIndex(4), encoding: RLE_DICTIONARY, valueCount: 4 })], valueCount: 4 },
    4,
  ],
  [
    "a text longer than its page",
    { type: BYTE_ARRAY, pages: [page({ body: Uint8Array.of(255, 255, 255, 127, 65), valueCount: 1 })], valueCount: 1 },
    1,
  ],
  ["data before the file", { ...plain, offset: -100 }, 4],
  ["data behind the file", { ...plain, offset: 1_000_000 }, 4],
  ["data of 2^50 bytes", { ...plain, compressedBytes: 2 ** 50 }, 4],
  ["data in the footer", { ...plain, compressedBytes: four.length + 1 }, 4],
  ["a NUL in a name", { ...plain, name: "a\0b" }, 4],
];

describe("a Parquet file with", () => {
  test.each(COLUMNS)("%s: an error that names it, here and in a worker", async (_, column, rowCount) => {
    // What the footer says of the unpacked size decides where the file is decoded.
    for (const uncompressedBytes of [column.uncompressedBytes, 3_000_000]) {
      const bytes = parquetFile([{ ...column, uncompressedBytes }], rowCount);
      const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => read(bytes));
      expect(error.data.path).toBe("file");
    }
    expect((await read(parquetFile([plain], 4)))[0]!.numRows).toBe(4);
  });

  test("columns that lie over each other more often than the file is long: an error", async () => {
    const over = { ...plain, offset: 4 };
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () =>
      read(
        parquetFile(
          [plain, ...Array.from({ length: 3 }, () => ({ ...over, pages: [] }))].map((c) => ({
            ...c,
            compressedBytes: four.length,
          })),
          4,
        ),
      ),
    );
    expect(error.data.path).toBe("file");
  });

  test("forty thousand empty pages in a large column: an error, without keeping them", async () => {
    const empty = page({ body: new Uint8Array(0), valueCount: 0 });
    const pages = [joined(Array.from({ length: 40_000 }, () => empty)), four];
    await expectCode("DELTA_PARQUET_UNREADABLE", () =>
      read(parquetFile([{ pages, valueCount: 4, uncompressedBytes: 50_000_000 }], 4)),
    );
  });
});

describe("a Parquet footer", () => {
  const start = new TextEncoder().encode("PAR1");
  /** A list of `count` elements as field `id`, of which nothing is sound. */
  const listFooter = (fieldHeader: number, count: number, element: readonly number[]) => {
    const length: number[] = [];
    for (let rest = count; ; rest = Math.floor(rest / 128)) {
      length.push(rest < 128 ? rest : (rest % 128) | 128);
      if (rest < 128) break;
    }
    const elements = new Uint8Array(count * element.length);
    for (let i = 0; i < count; i++) elements.set(element, i * element.length);
    return joined([Uint8Array.of(fieldHeader, 0xfc, ...length), elements, Uint8Array.of(0)]);
  };

  test.each([
    ["longer than the file", withFooter(new Uint8Array(100), new Uint8Array(10), 2 ** 32 - 1)],
    ["empty", withFooter(new Uint8Array(100), new Uint8Array(10), 0)],
    ["of zeros", withFooter(start, new Uint8Array(1000), 1000)],
    ["of opening brackets", withFooter(start, new Uint8Array(1_000_000).fill(0x1c), 1_000_000)],
    ["with five million empty key-value pairs", footer(listFooter(0x59, 5_000_000, [0]))],
    ["with four million columns", footer(listFooter(0x29, 4_000_000, [0x48, 0, 0]))],
    ["with a list that says 2^35 elements", footer(Uint8Array.of(0x29, 0xfc, 255, 255, 255, 255, 127, 0))],
  ])("%s: an error that names the file", async (_, bytes) => {
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => read(bytes));
    expect(error.data.path).toBe("file");
  });

  test.each([
    ["a column's length", 2, INT32_FIELD],
    ["a number of columns", 5, INT32_FIELD],
    ["digits behind the point", 7, INT32_FIELD],
    ["digits", 8, INT32_FIELD],
    ["an id", 9, INT32_FIELD],
    ["a time's zone", 8, LOGICAL_FIELD],
    ["a decimal's digits", 5, LOGICAL_FIELD],
    ["an integer's width", 10, LOGICAL_FIELD],
  ] as const)("with %s of another type: an error that names the file", async (_, id, writeField) => {
    const out = new ThriftWriter();
    out.struct(() => {
      out.i32Field(1, 1);
      out.structsField(2, ["schema", "c"], (name) => {
        if (name === "c") out.i32Field(1, 1);
        if (name === "c" && writeField === INT32_FIELD && id < 4) writeField(out, id);
        if (name === "c") out.i32Field(3, 0);
        out.stringField(4, name);
        if (name === "schema") out.i32Field(5, 1);
        else if (writeField === LOGICAL_FIELD || id > 4) writeField(out, id);
      });
      out.i64Field(3, 0);
      out.structsField(4, [], () => {});
    });
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => read(footer(out.finish())));
    expect(error.data.path).toBe("file");
  });

  function footer(bytes: Uint8Array) {
    return withFooter(start, bytes, bytes.length);
  }

  test("beyond MAX_FOOTER_BYTES isn't fetched", async () => {
    const content = parquetFile([plain], 4);
    const { store, ranges } = await storeOf(content);
    const put = replaceLimits({ MAX_FOOTER_BYTES: 10 });
    try {
      await expectCode("DELTA_PARQUET_UNREADABLE", () => read(content));
    } finally {
      put();
    }
    expect(store.url).toBe("memory:");
    expect(ranges).toEqual([]);
  });
});

describe("stored bytes", () => {
  test("beyond MAX_PARQUET_PART_BYTES at once are refused before they are fetched", async () => {
    const put = replaceLimits({ MAX_PARQUET_PART_BYTES: 1000 });
    try {
      const bytes = parquetFile([{ pages: [page({ body: numbers(400), valueCount: 400 })], valueCount: 400 }], 400);
      await expectCode("DELTA_PARQUET_UNREADABLE", () => read(bytes));
    } finally {
      put();
    }
  });

  test("that the footer says unpack to little are cut like those that it says unpack to much", async () => {
    const pages = Array.from({ length: 400 }, () => page({ body: numbers(10_000), valueCount: 10_000 }));
    const bytes = parquetFile([{ pages, valueCount: 4_000_000, uncompressedBytes: 1 }], 4_000_000);
    const batches = await read(bytes);
    expect(batches.reduce((sum, batch) => sum + batch.numRows, 0)).toBe(4_000_000);
  });
});

describe("the size that the log gives", () => {
  test.each([-1, 1, 2, 100, 100_000])("off by %i: an error that names the file", async (by) => {
    const location = freshLocation();
    const bytes = parquetFile([{ ...plain, name: "c" }], 4);
    await openStore(location).put("x/a.parquet", bytes);
    const meta = metaData({ schemaString: schemaString(["c", "integer"]) });
    await putLines(location, 0, [PROTOCOL, meta, add({ path: "x/a.parquet", size: bytes.length + by })]);
    const error = await expectCode("DELTA_PARQUET_UNREADABLE", () => Table.open(location).scan().toArray());
    expect(error.data.path).toBe("x/a.parquet");
    await putLines(location, 1, [add({ path: "x/a.parquet", size: bytes.length })]);
    expect(await Table.open(location).scan().toArray()).toHaveLength(4);
  });

  test("as 2^53 - 1 asks for the end only", async () => {
    const location = await (async () => {
      const at = freshLocation();
      await openStore(at).put("a.parquet", parquetFile([{ ...plain, name: "c" }], 4));
      await putLines(at, 0, [
        PROTOCOL,
        metaData({ schemaString: schemaString(["c", "integer"]) }),
        add({ size: Number.MAX_SAFE_INTEGER }),
      ]);
      return at;
    })();
    await expectCode("DELTA_PARQUET_UNREADABLE", () => Table.open(location).scan().toArray());
  });
});

describe("a partition value", () => {
  test("that would fill gigabytes when repeated is refused", async () => {
    const location = freshLocation();
    const bytes = parquetFile(
      [{ pages: [page({ body: numbers(100_000), valueCount: 100_000 })], valueCount: 100_000, name: "c" }],
      100_000,
    );
    await openStore(location).put("a.parquet", bytes);
    const meta = metaData({ schemaString: schemaString(["c", "integer"], ["p", "string"]), partitionColumns: ["p"] });
    await putLines(location, 0, [
      PROTOCOL,
      meta,
      add({ size: bytes.length, partitionValues: { p: "x".repeat(50_000) } }),
    ]);
    const error = await expectCode("DELTA_LIMIT_EXCEEDED", () => Table.open(location).scan().toArrow());
    expect(error).toMatchObject({ kind: "fix-data", data: { limit: "MAX_CONSTANT_COLUMN_BYTES" } });
    expect(
      (
        await Table.open(location)
          .scan({ columns: ["c"] })
          .toArrow()
      ).numRows,
    ).toBe(100_000);
  });
});

describe("memory", () => {
  test("of a process that reads bombs in its main thread stays small, and it reads on", async () => {
    const folder = await mkdtemp(join(tmpdir(), "delta-table-bombs-"));
    const gzip = page({ body: gzipSync(new Uint8Array(4e8)), valueCount: 4, uncompressedBytes: 16 });
    const files = {
      "gzip.parquet": parquetFile([{ ...plain, codec: CODECS.gzip, pages: [gzip], uncompressedBytes: 100 }], 4),
      "snappy.parquet": parquetFile([COLUMNS[0]![1]], 4),
      "again.parquet": parquetFile([{ ...plain, codec: CODECS.gzip, pages: [gzip], uncompressedBytes: 100 }], 4),
      "sound.parquet": parquetFile([plain], 4),
    };
    try {
      for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
      const script = fileURLToPath(new URL("./bomb.mjs", import.meta.url));
      const paths = Object.keys(files).map((name) => join(folder, name));
      const { stdout } = await promisify(execFile)(process.execPath, [script, ...paths]);
      const { outcomes, residentMB } = JSON.parse(stdout) as { outcomes: unknown[]; residentMB: number };
      // The first in the main thread; the second breaks it, so the third in a worker, which grows and is ended.
      expect(outcomes).toEqual([...Array.from({ length: 3 }, () => "DELTA_PARQUET_UNREADABLE"), 4]);
      expect(residentMB).toBeLessThan(600);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("can't be limited in what isn't a module with one memory", () => {
    expect(() => withMemoryLimit(new Uint8Array(8), 65_536)).toThrow(RangeError);
    expect(() => withMemoryLimit(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 1, 1, 2), 65_536)).toThrow(
      RangeError,
    );
    expect(() => withMemoryLimit(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 5), 65_536)).toThrow(RangeError);
  });
});
