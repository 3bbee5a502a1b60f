import { beforeEach, describe, expect, test } from "vitest";
import { DeltaError, type ErrorCode } from "#src/errors.js";
import type { DeletionVectorDescriptor } from "#src/log/actions.js";
import { type DeletionVector, DeletionVectorReader } from "#src/log/deletionVector.js";
import { deletionVectorPath } from "#src/log/deletionVectors/storage.js";
import { memoryStore } from "#src/storage/memory.js";
import type { ObjectStore } from "#src/storage/store.js";
import { expectCode } from "../expectCode.js";
import fc from "../fastCheck.js";
import { type CountingStore, countingStore } from "../storage/countingStore.js";
import { inlineVector, putVectors, roaringBytes, vectorFile, z85 } from "./deletionVectorBytes.js";

const UUID = "d2c639aa-8816-431a-aaf6-d3fe2512ff61";
const UUID_Z85 = "^-aqEH.-t@S}K{vb[*k^";
const FILE = `deletion_vector_${UUID}.bin`;

let store: CountingStore;
beforeEach(() => {
  store = countingStore(memoryStore());
});

const read = (descriptor: DeletionVectorDescriptor) => new DeletionVectorReader(store).read(descriptor);
const rows = (start: number, length: number) => Array.from({ length }, (_, i) => start + i);

/** A descriptor of bytes as they are. */
function inline(bytes: Uint8Array, cardinality = 0): DeletionVectorDescriptor {
  return { storageType: "i", pathOrInlineDv: z85(bytes), sizeInBytes: bytes.length, cardinality };
}

/** What a vector says of some rows, by the book. */
function kept(removed: ReadonlySet<number>, start: number, count: number): number[] {
  return rows(0, count).filter((row) => !removed.has(start + row));
}

function keptOf(vector: DeletionVector, start: number, count: number): number[] {
  const found = vector.keptRows(start, count);
  if (found === "all") return rows(0, count);
  return found === "none" ? [] : [...found];
}

