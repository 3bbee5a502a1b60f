import type { RecordBatch } from "apache-arrow";
import { beginsArrowFile } from "../../../arrow/messages.js";
import { fromArrowSchema } from "../../../arrow/schema.js";
import { DeltaError } from "../../../errors.js";
import { openBytes } from "../../source/bytes.js";
import { openRanges } from "../../source/ranges.js";
import type { ByteReader, SourceFile } from "../../source/source.js";
import type { Format, ParseOptions, ReadingOptions, RecordPosition, SourceShape } from "../format.js";
import { type ArrowFile, openArrowFile } from "./arrowFile.js";
import { type ArrowReader, arrowReader, soundBatches } from "./arrowReader.js";
import { type BatchFile, BatchReader, type GroupedBatch } from "./batchReader.js";

/** Arrow's stream and file formats, uncompressed inside. A stream can only be read from its beginning. */
export const arrowFormat: Format = { shape, open };

const MAGIC_BYTES = 6;

async function shape(file: SourceFile, _: ParseOptions, signal?: AbortSignal): Promise<SourceShape> {
  await using opened = await openArrow(file, 0, { signal });
  return { dialect: {}, schema: opened.columns };
}

async function open(
  file: SourceFile,
  from: RecordPosition | undefined,
  _shape: SourceShape,
  { rescuedDataColumn }: ParseOptions,
  reading: ReadingOptions = {},
): Promise<BatchReader> {
  return new BatchReader(await openArrow(file, from?.group ?? 0, reading), from, rescuedDataColumn);
}

async function openArrow(file: SourceFile, group: number, reading: ReadingOptions): Promise<BatchFile> {
  try {
    return (await openBlocks(file, group, reading)) ?? (await openInOrder(file, reading));
  } catch (error) {
    throw unreadable(file.url, error);
  }
}

/** Undefined where the bytes come in order only, or have no footer. */
async function openBlocks(file: SourceFile, group: number, { signal }: ReadingOptions): Promise<BatchFile | undefined> {
  const { sizeBytes } = file.identity;
  const isPlain = file.stream === undefined && file.entry === undefined && file.compression === "none";
  if (!isPlain || sizeBytes < MAGIC_BYTES) return undefined;
  const ranges = openRanges(file);
  try {
    const read = (start: number, end: number) => ranges.read(start, end, signal);
    if (beginsArrowFile(await read(0, MAGIC_BYTES))) {
      const blocks = await openArrowFile(read, sizeBytes);
      return {
        columns: fromArrowSchema(blocks.schema),
        batches: () => batchesOfBlocks(blocks, group, file.url),
        [Symbol.asyncDispose]: () => ranges[Symbol.asyncDispose](),
      };
    }
  } catch (error) {
    await ranges[Symbol.asyncDispose]();
    throw error;
  }
  await ranges[Symbol.asyncDispose]();
  return undefined;
}

async function openInOrder(file: SourceFile, reading: ReadingOptions): Promise<BatchFile> {
  const bytes = await openBytes(file, undefined, reading);
  try {
    const reader = await arrowReader(chunksOf(bytes, reading.signal));
    return {
      columns: fromArrowSchema(reader.schema),
      batches: () => batchesInOrder(reader, bytes, file.url),
      [Symbol.asyncDispose]: () => bytes[Symbol.asyncDispose](),
    };
  } catch (error) {
    await bytes[Symbol.asyncDispose]();
    throw error;
  }
}

async function* chunksOf(bytes: ByteReader, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = await bytes.read(signal);
    if (chunk === undefined) return;
    // Arrow keeps views of what it is given.
    yield chunk.slice();
  }
}

async function* batchesOfBlocks(file: ArrowFile, first: number, url: string): AsyncGenerator<GroupedBatch> {
  let groupStart = file.blocks.slice(0, first).reduce((sum, { rowCount }) => sum + rowCount, 0);
  for (const [index, { rowCount, sizeBytes }] of file.blocks.entries()) {
    if (index < first) continue;
    let batch: RecordBatch;
    try {
      batch = await file.batch(index);
    } catch (error) {
      throw unreadable(url, error);
    }
    yield { batch, group: index, groupStart, storedBytes: sizeBytes };
    groupStart += rowCount;
  }
}

async function* batchesInOrder(reader: ArrowReader, bytes: ByteReader, url: string): AsyncGenerator<GroupedBatch> {
  let before = 0;
  try {
    for await (const batch of soundBatches(reader)) {
      const storedBytes = bytes.storedBytesRead - before;
      before = bytes.storedBytesRead;
      yield { batch, group: 0, groupStart: 0, storedBytes };
    }
  } catch (error) {
    throw unreadable(url, error);
  }
}

function unreadable(url: string, cause: unknown): unknown {
  if (cause instanceof DeltaError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `${url} can't be read as an Arrow stream or file, uncompressed: ${reason}`;
  return new DeltaError("DELTA_INPUT_UNREADABLE", message, { file: url }, cause);
}
