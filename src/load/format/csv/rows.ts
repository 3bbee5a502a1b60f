import { conformBatch } from "../../../arrow/conform.js";
import { readParquet } from "../../../parquet/read.js";
import { isJsonText } from "../../../schema/variantBytes.js";
import { memoryStore } from "../../../storage/memory.js";
import type { BrokenRow, LeftOut } from "../../../write/rowRules.js";
import type { RecordSink } from "../format.js";
import type { TemporaryFile } from "../temporaryFile.js";
import { withNested } from "./nested.js";

/** A row that isn't taken: its column's value can't be, or it breaks a rule of the table. */
export interface LostRow {
  /** Among those of the file. */
  readonly row: number;
  readonly column: string;
  readonly error?: BrokenRow["error"];
}

/** The rows of less text are packed together with others: row groups would be small. */
const MIN_TEXT_BYTES = 1_000_000;
const NAME = "rows.parquet";

/** What the rows come of. */
interface RowFacts {
  readonly rowCount: number;
  readonly textBytes: number;
  /** The table's columns that the file has. */
  readonly columns: readonly (string | undefined)[];
}

/**
 * Hands the rows of a Parquet file that DuckDB wrote to the sink: the file itself where the sink takes it and it comes of some text, else
 * batches. Arrays, maps and structs are made of their JSON; rows where that fails, and those that
 * break a rule of the table, are left out and given back, in their order.
 */
export async function writeRows(
  sink: RecordSink,
  file: TemporaryFile,
  { rowCount, textBytes, columns }: RowFacts,
  signal: AbortSignal | undefined,
): Promise<LostRow[]> {
  if (rowCount === 0) return [];
  const { schema } = sink;
  const isFlat = !schema.fields.some(({ type }) => isJsonText(type));
  if (isFlat && sink.takesParquet && textBytes >= MIN_TEXT_BYTES) {
    await sink.writeParquet(file.path, rowCount);
    return [];
  }
  const bytes = await file.read();
  await using store = memoryStore();
  await store.put(NAME, bytes);
  const absent = [...sink.filled].filter((name) => !columns.includes(name));
  const leftOut: LeftOut = new Map(absent.map((name) => [name, "all"] as const));
  const lost: LostRow[] = [];
  let firstRow = 0;
  for await (const batch of readParquet(store, { path: NAME, sizeBytes: bytes.length }, { signal })) {
    const made = isFlat ? { batch: conformBatch(batch, schema), bad: [] } : withNested(batch, schema);
    const broken = made.batch === undefined ? [] : await sink.write(made.batch, leftOut);
    const isBad = new Set(made.bad.map(({ row }) => row));
    const good = Array.from({ length: broken.length > 0 ? batch.numRows : 0 }, (_, row) => row).filter(
      (row) => !isBad.has(row),
    );
    const found: LostRow[] = broken.map(({ row, error }) => ({ row: good[row]!, column: "", error }));
    for (const each of [...made.bad, ...found].sort((a, b) => a.row - b.row))
      lost.push({ ...each, row: firstRow + each.row });
    firstRow += batch.numRows;
  }
  return lost;
}
