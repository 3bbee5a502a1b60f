import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataType as ArrowTypes, type RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { nullColumn } from "../../arrow/constant.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { batchByteLength } from "../../arrow/size.js";
import { encodePlain } from "../../parquet/small/encode.js";
import { encodeParquet } from "../../parquet/write.js";
import type { StructType } from "../../schema/types.js";
import { quoteText } from "../duckdb.js";
import { withJson } from "../evaluate.js";

/** Arrow bytes of a file: it is held while it is encoded. */
const FILE_BYTES = 16 * 1024 * 1024;
/** Files that are encoded and written at the same time. */
const MAX_WRITING = 3;

/** Writes rows to files of a work folder, for DuckDB to read. */
export class Spool {
  readonly #folder: string;
  readonly #name: string;
  readonly #schema: StructType;
  readonly #signal: AbortSignal | undefined;
  readonly #paths: string[] = [];
  readonly #writing = new Set<Promise<void>>();
  #pending: RecordBatch[] = [];
  #pendingBytes = 0;
  #failure: { readonly error: unknown } | undefined;
  rowCount = 0;

  constructor(folder: string, name: string, schema: StructType, signal?: AbortSignal) {
    this.#folder = folder;
    this.#name = name;
    this.#schema = schema;
    this.#signal = signal;
  }

  /** Takes a batch in the schema's Arrow form; resolves when there is room for the next one. */
  async write(batch: RecordBatch): Promise<void> {
    this.rowCount += batch.numRows;
    this.#pending.push(batch);
    this.#pendingBytes += batchByteLength(batch);
    if (this.#pendingBytes >= FILE_BYTES) await this.#close();
  }

  /** The files that were written. */
  get paths(): readonly string[] {
    return this.#paths;
  }

  /** What a query selects from. */
  async finish(): Promise<string> {
    // A file without rows tells the columns all the same.
    if (this.#pending.length === 0 && this.#paths.length === 0) this.#pending.push(emptyBatch(this.#schema));
    if (this.#pending.length > 0) await this.#close();
    await Promise.all(this.#writing);
    if (this.#failure !== undefined) throw this.#failure.error;
    // A folder on the way that is called "a=b" makes no column.
    const rows = `read_parquet([${this.#paths.map(quoteText).join(", ")}], hive_partitioning = false)`;
    return withJson(rows, this.#schema, new Set(this.#schema.fields.map(({ name }) => name)));
  }

  async #close(): Promise<void> {
    const batches = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    while (this.#writing.size >= MAX_WRITING) await Promise.race(this.#writing);
    if (this.#failure !== undefined) throw this.#failure.error;
    const path = join(this.#folder, `${this.#name}-${this.#paths.length}.parquet`);
    this.#paths.push(path);
    const writing = this.#put(path, batches)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async #put(path: string, batches: readonly RecordBatch[]): Promise<void> {
    const plain = isNumeric(batches[0]!) ? encodePlain(batches, "uncompressed") : undefined;
    const options = { compression: "uncompressed", signal: this.#signal } as const;
    await writeFile(path, plain ?? (await encodeParquet(batches, options)).bytes);
  }
}

function isNumeric({ schema }: RecordBatch): boolean {
  return schema.fields.every(({ type }) => {
    return [ArrowTypes.isInt, ArrowTypes.isFloat, ArrowTypes.isTimestamp, ArrowTypes.isDate].some((is) => is(type));
  });
}

function emptyBatch(schema: StructType): RecordBatch {
  const { fields } = toArrowSchema(schema);
  const columns = fields.map(({ type }) => nullColumn(type, 0));
  return makeBatch(fields, columns, 0);
}
