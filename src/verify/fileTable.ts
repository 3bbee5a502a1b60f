import type { FileRecord } from "./fileRecord.js";
import { HASHED_FIELDS } from "./fileRecord.js";
import { grown, HashIndex, type Key } from "./hashIndex.js";

const FIELDS = HASHED_FIELDS.length;
const FIRST_ROWS = 1024;

/** What the newest action on a logical file did. */
export type FileState = "live" | "removed";

/** Some files' number and bytes by size: bin i holds sizes from `boundaries[i]` on. */
export interface SizeHistogram {
  readonly boundaries: readonly number[];
  readonly fileCounts: number[];
  readonly totalBytes: number[];
}

/**
 * The files of a version as replay has them: what the newest action said of each logical file, in some 80 to 160 bytes
 * each, however long its path and statistics are.
 */
export class FileTable {
  readonly #index = new HashIndex();
  #isLive = new Uint8Array(FIRST_ROWS);
  #version = new Float64Array(FIRST_ROWS);
  #size = new Float64Array(FIRST_ROWS);
  #time = new Float64Array(FIRST_ROWS);
  #cardinality = new Float64Array(FIRST_ROWS);
  #hashes = new Uint32Array(FIRST_ROWS * FIELDS);
  /** The last comparison that met the row. */
  #met = new Uint32Array(FIRST_ROWS);
  #comparison = 0;
  #histogram: SizeHistogram | undefined;

  liveCount = 0;
  liveBytes = 0;
  /** Live files with a deletion vector, and rows that these remove. */
  vectorCount = 0;
  deletedRows = 0;
  /** Live files by their number of deleted rows, in the ten bins of the version checksum. */
  readonly deletedRowBins: number[] = new Array(10).fill(0);

  /** The row of a logical file, or -1. */
  find(key: Key): number {
    return this.#index.find(key);
  }

  get rowCount(): number {
    return this.#index.size;
  }

  state(row: number): FileState {
    return this.#isLive[row] === 1 ? "live" : "removed";
  }

  /** The version of the newest action on the row's file. */
  version(row: number): number {
    return this.#version[row]!;
  }

  /** `modificationTime` of a live file, `deletionTimestamp` of another; NaN for none. */
  time(row: number): number {
    return this.#time[row]!;
  }

  /** Takes in an action, which replaces what was known of its file; the row. */
  put(record: FileRecord, state: FileState, version: number): number {
    const before = this.#index.size;
    const row = this.#index.add(record.key);
    if (row === before) this.#makeRoom();
    else if (this.#isLive[row] === 1) this.#count(row, -1);
    this.#isLive[row] = state === "live" ? 1 : 0;
    this.#version[row] = version;
    this.#size[row] = record.size;
    this.#time[row] = record.time;
    this.#cardinality[row] = record.cardinality;
    this.#hashes.set(record.hashes, row * FIELDS);
    if (state === "live") this.#count(row, 1);
    return row;
  }

  /** The fields in which a live file differs from a record of it. One side without statistics differs in nothing. */
  differences(row: number, record: FileRecord): string[] {
    const names: string[] = HASHED_FIELDS.filter((field, i) => {
      const own = this.#hashes[row * FIELDS + i]!;
      const other = record.hashes[i]!;
      return own !== other && !(field === "stats" && (own === 0 || other === 0));
    });
    if (!Object.is(this.#size[row], record.size)) names.push("size");
    if (!Object.is(this.#time[row], record.time)) names.push("modificationTime");
    return names;
  }

  /** Begins a comparison with another listing of the files: see {@link meet}. */
  beginComparison(): void {
    this.#comparison++;
  }

  /** Notes that the comparison met the row; false where it had before. */
  meet(row: number): boolean {
    if (this.#met[row] === this.#comparison) return false;
    this.#met[row] = this.#comparison;
    return true;
  }

  /** The rows of a state that the comparison didn't meet. */
  *unmet(state: FileState): Generator<number> {
    for (let row = 0; row < this.#index.size; row++) {
      if (this.#met[row] !== this.#comparison && this.state(row) === state) yield row;
    }
  }

  /** The live files' sizes in the bins wanted. Kept up to date, so that asking for the same ones again costs nothing. */
  histogram(boundaries: readonly number[]): SizeHistogram {
    const known = this.#histogram;
    if (known !== undefined && String(known.boundaries) === String(boundaries)) return known;
    const zeros = () => boundaries.map(() => 0);
    this.#histogram = { boundaries, fileCounts: zeros(), totalBytes: zeros() };
    for (let row = 0; row < this.#index.size; row++) if (this.#isLive[row] === 1) this.#countSize(row, 1);
    return this.#histogram;
  }

  #count(row: number, sign: 1 | -1): void {
    this.liveCount += sign;
    this.liveBytes += sign * (this.#size[row]! || 0);
    const deleted = this.#cardinality[row]!;
    if (this.#hashes[row * FIELDS + VECTOR] !== 0) this.vectorCount += sign;
    this.deletedRows += sign * deleted;
    this.deletedRowBins[binOfDeleted(deleted)]! += sign;
    this.#countSize(row, sign);
  }

  #countSize(row: number, sign: 1 | -1): void {
    const histogram = this.#histogram;
    if (histogram === undefined) return;
    const size = this.#size[row]!;
    const bin = histogram.boundaries.findLastIndex((boundary) => boundary <= size);
    if (bin < 0) return;
    histogram.fileCounts[bin]! += sign;
    histogram.totalBytes[bin]! += sign * size;
  }

  #makeRoom(): void {
    if (this.#index.size <= this.#isLive.length) return;
    const rows = this.#isLive.length * 2;
    this.#isLive = grown(this.#isLive, rows);
    this.#version = grown(this.#version, rows);
    this.#size = grown(this.#size, rows);
    this.#time = grown(this.#time, rows);
    this.#cardinality = grown(this.#cardinality, rows);
    this.#hashes = grown(this.#hashes, rows * FIELDS);
    this.#met = grown(this.#met, rows);
  }
}

const VECTOR = HASHED_FIELDS.indexOf("deletionVector");

/** PROTOCOL.md, Deleted Record Counts Histogram Schema: 0, then a bin for each number of digits, then the rest. */
function binOfDeleted(count: number): number {
  if (count === 0) return 0;
  return count >= 2 ** 31 - 1 ? 9 : Math.min(8, String(count).length);
}
