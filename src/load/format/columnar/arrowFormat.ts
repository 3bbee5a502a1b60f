import { type FileHandle, open as openLocal } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { fromArrowSchema } from "../../../arrow/schema.js";
import { DeltaError } from "../../../errors.js";
import { openBytes } from "../../source/bytes.js";
import type { ByteReader, SourceFile } from "../../source/source.js";
import type { Format, RecordPosition, SourceShape } from "../format.js";
import { type ArrowReader, arrowReader, soundBatches } from "./arrowReader.js";
import { type BatchFile, BatchReader, type GroupedBatch } from "./batchReader.js";

/** Arrow's stream and file formats, uncompressed inside. */
export const arrowFormat: Format = { shape, open };

async function shape(file: SourceFile): Promise<SourceShape> {
  await using opened = await openArrow(file);
  return { dialect: {}, schema: opened.columns };
}

async function open(file: SourceFile, from: RecordPosition | undefined): Promise<BatchReader> {
  return new BatchReader(await openArrow(file), from);
}

async function openArrow(file: SourceFile, signal?: AbortSignal): Promise<BatchFile> {
  const input = await inputOf(file, signal);
  try {
    const reader = await arrowReader("positionAt" in input ? chunksOf(input, signal) : input);
    return {
      url: file.url,
      columns: fromArrowSchema(reader.schema),
      storedBytesPerRow: 0,
      batches: () => grouped(reader, file.url),
      [Symbol.asyncDispose]: () => closeInput(input),
    };
  } catch (error) {
    await closeInput(input);
    throw unreadable(file.url, error);
  }
}

/** A plain local file can be read anywhere; other bytes come in order. */
function inputOf(file: SourceFile, signal: AbortSignal | undefined): Promise<FileHandle | ByteReader> {
  const isPlain = file.stream === undefined && file.entry === undefined && file.compression === "none";
  if (isPlain && isAbsolute(file.store.url)) return openLocal(join(file.store.url, file.path));
  return openBytes(file, undefined, { signal });
}

async function closeInput(input: FileHandle | ByteReader): Promise<void> {
  if ("positionAt" in input) await input[Symbol.asyncDispose]();
  else await input.close();
}

async function* chunksOf(bytes: ByteReader, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = await bytes.read(signal);
    if (chunk === undefined) return;
    // Arrow keeps views of what it is given.
    yield chunk.slice();
  }
}

async function* grouped(reader: ArrowReader, url: string): AsyncGenerator<GroupedBatch> {
  try {
    for await (const batch of soundBatches(reader)) yield { batch, group: 0, groupStart: 0 };
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
