import type { RecordBatch } from "apache-arrow";
import { descriptorReader } from "../log/deletionVectors/descriptors.js";
import { storePath } from "../log/paths.js";
import type { Snapshot } from "../log/snapshot.js";
import { mapReader } from "../read/maps.js";
import type { ScanFile } from "../read/plan.js";
import type { ObjectStore } from "../storage/store.js";
import { compareUtf8 } from "../storage/utf8Order.js";

const COLUMNS = ["path", "size", "modificationTime", "partitionValues", "deletionVector"] as const;

/**
 * All files of a version in the order of Delta's streaming source for Spark: by time, then by path as the log spells it. They stay
 * columns, since there may be millions.
 */
export class InitialFiles {
  readonly version: number;
  readonly #store: ObjectStore;
  readonly #batches: readonly FileBatch[];
  /** Rows of all batches, counted on, as they come. */
  readonly #order: Uint32Array;

  private constructor(snapshot: Snapshot, batches: readonly FileBatch[], order: Uint32Array) {
    this.version = snapshot.version;
    this.#store = snapshot.store;
    this.#batches = batches;
    this.#order = order;
  }

  static async load(snapshot: Snapshot): Promise<InitialFiles> {
    const batches: FileBatch[] = [];
    let count = 0;
    for await (const batch of snapshot.fileBatches({ columns: COLUMNS })) {
      batches.push(new FileBatch(batch, count));
      count += batch.numRows;
    }
    const times = new Float64Array(count);
    for (const { first, modified } of batches) for (const [row, ms] of modified.entries()) times[first + row] = ms;
    const pathOf = (row: number) => batchOf(batches, row).pathAt(row);
    const order = Uint32Array.from(times, (_, row) => row);
    order.sort((a, b) => times[a]! - times[b]! || compareUtf8(pathOf(a), pathOf(b)));
    return new InitialFiles(snapshot, batches, order);
  }

  get length(): number {
    return this.#order.length;
  }

  at(index: number): ScanFile {
    const row = this.#order[index]!;
    return batchOf(this.#batches, row).fileAt(row, this.#store);
  }
}

/** Some of a version's files; rows are counted from the version's first one. */
class FileBatch {
  readonly first: number;
  readonly end: number;
  readonly #batch: RecordBatch;
  readonly #partitionValues: (row: number) => ReadonlyMap<string, string | null>;
  readonly #deletionVectors: (row: number) => ScanFile["deletionVector"];

  constructor(batch: RecordBatch, first: number) {
    this.first = first;
    this.end = first + batch.numRows;
    this.#batch = batch;
    this.#partitionValues = mapReader(batch, "partitionValues");
    this.#deletionVectors = descriptorReader(batch);
  }

  /** Milliseconds since the epoch, a number a file. */
  get modified(): number[] {
    const times = this.#batch.getChild("modificationTime")!;
    return Array.from({ length: this.#batch.numRows }, (_, row) => Number(times.get(row)));
  }

  pathAt(row: number): string {
    return this.#batch.getChild("path")!.get(row - this.first);
  }

  fileAt(row: number, store: ObjectStore): ScanFile {
    const at = row - this.first;
    return {
      path: storePath(store, this.pathAt(row)),
      sizeBytes: Number(this.#batch.getChild("size")!.get(at)),
      partitionValues: this.#partitionValues(at),
      match: "all",
      numRecords: undefined,
      deletionVector: this.#deletionVectors(at),
    };
  }
}

/** The batch that holds a row. */
function batchOf(batches: readonly FileBatch[], row: number): FileBatch {
  let [low, high] = [0, batches.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (batches[middle]!.end <= row) low = middle + 1;
    else high = middle;
  }
  return batches[low]!;
}
