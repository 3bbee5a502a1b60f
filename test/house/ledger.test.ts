import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { flawsOf, ledgerOf, type Mention, parseRequirements } from "./ledger.js";

/** The requirements that the tests name, and where. */
function mentions(): Mention[] {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((file) => join("test", file).replaceAll("\\", "/"))
    .filter((file) => /\.(ts|mjs)$/.test(file) && !file.startsWith("test/house/"))
    .sort();
  return files.flatMap((file) => {
    const ids = readFileSync(file, "utf8").match(/\[R-[A-Z0-9]+-\d+\]/g) ?? [];
    return [...new Set(ids)].map((id) => ({ id: id.slice(1, -1), file }));
  });
}

describe("the ledger of requirements", () => {
  const requirements = parseRequirements(readFileSync("spec/requirements.md", "utf8"));

  test("has a test, an exception or a todo for each requirement, and no test of another", () => {
    expect(flawsOf(requirements, mentions())).toEqual([]);
  });

  test("is up to date: npx vitest run test/house/ledger.test.ts -u", async () => {
    await expect(ledgerOf(requirements, mentions())).toMatchFileSnapshot("../../spec/ledger.md");
  });
});

describe("a ledger", () => {
  const text = `## A part
- **R-A-1** Is done,
  here.
- **R-A-2** Isn't yet. Todo: later.
## Another
- **R-B-1** Never is. Exception: it can't be.
`;
  const requirements = parseRequirements(text);

  test("knows what each requirement says", () => {
    expect(requirements).toEqual([
      { id: "R-A-1", section: "A part", text: "Is done, here." },
      { id: "R-A-2", section: "A part", text: "Isn't yet.", open: "Todo: later." },
      { id: "R-B-1", section: "Another", text: "Never is.", open: "Exception: it can't be." },
    ]);
  });

  test.each([
    [[{ id: "R-A-1", file: "a" }], []],
    [[], ["R-A-1 has no test, exception or todo"]],
    [
      [
        { id: "R-A-1", file: "a" },
        { id: "R-C-1", file: "b" },
      ],
      ["R-C-1, which b names, isn't a requirement"],
    ],
  ])("of the tests %j has the flaws %j", (mentioned, flaws) => {
    expect(flawsOf(requirements, mentioned)).toEqual(flaws);
  });

  test("doesn't take one id twice", () => {
    expect(flawsOf(parseRequirements(`${text}- **R-B-1** Again. Todo: x.\n`), [{ id: "R-A-1", file: "a" }])).toEqual([
      "R-B-1 is there twice",
    ]);
  });
});
