import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";

const DIST = resolve(import.meta.dirname, "../../dist");
const IMPORTED = /^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"([^"]+)";/gm;

/** What a module of the build loads before it runs: its own files, and packages by their names. */
function loadedBy(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const waiting = [join(DIST, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, name] of readFileSync(file, "utf8").matchAll(IMPORTED)) {
      if (name!.startsWith(".")) waiting.push(resolve(dirname(file), name!));
      else if (!name!.startsWith("node:")) packages.add(name!);
    }
  }
  return { files, packages };
}

// Each module costs half a millisecond of a process's start, Apache Arrow alone 130 of them.
it("loads little before the first call", () => {
  expect(existsSync(join(DIST, "index.js"))).toBe(true);
  const { files, packages } = loadedBy("index.js");
  expect([...packages]).toEqual([]);
  expect(files.size).toBeGreaterThan(50);
  expect(files.size).toBeLessThanOrEqual(100);
});
