import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";

export const deleteRows: CommandRow = {
  name: "delete",
  summary: "Delete the rows of a condition, as one new version",
  maxOperands: 0,
  options: [
    { name: "where", kind: "text", value: "SQL", summary: "the rows for which this is true" },
    { name: "all", kind: "flag", summary: "all rows", excludes: ["where"] },
    ...COMMIT_OPTIONS,
  ],
  examples: [{ command: `delete ./events --where "day < '2026-01-01'"`, does: "Files without such rows aren't read" }],
  commits: true,
  run,
};

async function run({ table, signal, stdout, json }: Session, given: Given): Promise<void> {
  const where = given.text("where");
  if (where === undefined && !given.has("all")) {
    throw new UsageError("there is no condition", "Give --where SQL, or --all to delete all rows.");
  }
  const result = await table.delete(where, { ...commitOptionsOf(given), signal });
  const location = escapeControls(table.url);
  const { version, skipped, deletedRowCount } = result;
  const said = skipped
    ? `skipped: ${location} has this transaction already (version ${version})`
    : `deleted ${countOf(deletedRowCount, "row")} of ${location}, version ${version}`;
  await stdout.line(json ? jsonText({ location: table.url, ...result }) : said);
}
