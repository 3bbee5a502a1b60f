import type { CommandRow, Given, Session } from "../command.js";
import { countOf, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { PAST_OPTIONS } from "./past.js";

export const restore: CommandRow = {
  name: "restore",
  summary: "Make a table what it was at a past version, as a new version",
  maxOperands: 0,
  options: [
    ...PAST_OPTIONS,
    { name: "ignore-missing-files", kind: "flag", summary: "go without the rows of files that are gone" },
  ],
  examples: [
    { command: "restore ./events --version 3", does: "The versions since stay in the history" },
    { command: "restore ./events --timestamp 2026-01-31T12:00:00Z", does: "As it was then" },
  ],
  commits: true,
  run: restoreTable,
};

async function restoreTable({ stdout, table, json, signal }: Session, given: Given): Promise<void> {
  const to = given.count("version") ?? given.text("timestamp");
  if (to === undefined) throw new UsageError("nothing says what to restore", "Give --version N or --timestamp TIME.");
  const result = await table.restore(to, { ignoreMissingFiles: given.has("ignore-missing-files"), signal });
  if (json) return stdout.line(jsonText(result));
  const { version, restoredVersion, restoredFileCount, removedFileCount } = result;
  const what = `${countOf(restoredFileCount, "file")} back, ${removedFileCount} removed`;
  await stdout.line(`restored version ${restoredVersion} as version ${version}: ${what}`);
}
