import type { VerifyReport } from "../../ops/verify.js";
import type { FindingCode } from "../../verify/findingCodes.js";
import type { Finding } from "../../verify/findings.js";
import type { CommandRow, Given, Session } from "../command.js";
import { plainValue, WrongFound } from "../failure.js";
import { countOf, escapeControls, formatCount, formatSize, jsonText } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const verify: CommandRow = {
  name: "verify",
  summary: "Check a table: its log, checkpoints, files, statistics; exit code 1 if something is wrong",
  maxOperands: 0,
  options: [
    { name: "quick", kind: "flag", summary: "read the log, sizes and footers, but no values", excludes: ["log-only"] },
    { name: "log-only", kind: "flag", summary: "read the log only" },
    ...PAST_OPTIONS,
  ],
  examples: [
    {
      command: "verify ./events",
      does: "Exit codes: 0 sound (there may be warnings), 1 errors found or verify failed, 2 wrong use",
    },
    { command: "verify s3://lake/events --quick", does: "All but the values: a small read for each file" },
    { command: "delta-table verify ./events --json | jq .counts", does: "One JSON object, for programs" },
  ],
  run: verifyTable,
};

const STEPS = { commits: "commits read", listed: "files listed", files: "files checked" } as const;

async function verifyTable({ stdout, table, json, progress, signal }: Session, given: Given): Promise<void> {
  const report = await tableAt(table, given).verify({
    depth: given.has("log-only") ? "log" : given.has("quick") ? "files" : "data",
    signal,
    onProgress: ({ step, done }) => progress.show(done, STEPS[step]),
  });
  progress.clear();
  if (json) await stdout.line(jsonText(report, plainValue));
  else await stdout.write(`${(await reportLines(report)).join("\n")}\n`);
  if (!report.ok) throw new WrongFound();
}

/** Findings grouped by their code, what to do behind each group, then the outcome. */
async function reportLines({ location, version, findings, counts, checked, orphans }: VerifyReport): Promise<string[]> {
  const { FINDING_CODES } = await import("../../verify/findingCodes.js");
  const lines: string[] = [];
  for (const [code, group] of groupsOf(findings)) {
    const { severity, advice } = FINDING_CODES[code];
    lines.push(`${severity}: ${code}`);
    for (const { message } of group) lines.push(`  ${escapeControls(message)}`);
    const more = (counts[code] ?? 0) - group.length;
    if (more > 0) lines.push(`  … and ${formatCount(more)} more`);
    lines.push(`  -> ${advice}`, "");
  }
  const total = (severity: string) =>
    Object.entries(counts).reduce(
      (sum, [code, count]) => (FINDING_CODES[code as FindingCode].severity === severity ? sum + count : sum),
      0,
    );
  const [errors, warnings] = [total("error"), total("warning")];
  const told = [
    ...(errors > 0 ? [countOf(errors, "error")] : []),
    ...(warnings > 0 ? [countOf(warnings, "warning")] : []),
  ];
  const outcome = errors > 0 ? told.join(", ") : ["sound", ...told].join(", ");
  const { commits, checkpoints, compactions, checksums, files, bytes, rows } = checked;
  lines.push(
    `checked ${countOf(commits, "commit")}, ${countOf(checkpoints, "checkpoint")}, ` +
      (compactions > 0 ? `${countOf(compactions, "compaction")}, ` : "") +
      `${countOf(checksums, "checksum")}, ` +
      `${countOf(files, "file")} (${formatSize(bytes)}, ${countOf(rows, "row")})`,
    ...(orphans.files > 0 ? [`unused: ${countOf(orphans.files, "file")}, ${formatSize(orphans.bytes)}`] : []),
    `${escapeControls(location)}, version ${version}: ${outcome}`,
  );
  return lines;
}

function groupsOf(findings: readonly Finding[]): Map<FindingCode, Finding[]> {
  const groups = new Map<FindingCode, Finding[]>();
  for (const finding of findings) groups.set(finding.code, [...(groups.get(finding.code) ?? []), finding]);
  return groups;
}
