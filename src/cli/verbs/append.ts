import type { AppendResult } from "../../ops/stagedAppend.js";
import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";
import { INPUT_FORMAT, withInputRows } from "./inputRows.js";
import { CLUSTER_BY, MERGE_SCHEMA, NEW_TABLE_OPTIONS } from "./tableOptions.js";

export const append: CommandRow = {
  name: "append",
  summary: "Add the rows of files, or of the standard input, as one new version",
  operands: "[FILE…|-]",
  maxOperands: Number.POSITIVE_INFINITY,
  options: [INPUT_FORMAT, MERGE_SCHEMA, ...NEW_TABLE_OPTIONS, CLUSTER_BY, ...COMMIT_OPTIONS],
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
  const { table, signal, stdout, progress, json } = session;
  const commitOptions = commitOptionsOf(given);
  const result = await withInputRows(session, given, ({ rows, declared, mergeSchema }) =>
    table.append(rows, {
      schema: declared,
      mergeSchema,
      partitionBy: given.names("partition-by"),
      clusterBy: given.names("cluster-by"),
      ...commitOptions,
      signal,
      onProgress: ({ rowCount }) => progress.show(rowCount, "rows"),
    }),
  );
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
