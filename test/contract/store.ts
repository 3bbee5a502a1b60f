import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DeltaError } from "#src/errors.js";
import type { StorageOptions } from "#src/storage/open.js";
import type { ByteRange, ObjectMeta, ObjectStore } from "#src/storage/store.js";
import { compareUtf8 } from "#src/storage/utf8Order.js";
import { raceOfCalls, raceOfProcesses } from "./race.js";

/** An empty store, and how other processes can open the same one; without `location` the race stays in this process. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  readonly location?: string;
  readonly options?: StorageOptions;
}

const RACED_KEYS = 60;

const ODD_NAMES = [
  "a b.txt",
  "per%20cent%.txt",
  "hash#query?x=1&y=2",
  "plus+semi;colon,at@eq=",
  "quote'\"`$(x)!",
  "ünï/日本語.parquet",
  "\u{1F600}.json",
  "part=a%3Ab/c~d[0]{1}^",
  ".hidden",
  "_delta_log/00000000000000000000.json",
  "a  b",
  "ends with space /x ",
  "less<than>&amp;.xml",
];

/** What every store must do. `makeStore` gives a new, empty store at each call. */
export function describeStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`the store contract on ${name}`, () => {
    let under: StoreUnderTest;
    let store: ObjectStore;
    beforeAll(async () => {
      under = await makeStore();
      store = under.store;
    });
    afterAll(async () => {
      await store?.[Symbol.asyncDispose]();
    });

    it("gives back the bytes that were put, and the newest after a second put", async () => {
      for (const size of [0, 1, 1000, 256 * 1024, 256 * 1024 + 1, 3_000_000]) {
        const bytes = pattern(size);
        await store.put(`sizes/${size}`, bytes);
        const got = await store.get(`sizes/${size}`);
        expect(Object.getPrototypeOf(got)).toBe(Uint8Array.prototype);
        expect(Buffer.compare(got, bytes)).toBe(0);
      }
      await store.put("sizes/1000", text("new"));
      expect(string(await store.get("sizes/1000"))).toBe("new");
    });

    it("gives back the bytes of a new object under a name of its own", async () => {
      for (const size of [0, 1000, 3_000_000]) {
        const bytes = pattern(size);
        await store.putNew(`new/folder=ü x/${size}`, [
          bytes.subarray(0, size / 3),
          new Uint8Array(0),
          bytes.subarray(size / 3),
        ]);
        expect(Buffer.compare(await store.get(`new/folder=ü x/${size}`), bytes)).toBe(0);
      }
      const aborted = { code: "DELTA_ABORTED" };
      await expect(store.putNew("new/aborted", [text("x")], AbortSignal.abort())).rejects.toMatchObject(aborted);
      expect(await store.head("new/aborted")).toBeUndefined();
      await expect(store.putNew("../new", [text("x")])).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    });

    it("gives back what another program wrote to a new object, and leaves none where that failed", async () => {
      if (store.putNewBy === undefined) return;
      const { sizeBytes, stored } = await store.putNewBy("by/folder=ü x/new", (file) => writeFile(file, "abc"));
      await stored;
      expect(sizeBytes).toBe(3);
      expect(string(await store.get("by/folder=ü x/new"))).toBe("abc");
      const failure = new Error("it can't");
      await expect(store.putNewBy("by/failed", () => Promise.reject(failure))).rejects.toBe(failure);
      expect(await store.head("by/failed")).toBeUndefined();
      const write = (file: string) => writeFile(file, "");
      const aborted = { code: "DELTA_ABORTED" };
      await expect(store.putNewBy("by/aborted", write, AbortSignal.abort())).rejects.toMatchObject(aborted);
      await expect(store.putNewBy("../by", write)).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    });

    it("gives back bytes that a put read range by range, and leaves none of a put that failed", async () => {
      for (const size of [0, 1000, 20_000_000, 70_000_000]) {
        const bytes = pattern(size);
        const read = async ({ start, end }: ByteRange) => bytes.subarray(start, end);
        await store.putFrom("read/file", { sizeBytes: size, read });
        expect(Buffer.compare(await store.get("read/file"), bytes)).toBe(0);
        const fails = async ({ start, end }: ByteRange) => {
          if (end > size) throw new DeltaError("DELTA_FILE_NOT_FOUND", "gone", {});
          return bytes.subarray(start, end);
        };
        const failed = { code: "DELTA_FILE_NOT_FOUND" };
        await expect(store.putFrom("read/failed", { sizeBytes: size + 1, read: fails })).rejects.toMatchObject(failed);
        expect(await store.head("read/failed")).toBeUndefined();
      }
      expect(await store.listNames("read/")).toEqual(["read/file"]);
    });

    it("puts a hint where nothing is, and leaves what is there", async () => {
      await store.putHint("hint/a", text("first"));
      expect(string(await store.get("hint/a"))).toBe("first");
      await store.putHint("hint/a", text("second"));
      expect(string(await store.get("hint/a"))).toBe("first");
      expect(await store.listNames("hint/")).toEqual(["hint/a"]);
      await expect(store.putHint("../hint", text("x"))).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    });

    it("sweeps a folder, which leaves what is in it, be it there or not", async () => {
      await store.put("swept/a", text("x"));
      await store.sweep("swept/", Date.now() + 60_000);
      await store.sweep("nowhere/", Date.now());
      expect(await store.listNames("swept/")).toEqual(["swept/a"]);
      await expect(store.sweep("../", 0)).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    });

    it("settles a folder, be it there or not", async () => {
      await store.put("settled/a", text("x"));
      await store.settle("settled/");
      await store.settle("");
      await store.settle("nowhere/");
      expect(string(await store.get("settled/a"))).toBe("x");
      await expect(store.settle("../")).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
    });

    it("lets the event loop turn while somebody reads in a loop", async () => {
      await store.put("loop", text("x"));
      let hasTurned = false;
      setTimeout(() => {
        hasTurned = true;
      }, 1);
      for (let i = 0; i < 20_000 && !hasTurned; i++) {
        await store.get("loop");
        await store.get("loop/none").catch(() => undefined);
      }
      expect(hasTurned).toBe(true);
    });

    it("keeps its own copy: neither side's later changes reach the other", async () => {
      const bytes = text("original");
      await store.put("copy", bytes);
      bytes.fill(0);
      (await store.get("copy")).fill(1);
      expect(string(await store.get("copy"))).toBe("original");
      const part = await store.get("copy", { start: 0, end: 4 });
      part.fill(2);
      expect(string(await store.get("copy"))).toBe("original");
    });

    it("reads ranges, cut at the object's end", async () => {
      await store.put("range", text("0123456789"));
      const read = async (start: number, end: number) => string(await store.get("range", { start, end }));
      expect(await read(0, 10)).toBe("0123456789");
      expect(await read(2, 5)).toBe("234");
      expect(await read(9, 10)).toBe("9");
      expect(await read(5, 1000)).toBe("56789");
      expect(await read(10, 20)).toBe("");
      expect(await read(500, 501)).toBe("");
      expect(await read(4, 4)).toBe("");
      await store.put("range-of-nothing", new Uint8Array(0));
      expect((await store.get("range-of-nothing", { start: 0, end: 8 })).length).toBe(0);
    });

    it("refuses ranges that are none, and objects that aren't there", async () => {
      await store.put("range", text("0123456789"));
      for (const [start, end] of [
        [-1, 2],
        [3, 2],
        [0.5, 2],
        [0, Number.NaN],
      ] as const) {
        await expect(store.get("range", { start, end })).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
      }
      const missing = { code: "DELTA_FILE_NOT_FOUND" };
      await expect(store.get("nowhere")).rejects.toMatchObject(missing);
      await expect(store.get("nowhere/at/all")).rejects.toMatchObject(missing);
      await expect(store.get("nowhere", { start: 0, end: 5 })).rejects.toMatchObject(missing);
      await expect(store.get("nowhere", { start: 5, end: 5 })).rejects.toMatchObject(missing);
    });

    it("takes a folder for no object", async () => {
      await store.put("folder/file", text("x"));
      await expect(store.get("folder")).rejects.toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
      expect(await store.head("folder")).toBeUndefined();
      await store.delete("folder");
      expect(string(await store.get("folder/file"))).toBe("x");
    });

    it("refuses paths that lead elsewhere", async () => {
      for (const path of [
        "",
        "/",
        "/etc/passwd",
        "a//b",
        "a/",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "./a",
        "a/./b",
        "a\0b",
      ]) {
        const refused = { code: "DELTA_INVALID_ARGUMENT" };
        await expect(store.get(path)).rejects.toMatchObject(refused);
        await expect(store.put(path, text("x"))).rejects.toMatchObject(refused);
        await expect(store.putIfAbsent(path, text("x"))).rejects.toMatchObject(refused);
        await expect(store.head(path)).rejects.toMatchObject(refused);
        await expect(store.delete(path)).rejects.toMatchObject(refused);
      }
      for (const prefix of ["a", "/", "../", "a//", "a/../"]) {
        await expect(store.listNames(prefix)).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
        await expect(collect(store.list(prefix))).rejects.toMatchObject({ code: "DELTA_INVALID_ARGUMENT" });
      }
    });

    it("creates once with putIfAbsent", async () => {
      expect(await store.putIfAbsent("once/a", text("first"))).toBe("created");
      expect(await store.putIfAbsent("once/a", text("second"))).toBe("exists");
      expect(string(await store.get("once/a"))).toBe("first");
      await store.put("once/b", text("put"));
      expect(await store.putIfAbsent("once/b", text("late"))).toBe("exists");
      expect(string(await store.get("once/b"))).toBe("put");
      await store.delete("once/a");
      expect(await store.putIfAbsent("once/a", text("third"))).toBe("created");
      expect(string(await store.get("once/a"))).toBe("third");
      expect(await store.putIfAbsent("once/empty", new Uint8Array(0))).toBe("created");
      expect(await store.putIfAbsent("once/empty", new Uint8Array(0))).toBe("exists");
    });

    it("creates with putIfAbsent only after what it waits for", async () => {
      let release = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const outcome = store.putIfAbsent("after/a", text("first"), undefined, gate);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await store.head("after/a")).toBeUndefined();
      release();
      expect(await outcome).toBe("created");
      expect(string(await store.get("after/a"))).toBe("first");
    });

    it("creates nothing with putIfAbsent where what it waits for fails", async () => {
      const failure = new DeltaError("DELTA_DISK_FULL", "no room for the data");
      const failed = new Promise<void>((_, reject) => setTimeout(() => reject(failure), 20));
      await expect(store.putIfAbsent("after/b", text("x"), undefined, failed)).rejects.toBe(failure);
      expect(await store.listNames("after/")).not.toContain("after/b");
    });

    it("tells size and time", async () => {
      const before = Date.now();
      await store.put("meta/a", text("12345"));
      const after = Date.now();
      const meta = await store.head("meta/a");
      expect(meta).toMatchObject({ path: "meta/a", sizeBytes: 5 });
      expect(Number.isInteger(meta?.modifiedMs)).toBe(true);
      // Servers cut the time to seconds; a file system's clock may be a tick behind.
      expect(meta?.modifiedMs).toBeGreaterThanOrEqual(before - 1100);
      expect(meta?.modifiedMs).toBeLessThanOrEqual(after + 1100);
      expect(await store.head("meta/none")).toBeUndefined();
      expect(await store.head("meta/none/deeper")).toBeUndefined();
      const [listed] = await collect(store.list("meta/"));
      expect(listed).toMatchObject({ path: "meta/a", sizeBytes: 5 });
      expect(Math.abs((listed?.modifiedMs ?? 0) - (meta?.modifiedMs ?? 0))).toBeLessThan(1000);
    });

    it("deletes, also what isn't there", async () => {
      await store.put("gone/a", text("x"));
      await store.delete("gone/a");
      await expect(store.get("gone/a")).rejects.toMatchObject({ code: "DELTA_FILE_NOT_FOUND" });
      expect(await store.head("gone/a")).toBeUndefined();
      expect(await store.listNames("gone/")).toEqual([]);
      await store.delete("gone/a");
      await store.delete("never/was/here");
    });

    it("lists everything below a folder in the order of UTF-8 bytes", async () => {
      const names = ["a", "a-b", "a.b/x", "a0", "ab/c/d", "ab/c-d", "ab/c0", "b", "Z", "ä", "\uff5e", "\u{1F600}"];
      const paths = names.map((path) => `order/${path}`);
      for (const path of paths.toReversed()) await store.put(path, text(path));
      const sorted = paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect((await collect(store.list("order/"))).map(({ path }) => path)).toEqual(sorted);
      expect((await collect(store.list("order/ab/"))).map(({ path }) => path)).toEqual(
        sorted.filter((path) => path.startsWith("order/ab/")),
      );
      expect(await store.listNames("order/")).toEqual(sorted.filter((path) => path.split("/").length === 2));
      for (const startAfter of [...sorted, "order/", "order/ab", "order/ab/", "order/ab/c", "order/zzz", "zzz", "a"]) {
        const later = sorted.filter((path) => compareUtf8(path, startAfter) > 0);
        expect((await collect(store.list("order/", startAfter))).map(({ path }) => path)).toEqual(later);
        expect(await store.listNames("order/", startAfter)).toEqual(
          later.filter((path) => path.split("/").length === 2),
        );
      }
    });

    it("lists nothing where there is no folder, and no neighbours of a folder", async () => {
      await store.put("near/a", text("x"));
      await store.put("nearby/b", text("x"));
      await store.put("near-c", text("x"));
      expect((await collect(store.list("near/"))).map(({ path }) => path)).toEqual(["near/a"]);
      expect(await store.listNames("near/")).toEqual(["near/a"]);
      expect(await collect(store.list("nowhere/"))).toEqual([]);
      expect(await store.listNames("nowhere/deep/")).toEqual([]);
      expect(await store.listNames("")).toContain("near-c");
      expect(await store.listNames("")).not.toContain("near/a");
      expect((await collect(store.list(""))).map(({ path }) => path)).toContain("nearby/b");
    });

    it("takes any name as it is", async () => {
      for (const odd of ODD_NAMES) {
        const path = `odd/${odd}`;
        expect(await store.putIfAbsent(path, text(odd))).toBe("created");
        expect(await store.putIfAbsent(path, text("no"))).toBe("exists");
        expect(string(await store.get(path))).toBe(odd);
        expect(await store.head(path)).toMatchObject({ path, sizeBytes: Buffer.byteLength(odd) });
      }
      const sorted = ODD_NAMES.map((odd) => `odd/${odd}`).sort(compareUtf8);
      expect((await collect(store.list("odd/"))).map(({ path }) => path)).toEqual(sorted);
      for (const path of sorted) await store.delete(path);
      expect(await collect(store.list("odd/"))).toEqual([]);
    });

    it("lists more than a page", async () => {
      const paths = Array.from({ length: 1203 }, (_, i) => `pages/${String(i).padStart(20, "0")}.json`);
      const lanes = Array.from({ length: 16 }, async (_, lane) => {
        for (let i = lane; i < paths.length; i += 16) await store.put(paths[i] ?? "", text("x"));
      });
      await Promise.all(lanes);
      expect(await store.listNames("pages/")).toEqual(paths);
      expect((await collect(store.list("pages/"))).map(({ path }) => path)).toEqual(paths);
      expect(await store.listNames("pages/", paths[100])).toEqual(paths.slice(101));
    });

    it("may leave out folders that aren't entered, and nothing else", async () => {
      await store.put("pages/0/x", text("x"));
      await store.put("pages.after/0", text("x"));
      await store.put("pages0", text("x"));
      const all = (await collect(store.list(""))).map(({ path }) => path);
      const asked = new Set<string>();
      const enters = (folder: string) => {
        asked.add(folder);
        return folder !== "pages/";
      };
      const found = (await collect(store.list("", "", undefined, enters))).map(({ path }) => path);
      const isOutside = (path: string) => !path.startsWith("pages/");
      expect(found.filter(isOutside)).toEqual(all.filter(isOutside));
      expect(found).toEqual(all.filter((path) => found.includes(path)));
      for (const folder of asked) expect(folder).toMatch(/[^/]\/$/);
      await store.delete("pages/0/x");
    });

    it("reads ranges of the content that an etag names, where it has etags", async () => {
      await store.put("etag/a", text("first"));
      const etag = (await store.head("etag/a"))?.etag;
      const [listed] = await collect(store.list("etag/"));
      expect(listed?.etag).toBe(etag);
      const range = { start: 1, end: 3 };
      expect(string(await store.get("etag/a", { ...range, etag }))).toBe("ir");
      if (etag === undefined) return;
      await store.put("etag/a", text("again"));
      const changed = { code: "DELTA_LOAD_SOURCE_CHANGED" };
      await expect(store.get("etag/a", { ...range, etag })).rejects.toMatchObject(changed);
      const now = (await store.head("etag/a"))?.etag;
      expect(now).not.toBe(etag);
      expect(string(await store.get("etag/a", { ...range, etag: now }))).toBe("ga");
    });

    it("stops at a signal", async () => {
      await store.put("signal", text("x"));
      const signal = AbortSignal.abort(new Error("enough"));
      const aborted = { code: "DELTA_ABORTED", cause: { message: "enough" } };
      await expect(store.get("signal", undefined, signal)).rejects.toMatchObject(aborted);
      await expect(store.put("signal-2", text("x"), signal)).rejects.toMatchObject(aborted);
      await expect(store.putIfAbsent("signal-3", text("x"), signal)).rejects.toMatchObject(aborted);
      await expect(store.head("signal", signal)).rejects.toMatchObject(aborted);
      await expect(store.delete("signal", signal)).rejects.toMatchObject(aborted);
      await expect(store.listNames("", "", signal)).rejects.toMatchObject(aborted);
      await expect(collect(store.list("", "", signal))).rejects.toMatchObject(aborted);
      expect(string(await store.get("signal"))).toBe("x");
      expect(await store.head("signal-2")).toBeUndefined();
      expect(await store.head("signal-3")).toBeUndefined();
    });

    it("shows readers the old bytes or the new ones while an object is replaced", async () => {
      const sizes = [10, 400_000];
      await store.put("replaced", pattern(10));
      let writing = true;
      const seen = new Set<number>();
      const reader = (async () => {
        while (writing) {
          const bytes = await store.get("replaced");
          if (Buffer.compare(bytes, pattern(bytes.length)) !== 0) throw new Error("A mix was read");
          seen.add(bytes.length);
          await new Promise(setImmediate);
        }
      })();
      for (let i = 0; i < 30; i++) await store.put("replaced", pattern(sizes[i % 2] ?? 0));
      writing = false;
      await reader;
      expect(sizes).toEqual(expect.arrayContaining([...seen]));
    });

    it(`elects one of 32 concurrent putIfAbsent, for each of ${RACED_KEYS} keys`, async () => {
      const { location, options } = under;
      const { race, end } =
        location === undefined
          ? { race: raceOfCalls(store, 32), end: async () => {} }
          : await raceOfProcesses(4, 8, location, options ?? {});
      try {
        for (let i = 0; i < RACED_KEYS; i++) {
          const key = `race/${String(i).padStart(20, "0")}.json`;
          const outcomes = await race(key);
          expect(outcomes).toHaveLength(32);
          const winners = outcomes.filter(({ outcome }) => outcome === "created");
          expect(winners).toHaveLength(1);
          expect(string(await store.get(key))).toBe(winners[0]?.body);
        }
      } finally {
        await end();
      }
      expect(await store.listNames("race/")).toHaveLength(RACED_KEYS);
    });
  });
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function string(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Bytes that differ with their position, and with the total. */
function pattern(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) + size) & 0xff;
  return bytes;
}

async function collect(list: AsyncIterable<ObjectMeta>): Promise<ObjectMeta[]> {
  const found: ObjectMeta[] = [];
  for await (const meta of list) found.push(meta);
  return found;
}
