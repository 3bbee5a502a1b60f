import type { FileHandle } from "node:fs/promises";
import {
  type AsyncRecordBatchFileReader,
  type AsyncRecordBatchStreamReader,
  type RecordBatch,
  type RecordBatchFileReader,
  RecordBatchReader,
} from "apache-arrow";
import { checkLayout } from "../../../arrow/layout.js";
import { beginsArrowFile, checkArrowFile, type ReadAt, soundMessages } from "../../../arrow/messages.js";
import { limits } from "../../../limits.js";

export type ArrowReader = AsyncRecordBatchFileReader | AsyncRecordBatchStreamReader | RecordBatchFileReader;

const MAGIC_BYTES = 6;

/**
 * A reader, opened, of an Arrow stream or file: of an open local file, or of bytes, in which a file is gathered. Throws RangeError and
 * what Arrow throws where it is neither.
 */
export async function arrowReader(input: FileHandle | AsyncIterable<Uint8Array>): Promise<ArrowReader> {
  const reader = Symbol.asyncIterator in input ? await readerOf(input) : await fileReader(input);
  await reader.open();
  return reader;
}

/** The batches with rows. Throws where one is damaged. */
export async function* soundBatches(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
): AsyncGenerator<RecordBatch> {
  // A stream without rows is read as one batch that lacks the insides of nested columns.
  for await (const batch of batches) {
    if (batch.numRows === 0) continue;
    checkLayout(batch);
    yield batch;
  }
}

async function fileReader(handle: FileHandle): Promise<ArrowReader> {
  const read: ReadAt = async (start, end) => {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(end - start), 0, end - start, start);
    if (bytesRead < end - start) throw new RangeError("it is cut");
    return buffer;
  };
  const { size } = await handle.stat();
  if (size < MAGIC_BYTES || !beginsArrowFile(await read(0, MAGIC_BYTES))) {
    return RecordBatchReader.from(soundMessages(handle.createReadStream({ start: 0, autoClose: false })));
  }
  await checkArrowFile(read, size);
  return RecordBatchReader.from(handle);
}

async function readerOf(bytes: AsyncIterable<Uint8Array>): Promise<ArrowReader> {
  const chunks = bytes[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  const gather = async (count: number) => {
    while (heldBytes < count) {
      const next = await chunks.next();
      if (next.done) return;
      held.push(next.value);
      heldBytes += next.value.length;
    }
  };
  await gather(MAGIC_BYTES);
  if (!beginsArrowFile(Buffer.concat(held).subarray(0, MAGIC_BYTES))) {
    async function* all() {
      yield* held.splice(0);
      yield* { [Symbol.asyncIterator]: () => chunks };
    }
    return RecordBatchReader.from(soundMessages(all()));
  }
  const { MAX_ARROW_BODY_BYTES } = limits;
  await gather(MAX_ARROW_BODY_BYTES + 1);
  if (heldBytes > MAX_ARROW_BODY_BYTES) {
    throw new RangeError(
      `a file whose bytes come in order (compressed, or on the standard input) has ${MAX_ARROW_BODY_BYTES} of them at most; give it unpacked, by its name`,
    );
  }
  const whole = new Uint8Array(Buffer.concat(held));
  await checkArrowFile(async (start, end) => whole.subarray(start, end), whole.length);
  return RecordBatchReader.from(whole) as RecordBatchFileReader;
}
