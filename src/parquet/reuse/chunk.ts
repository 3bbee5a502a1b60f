import { gunzipSync, gzipSync } from "node:zlib";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import type { Chunk } from "../footer.js";
import { fieldsOf, numberOf } from "../joinedFooter.js";
import { checkPage } from "../pageChecksums.js";
import { type PageHeader, readPageHeader } from "../pageHeader.js";
import { compressSnappy } from "../small/snappy.js";
import { ThriftWriter } from "../thriftWriter.js";
import { DataPage, type PageColumn } from "./page.js";

/** A column chunk with some rows fewer. */
export interface ThinnedChunk {
  /** Its pages, those of which no row went as they were. */
  readonly parts: readonly Uint8Array[];
  readonly facts: Pick<Chunk, "valueCount" | "nullCount" | "uncompressedBytes"> & { readonly dictionaryBytes: number };
}

interface Codec {
  readonly decompress: (bytes: Uint8Array, length: number) => Uint8Array;
  readonly compress: (bytes: Uint8Array) => Uint8Array;
}

// By parquet.thrift's numbers.
const CODECS: Readonly<Record<number, Codec>> = {
  0: { decompress: (bytes) => bytes, compress: (bytes) => bytes },
  1: {
    decompress: (bytes, length) => {
      const output = new Uint8Array(length);
      snappyUncompress(bytes, output);
      return output;
    },
    compress: compressSnappy,
  },
  2: {
    decompress: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength: Math.max(maxOutputLength, 1) }),
    compress: (bytes) => gzipSync(bytes),
  },
};
const HEADER = { type: 1, uncompressedBytes: 2, bodyBytes: 3, data: 5 } as const;
const DATA = { valueCount: 1, encoding: 2, definitionEncoding: 3, repetitionEncoding: 4 } as const;
const DATA_PAGE = 0;
const RLE = 3;

/**
 * The pages of a chunk without the rows that `dropped` marks; undefined where they can't be had without decoding all: by a
 * codec, a kind of page or an encoding that isn't known here. Throws a RangeError for damaged pages.
 */
export function thinnedChunk(
  bytes: Uint8Array,
  chunk: Chunk,
  column: PageColumn,
  dropped: Uint8Array,
  droppedCount: number,
): ThinnedChunk | undefined {
  const codec = CODECS[chunk.codec];
  if (droppedCount > 0 && codec === undefined) return undefined;
  const parts: Uint8Array[] = [];
  let [row, slots, gone, goneNulls, uncompressedBytes, dictionaryBytes] = [-1, 0, 0, 0, 0, 0];
  for (let at = 0; at < bytes.length; ) {
    const header = readPageHeader(bytes, at);
    const start = at + header.headerBytes;
    const end = start + header.bodyBytes;
    if (end > bytes.length) throw new RangeError("a page goes beyond its column's data");
    checkPage(header, bytes.subarray(start, end));
    const page = bytes.subarray(at, end);
    const whole = header.headerBytes + header.uncompressedBytes;
    at = end;
    if (header.kind === "other") continue;
    if (header.kind === "dictionary") {
      dictionaryBytes += page.length;
      uncompressedBytes += whole;
      parts.push(page);
      continue;
    }
    slots += header.valueCount;
    if (droppedCount === 0) {
      uncompressedBytes += whole;
      parts.push(page);
      continue;
    }
    const firstRow = row + 1;
    if (column.maxRepetition === 0) {
      row += header.valueCount;
      if (dropped.indexOf(1, firstRow) < 0 || dropped.indexOf(1, firstRow) > row) {
        uncompressedBytes += whole;
        parts.push(page);
        continue;
      }
    }
    const encoding = encodingOf(page, header);
    if (encoding === undefined) return undefined;
    const content = new DataPage(
      codec!.decompress(page.subarray(header.headerBytes), header.uncompressedBytes),
      header.valueCount,
      column,
    );
    const rows = content.repetition && rowsOf(content.repetition, row);
    if (rows !== undefined) row = rows.at(-1) ?? row;
    const isDropped = (slot: number) => dropped[rows === undefined ? firstRow + slot : rows[slot]!] === 1;
    if (rows?.every((_, slot) => !isDropped(slot))) {
      uncompressedBytes += whole;
      parts.push(page);
      continue;
    }
    const thinned = content.without(isDropped, encoding);
    if (thinned === undefined) return undefined;
    gone += thinned.dropped;
    goneNulls += thinned.droppedNulls;
    if (thinned.kept === 0) continue;
    const body = codec!.compress(thinned.body);
    const head = dataPageHeader(thinned.kept, encoding, thinned.body.length, body.length);
    uncompressedBytes += head.length + thinned.body.length;
    parts.push(head, body);
  }
  if (slots !== chunk.valueCount) throw new RangeError("a column has another number of values than its footer says");
  if (droppedCount > 0 && row !== dropped.length - 1) throw new RangeError("a column has another number of rows");
  const nullCount = chunk.nullCount === undefined ? undefined : chunk.nullCount - goneNulls;
  return { parts, facts: { valueCount: slots - gone, nullCount, uncompressedBytes, dictionaryBytes } };
}

/** The row of each slot; a page may begin within a row. */
function rowsOf(repetition: Int32Array, before: number): Int32Array {
  let row = before;
  return repetition.map((level) => (level === 0 ? ++row : row));
}

/** Undefined for a data page of version 2, or with levels of an old encoding. */
function encodingOf(page: Uint8Array, header: PageHeader): number | undefined {
  const fields = fieldsOf(page.subarray(0, header.headerBytes));
  const data = fields.get(HEADER.data);
  if (numberOf(fields, HEADER.type) !== DATA_PAGE || data === undefined) return undefined;
  const inner = fieldsOf(data.value);
  const levels = [DATA.definitionEncoding, DATA.repetitionEncoding].map((id) => numberOf(inner, id));
  return levels.every((encoding) => encoding === RLE) ? numberOf(inner, DATA.encoding) : undefined;
}

/** The header of a data page of version 1, without statistics. */
export function dataPageHeader(
  valueCount: number,
  encoding: number,
  uncompressedBytes: number,
  bodyBytes: number,
): Uint8Array {
  const out = new ThriftWriter();
  out.struct(() => {
    out.i32Field(HEADER.type, DATA_PAGE);
    out.i32Field(HEADER.uncompressedBytes, uncompressedBytes);
    out.i32Field(HEADER.bodyBytes, bodyBytes);
    out.structField(HEADER.data, () => {
      out.i32Field(DATA.valueCount, valueCount);
      out.i32Field(DATA.encoding, encoding);
      out.i32Field(DATA.definitionEncoding, RLE);
      out.i32Field(DATA.repetitionEncoding, RLE);
    });
  });
  return out.finish();
}
