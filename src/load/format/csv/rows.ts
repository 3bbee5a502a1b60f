import { conformBatch } from "../../../arrow/conform.js";
import { readParquet } from "../../../parquet/read.js";
import { memoryStore } from "../../../storage/memory.js";
import type { RecordSink } from "../format.js";
import type { TemporaryFile } from "../temporaryFile.js";
import { type BadRow, withNested } from "./nested.js";

/** The rows of less text are packed together with others: row groups would be small. */
const MIN_TEXT_BYTES = 1_000_000;
const NAME = "rows.parquet";

/**
 * Hands the rows of a Parquet file that DuckDB wrote to the sink: the file itself where the sink takes it and it comes of some text, else
 * batches. Arrays, maps and structs are made of their JSON; rows where that fails are left out and given back, in their order.
 */
export async function writeRows(
  sink: RecordSink,
  file: TemporaryFile,
  { rowCount, textBytes }: { readonly rowCount: number; readonly textBytes: number },
  signal: AbortSignal | undefined,
): Promise<BadRow[]> {
  if (rowCount === 0) return [];
  const { schema } = sink;
  const isFlat = schema.fields.every((field) => typeof field.type === "string");
  if (isFlat && sink.takesParquet && textBytes >= MIN_TEXT_BYTES) {
    await sink.writeParquet(file.path, rowCount);
    return [];
  }
  const bytes = await file.read();
  await using store = memoryStore();
  await store.put(NAME, bytes);
  const bad: BadRow[] = [];
  let firstRow = 0;
  for await (const batch of readParquet(store, { path: NAME, sizeBytes: bytes.length }, { signal })) {
    if (isFlat) await sink.write(conformBatch(batch, schema));
    else {
      const nested = withNested(batch, schema);
      if (nested.batch !== undefined) await sink.write(nested.batch);
      for (const { row, column } of nested.bad) bad.push({ row: firstRow + row, column });
    }
    firstRow += batch.numRows;
  }
  return bad;
}
