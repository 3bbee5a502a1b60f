import { describe, expect, it } from "vitest";
import type { Tail } from "#src/log/tail.js";
import { TouchedFiles } from "#src/log/touchedFiles.js";

/** The candidates among paths, in one buffer with something in front, as Arrow has them. */
function candidates(touched: readonly string[], paths: readonly string[]): string[] {
  const tail = { length: touched.length, keys: () => touched, hasTouched: () => true } as unknown as Tail;
  const bytes = new TextEncoder().encode(`%in front%${paths.join("")}`);
  const offsets = new Int32Array(paths.length + 1);
  offsets[0] = 10;
  for (const [i, path] of paths.entries()) offsets[i + 1] = offsets[i]! + Buffer.byteLength(path);
  return new TouchedFiles(tail, 1).mayHave(bytes, offsets, paths.length).map((row) => paths[row]!);
}

const names = Array.from({ length: 500 }, (_, i) => `part-${i * 7}-ä${"abc".repeat(i % 9)}.parquet`);

describe("TouchedFiles.mayHave", () => {
  it.each([1, 3, 40])("finds %d touched files in any folder, and few others", (count) => {
    const touched = names.filter((_, i) => i % Math.ceil(500 / count) === 5);
    const paths = names.flatMap((name) => [name, `p=1/${name}`, `a/b/${name}`, `${name}/x${name}`]);
    const found = candidates(
      touched.map((name) => `p=1/${name}`),
      paths,
    );
    const wanted = paths.filter((path) => touched.includes(path.slice(path.lastIndexOf("/") + 1)));
    expect(found).toEqual(expect.arrayContaining(wanted));
    expect(found.length).toBeLessThan(wanted.length + paths.length / 10);
  });

  it("has to look at escapes and at last parts that other spellings lack", () => {
    const odd = ["a%20b", "p=%31/c.parquet", "a/.", "a/..", "a/", ".", "x", ""];
    expect(candidates(["c.parquet"], [...odd, ...names.slice(0, 3)])).toEqual(
      expect.arrayContaining(["a%20b", "a/.", "a/..", "a/", ".", ""]),
    );
    expect(candidates(["c.parquet"], ["p=%31/c.parquet", "z.parquet"])).toContain("p=%31/c.parquet");
    const plainOdd = odd.filter((path) => !path.includes("%"));
    expect(candidates(["c.parquet"], plainOdd)).toEqual(plainOdd);
  });

  it("takes a deletion vector's file for the file", () => {
    expect(candidates(["d/a.parquet\nvector"], ["d/a.parquet", "d/b.parquet"])).toContain("d/a.parquet");
  });
});
