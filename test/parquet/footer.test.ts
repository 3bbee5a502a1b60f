import { Int64, Utf8 } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { readFooter } from "#src/parquet/footer.js";
import { expectCode } from "../expectCode.js";
import { encode, fixture, storeOf, vector } from "./fixtures.js";

const small = () => encode({ id: vector(new Int64(), [1n, 2n, null]), name: vector(new Utf8(), ["a", "b", null]) });

async function footerOf(bytes: Uint8Array, sizeBytes = bytes.length) {
  const { store, ranges } = await storeOf(bytes);
  return { footer: await readFooter(store, { path: "file", sizeBytes }), ranges };
}

/** A file that is only a footer: this Thrift, its length and the magic. */
function fileOf(thrift: readonly number[], length = thrift.length): Uint8Array {
  const tail = new Uint8Array(8);
  new DataView(tail.buffer).setUint32(0, length, true);
  tail.set(Buffer.from("PAR1"), 4);
  return Uint8Array.of(...Buffer.from("PAR1"), ...thrift, ...tail);
}

describe("readFooter", () => {
  it("says what the file has, and keeps a small file's bytes", async () => {
    const bytes = await small();
    const { footer, ranges } = await footerOf(bytes);
    expect(footer.rowCount).toBe(3);
    expect(footer.leaves.map(({ path, element }) => [path, element.type])).toEqual([
      [["id"], "INT64"],
      [["name"], "BYTE_ARRAY"],
    ]);
    expect(footer.rowGroups.map((group) => [group.rowCount, group.chunks.length])).toEqual([[3, 2]]);
    expect(footer.bytes).toEqual(bytes);
    expect(ranges).toHaveLength(1);
  });

  it("asks a second time for a footer of more than 64 KiB", async () => {
    const columns = Object.fromEntries(
      Array.from({ length: 1500 }, (_, i) => [`a rather long name, number ${i}`, vector(new Int64(), [BigInt(i)])]),
    );
    const bytes = await encode(columns);
    const { footer, ranges } = await footerOf(bytes);
    expect(footer.leaves).toHaveLength(1500);
    expect(ranges).toHaveLength(2);
    expect(ranges[1]!.end).toBe(ranges[0]!.start);
  });

  it("has no chunks that overlap, leave the file or lie in another one", async () => {
    for (const name of ["int96", "arrow-types", "zstd"]) {
      const bytes = await fixture(name);
      const { footer } = await footerOf(bytes);
      const chunks = footer.rowGroups.flatMap((group) => group.chunks);
      expect(chunks.length).toBe(footer.leaves.length);
      expect(Math.max(...chunks.map((chunk) => chunk.end))).toBeLessThan(bytes.length - 8);
    }
  });

  it("refuses what is no Parquet file", async () => {
    const bytes = await small();
    const encrypted = bytes.slice();
    encrypted.set(Buffer.from("PARE"), bytes.length - 4);
    const cases = [new Uint8Array(0), new Uint8Array(11), new Uint8Array(100), bytes.subarray(0, -1), encrypted];
    for (const bad of cases) {
      const { data } = await expectCode("DELTA_PARQUET_UNREADABLE", () => footerOf(bad));
      expect(data).toEqual({ path: "file", sizeBytes: bad.length });
    }
  });

  it("refuses a file of another size than the log says", async () => {
    const bytes = await small();
    for (const difference of [-1, 1, 100, -bytes.length]) {
      await expectCode("DELTA_PARQUET_UNREADABLE", () => footerOf(bytes, bytes.length + difference));
    }
  });

  it("refuses a footer that lies about its length, its lists or its depth", async () => {
    const hugeList = [0xf0 | 12, 0xff, 0xff, 0xff, 0x0f];
    const bad = {
      longerThanFile: fileOf([0], 2 ** 32 - 1),
      empty: fileOf([]),
      noFields: fileOf([0]),
      hugeSchema: fileOf([0x29, ...hugeList, 0]),
      hugeString: fileOf([0x18, 0xff, 0xff, 0xff, 0xff, 0x07]),
      hugeInteger: fileOf([0x16, ...new Array(20).fill(0xff), 0, 0]),
      // Each list claims as many elements as bytes follow, the first of which is such a list again.
      nestedLists: fileOf([0x19, ...new Array(2000).fill([0xf9, 0x80, 0x01]).flat()]),
      nestedStructs: fileOf(new Array(50_000).fill(0x1c)),
    };
    for (const bytes of Object.values(bad)) {
      await expectCode("DELTA_PARQUET_UNREADABLE", () => footerOf(bytes));
    }
  });

  it("passes on that the file is missing", async () => {
    const { store } = await storeOf(await small());
    await expectCode("DELTA_FILE_NOT_FOUND", () => readFooter(store, { path: "other", sizeBytes: 100 }));
  });
});
