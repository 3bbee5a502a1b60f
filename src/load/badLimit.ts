import { DeltaError } from "../errors.js";
import type { BadRecord } from "./format/format.js";

/** Bad records up to which a load goes on whatever their share, where no limit is given. */
const FREE_BAD_RECORDS = 1000;
const DEFAULT_RATIO = 0.5;
/** Bad records that the error shows. */
const SHOWN = 5;
const SHOWN_BYTES = 200;

export interface BadLimitOptions {
  readonly maxBadRecords?: number | undefined;
  readonly maxBadRatio?: number | undefined;
}

/** Counts a load's bad records and stops it where they are too many. */
export class BadLimit {
  readonly #options: BadLimitOptions;
  readonly #shown: { readonly file: string; readonly record: BadRecord }[] = [];
  #rowsDead: number;

  /** `rowsDead` are those that count already. */
  constructor(options: BadLimitOptions, rowsDead: number) {
    this.#options = options;
    this.#rowsDead = rowsDead;
  }

  /** Throws `DELTA_LOAD_TOO_MANY_BAD_RECORDS` at the one that is one too many. */
  add(file: string, record: BadRecord): void {
    this.#rowsDead++;
    if (this.#shown.length < SHOWN) this.#shown.push({ file, record });
    const { maxBadRecords } = this.#options;
    if (maxBadRecords !== undefined && this.#rowsDead > maxBadRecords) {
      throw this.#tooMany(
        maxBadRecords === 0 ? "none is allowed" : `only ${maxBadRecords} are allowed (maxBadRecords)`,
      );
    }
  }

  /** Throws `DELTA_LOAD_TOO_MANY_BAD_RECORDS` where their share of `rowsRead` is too high. */
  checkRatio(rowsRead: number): void {
    const { maxBadRecords, maxBadRatio } = this.#options;
    if (maxBadRatio === undefined && (maxBadRecords !== undefined || this.#rowsDead <= FREE_BAD_RECORDS)) return;
    const allowed = maxBadRatio ?? DEFAULT_RATIO;
    if (this.#rowsDead <= allowed * rowsRead) return;
    throw this.#tooMany(`that is more than ${allowed * 100} % of ${rowsRead} (maxBadRatio)`);
  }

  #tooMany(why: string): DeltaError {
    const first = this.#shown.map(({ file, record }) => {
      const raw = Buffer.from(record.raw.subarray(0, SHOWN_BYTES)).toString();
      const { code, reason, line, column } = record;
      return { file, record: record.record, line, column, code, reason, raw };
    });
    const list = first.map(
      ({ file, line, record, reason }) => `${file}, ${line ? `line ${line}` : `record ${record}`}: ${reason}`,
    );
    return new DeltaError(
      "DELTA_LOAD_TOO_MANY_BAD_RECORDS",
      `There are ${this.#rowsDead} bad records; ${why}. The batch that holds them isn't committed, what came before stays. The first of it: ${list.join("; ")}. Mend the source, parse it with other options, or allow more.`,
      { rowsDead: this.#rowsDead, first },
    );
  }
}
