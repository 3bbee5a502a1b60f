import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { MUTANTS } from "./mutants.js";
import { root, simulate } from "./program.js";

it.each(Object.keys(MUTANTS))("finds the bug %s", async (name) => {
  const { code, output } = await simulate(name, "--seed", String(MUTANTS[name]!.seed));
  const hint = `Its schedule finds it no more. Look for another: npm run sim -- --mutant ${name}`;
  expect(output, hint).toMatch(/^VIOLATION: /m);
  expect(code).toBe(1);
});

it("finds nothing in the same schedules without a bug", async () => {
  for (const seed of new Set(Object.values(MUTANTS).map((mutant) => mutant.seed))) {
    const { code, output } = await simulate(undefined, "--seed", String(seed));
    expect(code, output).toBe(0);
  }
});

it("has all bugs and their seeds in spec/simulation.md", () => {
  const text = fs.readFileSync(path.join(root, "spec/simulation.md"), "utf8");
  const rows = Object.entries(MUTANTS).map(([name, { bug, seed }]) => `| ${name} | ${bug} | ${seed} |`);
  expect(text.split("\n").filter((line) => rows.includes(line))).toEqual(rows);
});
