import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { nullColumn } from "../../arrow/constant.js";
import { toArrowSchema } from "../../arrow/schema.js";
import { ParquetFileWriter } from "../../parquet/fileWriter.js";
import type { StructType } from "../../schema/types.js";
import { quoteText } from "../duckdb.js";

/** Arrow bytes after which a file is closed: it is held until then. */
const FILE_BYTES = 64 * 1024 * 1024;

/** Writes rows to files of a work folder, for DuckDB to read. */
export class Spool {
  readonly #folder: string;
  readonly #name: string;
  readonly #schema: StructType;
  readonly #signal: AbortSignal | undefined;
  readonly #paths: string[] = [];
  #writer: ParquetFileWriter | undefined;
  rowCount = 0;

  constructor(folder: string, name: string, schema: StructType, signal?: AbortSignal) {
    this.#folder = folder;
    this.#name = name;
    this.#schema = schema;
    this.#signal = signal;
  }

  async write(batch: RecordBatch): Promise<void> {
    this.#writer ??= new ParquetFileWriter({ compression: "uncompressed", signal: this.#signal });
    this.rowCount += batch.numRows;
    await this.#writer.write(batch);
    if (this.#writer.arrowBytes >= FILE_BYTES) await this.#close(this.#writer);
  }

  /** What a query selects from. */
  async finish(): Promise<string> {
    // A file without rows tells the columns all the same.
    if (this.#writer === undefined && this.#paths.length === 0) await this.write(emptyBatch(this.#schema));
    if (this.#writer !== undefined) await this.#close(this.#writer);
    // A folder on the way that is called "a=b" makes no column.
    return `read_parquet([${this.#paths.map(quoteText).join(", ")}], hive_partitioning = false)`;
  }

  async #close(writer: ParquetFileWriter): Promise<void> {
    const { parts } = await writer.finish();
    this.#writer = undefined;
    const path = join(this.#folder, `${this.#name}-${this.#paths.length}.parquet`);
    await writeFile(path, parts);
    this.#paths.push(path);
  }
}

function emptyBatch(schema: StructType): RecordBatch {
  const { fields } = toArrowSchema(schema);
  const columns = fields.map(({ type }) => nullColumn(type, 0));
  return makeBatch(fields, columns, 0);
}
