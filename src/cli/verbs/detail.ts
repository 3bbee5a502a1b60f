import type { TableDetail } from "../../ops/detail.js";
import type { CommandRow, Given, Session } from "../command.js";
import { escapeControls, formatCount, formatSize, jsonText } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const detail: CommandRow = {
  name: "detail",
  summary: "Print what a table is: version, size, properties, features",
  maxOperands: 0,
  options: PAST_OPTIONS,
  examples: [
    { command: "detail ./events", does: "For people" },
    { command: "delta-table detail ./events --json | jq .sizeInBytes", does: "For programs" },
  ],
  run: printDetail,
};

async function printDetail({ stdout, table, json }: Session, given: Given): Promise<void> {
  const facts = await tableAt(table, given).detail();
  if (json) return stdout.line(jsonText(facts));
  const rows = factRows(facts);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) await stdout.line(`${name.padEnd(width)}  ${escapeControls(value)}`.trimEnd());
}

function factRows(facts: TableDetail): [string, string][] {
  const rows: [string, string | null][] = [
    ["location", facts.location],
    ["name", facts.name],
    ["description", facts.description],
    ["id", facts.id],
    ["version", String(facts.version)],
    ["created", facts.createdAt?.toISOString() ?? null],
    ["partitioned by", facts.partitionColumns.join(", ")],
    ["files", formatCount(facts.numFiles)],
    ["size", formatSize(facts.sizeInBytes)],
    ["protocol", `reader ${facts.minReaderVersion}, writer ${facts.minWriterVersion}`],
    ["features", facts.tableFeatures.join(", ")],
    ...Object.entries(facts.properties).map(([key, value], index): [string, string] => [
      index === 0 ? "properties" : "",
      `${key}=${value}`,
    ]),
  ];
  return rows.flatMap(([name, value]): [string, string][] => (value === null || value === "" ? [] : [[name, value]]));
}
