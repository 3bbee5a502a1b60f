import type { DataFile } from "../../ops/files.js";
import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, formatCount, formatSize, jsonText } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const files: CommandRow = {
  name: "files",
  summary: "List the live data files of a table",
  maxOperands: 0,
  options: [
    { name: "where", kind: "text", value: "SQL", summary: "only files that may hold rows for which this is true" },
    ...PAST_OPTIONS,
  ],
  examples: [
    { command: "files ./events", does: "Size, rows and path of each file" },
    { command: `files ./events --where "day = '2026-01-31'"`, does: "By partition values and statistics alone" },
    { command: "delta-table files ./events --json | jq -r .path", does: "A JSON object a line, for programs" },
  ],
  run: printFiles,
};

/** File by file as the log is read, however many there are. */
async function printFiles({ stdout, table, json, signal }: Session, given: Given): Promise<void> {
  const { DATA_FILE_COLUMNS: columns, dataFiles } = await import("../../ops/files.js");
  const where = given.text("where");
  let [count, sizeBytes] = [0, 0];
  if (!json) await stdout.line(line("size", "rows", "path"));
  for await (const batch of tableAt(table, given).fileBatches({
    columns,
    signal,
    ...(where !== undefined && { where }),
  })) {
    const listed = dataFiles(batch);
    count += listed.length;
    for (const file of listed) sizeBytes += file.size;
    await stdout.write(listed.map((file) => `${json ? jsonText(file) : fileLine(file)}\n`).join(""));
  }
  if (!json) await stdout.line(`${countOf(count, "file")}, ${formatSize(sizeBytes)}`);
}

function fileLine({ size, numRecords, path, deletionVector }: DataFile): string {
  const rows = numRecords === undefined ? "" : formatCount(numRecords - (deletionVector?.cardinality ?? 0));
  return line(formatSize(size), rows, escapeControls(path));
}

function line(size: string, rows: string, path: string): string {
  return `${size.padStart(9)}  ${rows.padStart(13)}  ${path}`;
}
