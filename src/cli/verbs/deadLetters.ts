import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { DeltaError } from "../../errors.js";
import type { DeadLetter, DeadLettersOptions } from "../../load/letterList.js";
import type { MendedLetter } from "../../load/retryLetters.js";
import type { CommandRow, Given, Session } from "../command.js";
import { type GridColumn, gridLines } from "../formats/grid.js";
import { openOptionsOf } from "../openOptions.js";
import { fileError } from "../sources/files.js";
import { countOf, escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { PARSE_OPTIONS, parseOptionsGiven } from "./parseOptions.js";

/** Letters that a table for people has. */
const TABLE_LETTERS = 100;

export const deadLetters: CommandRow = {
  name: "dead-letters",
  summary: "List the records that loads found bad, or load them once they are mended",
  operands: "[FILE|-]",
  maxOperands: 1,
  options: [
    { name: "job", kind: "text", value: "NAME", summary: "of this load only" },
    { name: "format", kind: "text", choices: ["jsonl", "table"], summary: "default: table in a terminal, else jsonl" },
    { name: "limit", kind: "count", value: "N", summary: `at most so many (tables: ${TABLE_LETTERS} unless given)` },
    { name: "retry", kind: "flag", summary: "load them: as they are, or those of FILE with their text there" },
    { name: "dead-letters", kind: "text", value: "TABLE", summary: "where they are, if not below the table" },
    ...PARSE_OPTIONS,
  ],
  examples: [
    { command: "dead-letters ./flights", does: "What was bad, where and why" },
    { command: "dead-letters ./flights --format jsonl > bad.jsonl", does: "To mend what stands in `raw`" },
    { command: "dead-letters ./flights bad.jsonl --retry", does: "Load what is mended, each record once" },
    { command: "dead-letters ./flights --retry --null N/A", does: "Parse them again in another way" },
  ],
  commits: "inParts",
  run: runDeadLetters,
};

async function runDeadLetters(session: Session, given: Given): Promise<void> {
  const [file] = given.operands;
  const options: DeadLettersOptions = {
    ...(given.has("job") ? { job: given.text("job")! } : {}),
    ...(given.has("dead-letters") ? { deadLetters: given.text("dead-letters")! } : {}),
    storage: openOptionsOf(given),
    signal: session.signal,
  };
  if (given.has("retry")) return retry(session, given, file, options);
  if (file !== undefined) throw new UsageError(`"${escapeControls(file)}" is for --retry`, "Give --retry as well.");
  const format = given.text("format") ?? (session.stdout.isTerminal && !session.json ? "table" : "jsonl");
  const limit = given.count("limit");
  return format === "table"
    ? printTable(session, options, limit ?? TABLE_LETTERS)
    : printLines(session, options, limit ?? Number.POSITIVE_INFINITY);
}

async function retry(
  { table, stdin, stdout, progress, json }: Session,
  given: Given,
  file: string | undefined,
  options: DeadLettersOptions,
): Promise<void> {
  const mended = file === undefined ? {} : { mended: mendedLetters(file, stdin) };
  const result = await table.retryDeadLetters({ ...options, ...parseOptionsGiven(given), ...mended });
  progress.clear();
  const { rowsLoaded, rowsFiltered, rowsDead, version } = result;
  const reached = version === undefined ? "" : `, version ${version}`;
  const filtered = rowsFiltered === 0 ? "" : `; ${countOf(rowsFiltered, "record")} kept out by the load's --where`;
  await stdout.line(
    json
      ? jsonText({ location: table.url, ...result })
      : `loaded ${countOf(rowsLoaded, "row")}${reached}${filtered}; ${countOf(rowsDead, "record")} still bad`,
  );
}

async function* mendedLetters(file: string, stdin: Readable): AsyncGenerator<MendedLetter> {
  const input: Readable = file === "-" ? stdin : createReadStream(file);
  const failed = new Promise<never>((_, reject) => input.once("error", (error) => reject(fileError(file, error))));
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (let number = 1; ; number++) {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) return;
    if (value.trim() !== "") yield mendedLetter(value, file, number);
  }
}

function mendedLetter(line: string, file: string, number: number): MendedLetter {
  let letter: { readonly id?: unknown; readonly raw?: unknown; readonly raw_base64?: unknown };
  try {
    letter = JSON.parse(line);
  } catch (cause) {
    throw unreadable(file, number, cause);
  }
  const { id, raw, raw_base64: encoded } = letter ?? {};
  if (typeof id === "string" && typeof raw === "string") return { id, raw };
  if (typeof id === "string" && typeof encoded === "string") return { id, raw: Buffer.from(encoded, "base64") };
  throw unreadable(file, number);
}

function unreadable(file: string, line: number, cause?: unknown): DeltaError {
  return new DeltaError(
    "DELTA_INPUT_UNREADABLE",
    `${file}, line ${line}: a mended record is JSON with "id" and "raw", as dead-letters --format jsonl prints it.`,
    { file, line },
    cause,
  );
}

async function printLines({ table, stdout }: Session, options: DeadLettersOptions, limit: number): Promise<void> {
  let count = 0;
  for await (const letter of table.deadLetters(options)) {
    if (count++ >= limit) return;
    await stdout.line(jsonText(plain(letter)));
  }
}

/** A text that people can mend, where it is one. */
function plain({ raw, batch, byte_offset, line, record, parser, loaded_at, ...rest }: DeadLetter): object {
  const numbers = [batch, byte_offset, line, record].map((value) => (value === null ? null : Number(value)));
  const text = Buffer.from(raw).toString();
  const isText = Buffer.compare(Buffer.from(text), raw) === 0;
  return {
    ...rest,
    batch: numbers[0],
    byte_offset: numbers[1],
    line: numbers[2],
    record: numbers[3],
    loaded_at: loaded_at.toISOString(),
    parser: JSON.parse(parser),
    ...(isText ? { raw: text } : { raw_base64: Buffer.from(raw).toString("base64") }),
  };
}

const COLUMNS: readonly GridColumn[] = [
  { name: "id", isRight: false, isWhole: false },
  { name: "file", isRight: false, isWhole: false },
  { name: "line", isRight: true, isWhole: true },
  { name: "why", isRight: false, isWhole: false },
  { name: "record", isRight: false, isWhole: false },
];

async function printTable({ table, stdout }: Session, options: DeadLettersOptions, limit: number): Promise<void> {
  const rows: string[][] = [];
  let isMore = false;
  for await (const { id, file, line, record, reason, raw } of table.deadLetters(options)) {
    isMore = rows.length === limit;
    if (isMore) break;
    const text = Buffer.from(raw).toString();
    rows.push([id, file, line === null ? `#${record}` : String(line), reason, text].map(escapeControls));
  }
  if (rows.length > 0) for (const line of gridLines(COLUMNS, rows, stdout.width)) await stdout.line(line);
  await stdout.line(
    isMore ? `first ${countOf(rows.length, "dead letter")}; more with --limit N` : countOf(rows.length, "dead letter"),
  );
}
