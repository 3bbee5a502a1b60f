import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { MUTANTS, type Mutant } from "./mutants.js";
import { check, model, SPEC_FOLDER, skip } from "./tlc.js";

describe.skipIf(skip)(`mutants of the model${skip ?? ""}`, () => {
  describe.concurrent("are caught:", () => {
    test.each(MUTANTS)("$name breaks $caughtBy", async (mutant) => {
      const outcome = await check(`mutant-${MUTANTS.indexOf(mutant)}`, textOf(mutant), mutant.configuration);
      expect(outcome.violated).toBe(mutant.caughtBy);
    });
  });
});

test("spec/model.md lists the mutants and what catches them", () => {
  const page = fs.readFileSync(path.join(SPEC_FOLDER, "model.md"), "utf8");
  const rows = [...page.matchAll(/^\| (.+) \| (\w+) \| `(\w+)` \|$/gm)].map(([, ...columns]) => columns);
  expect(rows).toEqual(MUTANTS.map(({ name, configuration, caughtBy }) => [name, configuration, caughtBy]));
});

function textOf({ name, configuration, replace }: Mutant): string {
  return replace.reduce((text, [from, to]) => {
    const pieces = text.split(from);
    if (pieces.length !== 2)
      throw new Error(`${name}: ${from} occurs ${pieces.length - 1} times in the model, not once.`);
    return pieces.join(to);
  }, model(configuration));
}
