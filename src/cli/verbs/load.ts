import type { LoadOptions, LoadProgress, LoadResult, LoadSource } from "../../load/loadOptions.js";
import { SOURCE_FORMATS } from "../../load/source/names.js";
import type { SourceFormat } from "../../load/source/source.js";
import type { CommandRow, Given, Session } from "../command.js";
import { loadProgressText } from "../loadProgress.js";
import { openOptionsOf } from "../openOptions.js";
import { countOf, escapeControls, formatSize, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { isOnSpark, loadOnSpark, SPARK_OPTIONS } from "./loadOnSpark.js";
import { PARSE_OPTIONS, parseOptionsGiven } from "./parseOptions.js";
import { schemaGiven } from "./schemaText.js";
import { MERGE_SCHEMA, NEW_TABLE_OPTIONS } from "./tableOptions.js";

export const load: CommandRow = {
  name: "load",
  summary: "Load files, in batches; run again, it goes on where it was, and loads what is new",
  before: "SOURCE…",
  maxOperands: Number.POSITIVE_INFINITY,
  options: [
    { name: "format", kind: "text", choices: SOURCE_FORMATS, summary: "default: by the files' extensions" },
    {
      name: "job",
      kind: "text",
      value: "NAME",
      summary: "what the table knows the load by; default: from the sources",
    },
    {
      name: "restart",
      kind: "flag",
      summary: "begin anew: rows that are there come again",
      excludes: ["ignore-change"],
    },
    { name: "ignore-change", kind: "flag", summary: "go on though sources or options changed, with the job's own" },
    { name: "batch-size", kind: "text", value: "SIZE", summary: "of the sources in one commit; default 128mb" },
    { name: "where", kind: "text", value: "SQL", summary: "load only rows for which this is true" },
    MERGE_SCHEMA,
    ...NEW_TABLE_OPTIONS,
    { name: "property", kind: "pairs", value: "KEY=VALUE", summary: "of a new table; may be given again" },
    ...PARSE_OPTIONS,
    { name: "max-bad-records", kind: "count", value: "N", summary: "stop when there are more bad records" },
    { name: "max-bad-ratio", kind: "text", value: "0.01", summary: "stop when a larger share of the records is bad" },
    {
      name: "dead-letters",
      kind: "text",
      value: "TABLE",
      summary: "for bad records; default: _dead_letters below the table",
      excludes: ["no-dead-letters"],
    },
    { name: "no-dead-letters", kind: "flag", summary: "keep none: the first bad record stops the load" },
    ...SPARK_OPTIONS,
  ],
  examples: [
    { command: "load flights.csv.gz ./flights", does: "A file; after a crash the same command goes on" },
    {
      command: "load 's3://raw/2026-*/*.csv' s3://lake/events",
      does: "All files that match; the next time the new ones",
    },
    { command: "load ./inbox ./events --partition-by day --max-bad-records 100", does: "A folder and all below it" },
    {
      command: "zcat big.csv.gz | delta-table load - ./events --format csv --job big",
      does: "The standard input, which has to be named",
    },
    {
      command: "load /data/inbox /data/events --engine spark",
      does: "The same load, on the machines of a Spark cluster",
    },
  ],
  commits: "inParts",
  run: loadSources,
};

async function loadSources(session: Session, given: Given): Promise<void> {
  const { table, stdout, progress, json, signal } = session;
  if (isOnSpark(given)) {
    await loadOnSpark(session, given, await optionsGiven(session, given));
    return;
  }
  const source = sourceOf(session, given);
  // One line after the other, also where several are told at once.
  let written: Promise<void> = Promise.resolve();
  const onProgress = (told: LoadProgress) => {
    progress.showText(() => loadProgressText(told, progress.elapsedMs, signal.aborted));
    if (!json || !told.isCommitted) return;
    written = written.then(() => stdout.line(jsonText({ event: "commit", ...told })));
    written.catch(() => undefined);
  };
  const result = await table.load(source, { ...(await optionsGiven(session, given)), onProgress });
  progress.clear();
  await written;
  const text = json
    ? jsonText({ event: "done", location: table.url, ...result })
    : resultText(result, table.url, progress.elapsedMs);
  await stdout.line(text);
}

async function optionsGiven({ signal }: Session, given: Given): Promise<LoadOptions> {
  return {
    ...parseOptionsGiven(given),
    format: given.text("format") as SourceFormat | undefined,
    job: given.text("job"),
    restart: given.has("restart"),
    ignoreChange: given.has("ignore-change"),
    batchBytes: sizeOf(given.text("batch-size")),
    where: given.text("where"),
    mergeSchema: given.has("merge-schema"),
    schema: await schemaGiven(given),
    partitionBy: given.names("partition-by"),
    properties: given.pairs("property"),
    maxBadRecords: given.count("max-bad-records"),
    maxBadRatio: ratioOf(given.text("max-bad-ratio")),
    deadLetters: given.has("no-dead-letters") ? false : given.text("dead-letters"),
    storage: openOptionsOf(given),
    signal,
  } as LoadOptions;
}

function sourceOf({ stdin }: Session, { operands }: Given): LoadSource {
  if (!operands.includes("-")) return operands;
  if (operands.length > 1) throw new UsageError('"-" stands beside other sources', "Load the standard input alone.");
  if ("isTTY" in stdin && stdin.isTTY) {
    throw new UsageError("there are no rows to load", "Name files, or pipe rows in: … | delta-table load - <table>");
  }
  return { stdin, name: "stdin" };
}

function resultText(result: LoadResult, location: string, elapsedMs: number): string {
  const { rowsLoaded, rowsDead, rowsFiltered, rowsRead, filesDone, bytesRead, batches, version, job } = result;
  const table = escapeControls(location);
  const skipped =
    result.filesSkipped === 0
      ? []
      : [`${countOf(result.filesSkipped, "file")} whose names tell no format passed over (--format)`];
  if (result.isUpToDate) {
    const where = version === undefined ? "there are no rows" : `${table} has it all, version ${version}`;
    return [`nothing new: ${where}; job ${escapeControls(job)}`, ...skipped].join("\n");
  }
  const rate = elapsedMs === 0 ? "" : `, ${formatSize((bytesRead / elapsedMs) * 1000)}/s`;
  const files = `${countOf(filesDone, "file")}, ${formatSize(bytesRead)}${rate}`;
  return [
    `loaded ${countOf(rowsLoaded, "row")} (${files}) to ${table}, ${countOf(batches, "commit")} up to version ${version}; job ${escapeControls(job)}`,
    ...(rowsFiltered === 0 ? [] : [`${countOf(rowsFiltered, "row")} kept out by --where`]),
    ...(rowsDead === 0
      ? []
      : [
          `${countOf(rowsDead, "record")} of ${countOf(rowsRead, "record")} bad, kept in ${escapeControls(result.deadLetters ?? "")}: see delta-table dead-letters`,
        ]),
    ...skipped,
  ].join("\n");
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
};

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d+)\s*([a-z]{0,2})$/.exec(text.toLowerCase()) ?? [];
  const size = Number(digits) * (Object.hasOwn(UNITS, unit) ? UNITS[unit]! : Number.NaN);
  if (size >= 1 && size <= 2 ** 30) return size;
  throw new UsageError(`--batch-size can't be "${escapeControls(text)}"`, "Give a size up to 1gb, such as 64mb.");
}

function ratioOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ratio = Number(text);
  if (text.trim() !== "" && ratio >= 0 && ratio <= 1) return ratio;
  throw new UsageError(`--max-bad-ratio can't be "${escapeControls(text)}"`, "Give a number from 0 to 1.");
}
