import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { RecordBatch } from "apache-arrow";
import { readParquet } from "../parquet/read.js";
import { openStore } from "../storage/open.js";

/** The rows that DuckDB wrote to a file of a work folder. */
export async function* spooledRows(
  folder: string,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch> {
  await using store = openStore(pathToFileURL(folder));
  const { size } = await stat(join(folder, name));
  yield* readParquet(store, { path: name, sizeBytes: size }, { signal });
}
