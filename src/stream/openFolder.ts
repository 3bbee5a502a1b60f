import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { BadRecord, RecordSink } from "../load/format/format.js";
import { formats } from "../load/format/formats.js";
import type { Json } from "../load/progress.js";
import { listSources } from "../load/source/list.js";
import type { SourceFile } from "../load/source/source.js";
import { encodePath } from "../log/paths.js";
import { schemaFrom } from "../ops/schemaOption.js";
import type { StructType } from "../schema/types.js";
import { compareUtf8 } from "../storage/utf8Order.js";
import { entryUrl, type FileEntry, FileLog } from "./fileLog.js";
import type { FolderStreamOptions } from "./folderSource.js";
import { Admission } from "./limits.js";
import type { NextBatch, OpenSource, SourceContext } from "./source.js";

/** Decoded bytes whose rows are in memory together. */
const SLICE_BYTES = 16 * 1024 * 1024;

/** Opens a folder for a run of a stream. */
export async function openFolder(
  folder: string,
  options: FolderStreamOptions,
  context: SourceContext,
): Promise<OpenSource> {
  const schema = schemaFrom(options.schema);
  const log = new FileLog(context.checkpoint);
  await log.load();
  return new OpenFolderSource(folder, options, schema, log, context);
}

class OpenFolderSource implements OpenSource {
  readonly schema: StructType;
  readonly #folder: string;
  readonly #options: FolderStreamOptions;
  readonly #log: FileLog;
  readonly #context: SourceContext;
  /** Found and not taken up yet, oldest first; kept where only what was there at the beginning counts. */
  #found: readonly FoundFile[] | undefined;

  constructor(folder: string, options: FolderStreamOptions, schema: StructType, log: FileLog, context: SourceContext) {
    this.schema = schema;
    this.#folder = folder;
    this.#options = options;
    this.#log = log;
    this.#context = context;
  }

  async next(start: Json | undefined): Promise<NextBatch | undefined> {
    const from = start === undefined ? -1 : logOffset(start);
    const { onlyAvailable, unlimited } = this.#context;
    // Files that were taken up for a batch that was never planned.
    const isTaken = this.#log.latest > from;
    if (isTaken && !unlimited) return { end: { logOffset: this.#log.latest } };
    const found = this.#found ?? (await this.#list());
    const admission = new Admission(this.#options, unlimited);
    let count = 0;
    while (count < found.length && !admission.isFull) admission.take(found[count++]!.sizeBytes);
    if (onlyAvailable) this.#found = found.slice(count);
    if (count > 0) await this.#log.add(found.slice(0, count));
    else if (!isTaken) return undefined;
    return { end: { logOffset: this.#log.latest } };
  }

  async *read(start: Json | undefined, end: Json): AsyncGenerator<RecordBatch> {
    const from = start === undefined ? -1 : logOffset(start);
    for (const entry of this.#log.between(from, logOffset(end))) yield* this.#rowsOf(entry);
  }

  async #list(): Promise<readonly FoundFile[]> {
    const { format, storage } = this.#options;
    const found: FoundFile[] = [];
    await using listing = listSources([this.#folder], { format, storage });
    try {
      for await (const file of listing) {
        const path = this.#entryPath(file);
        if (this.#log.has(path)) continue;
        found.push({ path, timestamp: file.identity.modifiedMs, sizeBytes: file.identity.sizeBytes });
      }
    } catch (error) {
      // A folder may be there before its first file, and the other way round.
      if (!(error instanceof DeltaError) || error.code !== "DELTA_FILE_NOT_FOUND") throw error;
    }
    return found.sort((a, b) => a.timestamp - b.timestamp || compareUtf8(a.path, b.path));
  }

  /** As Structured Streaming spells it, since that tells files apart by their spelling. */
  #entryPath(file: SourceFile): string {
    if (file.entry !== undefined) {
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        `${file.url} is in an archive, which a stream can't read. Load it.`,
        {
          file: file.url,
        },
      );
    }
    const s3 = /^s3a?:\/\//i.exec(file.url)?.[0];
    if (s3 === undefined) return `file://${encodePath(file.url)}`;
    const scheme = /^s3a:/i.test(this.#folder) ? "s3a://" : "s3://";
    return scheme + encodePath(file.url.slice(s3.length));
  }

  async *#rowsOf(entry: FileEntry): AsyncGenerator<RecordBatch> {
    const { format, storage, parse = {}, onBadRecord } = this.#options;
    await using listing = listSources([entryUrl(entry)], { format, storage });
    for await (const file of listing) {
      const reading = await formats[file.format]();
      if (file.identity.sizeBytes === 0) continue;
      // The other formats have no dialect; what their columns seem to be is of no interest here.
      const dialect = file.format === "csv" ? (await reading.shape(file, parse)).dialect : {};
      await using reader = await reading.open(file, undefined, { dialect, schema: this.schema }, parse);
      for (;;) {
        const slice = await reader.next(SLICE_BYTES);
        if (slice === undefined) break;
        const batches: RecordBatch[] = [];
        const sink: RecordSink = {
          schema: this.schema,
          takesParquet: false,
          filled: new Set(),
          write: async (batch) => {
            batches.push(batch);
            return [];
          },
          writeParquet: () => Promise.reject(unsupported(file)),
          reject: async (record) => {
            if (onBadRecord === undefined) throw badRecord(record, file.url);
            onBadRecord(record, file.url);
          },
        };
        await slice.parse(sink);
        yield* batches;
      }
    }
  }
}

interface FoundFile extends Omit<FileEntry, "batchId"> {
  readonly sizeBytes: number;
}

function logOffset(json: Json): number {
  const offset = (json as { readonly logOffset?: unknown } | null)?.logOffset ?? json;
  if (Number.isSafeInteger(offset)) return offset as number;
  throw new DeltaError(
    "DELTA_STREAM_SOURCE_CHANGED",
    `The checkpoint's place ${JSON.stringify(json)} is none in a folder: it belongs to another kind of source. Use the source it was made with, or begin a new stream with another checkpoint folder.`,
    { offset: json },
  );
}

function badRecord({ code, reason, line, byteOffset, record, column }: BadRecord, file: string): DeltaError {
  const at = line === undefined ? `Record ${record + 1}` : `Line ${line}`;
  return new DeltaError(
    "DELTA_INPUT_UNREADABLE",
    `${at} of ${file} is no row of the stream's schema: ${reason}. Nothing of its batch was written. Mend the file, or give onBadRecord to leave such records out.`,
    { file, reason: code, line, byteOffset, record, column },
  );
}

function unsupported({ url, format }: SourceFile): DeltaError {
  return new DeltaError("DELTA_INTERNAL", `${url} (${format}) came as a Parquet file, which a stream doesn't take.`, {
    file: url,
    format,
  });
}