describe("what a vector holds", () => {
  test("[R-DV-4] the protocol's own example", async () => {
    const vector = await read({
      storageType: "i",
      pathOrInlineDv: "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
      sizeInBytes: 40,
      cardinality: 6,
    });
    expect([...vector.positions()]).toEqual([3, 4, 7, 11, 18, 29]);
    expect(vector).toMatchObject({ cardinality: 6, last: 29 });
    expect(vector.keptRows(3, 5)).toEqual(Uint32Array.of(2, 3));
    expect(vector.keptRows(3, 2)).toBe("none");
    expect(vector.keptRows(12, 6)).toBe("all");
    expect(vector.keptRows(30, 1000)).toBe("all");
    expect([3, 5, 29, 30, 2 ** 40].map((row) => vector.has(row))).toEqual([true, false, true, false, false]);
  });

  test("nothing, in all its forms", async () => {
    const empty = { storageType: "i", pathOrInlineDv: "", sizeInBytes: 0, cardinality: 0 };
    const forms = [empty, inlineVector([]), inlineVector([], { format: "native" })];
    for (const descriptor of forms) {
      const vector = await read(descriptor);
      expect([...vector.positions()]).toEqual([]);
      expect(vector).toMatchObject({ cardinality: 0, last: undefined });
      expect(vector.keptRows(0, 5)).toBe("all");
    }
  });

  test("the last row there can be", async () => {
    const last = Number.MAX_SAFE_INTEGER;
    const vector = await read(inlineVector([5, last]));
    expect([...vector.positions()]).toEqual([5, last]);
    expect(vector.last).toBe(last);
    expect(vector.keptRows(last - 1, 2)).toEqual(Uint32Array.of(0));
  });

  test("rows on the borders of containers and bitmaps", async () => {
    const borders = [65_535, 65_536, 131_071, 2 ** 32 - 1, 2 ** 32];
    for (const format of ["portable", "native"] as const) {
      const vector = await read(inlineVector(borders, { format }));
      for (const border of borders) {
        expect(vector.has(border)).toBe(true);
        expect(vector.keptRows(border, 1)).toBe("none");
        for (const start of [border - 2, border - 1, border]) {
          expect(keptOf(vector, start, 4)).toEqual(kept(new Set(borders), start, 4));
        }
      }
    }
  });

  test("billions of rows in few bytes", async () => {
    const full = roaringBytes(rows(0, 65_536), { isRun: () => true });
    expect(full.length).toBeLessThan(50);
    const vector = await read(inline(full, 65_536));
    expect(vector.last).toBe(65_535);
    expect(vector.keptRows(0, 65_536)).toBe("none");
    expect(vector.keptRows(65_000, 1000)).toEqual(Uint32Array.from(rows(536, 464)));
  });

  test("any rows, in any containers, in both formats", async () => {
    const stretch = fc.record({
      start: fc.oneof(fc.nat(300_000), fc.integer({ min: 2 ** 32 - 9000, max: 2 ** 32 + 9000 }), fc.nat(2 ** 34)),
      // More than 4096 rows of a container make bits of it.
      length: fc.oneof(fc.nat(3), fc.integer({ min: 4000, max: 5000 })),
      step: fc.integer({ min: 1, max: 3 }),
    });
    const style = fc.record({
      format: fc.constantFrom("portable" as const, "native" as const),
      isRun: fc.infiniteStream(fc.boolean()).map((flags) => () => flags.next().value as boolean),
      keepsEmptyBitmaps: fc.boolean(),
    });
    const around = fc.record({ at: fc.nat(), before: fc.nat(9000), count: fc.nat(20_000) });
    const seen = { all: 0, none: 0, some: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(stretch, { maxLength: 5 }),
        style,
        fc.array(around, { maxLength: 3 }),
        async (stretches, how, ranges) => {
          const removed = new Set(
            stretches.flatMap(({ start, length, step }) => rows(0, length).map((i) => start + i * step)),
          );
          const ascending = [...removed].sort((a, b) => a - b);
          const format = { ...how, keepsEmptyBitmaps: how.format === "native" || how.keepsEmptyBitmaps };
          const vector = await read(inlineVector(ascending, format));
          expect(vector.cardinality).toBe(removed.size);
          expect(vector.last).toBe(ascending.at(-1));
          expect([...vector.positions()]).toEqual(ascending);
          for (const { at, before, count } of ranges) {
            const middle = ascending[at % Math.max(ascending.length, 1)] ?? at;
            const start = Math.max(0, middle - before);
            expect(keptOf(vector, start, count)).toEqual(kept(removed, start, count));
            expect(vector.has(middle)).toBe(removed.has(middle));
            expect(vector.has(start)).toBe(removed.has(start));
            const outcome = vector.keptRows(start, count);
            seen[typeof outcome === "string" ? outcome : "some"]++;
          }
        },
      ),
      { numRuns: 100 },
    );
    expect(Math.min(seen.all, seen.some)).toBeGreaterThan(10);
  });
});

