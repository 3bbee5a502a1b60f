import { isUtf8 } from "node:buffer";
import { buildBatch } from "../../../arrow/build.js";
import { DeltaError } from "../../../errors.js";
import { nestsTooDeep } from "../../../schema/jsonScan.js";
import { type RecordFault, recordFault } from "../faults.js";
import type { BadRecord, RecordSink } from "../format.js";
import { buildGood } from "../goodItems.js";
import type { TextBlock } from "./jsonlSlice.js";
import { type KeptNumbers, mayHaveLongNumber, parseJson } from "./jsonNumbers.js";
import { jsonRowConverter } from "./jsonValues.js";
import { rescueRow } from "./rescue.js";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

type JsonRow = Record<string, unknown>;

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

/** Gives the sink each line of the block that isn't blank, as a row or as a bad record. */
export async function parseBlock(block: TextBlock, sink: RecordSink, rescued: string | undefined): Promise<void> {
  const { schema } = sink;
  const kept = mayHaveLongNumber(block.bytes) ? "inexact" : "none";
  const convert = jsonRowConverter(schema);
  const good: ParsedLine[] = [];
  const bad: BadLine[] = [];
  const texts = isUtf8(block.bytes) ? block.bytes.toString("utf8").split("\n") : undefined;
  for (const line of linesOf(block.bytes)) {
    try {
      const row = parsedRow(texts?.[line.line] ?? textOf(block.bytes, line), kept);
      convert(row);
      good.push({ line, row });
    } catch (error) {
      if (!(error instanceof DeltaError)) throw error;
      bad.push({ line, fault: recordFault(error) });
    }
  }
  const build = (some: readonly ParsedLine[]) =>
    buildBatch(
      schema,
      some.map(({ row }) => row),
      0,
    );
  const taken = buildGood(good, build);
  for (const { index, error } of taken.bad) bad.push({ line: good[index]!.line, fault: recordFault(error) });
  if (taken.built !== undefined) await sink.write(taken.built);
  let lost = bad;
  if (rescued !== undefined) {
    const isParsed = ({ fault }: BadLine) => fault.code === "TYPE" || fault.code === "UNKNOWN_COLUMN";
    const saved = bad.filter(isParsed).map(({ line }) => {
      return { line, row: rescueRow(() => parsedRow(textOf(block.bytes, line), kept), schema, rescued) };
    });
    const second = buildGood(saved, build);
    if (second.built !== undefined) await sink.write(second.built);
    lost = bad.filter((each) => !isParsed(each));
    for (const { index, error } of second.bad) lost.push({ line: saved[index]!.line, fault: recordFault(error) });
  }
  lost.sort((a, b) => a.line.record - b.line.record);
  for (const each of lost) await sink.reject(badRecord(block, each));
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

function textOf(bytes: Buffer, { start, end }: Line): string {
  const raw = bytes.subarray(start, end);
  if (!isUtf8(raw)) throw noRow("it isn't UTF-8");
  return raw.toString("utf8");
}

/** Throws DELTA_INPUT_UNREADABLE where the line isn't the JSON of an object. */
function parsedRow(text: string, kept: KeptNumbers): JsonRow {
  if (nestsTooDeep(text)) throw noRow("its arrays and objects nest too deep");
  let value: unknown;
  try {
    value = parseJson(text, kept);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw noRow(`it is no JSON (${cause.message})`, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRow;
  throw noRow(`it is ${Array.isArray(value) ? "an array" : "a single value"}, not an object with a row's columns`);
}

function noRow(reason: string, cause?: unknown): DeltaError {
  return new DeltaError("DELTA_INPUT_UNREADABLE", reason, {}, cause);
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
