import type { Data, RecordBatch } from "apache-arrow";
import type { ArrayType, DataType, MapType, StructType } from "../schema/types.js";
import { isSet, validityOf } from "./bits.js";
import { ByteWriter } from "./byteWriter.js";
import { offsetsOf } from "./column.js";
import { writeJsonString } from "./jsonString.js";
import { jsonText } from "./safeJson.js";
import { scalarText, type ValueWriter } from "./scalarText.js";

const NULL = utf8("null");
const [QUOTE, COMMA, COLON] = [0x22, 0x2c, 0x3a];
const CHUNK_BYTES = 256 * 1024;

/** The rows of a batch in this schema as JSON lines, every column present, in pieces of about 256 KiB. */
export function* jsonLines(schema: StructType, batch: RecordBatch): Generator<Uint8Array> {
  const write = structWriter(schema, batch.data);
  const out = new ByteWriter(2 * CHUNK_BYTES);
  for (let row = 0; row < batch.numRows; row++) {
    write(out, row);
    out.byte(0x0a);
    if (out.length >= CHUNK_BYTES) yield out.take();
  }
  if (out.length > 0) yield out.take();
}

/** Writes the JSON of a column's values, null included. */
export function jsonWriter(type: DataType, data: Data): ValueWriter {
  const write = valueWriter(type, data);
  const validity = validityOf(data);
  if (validity === undefined) return write;
  return (out, i) => (isSet(validity, i) ? write(out, i) : out.bytes(NULL));
}

function valueWriter(type: DataType, data: Data): ValueWriter {
  if (type === "string") return stringWriter(data);
  if (type === "float" || type === "double") return floatWriter(type, data);
  if (typeof type === "string") {
    const { write, isQuoted } = scalarText(type, data);
    return isQuoted ? quoted(write) : write;
  }
  if (type.type === "struct") return structWriter(type, data);
  return type.type === "array" ? arrayWriter(type, data) : mapWriter(type, data);
}

function quoted(write: ValueWriter): ValueWriter {
  return (out, i) => {
    out.byte(QUOTE);
    write(out, i);
    out.byte(QUOTE);
  };
}

/** Numbers that JSON lacks are texts. */
function floatWriter(type: "float" | "double", data: Data): ValueWriter {
  const values = data.values as Float64Array;
  const { write } = scalarText(type, data);
  const writeQuoted = quoted(write);
  return (out, i) => (Number.isFinite(values[i]) ? write(out, i) : writeQuoted(out, i));
}

function stringWriter(data: Data): ValueWriter {
  const offsets = offsetsOf(data);
  const bytes = data.values as Uint8Array;
  return (out, i) => writeJsonString(out, bytes, Number(offsets[i]), Number(offsets[i + 1]));
}

function structWriter(type: StructType, data: Data): ValueWriter {
  const names = type.fields.map((field, index) => utf8(`${index === 0 ? "{" : ","}${nameText(field.name)}:`));
  const writers = type.fields.map((field, index) => jsonWriter(field.type, data.children[index]!));
  if (writers.length === 0) return (out) => out.ascii("{}");
  return (out, i) => {
    for (let column = 0; column < writers.length; column++) {
      out.bytes(names[column]!);
      writers[column]!(out, i);
    }
    out.byte(0x7d);
  };
}

function arrayWriter(type: ArrayType, data: Data): ValueWriter {
  const offsets = offsetsOf(data);
  const write = jsonWriter(type.elementType, data.children[0]!);
  return (out, i) => {
    const [start, end] = [Number(offsets[i]), Number(offsets[i + 1])];
    out.byte(0x5b);
    for (let item = start; item < end; item++) {
      if (item > start) out.byte(COMMA);
      write(out, item);
    }
    out.byte(0x5d);
  };
}

/** An object where keys are texts, else an array of [key, value]. */
function mapWriter(type: MapType, data: Data): ValueWriter {
  const offsets = offsetsOf(data);
  const [keys, values] = data.children[0]!.children;
  const writeKey = jsonWriter(type.keyType, keys!);
  const writeValue = jsonWriter(type.valueType, values!);
  const isObject = type.keyType === "string";
  return (out, i) => {
    const [start, end] = [Number(offsets[i]), Number(offsets[i + 1])];
    out.byte(isObject ? 0x7b : 0x5b);
    for (let item = start; item < end; item++) {
      if (item > start) out.byte(COMMA);
      if (!isObject) out.byte(0x5b);
      writeKey(out, item);
      out.byte(isObject ? COLON : COMMA);
      writeValue(out, item);
      if (!isObject) out.byte(0x5d);
    }
    out.byte(isObject ? 0x7d : 0x5d);
  };
}

/** A column's name as JSON, with what a terminal could obey escaped. */
function nameText(name: string): string {
  return jsonText(name);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