describe("where a vector is", () => {
  test("[R-DV-2] a UUID, behind a prefix or not", () => {
    const path = (pathOrInlineDv: string) =>
      deletionVectorPath(store, { storageType: "u", pathOrInlineDv, sizeInBytes: 1, cardinality: 1 });
    expect(path(`ab${UUID_Z85}`)).toBe(`ab/${FILE}`);
    expect(path(UUID_Z85)).toBe(FILE);
    expect(path(`a%20b${UUID_Z85}`)).toBe(`a%20b/${FILE}`);
    expect(z85(Buffer.from(UUID.replaceAll("-", ""), "hex"))).toBe(UUID_Z85);
  });

  test("[R-DV-2] a file of the table by its absolute path", async () => {
    const inTable: ObjectStore = Object.create(store, { url: { value: "s3://bucket/a b" } });
    const [descriptor] = await putVectors(store, UUID, [[1, 5]], "x y");
    const pathOrInlineDv = `s3a://bucket/a%20b/x%20y/${FILE}`;
    const vector = await new DeletionVectorReader(inTable).read({ ...descriptor!, storageType: "p", pathOrInlineDv });
    expect([...vector.positions()]).toEqual([1, 5]);
  });

  test.each([
    ["u", `../other/${UUID_Z85}`],
    ["u", `a/../..${UUID_Z85}`],
    ["u", `/etc${UUID_Z85}`],
    ["u", `file:/etc${UUID_Z85}`],
    ["p", `/etc/${FILE}`],
    ["p", `s3://elsewhere/${FILE}`],
    ["p", `../${FILE}`],
  ])("%s %s is outside of the table", async (storageType, pathOrInlineDv) => {
    await expectCode("DELTA_UNSUPPORTED_FILE_PATH", () =>
      read({ storageType, pathOrInlineDv, offset: 1, sizeInBytes: 40, cardinality: 1 }),
    );
    expect(store.calls).toEqual([]);
  });

  test("several in one file cost one request, as long as they are near each other", async () => {
    const many = rows(0, 2000).map((i) => [i, i + 7]);
    const descriptors = await putVectors(store, UUID, many);
    store.take();
    const reader = new DeletionVectorReader(store);
    for (const i of [3, 0, 1, 4, 1000, 2, 1999]) {
      expect([...(await reader.read(descriptors[i]!)).positions()]).toEqual([i, i + 7]);
    }
    // The first one asked for begins a window of 64 KiB; one before it begins another.
    expect(store.take()).toEqual([`get ${FILE}`, `get ${FILE}`, `get ${FILE}`]);
  });

  test("two that are asked for at once cost one request", async () => {
    const descriptors = await putVectors(store, UUID, [[1], [2], [3]]);
    store.take();
    const reader = new DeletionVectorReader(store);
    const vectors = await Promise.all(descriptors.map((descriptor) => reader.read(descriptor)));
    expect(vectors.map((vector) => vector.last)).toEqual([1, 2, 3]);
    expect(store.take()).toEqual([`get ${FILE}`]);
  });

  test("a large one is read on its own, and the one behind it too", async () => {
    const large = rows(0, 300_000).map((i) => i * 3);
    const descriptors = await putVectors(store, UUID, [[9], large, [7]]);
    store.take();
    const reader = new DeletionVectorReader(store);
    const vectors = await Promise.all(descriptors.map((descriptor) => reader.read(descriptor)));
    expect(vectors.map(({ last }) => last)).toEqual([9, 899_997, 7]);
    expect(store.count("get")).toBe(3);
  });

  test("[R-DV-8] without an offset: the file's first", async () => {
    const [descriptor] = await putVectors(store, UUID, [[4], [6]]);
    const { offset: _, ...first } = descriptor!;
    expect((await read(first)).last).toBe(4);
    expect((await read({ ...first, offset: 0 })).last).toBe(4);
  });

  test("a request that failed is tried again", async () => {
    const [descriptor] = await putVectors(store, UUID, [[4]]);
    const reader = new DeletionVectorReader(store);
    const bytes = await store.get(FILE);
    await store.delete(FILE);
    await expectCode("DELTA_FILE_NOT_FOUND", () => reader.read(descriptor!));
    await store.put(FILE, bytes);
    expect((await reader.read(descriptor!)).last).toBe(4);
  });
});

