import { hasCode } from "../../errors.js";
import { SOURCE_FORMATS } from "../../load/source/names.js";
import type { SourceFormat } from "../../load/source/source.js";
import type { AppendResult } from "../../ops/stagedAppend.js";
import type { StructType } from "../../schema/types.js";
import type { Table } from "../../table.js";
import type { CommandRow, Given, Session } from "../command.js";
import { checkFiles, inputFiles } from "../sources/files.js";
import { mergedSchema } from "../sources/mergedSchema.js";
import { rowsOfFiles } from "../sources/rows.js";
import { TemporaryFolder } from "../sources/temporary.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";
import { schemaGiven } from "./schemaText.js";
import { MERGE_SCHEMA, NEW_TABLE_OPTIONS } from "./tableOptions.js";

export const append: CommandRow = {
  name: "append",
  summary: "Add the rows of files, or of the standard input, as one new version",
  operands: "[FILE…|-]",
  maxOperands: Number.POSITIVE_INFINITY,
  options: [
    { name: "format", kind: "text", choices: SOURCE_FORMATS, summary: "default: by the file's extension; jsonl for -" },
    MERGE_SCHEMA,
    ...NEW_TABLE_OPTIONS,
    ...COMMIT_OPTIONS,
  ],
  examples: [
    {
      command: "append ./events monday.csv tuesday.csv",
      does: "Two files, one commit; the first append makes the table",
    },
    {
      command: "append ./events rows.jsonl --partition-by day",
      does: "JSON lines, as read --format jsonl writes them",
    },
    { command: "curl -s https://example.org/rows.jsonl | delta-table append ./events", does: "From another program" },
    {
      command: "append ./events 7.parquet --txn-app-id nightly --txn-version 7",
      does: "Done once, however often it is run",
    },
  ],
  commits: true,
  run: appendFiles,
};

async function appendFiles(session: Session, given: Given): Promise<void> {
  const { table, signal, stdin, stdout, progress, json } = session;
  const commitOptions = commitOptionsOf(given);
  const files = inputFiles(given.operands, given.text("format") as SourceFormat | undefined);
  if (files.some((file) => file.path === undefined) && "isTTY" in stdin && stdin.isTTY) {
    throw new UsageError(
      "there are no rows to append",
      "Name files, or pipe rows in: … | delta-table append <table> -",
    );
  }
  await checkFiles(files);
  const declared = await schemaGiven(given);
  const existing = await schemaIfExists(table);
  await using temporary = new TemporaryFolder();
  const context = { stdin, temporary, signal };
  const mergeSchema = given.has("merge-schema");
  const known = existing ?? declared;
  const inputs = mergeSchema ? await mergedSchema(files, context, known) : { files, schema: known };
  const rows = await rowsOfFiles(inputs.files, context, inputs.schema);
  const result = await table.append(rows, {
    schema: declared,
    mergeSchema,
    partitionBy: given.names("partition-by"),
    ...commitOptions,
    signal,
    onProgress: ({ rowCount }) => progress.show(rowCount, "rows"),
  });
  progress.clear();
  await stdout.line(
    json ? jsonText({ location: table.url, ...result }) : resultText(result, escapeControls(table.url)),
  );
}

function resultText({ version, rowCount, fileCount, sizeBytes, skipped }: AppendResult, location: string): string {
  if (skipped) return `skipped: ${location} has this transaction already (version ${version})`;
  if (fileCount === 0) return `no rows: ${location} stays at version ${version}`;
  const files = `${countOf(fileCount, "file")}, ${formatSize(sizeBytes)}`;
  return `appended ${countOf(rowCount, "row")} (${files}) to ${location}, version ${version}`;
}

async function schemaIfExists(table: Table): Promise<StructType | undefined> {
  try {
    return await table.schema();
  } catch (error) {
    if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return undefined;
    throw error;
  }
}
