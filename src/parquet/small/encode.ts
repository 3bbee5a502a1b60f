import type { DataType, Field, RecordBatch } from "apache-arrow";
import { batchByteLength } from "../../arrow/size.js";
import type { ParquetNode } from "../fileSchema.js";
import type { Chunk } from "../footer.js";
import { footerBytes, type PlacedChunk } from "../footerBytes.js";
import { ThriftWriter } from "../thriftWriter.js";
import { parquetSchema } from "./schema.js";
import { type Leaf, leafChunks, shred } from "./shred.js";
import { compressSnappy } from "./snappy.js";

/** A level is a byte. */
const MAX_LEVEL = 255;
const MAX_ARROW_BYTES = 256 * 1024;
const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31); // "PAR1"

// Of parquet.thrift.
const PLAIN = 0;
const RLE = 3;
const UNCOMPRESSED = 0;
const SNAPPY = 1;
const DATA_PAGE = 0;
const TYPES = ["BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"];

/**
 * Encodes a few rows as a Parquet file of one row group, with one plain page a column; undefined for what is left to the large
 * encoder: more than 256 KiB, or a type that Delta tables don't have.
 *
 * This one is here for its start. In a process's first hundreds of small files, compiling the large one's WebAssembly
 * takes more time than encoding: see bench/append.md.
 */
export function encodeSmall(
  batches: readonly RecordBatch[],
  compression: "snappy" | "uncompressed",
): Uint8Array<ArrayBuffer> | undefined {
  if (batches.reduce((sum, batch) => sum + batchByteLength(batch), 0) > MAX_ARROW_BYTES) return undefined;
  return encodePlain(batches, compression);
}

/**
 * As {@link encodeSmall}, of any size: as fast as copying is where the columns are numbers, slow and in this thread where they are texts or
 * nested. Without statistics: for files that are read at once, and whole.
 */
export function encodePlain(
  batches: readonly RecordBatch[],
  compression: "snappy" | "uncompressed",
): Uint8Array<ArrayBuffer> | undefined {
  const { fields } = batches[0]!.schema;
  const root = schemaOf(fields);
  if (root === undefined) return undefined;
  const leaves = leafChunks(root);
  if (leaves.some(({ maxDefinition }) => maxDefinition > MAX_LEVEL)) return undefined;
  for (const batch of batches) shred(batch.data.children, fields, root, leaves);
  return fileOf(
    root,
    leaves,
    batches.reduce((sum, batch) => sum + batch.numRows, 0),
    compression,
  );
}

function fileOf(
  root: ParquetNode,
  leaves: readonly Leaf[],
  rowCount: number,
  compression: "snappy" | "uncompressed",
): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [MAGIC];
  let offset = MAGIC.length;
  const chunks: PlacedChunk[] = [];
  for (const leaf of rowCount === 0 ? [] : leaves) {
    const page = pageBody(leaf);
    const compressed = compression === "snappy" ? compressSnappy(page) : page;
    // A chunk has its own codec: what doesn't shrink needn't be decompressed.
    const isSmaller = compressed.length < page.length;
    const body = isSmaller ? compressed : page;
    const header = pageHeader(leaf.count, page.length, body.length);
    pieces.push(header, body);
    const start = offset;
    offset += header.length + body.length;
    const chunk: Chunk = {
      start,
      end: offset,
      dataPageOffset: start,
      dictionaryPageOffset: undefined,
      valueCount: leaf.count,
      nullCount: undefined,
      uncompressedBytes: header.length + page.length,
      type: TYPES.indexOf(leaf.node.element.type!),
      codec: isSmaller ? SNAPPY : UNCOMPRESSED,
      encodings: [PLAIN, RLE],
    };
    chunks.push({ path: leaf.node.path, chunk, start });
  }
  const footer = footerBytes({
    root,
    rowGroups: rowCount === 0 ? [] : [{ rowCount, chunks }],
    createdBy: "delta-table",
    keyValues: {},
  });
  const end = new Uint8Array(8);
  new DataView(end.buffer).setUint32(0, footer.length, true);
  end.set(MAGIC, 4);
  return joined([...pieces, footer, end]);
}

function pageBody(leaf: Leaf): Uint8Array {
  const parts: Uint8Array[] = [];
  if (leaf.maxRepetition > 0) parts.push(leaf.repetition.encode(leaf.maxRepetition));
  if (leaf.maxDefinition > 0) parts.push(leaf.definition.encode(leaf.maxDefinition));
  parts.push(leaf.values.finish());
  return joined(parts);
}

function pageHeader(valueCount: number, uncompressedBytes: number, compressedBytes: number): Uint8Array {
  const out = new ThriftWriter();
  out.struct(() => {
    out.i32Field(1, DATA_PAGE);
    out.i32Field(2, uncompressedBytes);
    out.i32Field(3, compressedBytes);
    out.structField(5, () => {
      out.i32Field(1, valueCount);
      out.i32Field(2, PLAIN);
      out.i32Field(3, RLE);
      out.i32Field(4, RLE);
    });
  });
  return out.finish();
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** Schemas by their first column's type: a table's is made once. Batches have fields of their own, but share the types. */
const schemas = new WeakMap<DataType, { readonly fields: readonly Field[]; readonly root: ParquetNode | undefined }>();

function schemaOf(fields: readonly Field[]): ParquetNode | undefined {
  const [first] = fields;
  if (first === undefined) return undefined;
  const known = schemas.get(first.type);
  if (known?.fields.length === fields.length && known.fields.every((field, i) => isSame(field, fields[i]!)))
    return known.root;
  const root = parquetSchema(fields);
  schemas.set(first.type, { fields: fields.slice(), root });
  return root;
}

function isSame(one: Field, other: Field): boolean {
  return (
    one.type === other.type &&
    one.name === other.name &&
    one.nullable === other.nullable &&
    one.metadata.size === other.metadata.size &&
    [...one.metadata].every(([key, value]) => other.metadata.get(key) === value)
  );
}
