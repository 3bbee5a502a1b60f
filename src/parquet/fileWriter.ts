import type { RecordBatch } from "apache-arrow";
import { batchByteLength } from "../arrow/size.js";
import { DeltaError } from "../errors.js";
import { evenSlices } from "./evenSlices.js";
import { JoinedFile } from "./joinedFile.js";
import { parallelism } from "./pool.js";
import { Slots } from "./slots.js";
import { checkRowCount, type EncodeParquetOptions, encodeParquet, ROW_GROUP_ROWS } from "./write.js";

export interface ParquetFileWriterOptions extends EncodeParquetOptions {
  /** Arrow bytes that are encoded at a time, about. Default those of 122,880 rows, but 4 to 32 MiB. */
  readonly pieceBytes?: number | undefined;
}

/** Encoded row groups that come from elsewhere, as {@link JoinedFile.addParts} takes them. */
export interface EncodedRowGroups {
  readonly parts: readonly Uint8Array[];
  readonly footer: Uint8Array;
  readonly rowCount: number;
}

export interface WrittenParquet {
  /** The file's bytes, one part after the other. */
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly rowCount: number;
}

// Larger pieces of short rows would not share the work evenly, and the first would be late. Long rows get larger pieces, lest row groups have
// few of them.
const MIN_PIECE_BYTES = 4 * 1024 * 1024;
const MAX_PIECE_BYTES = 32 * 1024 * 1024;
const PIECE_ROWS = 122_880;

// Of the whole process: those that are encoded, three times their size, and one that is ready when the first of them is done.
const slots = new Slots(Math.min(parallelism, 4) + 1);

/**
 * Writes a Parquet file piece by piece. Batches are collected to pieces, each is encoded as a row group of its own, several at
 * a time in the worker pool, and the encoded row groups are joined. Of the Arrow data only the pieces that are being
 * collected or encoded are held. A file of one piece is what {@link encodeParquet} makes of it.
 *
 * Calls are made one after another. One that failed, or whose piece did, is told by all that follow: the file is lost, and its
 * writer is just left alone. Throws what {@link encodeParquet} throws.
 */
