import { SOURCE_FORMATS } from "../../load/source/names.js";
import type { SourceFormat } from "../../load/source/source.js";
import type { StreamProgress, StreamResult, StreamTrigger } from "../../stream/run.js";
import type { Stream } from "../../stream/stream.js";
import type { CommandRow, Given, Session } from "../command.js";
import { openOptionsOf } from "../openOptions.js";
import { countOf, escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { schemaGiven } from "./schemaText.js";
import { NEW_TABLE_OPTIONS } from "./tableOptions.js";

export const stream: CommandRow = {
  name: "stream",
  summary: "Add what is new in a table or a folder to another table, each row once",
  operands: "TARGET",
  maxOperands: 1,
  options: [
    {
      name: "checkpoint",
      kind: "text",
      value: "FOLDER",
      summary: "where the stream keeps its place; Spark can go on from it",
    },
    {
      name: "every",
      kind: "count",
      value: "SECONDS",
      summary: "go on until Ctrl-C; else until all there is is done",
      excludes: ["once"],
    },
    { name: "once", kind: "flag", summary: "all there is in one batch" },
    { name: "max-files", kind: "count", value: "N", summary: "files of the source a batch; default 1000" },
    {
      name: "starting-version",
      kind: "text",
      value: "N|latest",
      summary: "begin with what this version of a table added",
      excludes: ["starting-timestamp"],
    },
    {
      name: "starting-timestamp",
      kind: "text",
      value: "TIME",
      summary: "begin with the first version at this time or later",
    },
    {
      name: "read-change-feed",
      kind: "flag",
      summary: "give inserts, updates and deletes, with _change_type",
      excludes: ["ignore-deletes", "ignore-changes", "skip-change-commits"],
    },
    { name: "ignore-deletes", kind: "flag", summary: "pass over commits of a table that only delete" },
    { name: "ignore-changes", kind: "flag", summary: "give the files that updates write; some rows come again" },
    { name: "skip-change-commits", kind: "flag", summary: "pass over commits that delete or change rows" },
    {
      name: "partition-timezone",
      kind: "text",
      value: "ZONE",
      summary: "zone of a table's timestamp partition values that name none (default UTC)",
    },
    {
      name: "format",
      kind: "text",
      choices: SOURCE_FORMATS,
      summary: "of a folder's files; default: by their extensions",
    },
    { name: "name", kind: "text", value: "NAME", summary: "what the target knows the stream by" },
    ...NEW_TABLE_OPTIONS,
  ],
  examples: [
    {
      command: "stream ./raw ./copy --checkpoint ./checkpoints/copy",
      does: "A table's rows, and those added since the last time",
    },
    { command: "stream ./raw ./copy --checkpoint s3://b/copy --every 10", does: "Every ten seconds, until Ctrl-C" },
    {
      command: "stream ./inbox ./events --schema 'id bigint' --checkpoint ./c",
      does: "A folder's files (it has a schema), each once",
    },
  ],
  commits: true,
  run: runStream,
};

async function runStream(session: Session, given: Given): Promise<void> {
  const { stdout, progress, json, signal } = session;
  const [target] = given.operands;
  const checkpoint = given.text("checkpoint");
  if (target === undefined)
    throw new UsageError("the target is missing", "Name two places: delta-table stream SOURCE TARGET.");
  if (checkpoint === undefined)
    throw new UsageError(
      "--checkpoint is missing",
      "Give the stream a folder of its own: --checkpoint ./checkpoints/copy.",
    );
  const storage = openOptionsOf(given);
  const { Table } = await import("../../table.js");
  await using table = Table.open(target, storage);
  const source = await sourceOf(session, given);
  const done = { batchCount: 0, rowCount: 0 };
  const onProgress = ({ rowCount }: StreamProgress) => {
    done.rowCount += rowCount;
    progress.show(done.rowCount, `rows, ${countOf(++done.batchCount, "batch", "batches")}`);
  };
  const result = await source.toTable(table, {
    checkpoint,
    storage,
    trigger: triggerOf(given),
    partitionBy: given.names("partition-by"),
    queryName: given.text("name"),
    signal,
    onProgress,
  });
  progress.clear();
  await stdout.line(
    json ? jsonText({ location: table.url, ...result }) : resultText(result, escapeControls(table.url)),
  );
}

/** A folder where the command line says what is in its files, else a table. */
async function sourceOf({ table }: Session, given: Given): Promise<Stream> {
  const maxFilesPerTrigger = given.count("max-files");
  const schema = await schemaGiven(given);
  if (schema !== undefined) {
    const format = given.text("format") as SourceFormat | undefined;
    const { streamFolder } = await import("../../stream/sources.js");
    return streamFolder(given.location, { schema, format, maxFilesPerTrigger, storage: openOptionsOf(given) });
  }
  const version = given.text("starting-version");
  return table.stream({
    maxFilesPerTrigger,
    startingVersion: version === undefined || version === "latest" ? version : versionOf(version),
    startingTimestamp: given.text("starting-timestamp"),
    readChangeFeed: given.has("read-change-feed"),
    ignoreDeletes: given.has("ignore-deletes"),
    ignoreChanges: given.has("ignore-changes"),
    skipChangeCommits: given.has("skip-change-commits"),
    partitionTimeZone: given.text("partition-timezone"),
  });
}

function versionOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`--starting-version can't be "${escapeControls(text)}"`, 'Give a version, or "latest".');
}

function triggerOf(given: Given): StreamTrigger {
  const seconds = given.count("every");
  if (seconds !== undefined) return { everyMs: 1000 * seconds };
  return given.has("once") ? "once" : "availableNow";
}

function resultText({ batchCount, rowCount, version, isStopped }: StreamResult, location: string): string {
  const stopped = isStopped ? "stopped; the same command goes on: " : "";
  if (batchCount === 0) return `${stopped}nothing new for ${location}`;
  const rows = `${countOf(rowCount, "row")} in ${countOf(batchCount, "batch", "batches")}`;
  return `${stopped}added ${rows} to ${location}, version ${version}`;
}
