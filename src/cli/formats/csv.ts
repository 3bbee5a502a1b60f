import type { Data, RecordBatch } from "apache-arrow";
import { isSet, validityOf } from "../../arrow/bits.js";
import { ByteWriter } from "../../arrow/byteWriter.js";
import { offsetsOf } from "../../arrow/column.js";
import { jsonWriter } from "../../arrow/jsonLines.js";
import { scalarText, type ValueWriter } from "../../arrow/scalarText.js";
import type { DataType, StructType } from "../../schema/types.js";
import { escapeControls } from "../text.js";

const QUOTE = 0x22;
const CHUNK_BYTES = 256 * 1024;

/** Bytes for which a value stands in quotes (RFC 4180, 2.6). */
const NEEDS_QUOTES = new Uint8Array(256);
for (const char of ',"\r\n') NEEDS_QUOTES[char.charCodeAt(0)] = 1;
/** Bytes that something must be done about within quotes. */
const SPECIAL = new Uint8Array(256);
SPECIAL[QUOTE] = 1;

export interface CsvOptions {
  /** Write control characters as escapes: for eyes, not for programs. */
  readonly escapeControls: boolean;
}

/** The line of column names. */
export function csvHeader(schema: StructType, options: CsvOptions): Uint8Array {
  const out = new ByteWriter(1024);
  schema.fields.forEach((field, index) => {
    if (index > 0) out.byte(0x2c);
    writeText(out, new TextEncoder().encode(field.name), options);
  });
  out.byte(0x0a);
  return out.take();
}

/**
 * The rows of a batch in this schema as CSV (RFC 4180, lines ending in a line feed), in pieces of about 256 KiB. Null is
 * an empty value, an empty text `""`; arrays, maps, structs and variants are their JSON.
 */
export function* csvLines(schema: StructType, batch: RecordBatch, options: CsvOptions): Generator<Uint8Array> {
  const writers = schema.fields.map((field, index) => cellWriter(field.type, batch.data.children[index]!, options));
  const out = new ByteWriter(2 * CHUNK_BYTES);
  for (let row = 0; row < batch.numRows; row++) {
    for (let column = 0; column < writers.length; column++) {
      if (column > 0) out.byte(0x2c);
      writers[column]!(out, row);
    }
    out.byte(0x0a);
    if (out.length >= CHUNK_BYTES) yield out.take();
  }
  if (out.length > 0) yield out.take();
}

function cellWriter(type: DataType, data: Data, options: CsvOptions): ValueWriter {
  const write = valueWriter(type, data, options);
  const validity = validityOf(data);
  if (validity === undefined) return write;
  return (out, i) => {
    if (isSet(validity, i)) write(out, i);
  };
}

function valueWriter(type: DataType, data: Data, options: CsvOptions): ValueWriter {
  if (type === "string") {
    const offsets = offsetsOf(data);
    const bytes = data.values as Uint8Array;
    return (out, i) => writeText(out, bytes.subarray(Number(offsets[i]), Number(offsets[i + 1])), options);
  }
  if (typeof type === "string" && type !== "variant") return scalarText(type, data).write;
  const write = jsonWriter(type, data);
  const json = new ByteWriter(1024);
  return (out, i) => {
    write(json, i);
    writeText(out, json.reuse(), options);
  };
}

function writeText(out: ByteWriter, text: Uint8Array, options: CsvOptions): void {
  const bytes = options.escapeControls ? escaped(text) : text;
  if (bytes.length > 0 && isPlain(bytes)) {
    out.bytes(bytes);
    return;
  }
  out.byte(QUOTE);
  for (let at = 0; at < bytes.length; at++) {
    at = out.copyPlain(bytes, at, bytes.length, SPECIAL);
    if (at < bytes.length) out.ascii('""');
  }
  out.byte(QUOTE);
}

function escaped(text: Uint8Array): Uint8Array {
  return new TextEncoder().encode(escapeControls(new TextDecoder().decode(text)));
}

function isPlain(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (NEEDS_QUOTES[bytes[i]!] !== 0) return false;
  return true;
}