describe("[R-DV-5] a damaged file", () => {
  const data = roaringBytes([1, 2, 300]);
  const whole = vectorFile([roaringBytes([7]), data]);
  const descriptor = {
    storageType: "u",
    pathOrInlineDv: UUID_Z85,
    offset: whole.offsets[1]!,
    sizeInBytes: data.length,
    cardinality: 3,
  };
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(whole.bytes);
    bytes[at] = byte;
    return bytes;
  };

  test.each<[string, ErrorCode, Uint8Array, Partial<DeletionVectorDescriptor>]>([
    ["cut short", "DELTA_DELETION_VECTOR_SIZE_MISMATCH", whole.bytes.subarray(0, -1), {}],
    ["empty", "DELTA_DELETION_VECTOR_SIZE_MISMATCH", new Uint8Array(0), {}],
    ["of another size", "DELTA_DELETION_VECTOR_SIZE_MISMATCH", changed(descriptor.offset + 3, 1), {}],
    ["read elsewhere", "DELTA_DELETION_VECTOR_SIZE_MISMATCH", whole.bytes, { offset: 2 }],
    ["read beyond its end", "DELTA_DELETION_VECTOR_SIZE_MISMATCH", whole.bytes, { offset: 2 ** 31 - 1 }],
    ["with gigabytes promised", "DELTA_DELETION_VECTOR_SIZE_MISMATCH", whole.bytes, { sizeInBytes: 2 ** 31 - 1 }],
    ["with another byte", "DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH", changed(whole.bytes.length - 5, 9), {}],
    ["with another checksum", "DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH", changed(whole.bytes.length - 1, 9), {}],
    ["of fewer rows", "DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH", whole.bytes, { cardinality: 4 }],
    ["of more rows", "DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH", whole.bytes, { cardinality: 2 }],
  ])("%s: %s", async (_, code, bytes, more) => {
    await store.put(FILE, bytes);
    const error = await expectCode(code, () => read({ ...descriptor, ...more }));
    expect(error.kind).toBe("fix-data");
    expect(error.data).toMatchObject({ path: FILE, offset: more.offset ?? descriptor.offset });
  });

  test("of another version", async () => {
    await store.put(FILE, changed(0, 2));
    const sizeInBytes = roaringBytes([7]).length;
    const first = { ...descriptor, offset: 1, sizeInBytes, cardinality: 1 };
    await expectCode("DELTA_DELETION_VECTOR_INVALID", () => read(first));
  });
});

