import fs from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { check, configurations, model, type Outcome, SPEC_FOLDER, skip } from "./tlc.js";

/** The longest run goes first, since two go side by side. */
const LONGEST = ["reads"];
const names = [...LONGEST, ...configurations().filter((name) => !LONGEST.includes(name))];
const outcomes = new Map<string, Outcome>();

describe.skipIf(skip)(`the model${skip ?? ""}`, () => {
  describe.concurrent("breaks no property in the whole state space of", () => {
    test.each(names)("%s", async (name) => {
      const outcome = await check(name, model(name), name);
      outcomes.set(name, outcome);
      expect(outcome.violated).toBeUndefined();
    });
  });

  test("is as large as spec/model.md says", () => {
    expect(documented()).toEqual(measured());
  });

  afterAll(() => {
    for (const row of measured()) console.log(row);
  });
});

function measured(): string[] {
  const rows = [...outcomes].map(
    ([name, { distinctStates }]) => `| ${name} | ${distinctStates.toLocaleString("en-US")} |`,
  );
  return rows.sort();
}

function documented(): string[] {
  const page = fs.readFileSync(path.join(SPEC_FOLDER, "model.md"), "utf8");
  return [...page.matchAll(/^\| \w+ \| [\d,]+ \|/gm)].map(([row]) => row).sort();
}
