import { limits } from "../limits.js";
import { FlatTable } from "./flatBuffer.js";

/** What an Arrow file begins and ends with. */
const FILE_MAGIC = new TextEncoder().encode("ARROW1");
/** At a file's end: the footer's length, and the magic. */
const FILE_END_BYTES = 10;
const CONTINUATION = -1;
const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

// Arrow's Message.fbs and Schema.fbs: kinds of messages, then fields by their place in a table.
const SCHEMA = 1;
const DICTIONARY_BATCH = 2;
const RECORD_BATCH = 3;
const MESSAGE = { headerType: 1, header: 2, bodyLength: 3, metadata: 4 };
const SCHEMA_TABLE = { fields: 1, metadata: 2, features: 3 };
const FIELD = { name: 0, type: 3, dictionary: 4, children: 5, metadata: 6 };
const BATCH = { length: 0, nodes: 1, buffers: 2, variadicCounts: 4 };
const STRUCT_BYTES = 16;
const FOOTER = { schema: 1, dictionaries: 2, batches: 3, metadata: 4 };
const BLOCK_BYTES = 24;

/** Bytes of a file. */
export type ReadAt = (start: number, end: number) => Promise<Uint8Array>;

/** True for the bytes that an Arrow file, and no stream, begins with. */
export function beginsArrowFile(bytes: Uint8Array): boolean {
  return FILE_MAGIC.every((byte, i) => bytes[i] === byte);
}

/** A batch of rows in an Arrow file. */
export interface ArrowBlock {
  readonly rowCount: number;
  readonly sizeBytes: number;
}

/**
 * Looks at a file's footer and at each of its messages, as {@link soundMessages} does; the batches of rows, as the footer has them. Throws a
 * RangeError.
 */
export async function checkArrowFile(read: ReadAt, sizeBytes: number): Promise<ArrowBlock[]> {
  const end = sizeBytes - FILE_END_BYTES;
  if (end < FILE_MAGIC.length) throw new RangeError("it is cut");
  const tail = await read(end, sizeBytes);
  const length = new DataView(tail.buffer, tail.byteOffset).getInt32(0, true);
  if (!beginsArrowFile(tail.subarray(4))) throw new RangeError("it doesn't end as an Arrow file does");
  if (length < 0 || length > limits.MAX_ARROW_METADATA_BYTES || length > end) {
    throw new RangeError(`its footer claims to have ${length} bytes`);
  }
  const footer = FlatTable.root(await read(end - length, end));
  const schema = footer.table(FOOTER.schema);
  if (schema === undefined) throw new RangeError("it has no schema");
  checkSchema(schema);
  checkMetadata(footer, FOOTER.metadata);
  const blocksOf = async (part: number) => {
    const blocks: ArrowBlock[] = [];
    for (const block of footer.structs(part, BLOCK_BYTES)) {
      blocks.push(await checkBlock(read, Number(block.getBigInt64(0, true)), end - length));
    }
    return blocks;
  };
  await blocksOf(FOOTER.dictionaries);
  return blocksOf(FOOTER.batches);
}

/** A message of a file, which must end before `end`. */
async function checkBlock(read: ReadAt, start: number, end: number): Promise<ArrowBlock> {
  if (!(start >= 0 && start + 8 <= end)) throw new RangeError("a message lies outside of the file");
  const prefix = await read(start, start + 8);
  const view = new DataView(prefix.buffer, prefix.byteOffset);
  const isOld = view.getInt32(0, true) !== CONTINUATION;
  const length = view.getInt32(isOld ? 0 : 4, true);
  const from = start + (isOld ? 4 : 8);
  if (length < 0 || length > limits.MAX_ARROW_METADATA_BYTES || from + length > end) {
    throw new RangeError(`a message claims to have ${length} bytes of metadata`);
  }
  const { rowCount, bodyBytes } = checkMessage(await read(from, from + length));
  const next = from + length + bodyBytes;
  if (next > end) throw new RangeError("a message goes beyond the file");
  return { rowCount, sizeBytes: next - start };
}

/**
 * The bytes of an Arrow stream, a message at a time, each looked at before it is given on: lists
 * that are longer than the message, batches of more rows than `2^31 - 1`, bodies beyond `MAX_ARROW_BODY_BYTES` would
 * otherwise take any time and memory. Throws a RangeError.
 */
