import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { addAbortSignal } from "node:stream";
import type { RecordBatch } from "apache-arrow";
import { DeltaError } from "../../errors.js";
import type { StructType } from "../../schema/types.js";
import type { BatchSource } from "../../write/input.js";
import type { InputFile } from "./files.js";
import type { TemporaryFolder } from "./temporary.js";

export interface SourceContext {
  readonly stdin: Readable;
  readonly temporary: TemporaryFolder;
  readonly signal: AbortSignal;
}

const PIECE_BYTES = 1024 * 1024;

/**
 * All rows of the files, one after the other, as one source; the first file with rows gives the schema where there is none
 * yet. Throws DELTA_CANNOT_INFER_SCHEMA where none has rows.
 */
export async function rowsOfFiles(
  files: readonly InputFile[],
  context: SourceContext,
  schema: StructType | undefined,
): Promise<BatchSource> {
  let next = 0;
  let first: BatchSource | undefined;
  while (first === undefined && next < files.length) first = await openSource(files[next++]!, context, schema);
  const known = schema ?? (await first?.schema());
  if (known === undefined) {
    throw new DeltaError("DELTA_CANNOT_INFER_SCHEMA", "There are no rows to make a table of; give --schema.", {
      columns: [],
    });
  }
  async function* batches(): AsyncGenerator<RecordBatch> {
    if (first !== undefined) yield* first.batches();
    for (const file of files.slice(next)) {
      const source = await openSource(file, context, known);
      if (source !== undefined) yield* source.batches();
    }
  }
  return { schema: async () => known, batches };
}

/** The code for a format is loaded when a file has it. */
async function openSource(
  file: InputFile,
  context: SourceContext,
  schema: StructType | undefined,
): Promise<BatchSource | undefined> {
  const { name, format, delimiter } = file;
  const { signal } = context;
  switch (format) {
    case "jsonl": {
      const { jsonlSource } = await import("./jsonl.js");
      return jsonlSource(bytesOf(file, context), name, schema);
    }
    case "arrow": {
      const { arrowSource } = await import("./arrow.js");
      return arrowSource(file.path ?? bytesOf(file, context), name, schema);
    }
    case "parquet": {
      const { parquetSource } = await import("./arrow.js");
      return parquetSource(await seekablePath(file, context), name, schema, signal);
    }
    case "csv": {
      const { csvSource } = await import("./csv.js");
      return csvSource(await seekablePath(file, context), { name, delimiter, signal }, schema);
    }
  }
}

/** A file's bytes, in order. */
export function bytesOf({ path }: InputFile, { stdin, signal }: SourceContext): AsyncIterable<Buffer> {
  const stream = path === undefined ? stdin : createReadStream(path, { highWaterMark: PIECE_BYTES });
  return addAbortSignal(signal, stream);
}

/** Where a reader that goes back and forth finds the bytes: pipes are copied to a file. */
async function seekablePath(file: InputFile, context: SourceContext): Promise<string> {
  if (file.path !== undefined && (await stat(file.path)).isFile()) return file.path;
  return context.temporary.spool(bytesOf(file, context), context.signal);
}
