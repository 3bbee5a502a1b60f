import { type FileHandle, open, realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import {
  type AsyncRecordBatchFileReader,
  type AsyncRecordBatchStreamReader,
  type RecordBatch,
  type RecordBatchFileReader,
  RecordBatchReader,
} from "apache-arrow";
import { conformBatch } from "../../arrow/conform.js";
import { checkLayout } from "../../arrow/layout.js";
import { beginsArrowFile, checkArrowFile, type ReadAt, soundMessages } from "../../arrow/messages.js";
import { fromArrowSchema } from "../../arrow/schema.js";
import { DeltaError } from "../../errors.js";
import { limits } from "../../limits.js";
import { readParquet } from "../../parquet/read.js";
import { checkAssignable } from "../../schema/compare.js";
import type { StructType } from "../../schema/types.js";
import { openStore } from "../../storage/open.js";
import type { BatchSource } from "../../write/input.js";
import { fileError, locatedError } from "./files.js";

/**
 * The rows of a Parquet file, for a table of this schema or, where there is none yet, of the file's own. Undefined where
 * there are no rows. Throws DELTA_PARQUET_UNREADABLE, DELTA_SCHEMA_MISMATCH, DELTA_INVALID_SCHEMA, naming the file.
 */
export async function parquetSource(
  path: string,
  file: string,
  schema: StructType | undefined,
  signal: AbortSignal,
): Promise<BatchSource | undefined> {
  // The operand may be a link to anywhere; a table's files may not.
  const real = await realpath(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
  const store = openStore(dirname(real));
  const name = basename(real);
  const found = await store.head(name, signal);
  if (found === undefined) throw new DeltaError("DELTA_FILE_NOT_FOUND", `There is no file ${path}.`, { path });
  const batches = readParquet(store, { path: name, sizeBytes: found.sizeBytes }, { signal });
  const first = await batches.next();
  if (first.done) return undefined;
  async function* all() {
    yield first.value as RecordBatch;
    yield* batches;
  }
  return conformed(first.value, all(), file, schema);
}

/**
 * The rows of an Arrow stream or file, likewise. `input` is a path or the bytes of a stream, in which a file is gathered.
 * Throws DELTA_INPUT_UNREADABLE where it is neither.
 */
export async function arrowSource(
  input: string | AsyncIterable<Uint8Array>,
  file: string,
  schema: StructType | undefined,
): Promise<BatchSource> {
  const handle = typeof input === "string" ? await openInput(input) : undefined;
  try {
    const reader = handle === undefined ? await readerOf(input as AsyncIterable<Uint8Array>) : await fileReader(handle);
    await reader.open();
    return conformed({ schema: reader.schema }, readable(reader, file, handle), file, schema);
  } catch (error) {
    await handle?.close();
    throw unreadable(file, error);
  }
}

function openInput(path: string): Promise<FileHandle> {
  return open(path).catch((error: unknown) => {
    throw fileError(path, error);
  });
}

async function fileReader(handle: FileHandle): Promise<Reader> {
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

type Reader = AsyncRecordBatchFileReader | AsyncRecordBatchStreamReader | RecordBatchFileReader;
const MAGIC_BYTES = 6;

async function readerOf(bytes: AsyncIterable<Uint8Array>): Promise<Reader> {
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
      `on the standard input a file has ${MAX_ARROW_BODY_BYTES} bytes at most; give its name instead`,
    );
  }
  const whole = new Uint8Array(Buffer.concat(held));
  await checkArrowFile(async (start, end) => whole.subarray(start, end), whole.length);
  return RecordBatchReader.from(whole) as RecordBatchFileReader;
}

async function* readable(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  file: string,
  handle: FileHandle | undefined,
): AsyncGenerator<RecordBatch> {
  try {
    // A stream without rows is read as one batch that lacks the insides of nested columns.
    for await (const batch of batches) {
      if (batch.numRows === 0) continue;
      checkLayout(batch);
      yield batch;
    }
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    await handle?.close();
  }
}

function unreadable(file: string, cause: unknown): unknown {
  const error = fileError(file, cause);
  if (error instanceof DeltaError || (error instanceof Error && error.name === "AbortError")) return error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const text = `${file} can't be read as an Arrow stream or file, uncompressed: ${reason}`;
  return new DeltaError("DELTA_INPUT_UNREADABLE", text, { file }, cause);
}

/** Batches brought into the table's schema here, so that an error can name the file. */
function conformed(
  { schema: arrow }: Pick<RecordBatch, "schema">,
  source: AsyncIterable<RecordBatch>,
  file: string,
  given: StructType | undefined,
): BatchSource {
  try {
    const own = fromArrowSchema(arrow);
    const schema = given ?? own;
    checkAssignable(schema, own);
    return { schema: async () => schema, batches: () => conformedBatches(source, schema, file) };
  } catch (error) {
    throw locatedError(error, file);
  }
}

async function* conformedBatches(
  source: AsyncIterable<RecordBatch>,
  schema: StructType,
  file: string,
): AsyncGenerator<RecordBatch> {
  let row = 0;
  for await (const batch of source) {
    try {
      yield conformBatch(batch, schema, row);
    } catch (error) {
      // Few bytes may stand for more than any buffer holds: the same long text for each row.
      throw error instanceof RangeError ? unreadable(file, error) : locatedError(error, file);
    }
    row += batch.numRows;
  }
}
