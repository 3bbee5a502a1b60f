import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Int64, type RecordBatch, Utf8 } from "apache-arrow";
import { describe, expect, it, onTestFinished } from "vitest";
import { DeltaError } from "#src/errors.js";
import { readFooter } from "#src/parquet/footer.js";
import { localStore } from "#src/storage/local.js";
import type { ByteRange, ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { encode, fixture, plain, read, storeOf, types, vector } from "./fixtures.js";

/** 400 rows in row groups of 250 and 150, with pages of about 200 bytes; made by pyarrow 26. */
const FILES = [
  "pages-v1-snappy-fallback",
  "pages-v1-gzip-dictionary",
  "pages-v1-lz4-plain",
  "pages-v2-zstd-plain",
  "pages-v2-brotli-fallback",
  "pages-v2-none-delta",
];
const COLUMNS = ["id", "name", "text", "flag", "none", "amount", "at", "inner", "list", "map", "structs"];
const WHOLE = 1e9;

/** Numbers in [0, 1), the same ones for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

describe.each(FILES)("a row group that is cut at its pages: %s", (name) => {
  it.each([100, 500, 1000])("gives what it gives uncut, in pieces of %d bytes", async (pieceBytes) => {
    const bytes = await fixture(name);
    const whole = await read(bytes, { pieceBytes: WHOLE });
    expect(whole.map(({ numRows }) => numRows)).toEqual([400]);
    const cut = await read(bytes, { pieceBytes });
    expect(cut.length).toBeGreaterThan(pieceBytes === 100 ? 5 : 2);
    expect(types(cut)).toEqual(types(whole));
    expect(cut[0]!.schema.fields.map(String)).toEqual(whole[0]!.schema.fields.map(String));
    expect(plain(cut)).toEqual(plain(whole));
  });

  it("gives any ranges of its rows", async () => {
    const bytes = await fixture(name);
    const whole = plain(await read(bytes, { pieceBytes: WHOLE }));
    const borders = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { minLength: 2, maxLength: 6 });
    const bytesAtOnce = fc.constantFrom(100, 1000, 20_000, WHOLE);
    await fc.assert(
      fc.asyncProperty(borders, bytesAtOnce, fc.boolean(), async (places, pieceBytes, inPieces) => {
        const rising = [...places].sort((a, b) => a - b);
        if (rising.length % 2 === 1) rising.pop();
        const ranges = rising.flatMap((start, i) => (i % 2 === 0 ? [{ start, end: rising[i + 1]! }] : []));
        const batches = await read(bytes, { ranges, pieceBytes, inPieces });
        const wanted = Object.entries(whole).map(([column, values]) => {
          return [column, ranges.flatMap(({ start, end }) => values.slice(start, end))];
        });
        expect(plain(batches)).toEqual(Object.fromEntries(wanted));
        const left = ranges.map(({ start, end }) => end - start);
        for (const { numRows } of batches) {
          left[0]! -= numRows;
          if (left[0] === 0) left.shift();
        }
        expect(left).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("gives it for any columns, pieces and row groups", async () => {
    const random = randomFrom(FILES.indexOf(name) + 1);
    const bytes = await fixture(name);
    const paths = [
      ...COLUMNS.map((column) => [column]),
      ["inner", "a"],
      ["inner", "deep", "b"],
      ["inner", "deep", "c"],
    ];
    for (let i = 0; i < 12; i++) {
      const columns = paths.filter(() => random() < 0.3);
      const rowGroups = [[0], [1], [0, 1]][Math.floor(random() * 3)]!;
      const pieceBytes = 50 + Math.floor(random() ** 3 * 5000);
      const whole = plain(await read(bytes, { columns, rowGroups, pieceBytes: WHOLE }));
      expect(plain(await read(bytes, { columns, rowGroups, pieceBytes })), `${columns} by ${pieceBytes}`).toEqual(
        whole,
      );
    }
  });

  it("gives an error that names it, or all rows, when it's damaged", async () => {
    const random = randomFrom(FILES.indexOf(name) + 100);
    const original = await fixture(name);
    const outcomes = { rows: 0, unreadable: 0 };
    for (let i = 0; i < 60; i++) {
      const bytes = original.slice();
      bytes[4 + Math.floor(random() * (bytes.length - 12))]! ^= 1 << Math.floor(random() * 8);
      try {
        const batches = await read(bytes, { pieceBytes: 300 });
        expect(batches.reduce((sum, { numRows }) => sum + numRows, 0)).toBe(400);
        outcomes.rows++;
      } catch (error) {
        if (!(error instanceof DeltaError)) throw error;
        expect(error).toMatchObject({ code: "DELTA_PARQUET_UNREADABLE", data: { path: "file" } });
        outcomes.unreadable++;
      }
    }
    expect(outcomes.unreadable).toBeGreaterThan(5);
    expect((await read(original, { pieceBytes: 300 })).length).toBeGreaterThan(1);
  });
});

describe("a large row group", () => {
  const id = Array.from({ length: 60_000 }, (_, i) => BigInt(i * 7));
  const text = id.map((value) => `${value} `.repeat(40));

  /** Without a dictionary: arrow-rs begins a page every 20,000 rows and every MiB. */
  async function large(): Promise<{ bytes: Uint8Array; store: ObjectStore; ranges: ByteRange[] }> {
    const bytes = await encode(
      { id: vector(new Int64(), id), text: vector(new Utf8(), text) },
      { compression: "uncompressed", rowGroupRows: 60_000 },
    );
    return { bytes, ...(await storeOf(bytes)) };
  }

  it("comes in batches of some MiB, in its order", async () => {
    const { bytes } = await large();
    const batches = await read(bytes, { inPieces: true });
    expect(batches.length).toBeGreaterThan(2);
    expect(plain(batches)).toEqual({ id, text });
    // Too large to be decoded at once.
    expect((await read(bytes, { pieceBytes: 500_000 })).length).toBeGreaterThan(2);
  });

  it("gives the same, each column decoded by itself, from a store and from this machine", async () => {
    const { bytes, store } = await large();
    const folder = await mkdtemp(join(tmpdir(), "delta-table-pieces-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "file"), bytes);
    const { readParquet } = await import("#src/parquet/read.js");
    const file = { path: "file", sizeBytes: bytes.length };
    for (const from of [store, localStore(folder)]) {
      const batches: RecordBatch[] = [];
      for await (const batch of readParquet(from, file)) batches.push(batch);
      expect(batches.length).toBe(1);
      expect(plain(batches)).toEqual({ id, text });
    }
  });

  it("is damaged where a file of this machine was cut since its footer was read", async () => {
    const { bytes, store } = await large();
    const folder = await mkdtemp(join(tmpdir(), "delta-table-pieces-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "file"), bytes.subarray(0, 1_000_000));
    const { readParquet } = await import("#src/parquet/read.js");
    const file = { path: "file", sizeBytes: bytes.length };
    const footer = await readFooter(store, file);
    await expectCode("DELTA_PARQUET_UNREADABLE", async () => {
      for await (const _ of readParquet(localStore(folder), file, { footer }));
    });
  });

  it("is fetched a part at a time, and no further than it's read", async () => {
    const { bytes, store, ranges } = await large();
    const { readParquet } = await import("#src/parquet/read.js");
    const file = { path: "file", sizeBytes: bytes.length };
    const footer = await readFooter(store, file);
    ranges.length = 0;
    for await (const batch of readParquet(store, file, { columns: [["text"]], footer, pieceBytes: 500_000 })) {
      expect(batch.numRows).toBeLessThan(30_000);
      break;
    }
    const fetched = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    expect(fetched).toBeGreaterThan(0);
    expect(fetched).toBeLessThan(bytes.length * 0.7);
  });

  it("tells what the store throws, as it is", async () => {
    const { bytes, store } = await large();
    const { readParquet } = await import("#src/parquet/read.js");
    const file = { path: "file", sizeBytes: bytes.length };
    const footer = await readFooter(store, file);
    let left = 3;
    const failing: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
      get: (path: string, range: ByteRange) => {
        if (left-- > 0) return store.get(path, range);
        return Promise.reject(new DeltaError("DELTA_STORAGE_FAILED", "The store is gone.", {}));
      },
    });
    const all = async () => {
      for await (const _ of readParquet(failing, file, { footer, pieceBytes: 300_000 }));
    };
    await expectCode("DELTA_STORAGE_FAILED", all);
  });
});
