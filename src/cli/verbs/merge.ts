import { SOURCE_FORMATS } from "../../load/source/names.js";
import type { SourceFormat } from "../../load/source/source.js";
import type { MergeOptions, MergeResult } from "../../ops/merge.js";
import type { StructType } from "../../schema/types.js";
import type { CommandRow, Given, Session } from "../command.js";
import { checkFiles, inputFiles } from "../sources/files.js";
import { mergedSchema } from "../sources/mergedSchema.js";
import { rowsOfFiles } from "../sources/rows.js";
import { TemporaryFolder } from "../sources/temporary.js";
import { countOf, escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { COMMIT_OPTIONS, commitOptionsOf } from "./commitOptions.js";
import { MERGE_SCHEMA } from "./tableOptions.js";
import { SET, setOf } from "./update.js";

export const merge: CommandRow = {
  name: "merge",
  summary: "Update, delete and insert rows by those of files, as one new version",
  operands: "[FILE…|-]",
  maxOperands: Number.POSITIVE_INFINITY,
  options: [
    {
      name: "on",
      kind: "text",
      value: "A,B|SQL",
      summary: "columns that are equal, or SQL over target.A and source.A",
    },
    { name: "when-matched", kind: "text", choices: ["update", "delete"], summary: "what becomes of rows that match" },
    { ...SET, summary: "update this column only; as often as wanted" },
    { name: "delete-where", kind: "text", value: "SQL", summary: "matching rows for which this is true are deleted" },
    { name: "when-not-matched", kind: "text", choices: ["insert"], summary: "what becomes of the files' other rows" },
    {
      name: "when-not-matched-by-source",
      kind: "text",
      choices: ["delete"],
      summary: "what becomes of the table's other rows",
    },
    { name: "format", kind: "text", choices: SOURCE_FORMATS, summary: "default: by the file's extension; jsonl for -" },
    MERGE_SCHEMA,
    ...COMMIT_OPTIONS,
  ],
  examples: [
    {
      command: "merge ./customers today.csv --on id --when-matched update --when-not-matched insert",
      does: "Rows with a known id take the place of the old ones",
    },
    {
      command: `merge ./customers log.jsonl --on id --delete-where source.gone --when-matched update`,
      does: "Rows that the log says are gone go, the others change",
    },
  ],
  commits: true,
  run,
};

async function run(session: Session, given: Given): Promise<void> {
  const { table, signal, stdin, stdout, progress, json } = session;
  const clauses = clausesOf(given);
  const commitOptions = commitOptionsOf(given);
  const files = inputFiles(given.operands, given.text("format") as SourceFormat | undefined);
  await checkFiles(files);
  await using temporary = new TemporaryFolder();
  const context = { stdin, temporary, signal };
  const inputs = await mergedSchema(files, context, nullable(await table.schema()));
  const fields = inputs.schema?.fields.filter(({ name }) => inputs.names.has(name)) ?? [];
  const rows = await rowsOfFiles(inputs.files, context, { type: "struct", fields });
  const result = await table.merge(rows, {
    ...clauses,
    mergeSchema: given.has("merge-schema"),
    ...commitOptions,
    signal,
    onProgress: ({ sourceRowCount, targetRowCount }) => progress.show(sourceRowCount + targetRowCount, "rows"),
  });
  progress.clear();
  await stdout.line(
    json ? jsonText({ location: table.url, ...result }) : resultText(result, escapeControls(table.url)),
  );
}

function clausesOf(given: Given): MergeOptions {
  const on = given.text("on");
  if (on === undefined) throw new UsageError("it isn't said when rows match", "Give --on id, or --on SQL.");
  const [set, deleteWhere] = [setOf(given), given.text("delete-where")];
  const matched = given.text("when-matched");
  if (set !== undefined && matched !== "update") {
    throw new UsageError("--set is of no use without an update", "Give --when-matched update.");
  }
  const whenMatched = [
    ...(deleteWhere === undefined ? [] : [{ where: deleteWhere, delete: true as const }]),
    ...(matched === "delete" ? [{ delete: true as const }] : []),
    ...(matched === "update" ? [{ update: set ?? ("*" as const) }] : []),
  ];
  const columns = given.names("on") ?? [];
  return {
    on: columns.every((name) => /^\w+$/.test(name)) ? columns : on,
    whenMatched,
    whenNotMatched: given.has("when-not-matched") ? [{ insert: "*" }] : [],
    whenNotMatchedBySource: given.has("when-not-matched-by-source") ? [{ delete: true }] : [],
  };
}

/** A file may lack what the table demands, where it is only to match or to change some columns. */
function nullable({ fields }: StructType): StructType {
  return { type: "struct", fields: fields.map((field) => ({ ...field, nullable: true })) };
}

function resultText(result: MergeResult, location: string): string {
  const { version, skipped, sourceRowCount, insertedRowCount, updatedRowCount, deletedRowCount } = result;
  if (skipped) return `skipped: ${location} has this transaction already (version ${version})`;
  const counts = [`inserted ${insertedRowCount}`, `updated ${updatedRowCount}`, `deleted ${deletedRowCount}`];
  return `merged ${countOf(sourceRowCount, "row")} into ${location}, version ${version}: ${counts.join(", ")}`;
}