export class ParquetFileWriter {
  readonly #options: EncodeParquetOptions;
  readonly #pieceBytes: number | undefined;
  readonly #rowGroupRows: number;
  readonly #running = new Set<Promise<void>>();
  /** Encoded pieces that wait for one before them, by their numbers. */
  readonly #early = new Map<number, Uint8Array | EncodedRowGroups>();
  #pending: RecordBatch[] = [];
  #pendingBytes = 0;
  #pendingRows = 0;
  #rowCount = 0;
  #arrowBytes = 0;
  #encodedArrowBytes = 0;
  #encodedBytes = 0;
  #begun = 0;
  #taken = 0;
  #first: Uint8Array | undefined;
  #joined: JoinedFile | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ParquetFileWriterOptions = {}) {
    const { pieceBytes, rowGroupRows = ROW_GROUP_ROWS, ...rest } = options;
    this.#options = { ...rest, rowGroupRows };
    this.#pieceBytes = pieceBytes;
    this.#rowGroupRows = rowGroupRows;
  }

  /** Arrow bytes taken so far. */
  get arrowBytes(): number {
    return this.#arrowBytes;
  }

  /** Those of them that wait for a piece to be full. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Those of them that are encoded. */
  get encodedArrowBytes(): number {
    return this.#encodedArrowBytes;
  }

  /** The bytes of the file that are there already; the pieces under way aren't counted. */
  get encodedBytes(): number {
    return this.#encodedBytes;
  }

  /** True while a piece is under way. */
  get isEncoding(): boolean {
    return this.#running.size > 0;
  }

  /** Takes a batch; resolves when there is room for the next one. All batches have the first one's schema. */
  async write(batch: RecordBatch): Promise<void> {
    const pieceBytes = this.#pieceBytes ?? pieceBytesFor(batch);
    for (const { rows, bytes } of evenSlices(batch, pieceBytes)) {
      if (this.#pendingRows > 0 && this.#pendingBytes + bytes > pieceBytes) await this.#encodePending();
      await this.#collect(rows, bytes);
    }
    this.#throwFailure();
  }

  /** Takes row groups that are encoded already, of the batches' schema. */
  async add(groups: EncodedRowGroups): Promise<void> {
    await this.flush();
    this.#rowCount += groups.rowCount;
    this.#take(this.#begun++, groups, 0);
    this.#throwFailure();
  }

  /** Begins to encode what was collected, however little it is; resolves when that is out of the way. */
  async flush(): Promise<void> {
    if (this.#pendingRows > 0) await this.#encodePending();
  }

  /** Waits for the pieces under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  /** Encodes what is left; the file. `DELTA_INTERNAL` where no batch was written, not even an empty one. */
  async finish(): Promise<WrittenParquet> {
    const isEmptyFile = this.#begun === 0 && this.#pending.length > 0;
    if (this.#pendingRows > 0 || isEmptyFile) await this.#encodePending();
    await this.settle();
    const parts = this.#joined?.finish() ?? (this.#first && [this.#first]);
    if (parts === undefined) {
      throw new DeltaError("DELTA_INTERNAL", "A Parquet file needs a batch, be it an empty one.");
    }
    // The one piece was looked at when it was encoded.
    if (this.#joined !== undefined) checkRowCount(parts.at(-1)!, this.#rowCount);
    return { parts, sizeBytes: parts.reduce((sum, part) => sum + part.length, 0), rowCount: this.#rowCount };
  }

  /** Adds rows to the pending ones, a full row group at a time. */
  async #collect(batch: RecordBatch, bytes: number): Promise<void> {
    const { numRows } = batch;
    let from = 0;
    do {
      const to = Math.min(numRows, from + this.#rowGroupRows - this.#pendingRows);
      const share = numRows === 0 ? 0 : (bytes * (to - from)) / numRows;
      this.#pending.push(to - from === numRows ? batch : batch.slice(from, to));
      this.#pendingBytes += share;
      this.#pendingRows += to - from;
      this.#arrowBytes += share;
      this.#rowCount += to - from;
      if (this.#pendingRows === this.#rowGroupRows) await this.#encodePending();
      from = to;
    } while (from < numRows);
  }

  async #encodePending(): Promise<void> {
    await slots.take();
    if (this.#failure === undefined) this.#begin();
    else slots.release();
    this.#throwFailure();
  }

  /** Hands the collected batches over and forgets them; the slot is given back when they are encoded. */
  #begin(): void {
    const number = this.#begun++;
    const arrowBytes = this.#pendingBytes;
    const task = encodeParquet(this.#pending.splice(0), this.#options)
      .then(({ bytes }) => this.#take(number, bytes, arrowBytes))
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        slots.release();
        this.#running.delete(task);
      });
    this.#running.add(task);
    this.#pendingBytes = 0;
    this.#pendingRows = 0;
  }

  #take(number: number, piece: Uint8Array | EncodedRowGroups, arrowBytes: number): void {
    const parts = piece instanceof Uint8Array ? [piece] : piece.parts;
    this.#encodedBytes += parts.reduce((sum, part) => sum + part.length, 0);
    this.#encodedArrowBytes += arrowBytes;
    this.#early.set(number, piece);
    for (let next = this.#early.get(this.#taken); next !== undefined; next = this.#early.get(this.#taken)) {
      this.#early.delete(this.#taken++);
      this.#join(next);
    }
  }

  #join(piece: Uint8Array | EncodedRowGroups): void {
    if (this.#taken === 1 && piece instanceof Uint8Array) {
      this.#first = piece;
      return;
    }
    this.#joined ??= new JoinedFile();
    if (this.#first !== undefined) this.#joined.add(this.#first);
    this.#first = undefined;
    if (piece instanceof Uint8Array) this.#joined.add(piece);
    else this.#joined.addParts(piece.parts, piece.footer);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function pieceBytesFor(batch: RecordBatch): number {
  const rowBytes = batchByteLength(batch) / Math.max(batch.numRows, 1);
  return Math.min(Math.max(rowBytes * PIECE_ROWS, MIN_PIECE_BYTES), MAX_PIECE_BYTES);
}
