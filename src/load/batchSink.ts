import type { RecordBatch } from "apache-arrow";
import { evaluatePredicate } from "../arrow/evaluate.js";
import { takeRows } from "../arrow/take.js";
import { DeltaError } from "../errors.js";
import type { AddFile } from "../log/actions.js";
import type { Predicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import type { DataFileWriter, StagedFiles } from "../write/dataFiles.js";
import type { BadLimit } from "./badLimit.js";
import type { BadRecord, RecordSink, RecordSlice } from "./format/format.js";

/** Where the rows of a batch go. */
export interface BatchTarget {
  readonly schema: StructType;
  readonly takesParquet: boolean;
  readonly predicate: Predicate | undefined;
  readonly writer: DataFileWriter;
  /** Makes a local Parquet file one of the table's. */
  adopt(localPath: string): Promise<AddFile>;
  remove(add: AddFile): Promise<void>;
}

/** Where bad records go. */
export interface BadRecordTaker {
  add(file: string, parser: string, record: BadRecord): Promise<void>;
}

/** Takes the parsed records of one batch, and counts them. */
export class BatchSink {
  readonly #target: BatchTarget;
  readonly #letters: BadRecordTaker | undefined;
  readonly #limit: BadLimit;
  readonly #adopted: AddFile[] = [];
  rowsRead = 0;
  rowsLoaded = 0;
  rowsDead = 0;
  rowsFiltered = 0;

  /** Without `letters` there is no place for bad records: `limit` allows none. */
  constructor(target: BatchTarget, letters: BadRecordTaker | undefined, limit: BadLimit) {
    this.#target = target;
    this.#letters = letters;
    this.#limit = limit;
  }

  /** Parses a slice of a file. Throws `DELTA_INTERNAL` where the books don't balance after it. */
  async parse(slice: RecordSlice, file: string, parser: string): Promise<void> {
    const sink: RecordSink = {
      schema: this.#target.schema,
      takesParquet: this.#target.takesParquet,
      write: (batch) => this.#write(batch),
      writeParquet: (localPath, rowCount) => this.#adopt(localPath, rowCount),
      reject: (record) => this.#reject(file, parser, record),
    };
    await slice.parse(sink);
    this.rowsRead += slice.recordCount;
    const told = this.rowsLoaded + this.rowsDead + this.rowsFiltered;
    if (told === this.rowsRead) return;
    throw new DeltaError(
      "DELTA_INTERNAL",
      `${file}: of ${this.rowsRead} records ${told} were accounted for. Nothing of this batch was committed.`,
      { file, rowsRead: this.rowsRead, told },
    );
  }

  /** The batch's files, those written here and those adopted. */
  async finish(): Promise<StagedFiles> {
    const { adds, stored } = await this.#target.writer.finish();
    return { adds: [...this.#adopted, ...adds], stored };
  }

  async discard(): Promise<void> {
    await this.#target.writer.discard();
    await Promise.allSettled(this.#adopted.map((add) => this.#target.remove(add)));
  }

  async #write(batch: RecordBatch): Promise<void> {
    const { predicate, writer } = this.#target;
    const kept = predicate === undefined ? "all" : await evaluatePredicate(predicate, batch);
    const rows = kept === "all" ? batch : takeRows(batch, kept);
    this.rowsFiltered += batch.numRows - rows.numRows;
    this.rowsLoaded += rows.numRows;
    if (rows.numRows > 0) await writer.write(rows);
  }

  async #adopt(localPath: string, rowCount: number): Promise<void> {
    if (rowCount === 0) return;
    this.#adopted.push(await this.#target.adopt(localPath));
    this.rowsLoaded += rowCount;
  }

  async #reject(file: string, parser: string, record: BadRecord): Promise<void> {
    this.rowsDead++;
    this.#limit.add(file, record);
    await this.#letters?.add(file, parser, record);
  }
}
