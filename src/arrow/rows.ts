import type { Data, RecordBatch } from "apache-arrow";
import { valueType } from "../schema/geo.js";
import type { ArrayType, DataType, MapType, StructType } from "../schema/types.js";
import { isSet, isValid, validityOf } from "./bits.js";
import { offsetsOf } from "./column.js";
import { decodePrimitive } from "./decode.js";
import { compile } from "./rowShape.js";

/** A row as JavaScript values by column name. */
export type Row = Record<string, unknown>;

/**
 * Turns batches that are conformed to `schema` into rows: byte to double number, long bigint, decimal text ("12.30"),
 * binary Uint8Array (a copy), date and timestamp_ntz and timestamp Date in UTC (a {@link Timestamp} where there are digits
 * below the millisecond), array Array, map Map, struct object. Every column is an own property, null where it has no value.
 * What lies beyond a Date's range is a bigint of microseconds (timestamps) or text (dates); both can be written again.
 */
export function rowReader(schema: StructType): (batch: RecordBatch) => Row[] {
  const read = structDecoder(schema);
  return (batch) => read(batch.data) as Row[];
}

type Decoder = (data: Data) => unknown[];

function decoderOf(type: DataType): Decoder {
  if (typeof type === "string") return (data) => decodePrimitive(valueType(type), data);
  if (type.type === "struct") return structDecoder(type);
  return type.type === "array" ? arrayDecoder(type) : mapDecoder(type);
}

function structDecoder(type: StructType): Decoder {
  const decoders = type.fields.map((field) => decoderOf(field.type));
  const names = type.fields.map((field) => field.name);
  let assemble: Assembler | undefined;
  return (data) => {
    if (assemble === undefined && data.length >= MIN_ROWS_TO_COMPILE) assemble = compileAssembler(names);
    const columns = decoders.map((decode, index) => decode(data.children[index]));
    const rows = (assemble ?? plainAssembler(names))(columns, data.length);
    const validity = validityOf(data);
    if (validity !== undefined) for (let i = 0; i < data.length; i++) if (!isSet(validity, i)) rows[i] = null;
    return rows;
  };
}

/** Makes one object a row out of the columns' values. */
type Assembler = (columns: readonly (readonly unknown[])[], length: number) => unknown[];

/** Below this many rows, compiling a function costs more than it saves. */
const MIN_ROWS_TO_COMPILE = 500;
/** V8 leaves its fast object layout behind this many properties, and with it the gain. */
const MAX_COLUMNS_TO_COMPILE = 500;

// An object literal with known keys is made five times faster than one that gets them one by one.
function compileAssembler(names: readonly string[]): Assembler {
  if (names.length > MAX_COLUMNS_TO_COMPILE) return plainAssembler(names);
  // As a plain key, "__proto__" would set the prototype.
  const entries = names.map((name, index) => `[${JSON.stringify(name)}]: c${index}[i]`);
  const columns = names.map((_, index) => `c${index}`);
  const body =
    `const [${columns}] = columns; const rows = new Array(length);` +
    `for (let i = 0; i < length; i++) rows[i] = {${entries}}; return rows;`;
  return compile<Assembler>(["columns", "length"], body) ?? plainAssembler(names);
}

function plainAssembler(names: readonly string[]): Assembler {
  return (columns, length) => {
    const rows = new Array<unknown>(length);
    for (let i = 0; i < length; i++) {
      const row: Row = {};
      for (let k = 0; k < names.length; k++) {
        if (names[k] !== "__proto__") row[names[k]] = columns[k][i];
        else Object.defineProperty(row, names[k], { value: columns[k][i], ...PLAIN_PROPERTY });
      }
      rows[i] = row;
    }
    return rows;
  };
}

const PLAIN_PROPERTY = { writable: true, enumerable: true, configurable: true };

function arrayDecoder(type: ArrayType): Decoder {
  const decode = decoderOf(type.elementType);
  return (data) => {
    const items = decode(itemsOf(data));
    return eachList(data, (start, end) => items.slice(start, end));
  };
}

function mapDecoder(type: MapType): Decoder {
  const decodeKeys = decoderOf(type.keyType);
  const decodeValues = decoderOf(type.valueType);
  return (data) => {
    const entries = itemsOf(data);
    const keys = decodeKeys(entries.children[0]);
    const values = decodeValues(entries.children[1]);
    return eachList(data, (start, end) => {
      const map = new Map<unknown, unknown>();
      for (let i = start; i < end; i++) map.set(keys[i], values[i]);
      return map;
    });
  };
}

/** The items that a list or map column's own values refer to, of all that its child holds. */
function itemsOf(data: Data): Data {
  const offsets = offsetsOf(data);
  const start = Number(offsets[0] ?? 0);
  return data.children[0].slice(start, Number(offsets[data.length] ?? start) - start);
}

function eachList(data: Data, itemsAt: (start: number, end: number) => unknown): unknown[] {
  const offsets = offsetsOf(data) as Int32Array;
  const validity = validityOf(data);
  const out = new Array<unknown>(data.length);
  for (let i = 0; i < data.length; i++) {
    out[i] = isValid(validity, i) ? itemsAt(offsets[i] - offsets[0], offsets[i + 1] - offsets[0]) : null;
  }
  return out;
}
