import { describe, expect, it } from "vitest";
import { Glob } from "#src/load/source/glob.js";

/** Patterns, their folder, what fits and what doesn't. */
const CASES: readonly (readonly [pattern: string, folder: string, fits: readonly string[], not: readonly string[]])[] =
  [
    ["d/*.csv", "d/", ["d/a.csv", "d/ü.csv"], ["d/a.csvx", "d/e/a.csv", "a.csv", "d/_a.csv", "d/.a.csv"]],
    ["d/?.csv", "d/", ["d/a.csv", "d/日.csv", "d/\u{1F600}.csv"], ["d/ab.csv", "d/.csv", "d/_.csv"]],
    ["d/[a-c].csv", "d/", ["d/a.csv", "d/c.csv"], ["d/d.csv", "d/A.csv"]],
    ["d/[!a-c]x", "d/", ["d/dx", "d/]x"], ["d/ax", "d/_x"]],
    ["d/[^a]x", "d/", ["d/bx"], ["d/ax"]],
    ["d/[]a]x", "d/", ["d/]x", "d/ax"], ["d/bx"]],
    ["d/[a^-]x", "d/", ["d/ax", "d/^x", "d/-x"], ["d/bx"]],
    ["d/[a", "d/", ["d/[a"], ["d/a"]],
    ["d/{a,b}.csv", "d/", ["d/a.csv", "d/b.csv"], ["d/c.csv", "d/{a,b}.csv"]],
    ["d/{a,b/{c,d}}.csv", "d/", ["d/a.csv", "d/b/c.csv", "d/b/d.csv"], ["d/b.csv", "d/c.csv"]],
    ["{d,e}/f/*", "", ["d/f/x", "e/f/x"], ["f/x"]],
    ["d/{a}.csv", "d/", ["d/{a}.csv"], ["d/a.csv"]],
    ["d/{a,b.csv", "d/", ["d/{a,b.csv"], ["d/a"]],
    ["d/a\\*.csv", "d/", ["d/a*.csv"], ["d/ab.csv"]],
    ["d/**/x.csv", "d/", ["d/x.csv", "d/a/x.csv", "d/a/b/x.csv"], ["x.csv", "d/a/y.csv", "d/_a/x.csv", "d/.git/x.csv"]],
    ["**/*.csv", "", ["a.csv", "d/a.csv"], ["a.txt"]],
    ["d/**", "d/", ["d/a", "d/a/b"], ["e/a", "d/_a", "d/a/.b"]],
    ["d/**/**/a/**/b", "d/", ["d/a/b", "d/x/a/y/b"], ["d/b", "d/x/b"]],
    [
      "d/2026-*",
      "d/",
      ["d/2026-01", "d/2026-01/a.csv", "d/2026-01/x/a.csv"],
      ["d/2025-01/a.csv", "d/2026-01/_SUCCESS"],
    ],
    ["d/_*/x", "d/", ["d/_a/x"], ["d/a/x"]],
    ["d/.h/*", "d/.h/", ["d/.h/x"], ["d/.h/.x"]],
    ["d/a.b+c(d)|$^/*", "d/a.b+c(d)|$^/", ["d/a.b+c(d)|$^/x"], ["d/axb+c(d)|$^/x"]],
    ["d/x\ny*", "d/", ["d/x\ny\nz"], ["d/x y"]],
  ];

describe("a pattern of paths", () => {
  it.each(CASES)("%s", (pattern, folder, fits, not) => {
    const glob = new Glob(pattern);
    expect(glob.folder).toBe(folder);
    for (const path of fits) {
      expect([path, glob.fits(path)]).toEqual([path, true]);
      expect(path.startsWith(glob.folder)).toBe(true);
      // Whoever lists comes to it through these.
      const names = path.split("/");
      for (let count = 1; count < names.length; count++) {
        expect(glob.mayHold(`${names.slice(0, count).join("/")}/`)).toBe(true);
      }
    }
    for (const path of not) expect([path, glob.fits(path)]).toEqual([path, false]);
  });

  it("keeps out of folders that can't hold what fits", () => {
    const glob = new Glob("d/*/x/*.csv");
    for (const folder of ["d/", "d/a/", "d/a/x/", "d/a/x/b.csv/"]) expect(glob.mayHold(folder)).toBe(true);
    for (const folder of ["e/", "d/_a/", "d/a/y/", "d/a/x/b/", "d/a/x/b.csv/_c/"]) {
      expect(glob.mayHold(folder)).toBe(false);
    }
  });

  it("of too many alternatives is a name", () => {
    const braces = "{a,b}".repeat(20);
    expect(new Glob(`d/${braces}`).fits(`d/${braces}`)).toBe(true);
    expect(new Glob(`d/${"{a,b}".repeat(9)}`).fits("d/abababbba")).toBe(true);
  });
});
