import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Data, RecordBatch, Schema } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { concatValues } from "../../arrow/concatValues.js";
import { conformBatch } from "../../arrow/conform.js";
import { withVariantJson } from "../../arrow/variant/jsonForm.js";
import { DeltaError } from "../../errors.js";
import { readParquet } from "../../parquet/read.js";
import { encodeParquet } from "../../parquet/write.js";
import type { DataType, StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import { memoryStore } from "../../storage/memory.js";
import { type Duckdb, duckdb, quoteName, quoteText, withWorkFolder } from "../duckdb.js";
import { duckdbMessage } from "../expression.js";
import { spoolCopy } from "../parquetCopy.js";
import { OWN_PREFIX, registerOwn } from "./own/own.js";

// Not a name that a column may well have.
const ROWS = quoteName("rows of the batch");
const RESULT = "result.parquet";

/** What is to be worked out for each row. */
export interface Evaluated {
  /** DuckDB's SQL. */
  readonly sql: string;
  readonly type: DataType;
  /** The top columns that it names. */
  readonly columns: readonly string[];
}

/**
 * The values of expressions for each row of a batch (which is conformed to the table's schema), by DuckDB: a column each, called 0, 1 …. Throws
 * `DELTA_EXPRESSION_FAILED` where one ends in an error for some row, `DELTA_MISSING_DEPENDENCY`.
 */
export async function evaluateAll(expressions: readonly Evaluated[], batch: RecordBatch): Promise<Data[]> {
  const fields = expressions.map(({ type }, index) => ({ name: String(index), type, nullable: true, metadata: {} }));
  const schema: StructType = withVariantBytes({ type: "struct", fields });
  if (batch.numRows === 0) return conformBatch(new RecordBatch(new Schema([])), schema).data.children;
  const db = await duckdb();
  return withWorkFolder(async (folder) => {
    const rows = await relationOf(batch, new Set(expressions.flatMap(({ columns }) => columns)), folder);
    if (expressions.some(({ sql }) => sql.includes(OWN_PREFIX))) await registerOwn(db);
    const list = expressions.map(({ sql }, index) => `${sql} AS ${quoteName(String(index))}`).join(", ");
    const target = join(folder, RESULT);
    await copy(db, spoolCopy(`SELECT ${list} FROM ${rows} AS ${ROWS}`, target));
    return columnsOf(await readFile(target), schema, batch.numRows);
  });
}

async function relationOf(batch: RecordBatch, names: ReadonlySet<string>, folder: string): Promise<string> {
  // By position: Arrow's selection by name leaves holes among the columns.
  const indices = batch.schema.fields.flatMap((field, i) => (names.has(field.name) ? [i] : []));
  if (indices.length === 0) return `range(${batch.numRows})`;
  const columns = makeBatch(
    indices.map((i) => batch.schema.fields[i]!),
    indices.map((i) => batch.data.children[i]!),
    batch.numRows,
  );
  const { bytes } = await encodeParquet([withVariantJson(columns)], { compression: "uncompressed" });
  const file = join(folder, "batch.parquet");
  await writeFile(file, bytes);
  return `read_parquet(${quoteText(file)}, hive_partitioning = false)`;
}

async function copy(db: Duckdb, sql: string): Promise<void> {
  try {
    await db.columns(sql);
  } catch (error) {
    const message = duckdbMessage(error);
    throw new DeltaError(
      "DELTA_EXPRESSION_FAILED",
      `An expression of the table failed: ${message}.`,
      { reason: message },
      error,
    );
  }
}

/** The rows come in the order in which they were: DuckDB keeps it unless told otherwise. */
async function columnsOf(bytes: Uint8Array, schema: StructType, rowCount: number): Promise<Data[]> {
  await using store = memoryStore();
  await store.put(RESULT, bytes);
  const batches: RecordBatch[] = [];
  for await (const batch of readParquet(store, { path: RESULT, sizeBytes: bytes.length })) {
    batches.push(conformBatch(batch, schema));
  }
  const found = batches.reduce((sum, { numRows }) => sum + numRows, 0);
  if (found !== rowCount) throw new DeltaError("DELTA_INTERNAL", `DuckDB gave ${found} rows for ${rowCount}.`);
  return schema.fields.map((_, index) => concatValues(batches.map((batch) => batch.data.children[index]!)));
}