export async function* soundMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const bytes = new Bytes(chunks);
  for (;;) {
    const first = await bytes.takeInt();
    // Streams from before Arrow 0.15 have the length at once.
    const length = first === CONTINUATION ? await bytes.takeInt() : first;
    if (length === undefined || length === 0) {
      yield END_OF_STREAM;
      return;
    }
    if (length < 0 || length > limits.MAX_ARROW_METADATA_BYTES) {
      throw new RangeError(`a message claims to have ${length} bytes of metadata`);
    }
    const metadata = await bytes.take(length);
    const { bodyBytes } = checkMessage(metadata);
    const prefix = new Uint8Array(8).fill(255, 0, 4);
    new DataView(prefix.buffer).setInt32(4, length, true);
    yield prefix;
    yield metadata;
    if (bodyBytes > 0) yield await bytes.take(bodyBytes);
  }
}

/** Throws a RangeError for a message that isn't sound; the size of its body in bytes, and its rows. */
function checkMessage(metadata: Uint8Array): { readonly bodyBytes: number; readonly rowCount: number } {
  const message = FlatTable.root(metadata);
  checkMetadata(message, MESSAGE.metadata);
  const header = message.table(MESSAGE.header);
  const bodyBytes = Number(message.int64(MESSAGE.bodyLength));
  if (header === undefined) throw new RangeError("a message is empty");
  if (bodyBytes < 0 || bodyBytes > limits.MAX_ARROW_BODY_BYTES) {
    throw new RangeError(`a message claims to have ${bodyBytes} bytes`);
  }
  const kind = message.byte(MESSAGE.headerType);
  let rowCount = 0;
  if (kind === SCHEMA) checkSchema(header);
  else if (kind === RECORD_BATCH) rowCount = checkBatch(header);
  else if (kind === DICTIONARY_BATCH) checkBatch(header.table(1));
  else throw new RangeError(`there is a message of kind ${kind}, which isn't for tables`);
  return { bodyBytes, rowCount };
}

function checkSchema(schema: FlatTable): void {
  checkMetadata(schema, SCHEMA_TABLE.metadata);
  schema.list(SCHEMA_TABLE.features, 8);
  for (const field of schema.tables(SCHEMA_TABLE.fields)) checkField(field, 1);
}

function checkField(field: FlatTable, depth: number): void {
  if (depth > limits.MAX_SCHEMA_DEPTH) throw new RangeError("its schema nests too deep");
  if (!field.has(FIELD.name)) throw new RangeError("a column has no name");
  field.list(FIELD.name, 1);
  checkMetadata(field, FIELD.metadata);
  field.table(FIELD.dictionary)?.table(1);
  // Of all types a union's ids and a timestamp's zone are lists, each the second field.
  if (field.table(FIELD.type) === undefined) throw new RangeError("a column has no type");
  for (const child of field.tables(FIELD.children)) checkField(child, depth + 1);
}

function checkMetadata(table: FlatTable, field: number): void {
  for (const pair of table.tables(field)) {
    pair.list(0, 1);
    pair.list(1, 1);
  }
}

/** The batch's rows. */
function checkBatch(batch: FlatTable | undefined): number {
  if (batch === undefined) throw new RangeError("a dictionary has no values");
  const rows = batch.int64(BATCH.length);
  if (rows < 0n || rows > 0x7fffffffn) throw new RangeError(`a batch claims to have ${rows} rows`);
  batch.list(BATCH.nodes, STRUCT_BYTES);
  batch.list(BATCH.buffers, STRUCT_BYTES);
  batch.list(BATCH.variadicCounts, 8);
  return Number(rows);
}

/** Takes bytes off a stream, as many as are wanted at a time. */
class Bytes {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, in memory of their own. Throws a RangeError where the stream ends before. */
  async take(count: number): Promise<Uint8Array> {
    await this.#fetch(count);
    if (this.#heldBytes < count) throw new RangeError("it is cut");
    // Aligned to 8 bytes, as Arrow's own reader needs them.
    const taken = new Uint8Array(count);
    let done = 0;
    while (done < count) {
      const first = this.#held[0]!;
      const part = first.subarray(0, count - done);
      taken.set(part, done);
      done += part.length;
      if (part.length === first.length) this.#held.shift();
      else this.#held[0] = first.subarray(part.length);
    }
    this.#heldBytes -= count;
    return taken;
  }

  /** The next four bytes as a number; undefined at the end. */
  async takeInt(): Promise<number | undefined> {
    await this.#fetch(4);
    if (this.#heldBytes === 0) return undefined;
    const bytes = await this.take(4);
    return new DataView(bytes.buffer).getInt32(0, true);
  }

  async #fetch(count: number): Promise<void> {
    while (this.#heldBytes < count) {
      const next = await this.#chunks.next();
      if (next.done) return;
      this.#held.push(next.value);
      this.#heldBytes += next.value.length;
    }
  }
}
