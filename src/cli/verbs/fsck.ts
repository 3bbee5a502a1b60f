import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, jsonText } from "../text.js";

export const fsck: CommandRow = {
  name: "fsck",
  summary: "Take files out of a table that are lost, so that the others can be read",
  maxOperands: 0,
  options: [{ name: "dry-run", kind: "flag", summary: "only tell which files are lost" }],
  examples: [{ command: "fsck ./events --dry-run", does: "The files that the table names and that aren't there" }],
  commits: true,
  run: fsckTable,
};

async function fsckTable({ stdout, table, json, signal }: Session, given: Given): Promise<void> {
  const dryRun = given.has("dry-run");
  const result = await table.fsck({ dryRun, signal });
  if (json) return stdout.line(jsonText({ dryRun, ...result }));
  for (const { path, dataFileMissing } of result.missing) {
    await stdout.line(`${escapeControls(path)}${dataFileMissing ? "" : " (its deletion vector)"}`);
  }
  const { length } = result.missing;
  const outcome = length === 0 ? "none is missing" : `${length} missing${dryRun ? "" : ", and no longer in the table"}`;
  await stdout.line(`looked for ${countOf(result.fileCount, "file")}: ${outcome}`);
}
