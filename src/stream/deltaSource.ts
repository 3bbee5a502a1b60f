import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { checkTimeZone } from "../ops/scan.js";
import type { ChangeOptions } from "./deltaCommit.js";
import { checkLimits, type TriggerLimits } from "./limits.js";
import type { OpenSource, SourceContext, StreamSource } from "./source.js";

/** Where in a table a stream begins, and how much it takes at a time. */
export interface TableStreamOptions extends TriggerLimits, ChangeOptions {
  /**
   * A new stream gives what this version and later ones added; `"latest"`: what comes after today's version. By default it gives
   * the whole table first. Of no effect where the checkpoint knows a place already.
   */
  readonly startingVersion?: number | "latest";
  /** As `startingVersion`, beginning with the first version committed at this time or later: a Date, or an ISO 8601 text. */
  readonly startingTimestamp?: Date | string;
  /**
   * Gives changes instead of added rows: inserts, updates and deletes with `_change_type`, `_commit_version` and `_commit_timestamp`, as
   * `Table.changes` has them. The rows of the table that the stream begins with are inserts. Default false.
   */
  readonly readChangeFeed?: boolean;
  /** The time zone of timestamp partition values that carry none, as for reading them. */
  readonly partitionTimeZone?: string;
}

/** The rows that are added to a table, version by version. */
export class DeltaSource implements StreamSource {
  readonly rowKind: string;
  readonly #log: DeltaLog;
  readonly #options: TableStreamOptions;

  constructor(log: DeltaLog, options: TableStreamOptions) {
    checkLimits(options);
    checkTimeZone(options.partitionTimeZone);
    if (options.startingVersion !== undefined && options.startingTimestamp !== undefined) {
      throw new DeltaError("DELTA_INVALID_ARGUMENT", "Give startingVersion or startingTimestamp, not both.", {});
    }
    const { readChangeFeed = false, ignoreDeletes, ignoreChanges, skipChangeCommits } = options;
    if (readChangeFeed && (ignoreDeletes || ignoreChanges || skipChangeCommits)) {
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        "With readChangeFeed, deletes and changes are told: leave ignoreDeletes, ignoreChanges and skipChangeCommits out.",
        {},
      );
    }
    this.rowKind = readChangeFeed ? "changes" : "added rows";
    this.#log = log;
    this.#options = options;
  }

  /** Throws `DELTA_TABLE_NOT_FOUND`. */
  async open(context: SourceContext): Promise<OpenSource> {
    const { OpenDeltaSource } = await loaded(() => import("./openDeltaSource.js"), "delta-table/stream");
    return new OpenDeltaSource(this.#log, this.#options, await this.#log.latest(), context);
  }
}
