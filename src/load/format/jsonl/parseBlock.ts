import { isUtf8 } from "node:buffer";
import type { RecordBatch } from "apache-arrow";
import { buildBatch } from "../../../arrow/build.js";
import { DeltaError } from "../../../errors.js";
import { limits } from "../../../limits.js";
import type { DataType, StructType } from "../../../schema/types.js";
import { leftOutOf } from "../../../write/input.js";
import { type RecordFault, recordFault } from "../faults.js";
import type { BadRecord, RecordSink } from "../format.js";
import { buildGood } from "../goodItems.js";
import { columnsOfText } from "./columns.js";
import type { TextBlock } from "./jsonlSlice.js";
import { type KeptNumbers, mayHaveLongNumber } from "./jsonNumbers.js";
import { type JsonRow, JsonRows, noRow, parsedRow } from "./jsonRows.js";
import { rescueRow } from "./rescue.js";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

interface Line {
  /** In the block. */
  readonly start: number;
  readonly end: number;
  /** Lines and records before it in the block. */
  readonly line: number;
  readonly record: number;
}

interface ParsedLine {
  readonly line: Line;
  readonly row: JsonRow;
}

interface BadLine {
  readonly line: Line;
  readonly fault: RecordFault;
}

export interface Parsing {
  /** The column that takes what doesn't fit. */
  readonly rescued: string | undefined;
  /** The block's text and some of what follows, for the types of columns that are met in it first. */
  sample(): Buffer;
}

/** Gives the sink each line of the block that isn't blank, as a row or as a bad record. */
export async function parseBlock(block: TextBlock, sink: RecordSink, parsing: Parsing): Promise<void> {
  const lines = [...linesOf(block.bytes)];
  const texts = isUtf8(block.bytes) ? block.bytes.toString("utf8").split("\n") : undefined;
  const textOf = (line: Line) => texts?.[line.line] ?? utf8Of(block.bytes, line);
  const kept = mayHaveLongNumber(block.bytes) ? "inexact" : "none";
  const bad: BadLine[] = [];
  for (let at = 0; at < lines.length; ) {
    // Short rows of many columns are larger than their text.
    const rowCount = Math.max(1, Math.floor(limits.MAX_JSON_CELLS / Math.max(1, sink.schema.fields.length)));
    const some = lines.slice(at, at + rowCount);
    bad.push(...(await parseLines(some, textOf, kept, sink, parsing)));
    at += some.length;
  }
  for (const each of bad) await sink.reject(badRecord(block, each));
}

/** Gives the sink those of the lines that are rows; the others, in their order. */
async function parseLines(
  lines: readonly Line[],
  textOf: (line: Line) => string,
  kept: KeptNumbers,
  sink: RecordSink,
  { rescued, sample }: Parsing,
): Promise<readonly BadLine[]> {
  let parsed = builtLines(lines, textOf, kept, sink.schema, rescued);
  while (parsed.bad.some(isUnknownColumn) && sink.addColumns !== undefined) {
    const isWider = await sink.addColumns(columnsOfText(sample(), sink.schema));
    if (!isWider) break;
    parsed = builtLines(lines, textOf, kept, sink.schema, rescued);
  }
  const broken = await written(parsed, sink);
  const { schema } = sink;
  const lost = await secondTry(parsed.bad, isUnknownColumn, sink, ({ line }) => {
    return withoutNulls(new JsonRows(schema, "points").row(textOf(line)), schema) as JsonRow;
  });
  if (rescued === undefined) return inOrder([...lost, ...broken]);
  const isParsed = ({ fault }: BadLine) => fault.code === "TYPE" || fault.code === "UNKNOWN_COLUMN";
  const rest = await secondTry(lost, isParsed, sink, ({ line }) => {
    return rescueRow(() => parsedRow(textOf(line), "points"), schema, rescued);
  });
  return inOrder([...rest, ...broken]);
}

function builtLines(
  lines: readonly Line[],
  textOf: (line: Line) => string,
  kept: KeptNumbers,
  schema: StructType,
  rescued: string | undefined,
): BuiltLines & { readonly bad: readonly BadLine[] } {
  const rows = new JsonRows(schema, kept);
  const good: ParsedLine[] = [];
  const bad: BadLine[] = [];
  for (const line of lines) {
    try {
      const row = rows.row(textOf(line));
      if (rescued !== undefined && Object.hasOwn(row, rescued)) bad.push({ line, fault: ownRescued(rescued) });
      else good.push({ line, row });
    } catch (error) {
      if (!(error instanceof DeltaError)) throw error;
      bad.push({ line, fault: recordFault(error) });
    }
  }
  const taken = buildGood(good, (some) => built(schema, some));
  for (const { index, error } of taken.bad) bad.push({ line: good[index]!.line, fault: recordFault(error) });
  return { built: taken.built, lines: linesBuilt(good, taken.bad), bad };
}

