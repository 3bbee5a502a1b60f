import type { FeatureReport } from "../../log/protocolReport.js";
import type { TableProtocol } from "../../ops/protocol.js";
import type { CommandRow, Given, Session } from "../command.js";
import { gridLines } from "../formats/grid.js";
import { escapeControls, jsonText } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const protocol: CommandRow = {
  name: "protocol",
  summary: "Explain which features a table uses, and whether it can be read and appended to",
  maxOperands: 0,
  options: PAST_OPTIONS,
  examples: [
    { command: "protocol ./events", does: "Each feature, and what it means for reading and appending" },
    { command: "delta-table protocol ./events --json | jq .readRefusal", does: "null where the table can be read" },
  ],
  run: printProtocol,
};

async function printProtocol({ stdout, table, json }: Session, given: Given): Promise<void> {
  const report = await tableAt(table, given).protocol();
  if (json) return stdout.line(jsonText(report));
  for (const line of summaryLines(report)) await stdout.line(line);
  if (report.features.length === 0) return;
  await stdout.line("");
  for (const line of gridLines(COLUMNS, report.features.map(cells), stdout.width)) await stdout.line(line);
  for (const { name, reading, appending } of report.features) {
    await stdout.line("");
    await stdout.line(escapeControls(name));
    await stdout.line(`  reading    ${reading.meaning}`);
    await stdout.line(`  appending  ${appending.meaning}`);
  }
}

function summaryLines({ version, minReaderVersion, minWriterVersion, readRefusal, appendRefusal }: TableProtocol) {
  return [
    `version    ${version}`,
    `protocol   reader ${minReaderVersion}, writer ${minWriterVersion}`,
    `reading    ${escapeControls(readRefusal ?? "yes")}`,
    `appending  ${escapeControls(appendRefusal ?? "yes")}`,
  ];
}

const COLUMNS = ["feature", "from", "active", "read", "append"].map((name) => ({
  name,
  isRight: false,
  isWhole: true,
}));

function cells({ name, source, isActive, reading, appending }: FeatureReport): string[] {
  return [
    escapeControls(name),
    source === "listed" ? "the list" : "the versions",
    isActive === null ? "unknown" : yesOrNo(isActive),
    yesOrNo(reading.isSupported),
    yesOrNo(appending.isSupported),
  ];
}

function yesOrNo(value: boolean): string {
  return value ? "yes" : "no";
}
