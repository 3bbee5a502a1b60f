import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isSameIdentity, prefixHash } from "#src/load/source/identity.js";
import { oneFile, temporaryFolder } from "./files.js";

const folder = await temporaryFolder();
const at = path.join(folder, "a.csv");
const KIB = 1024;

describe("the identity of a file", () => {
  it("hashes the ends of a prefix", async () => {
    await writeFile(at, "");
    const nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(await prefixHash(await oneFile(at), 0)).toEqual({ head: nothing, tail: nothing });
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    await writeFile(at, "abcdef");
    expect(await prefixHash(await oneFile(at), 3)).toEqual({ head: abc, tail: abc });
    expect(await prefixHash(await oneFile(at), 7)).toBeUndefined();

    const hashOf = async (bytes: Buffer) => {
      await writeFile(at, bytes);
      return (await prefixHash(await oneFile(at), 200 * KIB))!;
    };
    const bytes = Buffer.alloc(300 * KIB, "0123456789");
    const first = await hashOf(bytes);
    // Head, middle, tail, and behind the prefix.
    for (const [place, head, tail] of [
      [64 * KIB - 1, false, true],
      [100 * KIB, true, true],
      [136 * KIB, true, false],
      [200 * KIB - 1, true, false],
      [200 * KIB, true, true],
    ] as const) {
      const other = Buffer.from(bytes);
      other[place] = 0;
      const hash = await hashOf(other);
      expect([place, hash.head === first.head, hash.tail === first.tail]).toEqual([place, head, tail]);
    }
  });

  it.each([
    [true, { sizeBytes: 5, modifiedMs: 1 }, { sizeBytes: 5, modifiedMs: 1 }],
    [false, { sizeBytes: 5, modifiedMs: 1 }, { sizeBytes: 5, modifiedMs: 2 }],
    [false, { sizeBytes: 5, modifiedMs: 1 }, { sizeBytes: 6, modifiedMs: 1 }],
    // An object's etag says more than its time.
    [true, { sizeBytes: 5, modifiedMs: 1, etag: "a" }, { sizeBytes: 5, modifiedMs: 9, etag: "a" }],
    [false, { sizeBytes: 5, modifiedMs: 1, etag: "a" }, { sizeBytes: 5, modifiedMs: 1, etag: "b" }],
    [false, { sizeBytes: 5, modifiedMs: 1, etag: "a" }, { sizeBytes: 6, modifiedMs: 1, etag: "a" }],
    [false, { sizeBytes: 5, modifiedMs: 1, etag: "a" }, { sizeBytes: 5, modifiedMs: 2 }],
  ])("is the same: %s, %o and %o", (isSame, a, b) => {
    expect(isSameIdentity(a, b)).toBe(isSame);
    expect(isSameIdentity(b, a)).toBe(isSame);
  });
});
