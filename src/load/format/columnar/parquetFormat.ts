import { fromArrowSchema } from "../../../arrow/schema.js";
import { DeltaError, hasCode } from "../../../errors.js";
import { limits } from "../../../limits.js";
import { type Footer, type ParquetFileRef, readFooter } from "../../../parquet/footer.js";
import { readParquet } from "../../../parquet/read.js";
import type { StructType } from "../../../schema/types.js";
import { memoryStore } from "../../../storage/memory.js";
import type { ObjectStore } from "../../../storage/store.js";
import { openBytes } from "../../source/bytes.js";
import type { SourceFile } from "../../source/source.js";
import type { Format, ParseOptions, ReadingOptions, RecordPosition, SourceShape } from "../format.js";
import { type BatchFile, BatchReader, type GroupedBatch } from "./batchReader.js";

/** Parquet files, read by row groups. */
export const parquetFormat: Format = { shape, open };

async function shape(file: SourceFile, _: ParseOptions, signal?: AbortSignal): Promise<SourceShape> {
  await using opened = await openParquet(file, 0, signal);
  return { dialect: {}, schema: opened.columns };
}

async function open(
  file: SourceFile,
  from: RecordPosition | undefined,
  _shape: SourceShape,
  { rescuedDataColumn }: ParseOptions,
  { signal }: ReadingOptions = {},
): Promise<BatchReader> {
  return new BatchReader(await openParquet(file, from?.group ?? 0, signal), from, rescuedDataColumn);
}

async function openParquet(file: SourceFile, group: number, signal: AbortSignal | undefined): Promise<BatchFile> {
  const { store, ref } = await placeOf(file, signal);
  const footer = await readFooter(store, ref, signal).catch((cause: unknown) => {
    if (!hasCode(cause, "DELTA_PARQUET_UNREADABLE")) throw cause;
    const message = `${file.url} is no Parquet file, or a damaged one. Give the format that it has, or put the file right.`;
    throw new DeltaError("DELTA_PARQUET_UNREADABLE", message, { ...cause.data, file: file.url }, cause);
  });
  return {
    columns: await columnsOf(store, footer, signal),
    batches: () => groupedBatches(store, footer, group, file.identity.sizeBytes, signal),
    [Symbol.asyncDispose]: async () => (store === file.store ? undefined : await store[Symbol.asyncDispose]()),
  };
}

/** Bytes that come in order only are gathered: a Parquet file is read from its end. */
async function placeOf(
  file: SourceFile,
  signal: AbortSignal | undefined,
): Promise<{ readonly store: ObjectStore; readonly ref: ParquetFileRef }> {
  if (file.stream === undefined && file.entry === undefined && file.compression === "none") {
    return { store: file.store, ref: { path: file.path, sizeBytes: file.identity.sizeBytes } };
  }
  await using bytes = await openBytes(file, undefined, { signal });
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for (let piece = await bytes.read(signal); piece !== undefined; piece = await bytes.read(signal)) {
    pieces.push(piece.slice());
    sizeBytes += piece.length;
    if (sizeBytes <= limits.MAX_PARQUET_PART_BYTES) continue;
    const message = `${file.url} has more than ${limits.MAX_PARQUET_PART_BYTES} bytes unpacked; unpack it, and load the file itself.`;
    throw new DeltaError("DELTA_LIMIT_EXCEEDED", message, { file: file.url, limit: limits.MAX_PARQUET_PART_BYTES });
  }
  const store = memoryStore();
  const path = "source.parquet";
  await store.put(path, new Uint8Array(Buffer.concat(pieces)));
  return { store, ref: { path, sizeBytes } };
}

async function columnsOf(store: ObjectStore, footer: Footer, signal: AbortSignal | undefined): Promise<StructType> {
  const rowGroups = footer.rowGroups.flatMap(({ rowCount }, index) => (rowCount > 0 ? [index] : [])).slice(0, 1);
  for await (const batch of readParquet(store, footer.file, { footer, rowGroups, signal })) {
    return fromArrowSchema(batch.schema);
  }
  return { type: "struct", fields: [] };
}

async function* groupedBatches(
  store: ObjectStore,
  footer: Footer,
  first: number,
  fileBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<GroupedBatch> {
  let groupStart = footer.rowGroups.slice(0, first).reduce((sum, { rowCount }) => sum + rowCount, 0);
  for (let group = first; group < footer.rowGroups.length; group++) {
    for await (const batch of readParquet(store, footer.file, { footer, rowGroups: [group], signal })) {
      yield { batch, group, groupStart, storedBytes: (fileBytes * batch.numRows) / footer.rowCount };
    }
    groupStart += footer.rowGroups[group]!.rowCount;
  }
}
