import { type FileHandle, open, realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { conformBatch } from "../../arrow/conform.js";
import { fromArrowSchema } from "../../arrow/schema.js";
import { DeltaError } from "../../errors.js";
import { arrowReader, soundBatches } from "../../load/format/columnar/arrowReader.js";
import { readParquet } from "../../parquet/read.js";
import { checkAssignable } from "../../schema/compare.js";
import type { StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
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
    const reader = await arrowReader(handle ?? (input as AsyncIterable<Uint8Array>));
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

async function* readable(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  file: string,
  handle: FileHandle | undefined,
): AsyncGenerator<RecordBatch> {
  try {
    yield* soundBatches(batches);
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
    const own = fromArrowSchema(arrow, given);
    const schema = given ?? own;
    checkAssignable(schema, own);
    return { schema: async () => schema, batches: () => conformedBatches(source, withVariantBytes(schema), file) };
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
