import type { CommandRow, Given, Session } from "../command.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";
import { INPUT_FORMAT, withInputRows } from "./inputRows.js";
import { MERGE_SCHEMA, NEW_TABLE_OPTIONS } from "./tableOptions.js";

export const overwrite: CommandRow = {
  name: "overwrite",
  summary: "Put the rows of files in the place of those that are there, as one new version",
  operands: "[FILE…|-]",
  maxOperands: Number.POSITIVE_INFINITY,
  options: [
    INPUT_FORMAT,
    { name: "where", kind: "text", value: "SQL", summary: "replace only the rows for which this is true" },
    { name: "dynamic-partitions", kind: "flag", summary: "replace only the partitions that the rows are in" },
    { name: "overwrite-schema", kind: "flag", summary: "the table gets the rows' schema" },
    MERGE_SCHEMA,
    ...NEW_TABLE_OPTIONS,
    ...COMMIT_OPTIONS,
  ],
  examples: [
    { command: "overwrite ./events all.parquet", does: "All rows; older versions can still be read" },
    { command: "overwrite ./events monday.csv --where \"day = '2026-01-05'\"", does: "The rows of one day" },
  ],
  commits: true,
  run: overwriteRows,
};

async function overwriteRows(session: Session, given: Given): Promise<void> {
  const { table, signal, stdout, progress, json } = session;
  const commitOptions = commitOptionsOf(given);
  const overwriteSchema = given.has("overwrite-schema");
  const result = await withInputRows(
    session,
    given,
    ({ rows, declared, mergeSchema }) =>
      table.overwrite(rows, {
        schema: declared,
        mergeSchema,
        overwriteSchema,
        where: given.text("where"),
        dynamicPartitions: given.has("dynamic-partitions"),
        partitionBy: given.names("partition-by"),
        ...commitOptions,
        signal,
        onProgress: ({ rowCount }) => progress.show(rowCount, "rows"),
      }),
    overwriteSchema,
  );
  progress.clear();
  const location = escapeControls(table.url);
  if (json) return stdout.line(jsonText({ location: table.url, ...result }));
  const { version, rowCount, fileCount, sizeBytes, removedFileCount, skipped } = result;
  if (skipped) return stdout.line(`skipped: ${location} has this transaction already (version ${version})`);
  const files = `${countOf(fileCount, "file")}, ${formatSize(sizeBytes)}, in place of ${countOf(removedFileCount, "file")}`;
  await stdout.line(`wrote ${countOf(rowCount, "row")} (${files}) to ${location}, version ${version}`);
}
