import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";

export const convert: CommandRow = {
  name: "convert",
  summary: "Make a folder of Parquet files a table, in place",
  maxOperands: 0,
  options: [
    {
      name: "partition-by",
      kind: "text",
      value: "DDL",
      summary: "the columns that folders name: 'day date, city string'",
    },
    { name: "no-statistics", kind: "flag", summary: "read the files' footers only, no values" },
    { name: "property", kind: "pairs", value: "KEY=VALUE", summary: "a table property; may be given again" },
  ],
  examples: [
    { command: "convert ./events", does: "Schema and partition columns are found out" },
    { command: "convert s3://lake/events --partition-by 'day date'", does: "Folders such as day=2026-01-31" },
  ],
  commits: true,
  run: convertFolder,
};

async function convertFolder({ stdout, table, json, progress, signal }: Session, given: Given): Promise<void> {
  const [partitionBy, properties] = [given.text("partition-by"), given.pairs("property")];
  const { parseDdl } = await import("../../schema/ddl.js");
  const result = await table.convert({
    ...(partitionBy === undefined ? {} : { partitionBy: parseDdl(partitionBy) }),
    ...(properties === undefined ? {} : { properties }),
    statistics: !given.has("no-statistics"),
    signal,
    onProgress: ({ step, done }) => progress.show(done, step === "footers" ? "footers read" : "files read"),
  });
  progress.clear();
  if (json) return stdout.line(jsonText({ location: table.url, ...result }));
  const { skipped, version, fileCount, sizeBytes } = result;
  const where = `${escapeControls(table.url)}, version ${version}`;
  const what = `${countOf(fileCount, "file")}, ${formatSize(sizeBytes)}`;
  await stdout.line(skipped ? `already a table: ${where}` : `converted ${what}: ${where}`);
}
