import {
  type Data,
  type DataType,
  type Decimal,
  type Field,
  type RecordBatch,
  RecordBatchStreamWriter,
  type Schema,
  Type,
} from "apache-arrow";
import { bitmapBytes } from "../arrow/bits.js";
import { offsetsOf } from "../arrow/column.js";

/**
 * Batches of one schema, one at least, as an Arrow IPC stream in a buffer of its own (Arrow columnar format, IPC
 * streaming format).
 *
 * Plain batches are written here, and a schema's message is made once: of a small append, apache-arrow's writer took a
 * fifth of the time. Others go through that writer, but not through its `toUint8Array`, nor through `tableToIPC`: they take
 * neighbouring pieces of one buffer for one piece, and so lose bytes where two columns share a vector or two batches are
 * slices that overlap.
 */
export function ipcBytes(batches: readonly RecordBatch[]): Uint8Array<ArrayBuffer> {
  const bodies = batches.map(bodyOf);
  if (!bodies.every((body) => body !== undefined)) return joined(piecesByWriter(batches));
  const messages = batches.flatMap((batch, i) => messageOf(batch.numRows, bodies[i]!));
  return joined([schemaMessage(batches[0]!.schema), ...messages, END_OF_STREAM]);
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

function piecesByWriter(batches: readonly RecordBatch[]): readonly Uint8Array[] {
  const writer = new PieceWriter();
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return writer.pieces;
}

class PieceWriter extends RecordBatchStreamWriter {
  readonly pieces: Uint8Array[] = [];

  protected override _write(piece: ArrayBufferView): this {
    if (this._started && piece.byteLength > 0) {
      this.pieces.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      this._position += piece.byteLength;
    }
    return this;
  }
}

const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** The buffers of a batch in the format's order, and a node for each column: its length and its nulls. */
interface Body {
  readonly nodes: [length: number, nullCount: number][];
  readonly buffers: Uint8Array[];
}

function bodyOf(batch: RecordBatch): Body | undefined {
  const body: Body = { nodes: [], buffers: [] };
  return batch.data.children.every((column) => addColumn(column, body)) ? body : undefined;
}

/** False for a column that isn't plain: a slice, an empty one, or of a layout that tables don't have. */
function addColumn(data: Data, body: Body): boolean {
  const { length, nullCount } = data;
  if (length === 0 || data.offset !== 0) return false;
  body.nodes.push([length, nullCount]);
  body.buffers.push(nullCount > 0 ? bytesOf(data.nullBitmap, bitmapBytes(length)) : NO_BYTES);
  switch (data.typeId as Type) {
    case Type.Int:
    case Type.Float:
    case Type.Date:
    case Type.Timestamp:
      body.buffers.push(bytesOf(data.values, length * data.values.BYTES_PER_ELEMENT));
      return true;
    case Type.Decimal:
      body.buffers.push(bytesOf(data.values, length * 16));
      return (data.type as Decimal).bitWidth === 128;
    case Type.Bool:
      body.buffers.push(bytesOf(data.values, bitmapBytes(length)));
      return true;
    case Type.Utf8:
    case Type.Binary: {
      const offsets = offsetsOf(data) as Int32Array;
      body.buffers.push(bytesOf(offsets, (length + 1) * 4), bytesOf(data.values, offsets[length]));
      return offsets[0] === 0;
    }
    case Type.List:
    case Type.Map: {
      const offsets = offsetsOf(data) as Int32Array;
      body.buffers.push(bytesOf(offsets, (length + 1) * 4));
      return offsets[0] === 0 && addColumn(data.children[0], body);
    }
    case Type.Struct:
      return data.children.every((child) => child.length === length && addColumn(child, body));
    default:
      return false;
  }
}

const NO_BYTES = new Uint8Array(0);

function bytesOf(values: ArrayBufferView, sizeBytes: number): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, sizeBytes);
}

