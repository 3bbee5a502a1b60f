import type { RecordBatch } from "apache-arrow";
import { batchByteLength } from "../../../arrow/size.js";
import { sliceBatch } from "../../../arrow/take.js";
import type { StructType } from "../../../schema/types.js";
import type { RecordPosition, RecordReader, RecordSlice } from "../format.js";
import { BatchSlice } from "./batchSlice.js";

/** A batch of a file, and the group of rows it belongs to. */
export interface GroupedBatch {
  readonly batch: RecordBatch;
  /** Where reading can begin again, and the rows of the file before it. */
  readonly group: number;
  readonly groupStart: number;
  /** Of the stored file, about. */
  readonly storedBytes: number;
}

/** The batches of a file from a group on. */
export interface BatchFile extends AsyncDisposable {
  /** The file's own columns. */
  readonly columns: StructType;
  batches(): AsyncIterator<GroupedBatch>;
}

/** Cuts a file of columns into slices of rows. What is before a position in its group is read again and passed over. */
export class BatchReader implements RecordReader {
  readonly columns: StructType;
  readonly #file: BatchFile;
  readonly #batches: AsyncIterator<GroupedBatch>;
  #rest: GroupedBatch | undefined;
  /** Of the first row of `#rest`. */
  #at: RecordPosition;
  #isBegun = false;
  readonly #rescued: string | undefined;

  /** `rescued` is the column for what doesn't fit. */
  constructor(file: BatchFile, from: RecordPosition | undefined, rescued: string | undefined) {
    this.#rescued = rescued;
    this.columns = file.columns;
    this.#file = file;
    this.#batches = file.batches();
    this.#at = from ?? { record: 0, group: 0 };
  }

  async next(maxBytes: number): Promise<RecordSlice | undefined> {
    await this.#begin();
    const start = this.#at;
    const batches: RecordBatch[] = [];
    let decodedBytes = 0;
    let storedBytes = 0;
    while (this.#rest !== undefined && (batches.length === 0 || decodedBytes < maxBytes)) {
      const { batch, storedBytes: batchBytes } = this.#rest;
      const size = Math.max(batchByteLength(batch), 1);
      const fitting = Math.max(Math.floor((batch.numRows * (maxBytes - decodedBytes)) / size), 1);
      const rowCount = Math.min(fitting, batch.numRows);
      batches.push(sliceBatch(batch, 0, rowCount));
      decodedBytes += (size * rowCount) / batch.numRows;
      storedBytes += (batchBytes * rowCount) / batch.numRows;
      await this.#pass(rowCount);
    }
    if (batches.length === 0) return undefined;
    const recordCount = this.#at.record - start.record;
    return new BatchSlice(this.columns, batches, this.#rescued, {
      start,
      end: this.#at,
      isLast: this.#rest === undefined,
      recordCount,
      storedBytes: Math.round(storedBytes),
      decodedBytes: Math.round(decodedBytes),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.return?.();
    await this.#file[Symbol.asyncDispose]();
  }

  /** Passes over what comes before the position. */
  async #begin(): Promise<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const { record } = this.#at;
    await this.#take();
    if (this.#rest !== undefined) this.#at = { record: this.#rest.groupStart, group: this.#rest.group };
    while (this.#rest !== undefined && this.#at.record < record) {
      await this.#pass(Math.min(record - this.#at.record, this.#rest.batch.numRows));
    }
  }

  async #pass(rowCount: number): Promise<void> {
    const { batch, group, groupStart, storedBytes } = this.#rest!;
    const record = this.#at.record + rowCount;
    if (rowCount < batch.numRows) {
      const left = (storedBytes * (batch.numRows - rowCount)) / batch.numRows;
      this.#rest = { batch: sliceBatch(batch, rowCount, batch.numRows), group, groupStart, storedBytes: left };
      this.#at = { record, group };
    } else {
      await this.#take();
      // At the end the last group stands for what comes behind it.
      this.#at = { record, group: this.#rest?.group ?? group };
    }
  }

  async #take(): Promise<void> {
    do {
      const next = await this.#batches.next();
      this.#rest = next.done ? undefined : next.value;
    } while (this.#rest?.batch.numRows === 0);
  }
}