describe("bytes that are no vector", () => {
  const hex = (...parts: string[]) => Buffer.from(parts.join(""), "hex");
  const PORTABLE = "d1d33964";
  const ONE = "0100000000000000";
  const KEY = "00000000";
  const NO_RUNS = "3a300000";
  const RUNS = "3b300000";

  test.each<[string, Buffer]>([
    ["an unknown magic number", hex("d2d33964", ONE, KEY, NO_RUNS, KEY)],
    ["more bitmaps than bytes", hex(PORTABLE, "ffffffff00000000", KEY, NO_RUNS, KEY)],
    ["more bitmaps than there can be", hex(PORTABLE, "0100000001000000", KEY, NO_RUNS, KEY)],
    ["more bitmaps than bytes, natively", hex("d0d33964", "ffffffff")],
    ["a native size that is another", hex("d0d33964", "01000000", "09000000", NO_RUNS, KEY)],
    ["a key of rows beyond 2^53", hex(PORTABLE, ONE, "00002000", NO_RUNS, KEY)],
    ["keys that don't ascend", hex(PORTABLE, "0200000000000000", KEY, NO_RUNS, KEY, KEY, NO_RUNS, KEY)],
    ["an unknown cookie", hex(PORTABLE, ONE, KEY, "3c300000", KEY)],
    ["more containers than a bitmap has", hex(PORTABLE, ONE, KEY, NO_RUNS, "01000100")],
    ["more containers than bytes", hex(PORTABLE, ONE, KEY, NO_RUNS, "00000100")],
    ["a list that is cut", hex(PORTABLE, ONE, KEY, NO_RUNS, "01000000", "00000500", "18000000", "0100")],
    ["a list that doesn't ascend", hex(PORTABLE, ONE, KEY, NO_RUNS, "01000000", "00000100", "18000000", "02000200")],
    ["runs that overlap", hex(PORTABLE, ONE, KEY, RUNS, "01", "00000500", "0200", "01000200", "03000200")],
    ["runs out of the container", hex(PORTABLE, ONE, KEY, RUNS, "01", "00000100", "0100", "ffff0100")],
    ["runs of another number of rows", hex(PORTABLE, ONE, KEY, RUNS, "01", "00000500", "0100", "01000200")],
    ["no runs", hex(PORTABLE, ONE, KEY, RUNS, "01", "00000000", "0000")],
    ["more runs than bytes", hex(PORTABLE, ONE, KEY, RUNS, "01", "0000ffff", "ffff", "00000100")],
    [
      "bits of another number of rows",
      Buffer.concat([hex(PORTABLE, ONE, KEY, NO_RUNS, "01000000", "0000ffff", "18000000"), Buffer.alloc(8192, 1)]),
    ],
    ["bytes behind its end", Buffer.concat([roaringBytes([1]), Buffer.alloc(1)])],
    ["three bytes", Buffer.alloc(3)],
  ])("%s", async (_, bytes) => {
    await expectCode("DELTA_DELETION_VECTOR_INVALID", () => read(inline(bytes)));
  });

  test.each<[string, Partial<DeletionVectorDescriptor>]>([
    ["a character that Z85 doesn't have", { pathOrInlineDv: "wi5b~" }],
    ["a letter that Z85 doesn't have", { pathOrInlineDv: "wi5bé" }],
    ["a group beyond 2^32", { pathOrInlineDv: "#####" }],
    ["a group that is cut", { pathOrInlineDv: "wi5b" }],
    ["fewer bytes than it says", { sizeInBytes: 5 }],
    ["more bytes than it says", { pathOrInlineDv: "wi5b=wi5b=" }],
    ["an unknown storage type", { storageType: "x" }],
    ["a UUID that is cut", { storageType: "u", pathOrInlineDv: UUID_Z85.slice(1) }],
    ["a UUID that is none", { storageType: "u", pathOrInlineDv: "#".repeat(20) }],
    ["a negative size", { sizeInBytes: -1 }],
    ["a size that is none", { sizeInBytes: Number.NaN }],
    ["a size beyond 2^31", { storageType: "u", pathOrInlineDv: UUID_Z85, sizeInBytes: 2 ** 31 }],
    ["a negative offset", { storageType: "u", pathOrInlineDv: UUID_Z85, offset: -1 }],
    ["a cardinality that is none", { cardinality: 0.5 }],
    ["no path", { pathOrInlineDv: null as unknown as string }],
  ])("a descriptor with %s", async (_, flaw) => {
    const descriptor = { storageType: "i", pathOrInlineDv: "wi5b=", sizeInBytes: 4, cardinality: 0 };
    await expectCode("DELTA_DELETION_VECTOR_INVALID", () => read({ ...descriptor, ...flaw }));
    expect(store.calls).toEqual([]);
  });

  test("any bytes at all give a vector or an error, and vectors are sound", async () => {
    const valid = fc
      .tuple(fc.uniqueArray(fc.nat(200_000), { maxLength: 50 }), fc.boolean(), fc.constantFrom("portable", "native"))
      .map(([positions, run, format]) =>
        roaringBytes(
          positions.sort((a, b) => a - b),
          { isRun: () => run, format: format as "portable" | "native" },
        ),
      );
    const damaged = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(20))
      .map(([bytes, changes, cut]) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at % copy.length] = byte;
        return copy.subarray(0, Math.max(4, copy.length - (cut > 10 ? cut - 10 : 0)));
      });
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.concat([hex(PORTABLE, ONE, KEY), bytes]));
    const seen = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, noise), async (bytes) => {
        const descriptor = inline(bytes);
        try {
          const vector = await read(descriptor).catch((error) => {
            if (error.code !== "DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH") throw error;
            return read({ ...descriptor, cardinality: error.data.found });
          });
          seen.read++;
          let last = -1;
          let count = 0;
          for (const position of vector.positions()) {
            expect(position).toBeGreaterThan(last);
            last = position;
            count++;
          }
          expect(count).toBe(vector.cardinality);
        } catch (error) {
          if (!(error instanceof DeltaError) || error.code !== "DELTA_DELETION_VECTOR_INVALID") throw error;
          seen.refused++;
        }
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(30);
  });
});
