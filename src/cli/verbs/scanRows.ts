import type { Scan, ScanOptions } from "../../ops/scan.js";
import type { Given, OptionRow, Session } from "../command.js";
import { gridLines } from "../formats/grid.js";
import type { Output } from "../output.js";
import { countOf } from "../text.js";
import { UsageError } from "../usage.js";

/** Rows that a table for people has unless --limit says otherwise. */
const TABLE_ROWS = 100;

/** How rows are written, by the name of the format; its code is loaded when it is asked for. */
const FORMATS: Readonly<Record<string, (session: Session, scan: Scan) => Promise<void>>> = {
  jsonl: writeJsonLines,
  csv: writeCsv,
  arrow: writeArrow,
};

/** The options of commands that print rows. */
export const SCAN_OPTIONS: readonly OptionRow[] = [
  {
    name: "format",
    kind: "text",
    choices: ["jsonl", "csv", "table", "arrow"],
    summary: "default: table in a terminal, else jsonl",
  },
  { name: "columns", kind: "names", value: "A,B", summary: "only these columns, in this order" },
  { name: "where", kind: "text", value: "SQL", summary: "only rows for which this is true" },
  { name: "limit", kind: "count", value: "N", summary: `at most so many rows (tables: ${TABLE_ROWS} unless given)` },
  {
    name: "partition-timezone",
    kind: "text",
    value: "ZONE",
    summary: "zone of timestamp partition values that name none (default UTC)",
  },
];

/** Prints what `scan` gives for the options of the command line, in the format that it asks for. */
export async function printScan(session: Session, given: Given, scan: (options: ScanOptions) => Scan): Promise<void> {
  const { stdout } = session;
  const format = given.text("format") ?? (stdout.isTerminal && !session.json ? "table" : "jsonl");
  if (format === "arrow" && stdout.isTerminal) {
    throw new UsageError(
      "arrow is no text for a terminal",
      "Write it to a file or another program: … --format arrow > rows.arrows",
    );
  }
  const options: ScanOptions = {
    columns: given.names("columns"),
    where: given.text("where"),
    limit: given.count("limit"),
    partitionTimeZone: given.text("partition-timezone"),
    signal: session.signal,
  };
  const write = FORMATS[format];
  if (write !== undefined) return write(session, scan(options));
  const limit = options.limit ?? TABLE_ROWS;
  // One row more than shown tells whether there are more.
  return writeTable(stdout, scan({ ...options, limit: limit + 1 }), limit, options.limit === undefined);
}

async function writeJsonLines({ stdout }: Session, scan: Scan): Promise<void> {
  const { jsonLines } = await import("../../arrow/jsonLines.js");
  const schema = await scan.schema();
  for await (const batch of scan.batches()) {
    for (const piece of jsonLines(schema, batch)) await stdout.write(piece);
  }
}

async function writeCsv({ stdout }: Session, scan: Scan): Promise<void> {
  const { csvHeader, csvLines } = await import("../formats/csv.js");
  const schema = await scan.schema();
  const options = { escapeControls: stdout.isTerminal };
  await stdout.write(csvHeader(schema, options));
  for await (const batch of scan.batches()) {
    for (const piece of csvLines(schema, batch, options)) await stdout.write(piece);
  }
}

async function writeArrow({ stdout }: Session, scan: Scan): Promise<void> {
  const { arrowStream } = await import("../formats/arrowStream.js");
  for await (const piece of arrowStream(await scan.schema(), scan.batches())) await stdout.write(piece);
}

async function writeTable(stdout: Output, scan: Scan, limit: number, canRaise: boolean): Promise<void> {
  const { gridCells, gridColumns } = await import("../formats/cells.js");
  const schema = await scan.schema();
  const rows: string[][] = [];
  for await (const batch of scan.batches()) for (const row of gridCells(schema, batch)) rows.push(row);
  const shown = rows.slice(0, limit);
  for (const line of gridLines(gridColumns(schema), shown, stdout.width)) await stdout.line(line);
  const isMore = rows.length > limit;
  const more = canRaise ? "; more with --limit N, all with --format jsonl or csv" : "; there are more";
  await stdout.line(isMore ? `first ${countOf(shown.length, "row")}${more}` : countOf(shown.length, "row"));
}
