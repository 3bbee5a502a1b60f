import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../../errors.js";
import { inferJsonSchema } from "../../load/format/jsonl/inferJson.js";
import { type KeptNumbers, mayHaveLongNumber, parseJson } from "../../load/format/jsonl/jsonNumbers.js";
import { jsonRowConverter } from "../../load/format/jsonl/jsonValues.js";
import { nestsTooDeep } from "../../schema/jsonScan.js";
import type { StructType } from "../../schema/types.js";
import type { BatchSource } from "../../write/input.js";
import { fileError, locatedError } from "./files.js";
import { type Lines, readLines } from "./lines.js";

/** Text that a schema is inferred from, at most about so many characters. */
const SAMPLE_CHARS = 4 * 1024 * 1024;

interface Rows {
  readonly rows: Record<string, unknown>[];
  /** The number of each row's line. */
  readonly lines: readonly number[];
}

/**
 * JSON lines as rows for a table of this schema or, where there is none yet, of the schema that the first 4 MiB show.
 * Undefined where there are no rows. Values are as `read --format jsonl` writes them; missing columns are null.
 *
 * Throws DELTA_INPUT_UNREADABLE (file, line) where a line is no JSON object, DELTA_CANNOT_INFER_SCHEMA, and what
 * `buildBatch` throws, with file and line.
 */
export async function jsonlSource(
  bytes: AsyncIterable<Buffer>,
  file: string,
  schema: StructType | undefined,
): Promise<BatchSource | undefined> {
  const lines = readLines(bytes, file);
  if (schema !== undefined) return sourceOf(schema, parsed(lines, file), file);
  const sample: Lines[] = [];
  for (let chars = 0; chars < SAMPLE_CHARS; ) {
    const next = await lines.next().catch((error: unknown) => {
      throw fileError(file, error);
    });
    if (next.done) break;
    sample.push(next.value);
    for (const text of next.value.texts) chars += text.length + 1;
  }
  const rows = sample.map((part) => rowsOf(part, file, "points"));
  const first = rows.flatMap((part) => part.rows);
  if (first.length === 0) return undefined;
  const inferred = schemaOfRows(first, file);
  async function* all() {
    yield* rows;
    yield* parsed(lines, file);
  }
  return sourceOf(inferred, all(), file);
}

function schemaOfRows(rows: readonly object[], file: string): StructType {
  try {
    return inferJsonSchema(rows);
  } catch (error) {
    throw locatedError(error, file);
  }
}

async function* parsed(lines: AsyncIterable<Lines>, file: string): AsyncGenerator<Rows> {
  try {
    for await (const part of lines) yield rowsOf(part, file, mayHaveLongNumber(part.bytes) ? "inexact" : "none");
  } catch (error) {
    throw fileError(file, error);
  }
}

function rowsOf({ texts, firstLine }: Lines, file: string, kept: KeptNumbers): Rows {
  const rows: Record<string, unknown>[] = [];
  const lines: number[] = [];
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    if (text === "" || text.trim() === "") continue;
    rows.push(rowOf(text, file, firstLine + i, kept));
    lines.push(firstLine + i);
  }
  return { rows, lines };
}

function rowOf(text: string, file: string, line: number, kept: KeptNumbers): Record<string, unknown> {
  let value: unknown;
  if (nestsTooDeep(text)) throw unreadable(file, line, "its arrays and objects nest too deep");
  try {
    value = parseJson(text, kept);
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? ` (${cause.message})` : "";
    throw unreadable(file, line, `this is no JSON${reason}. Each line must be one JSON object`, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  const what = Array.isArray(value) ? "an array" : "a single value";
  throw unreadable(
    file,
    line,
    `this is ${what}, not an object with the columns of a row (jq -c '.[]' makes lines of an array)`,
  );
}

function unreadable(file: string, line: number, what: string, cause?: unknown): DeltaError {
  return new DeltaError("DELTA_INPUT_UNREADABLE", `${file}, line ${line}: ${what}.`, { file, line }, cause);
}

function sourceOf(schema: StructType, parts: AsyncIterable<Rows>, file: string): BatchSource {
  return { schema: async () => schema, batches: () => batchesOf(schema, parts, file) };
}

async function* batchesOf(schema: StructType, parts: AsyncIterable<Rows>, file: string): AsyncGenerator<RecordBatch> {
  const { buildBatch } = await import("../../arrow/build.js");
  const convert = jsonRowConverter(schema);
  for await (const { rows, lines } of parts) {
    let row = 0;
    let batch: RecordBatch | undefined;
    try {
      for (; row < rows.length; row++) convert(rows[row]!);
      batch = rows.length === 0 ? undefined : buildBatch(schema, rows, 0);
    } catch (error) {
      const at = row < rows.length ? row : error instanceof DeltaError ? error.data.row : undefined;
      throw locatedError(error, file, typeof at === "number" ? lines[at] : undefined);
    }
    if (batch !== undefined) yield batch;
  }
}
