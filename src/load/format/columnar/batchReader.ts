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
}

/** The batches of a file from a group on. */
export interface BatchFile extends AsyncDisposable {
  readonly url: string;
  /** The file's own columns. */
  readonly columns: StructType;
  /** For what is stored of the rows read, in proportion; a row's share. */
  readonly storedBytesPerRow: number;
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

  constructor(file: BatchFile, from: RecordPosition | undefined) {
    this.columns = file.columns;
    this.#file = file;
    this.#batches = file.batches();
    this.#at = from ?? { record: 0, group: 0 };
  }

  async next(maxBytes: number): Promise<RecordSlice | undefined> {
    await this.#begin();
    const start = this.#at;
    const batches: RecordBatch[] = [];
    let bytes = 0;
    while (this.#rest !== undefined && (batches.length === 0 || bytes < maxBytes)) {
      const { batch } = this.#rest;
      const size = Math.max(batchByteLength(batch), 1);
      const fitting = Math.max(Math.floor((batch.numRows * (maxBytes - bytes)) / size), 1);
      const rowCount = Math.min(fitting, batch.numRows);
      batches.push(sliceBatch(batch, 0, rowCount));
      bytes += (size * rowCount) / batch.numRows;
      await this.#pass(rowCount);
    }
    if (batches.length === 0) return undefined;
    const recordCount = this.#at.record - start.record;
    const storedBytes = Math.round(recordCount * this.#file.storedBytesPerRow);
    const facts = { start, end: this.#at, isLast: this.#rest === undefined, recordCount, storedBytes };
    return new BatchSlice(this.#file, batches, facts);
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
    const { batch, group, groupStart } = this.#rest!;
    const record = this.#at.record + rowCount;
    if (rowCount < batch.numRows) {
      this.#rest = { batch: sliceBatch(batch, rowCount, batch.numRows), group, groupStart };
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