// Where the parts of a message's FlatBuffer lie. A table points back at a list of its fields' places; 8-byte fields are
// aligned.
const MESSAGE = 16;
const RECORD_BATCH = 56;
const NODES = 84;
const METADATA_VERSION_5 = 4;
const RECORD_BATCH_HEADER = 3;

/** The RecordBatch message of a body: its metadata, then each buffer padded to 8 bytes. */
function messageOf(numRows: number, { nodes, buffers }: Body): Uint8Array[] {
  const buffersAt = NODES + 4 + nodes.length * 16 + 4;
  const metadataBytes = buffersAt + 4 + buffers.length * 16;
  const metadata = new Uint8Array(8 + metadataBytes);
  const prefix = new DataView(metadata.buffer);
  prefix.setUint32(0, 0xffffffff, true);
  prefix.setInt32(4, metadataBytes, true);
  const view = new DataView(metadata.buffer, 8);
  const int64 = (at: number, value: number) => view.setBigInt64(at, BigInt(value), true);
  const table = (at: number, fieldsAt: number, sizeBytes: number, fields: readonly number[]) => {
    view.setInt32(at, at - fieldsAt, true);
    for (const [i, value] of [4 + 2 * fields.length, sizeBytes, ...fields].entries()) {
      view.setUint16(fieldsAt + 2 * i, value, true);
    }
  };

  view.setUint32(0, MESSAGE, true);
  // version, header type, header, body length
  table(MESSAGE, 4, 24, [16, 18, 4, 8]);
  view.setUint32(MESSAGE + 4, RECORD_BATCH - (MESSAGE + 4), true);
  view.setInt16(MESSAGE + 16, METADATA_VERSION_5, true);
  view.setUint8(MESSAGE + 18, RECORD_BATCH_HEADER);
  // length, nodes, buffers
  table(RECORD_BATCH, 40, 24, [8, 4, 16]);
  view.setUint32(RECORD_BATCH + 4, NODES - (RECORD_BATCH + 4), true);
  int64(RECORD_BATCH + 8, numRows);
  view.setUint32(RECORD_BATCH + 16, buffersAt - (RECORD_BATCH + 16), true);
  view.setUint32(NODES, nodes.length, true);
  for (const [i, [length, nullCount]] of nodes.entries()) {
    int64(NODES + 4 + i * 16, length);
    int64(NODES + 12 + i * 16, nullCount);
  }
  view.setUint32(buffersAt, buffers.length, true);
  const pieces: Uint8Array[] = [metadata];
  let offset = 0;
  for (const [i, buffer] of buffers.entries()) {
    int64(buffersAt + 4 + i * 16, offset);
    int64(buffersAt + 12 + i * 16, buffer.length);
    if (buffer.length === 0) continue;
    pieces.push(buffer);
    const padding = -buffer.length & 7;
    if (padding > 0) pieces.push(PADDING.subarray(0, padding));
    offset += buffer.length + padding;
  }
  int64(MESSAGE + 8, offset);
  return pieces;
}

const PADDING = new Uint8Array(8);

/** Schema messages by their first column's type: those of a table's columns are made once, the fields around them anew. */
const messages = new WeakMap<DataType, { readonly fields: readonly Field[]; readonly bytes: Uint8Array }>();

function schemaMessage(schema: Schema): Uint8Array {
  const { fields, metadata } = schema;
  const known = fields[0] && messages.get(fields[0].type);
  if (known !== undefined && metadata.size === 0 && areSame(known.fields, fields)) return known.bytes;
  const writer = new PieceWriter();
  writer.reset(undefined, schema);
  const bytes = joined(writer.pieces);
  if (fields[0] && metadata.size === 0) messages.set(fields[0].type, { fields, bytes });
  return bytes;
}

function areSame(left: readonly Field[], right: readonly Field[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ name, type, nullable, metadata }, i) => {
      const other = right[i]!;
      const alike = name === other.name && type === other.type && nullable === other.nullable;
      return alike && metadata.size === 0 && other.metadata.size === 0;
    })
  );
}
