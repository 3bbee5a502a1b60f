import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { UsageError } from "../usage.js";

export const vacuum: CommandRow = {
  name: "vacuum",
  summary: "Delete files that nothing needs any more",
  maxOperands: 0,
  options: [
    { name: "dry-run", kind: "flag", summary: "only tell what would be deleted" },
    {
      name: "retention-hours",
      kind: "text",
      value: "N",
      summary: "delete what nothing has needed for so long (default: as the table says)",
    },
    { name: "lite", kind: "flag", summary: "only files that the log says were removed; the folder isn't listed" },
    {
      name: "no-retention-check",
      kind: "flag",
      summary: "allow fewer hours than the table's: only where nobody else works on it",
    },
  ],
  examples: [
    { command: "vacuum ./events --dry-run", does: "What would be deleted" },
    { command: "vacuum ./events", does: "Versions from before the retention can't be read any more" },
    { command: "vacuum ./events --retention-hours 1000", does: "Keep files longer than the table asks for" },
  ],
  commits: true,
  run: vacuumTable,
};

async function vacuumTable({ stdout, table, json, progress, signal }: Session, given: Given): Promise<void> {
  const hours = given.text("retention-hours");
  if (hours !== undefined && !/^\d+(?:\.\d+)?$/.test(hours)) {
    throw new UsageError(
      `--retention-hours can't be "${escapeControls(hours)}"`,
      "Give a number of hours, such as 168.",
    );
  }
  const dryRun = given.has("dry-run");
  const result = await table.vacuum({
    dryRun,
    lite: given.has("lite"),
    enforceRetention: !given.has("no-retention-check"),
    ...(hours === undefined ? {} : { retentionHours: Number(hours) }),
    signal,
    onProgress: ({ step, done }) => progress.show(done, step === "listed" ? "files listed" : "files deleted"),
  });
  progress.clear();
  if (json) return stdout.line(jsonText({ dryRun, ...result }));
  const { fileCount, sizeBytes, paths } = result;
  if (dryRun) {
    for (const path of paths) await stdout.line(escapeControls(path));
    if (fileCount > paths.length) await stdout.line(`… and ${countOf(fileCount - paths.length, "more file")}`);
  }
  const what = `${countOf(fileCount, "file")}, ${formatSize(sizeBytes)}`;
  await stdout.line(dryRun ? `would delete ${what}` : `deleted ${what}`);
}
