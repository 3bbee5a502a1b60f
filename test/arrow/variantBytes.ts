import { Binary, type Data, Field, makeData, RecordBatch, Schema, Struct, vectorFromArray } from "apache-arrow";

/** A variant in Parquet's binary encoding (VariantEncoding.md): the names of its objects, and its value. */
export interface Encoded {
  readonly metadata: Uint8Array;
  readonly value: Uint8Array;
}

/** Encodes a JSON value: integers as int64, other numbers as doubles, with offsets of `width` bytes. */
export function encodeVariant(json: unknown, width: 1 | 2 | 3 | 4 = 4): Encoded {
  const names: string[] = [];
  const value = encodeValue(json, names, width);
  return { metadata: encodeNames(names, width), value };
}

/** Metadata of these names, in this order. */
export function encodeNames(names: readonly string[], width = 1): Uint8Array {
  const texts = names.map((name) => Buffer.from(name));
  const offsets = [0];
  for (const text of texts) offsets.push(offsets.at(-1)! + text.length);
  return Buffer.concat([
    Uint8Array.of(1 | ((width - 1) << 6)),
    unsigned(names.length, width),
    ...offsets.map((at) => unsigned(at, width)),
    ...texts,
  ]);
}

function encodeValue(json: unknown, names: string[], width: number): Buffer {
  if (json === null) return Buffer.of(0);
  if (typeof json === "boolean") return Buffer.of(json ? 4 : 8);
  if (typeof json === "number") return encodeNumber(json);
  if (typeof json === "string") return encodeText(json);
  const header = width - 1;
  if (Array.isArray(json)) {
    const items = json.map((item) => encodeValue(item, names, width));
    return Buffer.concat([
      Buffer.of(3 | ((4 | header) << 2)),
      unsigned(items.length, 4),
      ...offsetsOf(items, width),
      ...items,
    ]);
  }
  const members = Object.entries(json as object).map(([name, item]) => {
    const known = names.indexOf(name);
    const id = known >= 0 ? known : names.push(name) - 1;
    return { id, name: Buffer.from(name), bytes: encodeValue(item, names, width) };
  });
  members.sort((a, b) => Buffer.compare(a.name, b.name));
  const items = members.map(({ bytes }) => bytes);
  return Buffer.concat([
    Buffer.of(2 | ((16 | (header << 2) | header) << 2)),
    unsigned(items.length, 4),
    ...members.map(({ id }) => unsigned(id, width)),
    ...offsetsOf(items, width),
    ...items,
  ]);
}

function offsetsOf(items: readonly Buffer[], width: number): Buffer[] {
  let at = 0;
  return [...items, Buffer.alloc(0)].map((item) => {
    const offset = unsigned(at, width);
    at += item.length;
    return offset;
  });
}

function encodeNumber(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    bytes[0] = 6 << 2;
    bytes.writeBigInt64LE(BigInt(value), 1);
  } else {
    bytes[0] = 7 << 2;
    bytes.writeDoubleLE(value, 1);
  }
  return bytes;
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 64) return Buffer.concat([Buffer.of(1 | (bytes.length << 2)), bytes]);
  return Buffer.concat([Buffer.of(16 << 2), unsigned(bytes.length, 4), bytes]);
}

function unsigned(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntLE(value, 0, width);
  return bytes;
}

/** A struct column of these children; `nulls` are the rows that are null. */
export function structColumn(columns: Record<string, Data>, length: number, nulls: readonly number[] = []): Data {
  const fields = Object.entries(columns).map(([name, data]) => new Field(name, data.type, true));
  const nullBitmap = new Uint8Array((length + 7) >> 3);
  for (let i = 0; i < length; i++) if (!nulls.includes(i)) nullBitmap[i >> 3]! |= 1 << (i & 7);
  const children = Object.values(columns);
  return makeData({ type: new Struct(fields), length, nullCount: nulls.length, nullBitmap, children });
}

export function binaryColumn(values: readonly (Uint8Array | null)[]): Data {
  return vectorFromArray(values as Uint8Array[], new Binary()).data[0]!;
}

/** A batch of one column, `v`. */
export function batchOf(data: Data): RecordBatch {
  const fields = [new Field("v", data.type, true)];
  const rows = makeData({ type: new Struct(fields), length: data.length, nullCount: 0, children: [data] });
  return new RecordBatch(new Schema(fields), rows);
}