/** Lines that became a batch, in its order. */
interface BuiltLines {
  readonly built: RecordBatch | undefined;
  readonly lines: readonly ParsedLine[];
}

function linesBuilt(tried: readonly ParsedLine[], bad: readonly { readonly index: number }[]): readonly ParsedLine[] {
  if (bad.length === 0) return tried;
  const isBad = new Set(bad.map(({ index }) => index));
  return tried.filter((_, index) => !isBad.has(index));
}

/** Gives the sink a batch; the lines that break a rule of the table. */
async function written({ built, lines }: BuiltLines, sink: RecordSink): Promise<BadLine[]> {
  if (built === undefined) return [];
  const leftOut = leftOutOf(
    lines.map(({ row }) => row),
    sink.filled,
  );
  const broken = await sink.write(built, leftOut);
  return broken.map(({ row, error }) => ({ line: lines[row]!.line, fault: recordFault(error) }));
}

function inOrder(bad: readonly BadLine[]): BadLine[] {
  return [...bad].sort((a, b) => a.line.record - b.line.record);
}

/** Gives the sink those of the chosen lines that can be rows after all; the lines that are left. */
async function secondTry(
  bad: readonly BadLine[],
  isChosen: (each: BadLine) => boolean,
  sink: RecordSink,
  rowOf: (each: BadLine) => JsonRow,
): Promise<BadLine[]> {
  const lost = bad.filter((each) => !isChosen(each));
  const chosen = bad.filter(isChosen);
  const tried = chosen.map((each) => ({ line: each.line, row: rowOf(each) }));
  const taken = buildGood(tried, (some) => built(sink.schema, some));
  lost.push(...(await written({ built: taken.built, lines: linesBuilt(tried, taken.bad) }, sink)));
  for (const { index, error } of taken.bad) lost.push({ line: tried[index]!.line, fault: recordFault(error) });
  return inOrder(lost);
}

function built(schema: StructType, some: readonly ParsedLine[]): RecordBatch {
  return buildBatch(
    schema,
    some.map(({ row }) => row),
    0,
  );
}

/** The column for what doesn't fit isn't the file's. */
function ownRescued(column: string): RecordFault {
  return { code: "TYPE", reason: `it has a column "${column}" of its own`, column };
}

function isUnknownColumn({ fault }: BadLine): boolean {
  return fault.code === "UNKNOWN_COLUMN";
}

/** The value without nulls of members that its type lacks: they say no more than members that aren't there. */
function withoutNulls(value: unknown, type: DataType): unknown {
  if (typeof type === "string" || value === null || typeof value !== "object") return value;
  if (type.type === "array" && Array.isArray(value)) return value.map((item) => withoutNulls(item, type.elementType));
  if (type.type !== "struct" || Array.isArray(value)) return value;
  const types = new Map(type.fields.map((field) => [field.name, field.type]));
  const members = Object.entries(value).filter(([name, item]) => item !== null || types.has(name));
  return Object.fromEntries(
    members.map(([name, item]) => [name, types.has(name) ? withoutNulls(item, types.get(name)!) : item]),
  );
}

/** True where there is only white space. */
export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte !== 0x20 && byte !== 0x09 && byte !== CARRIAGE_RETURN) return false;
  }
  return true;
}

function* linesOf(bytes: Buffer): Generator<Line> {
  let line = 0;
  let record = 0;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    if (!isBlank(bytes, start, end)) yield { start, end, line, record: record++ };
    start = end + 1;
  }
}

function utf8Of(bytes: Buffer, { start, end }: Line): string {
  const raw = bytes.subarray(start, end);
  if (!isUtf8(raw)) throw noRow("it isn't UTF-8");
  return raw.toString("utf8");
}

function badRecord({ bytes, place }: TextBlock, { line, fault }: BadLine): BadRecord {
  const end = bytes[line.end - 1] === CARRIAGE_RETURN ? line.end - 1 : line.end;
  return {
    ...fault,
    record: place.record + line.record,
    line: place.line + line.line,
    byteOffset: place.byteOffset + line.start,
    raw: Buffer.from(bytes.subarray(line.start, end)),
  };
}
