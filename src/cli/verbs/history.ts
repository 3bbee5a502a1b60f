import type { HistoryEntry } from "../../ops/history.js";
import type { CommandRow, Given, Session } from "../command.js";
import { type GridColumn, gridLines } from "../formats/grid.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const history: CommandRow = {
  name: "history",
  summary: "List the commits of a table, newest first",
  maxOperands: 0,
  options: [{ name: "limit", kind: "count", value: "N", summary: "at most so many commits" }, ...PAST_OPTIONS],
  examples: [
    { command: "history ./events --limit 5", does: "The last five commits" },
    { command: "delta-table history ./events --json | jq '.[0].operationMetrics'", does: "What the newest one did" },
  ],
  run: printHistory,
};

const COLUMNS: readonly GridColumn[] = [
  { name: "version", isRight: true, isWhole: true },
  { name: "time", isRight: false, isWhole: true },
  { name: "operation", isRight: false, isWhole: true },
  { name: "written", isRight: false, isWhole: false },
  { name: "by", isRight: false, isWhole: false },
  { name: "note", isRight: false, isWhole: false },
];

async function printHistory({ stdout, table, json, signal }: Session, given: Given): Promise<void> {
  const entries = await tableAt(table, given).history({ limit: given.count("limit"), signal });
  if (json) return stdout.write(`[${entries.map((entry) => `\n${jsonText(entry)}`).join(",")}\n]\n`);
  for (const line of gridLines(...withoutEmpty(entries.map(cells)), stdout.width)) await stdout.line(line);
}

function cells(entry: HistoryEntry): string[] {
  const { version, timestamp, operation, operationMetrics, engineInfo, userMetadata } = entry;
  return [
    String(version),
    timestamp.toISOString(),
    escapeControls(operation ?? ""),
    writtenText(operationMetrics),
    escapeControls(engineInfo ?? ""),
    escapeControls(userMetadata ?? ""),
  ];
}

/** Columns that say nothing are left out. */
function withoutEmpty(rows: readonly string[][]): [GridColumn[], string[][]] {
  const kept = COLUMNS.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== ""));
  return [kept.map((column) => COLUMNS[column]!), rows.map((row) => kept.map((column) => row[column]!))];
}

function writtenText(metrics: Readonly<Record<string, string>>): string {
  const [rows, files, bytes] = ["numOutputRows", "numFiles", "numOutputBytes"].map((name) => Number(metrics[name]));
  return [
    ...(rows! >= 0 ? [countOf(rows!, "row")] : []),
    ...(files! >= 0 ? [countOf(files!, "file")] : []),
    ...(bytes! >= 0 ? [formatSize(bytes!)] : []),
  ].join(", ");
}
