import { isDeepStrictEqual } from "node:util";
import type { RecordBatch } from "apache-arrow";
import { DeltaError, hasCode } from "../errors.js";
import type { Json } from "../load/progress.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { commitPath } from "../log/names.js";
import { property } from "../log/properties.js";
import type { Snapshot } from "../log/snapshot.js";
import { firstVersionFrom } from "../log/timestamps.js";
import { timeTravelOf } from "../ops/timeTravel.js";
import type { ScanFile } from "../read/plan.js";
import { scanFiles } from "../read/scan.js";
import { runtime } from "../runtime.js";
import { withoutColumnMapping } from "../schema/columnMapping.js";
import type { StructType } from "../schema/types.js";
import { withVariantBytes } from "../schema/variantBytes.js";
import { AddedRows, ChangedRows, type CommitRows } from "./commitRows.js";
import { DeltaFiles } from "./deltaFiles.js";
import { BEFORE_FILES, type DeltaOffset, deltaOffsetJson, isAfter, parseDeltaOffset } from "./deltaOffset.js";
import type { TableStreamOptions } from "./deltaSource.js";
import { Admission } from "./limits.js";
import type { NextBatch, OpenSource, SourceContext } from "./source.js";

/** Names the place where the first batch begins, in its plan: other engines derive it from options that may say another one later. */
const START_CONF = "delta-table.startingOffset";

/** A table that a run of a stream reads. */
export class OpenDeltaSource implements OpenSource {
  readonly #log: DeltaLog;
  readonly #options: TableStreamOptions;
  /** The table when the run began: its schema is that of all rows. */
  readonly #reader: Snapshot;
  readonly #rows: CommitRows;
  readonly #files: DeltaFiles;
  readonly #context: SourceContext;
  /** The newest version seen. */
  #latest: number;
  /** What a batch has that was just planned. */
  #planned: { readonly start: Json | undefined; readonly end: Json; readonly files: readonly ScanFile[] } | undefined;
  #nextWarningMs = Number.NEGATIVE_INFINITY;

  constructor(log: DeltaLog, options: TableStreamOptions, reader: Snapshot, context: SourceContext) {
    this.#log = log;
    this.#options = options;
    this.#reader = reader;
    this.#latest = reader.version;
    this.#rows = options.readChangeFeed ? new ChangedRows(log, reader) : new AddedRows(log, reader, options);
    this.#files = new DeltaFiles(log, reader, this.#rows, options);
    this.#context = context;
  }

  get schema(): StructType {
    return withoutColumnMapping(this.#rows.target.schema);
  }

  async next(start: Json | undefined): Promise<NextBatch | undefined> {
    const { onlyAvailable, unlimited } = this.#context;
    if (!onlyAvailable) this.#latest = (await this.#log.latest()).version;
    const last = this.#latest;
    const from = start === undefined ? await this.#beginning() : this.#parse(start);
    await this.#warnOfRetention(from, last);
    const admission = new Admission(this.#options, unlimited);
    const files: ScanFile[] = [];
    let end: DeltaOffset | undefined;
    try {
      for await (const { version, index, isInitialSnapshot, file, continues } of this.#files.after(from, last)) {
        if (admission.isFull && !continues) break;
        end = { ...from, version, index, isInitialSnapshot };
        if (file !== undefined) {
          admission.take(file.sizeBytes);
          files.push(file);
        } else if (admission.isFull) break;
      }
    } catch (error) {
      // What comes before a version that can't be streamed is given first.
      if (end === undefined || !STOPS.some((code) => hasCode(error, code))) throw error;
    }
    if (end === undefined && start !== undefined) return undefined;
    // A new stream notes where it begins, though there is nothing yet: "latest" is another place tomorrow.
    end ??= from;
    const conf = start === undefined ? { [START_CONF]: JSON.stringify(deltaOffsetJson(from)) } : undefined;
    const planned = { start, end: deltaOffsetJson(end), files };
    this.#planned = planned;
    return { end: planned.end, conf };
  }

  async *read(start: Json | undefined, end: Json, conf: Readonly<Record<string, string>>): AsyncGenerator<RecordBatch> {
    const { url } = this.#reader.store;
    const planned = this.#planned;
    this.#planned = undefined;
    const { partitionTimeZone } = this.#options;
    const isPlanned = isDeepStrictEqual(planned?.start, start) && isDeepStrictEqual(planned?.end, end);
    try {
      const files = isPlanned ? inTurn(planned!.files) : this.#filesBetween(start, end, conf);
      const columns = withVariantBytes(this.#rows.target.schema).fields;
      yield* scanFiles(this.#rows.target, files, { columns, partitionTimeZone });
    } catch (error) {
      if (!hasCode(error, "DELTA_FILE_NOT_FOUND")) throw error;
      throw new DeltaError(
        "DELTA_STREAM_DATA_LOST",
        `${error.message} The stream still had to read it: it was vacuumed from ${url} before. Nothing was skipped. Begin a new stream with another checkpoint folder, and raise delta.deletedFileRetentionDuration of the source.`,
        error.data,
        error,
      );
    }
  }

  async *#filesBetween(
    start: Json | undefined,
    end: Json,
    conf: Readonly<Record<string, string>>,
  ): AsyncGenerator<ScanFile> {
    const to = this.#parse(end);
    const from = start === undefined ? await this.#beginningBefore(to, conf) : this.#parse(start);
    const last = to.index === BEFORE_FILES ? to.version - 1 : to.version;
    for await (const { version, index, file } of this.#files.after(from, last)) {
      if (file !== undefined && !isAfter(to, version, index)) yield file;
    }
  }

  /** Where a new stream begins. */
  async #beginning(): Promise<DeltaOffset> {
    const latest = this.#latest;
    const { startingVersion, startingTimestamp } = this.#options;
    const at = (version: number) => ({ ...this.#placeAt(version), isInitialSnapshot: false });
    if (startingVersion === "latest") return at(latest + 1);
    if (startingVersion !== undefined) {
      const travel = timeTravelOf(startingVersion) as { readonly version: number };
      if (travel.version <= latest + 1) return at(travel.version);
      const { url } = this.#reader.store;
      throw new DeltaError(
        "DELTA_VERSION_NOT_FOUND",
        `${url} has no version ${travel.version} yet, only up to ${latest}.`,
        {
          version: travel.version,
          latest,
        },
      );
    }
    if (startingTimestamp !== undefined) {
      const { timestampMs } = timeTravelOf(startingTimestamp) as { readonly timestampMs: number };
      return at(await firstVersionFrom(this.#reader, timestampMs));
    }
    return { ...this.#placeAt(latest), isInitialSnapshot: true };
  }

  /** Where a first batch that another run has planned begins. */
  async #beginningBefore(to: DeltaOffset, conf: Readonly<Record<string, string>>): Promise<DeltaOffset> {
    const planned = conf[START_CONF];
    if (planned !== undefined) return this.#parse(JSON.parse(planned) as Json);
    const { startingVersion, startingTimestamp } = this.#options;
    if (startingVersion !== undefined || startingTimestamp !== undefined) return this.#beginning();
    const version = to.isInitialSnapshot ? to.version : to.version - 1;
    return { ...this.#placeAt(version), isInitialSnapshot: true };
  }

  #placeAt(version: number): Omit<DeltaOffset, "isInitialSnapshot"> {
    return { tableId: this.#reader.metadata.id, version, index: BEFORE_FILES };
  }

  #parse(json: Json): DeltaOffset {
    const latest = this.#latest;
    const { url } = this.#reader.store;
    const offset = parseDeltaOffset(json, url);
    const { id } = this.#reader.metadata;
    if (offset.tableId === id && offset.version <= latest + 1) return offset;
    const what =
      offset.tableId === id
        ? `is at version ${offset.version}, but the table only at ${latest}: it was set back to an older copy`
        : `was made from the table with the id ${offset.tableId}, and this one has ${id}: it was replaced, or is another one`;
    throw new DeltaError(
      "DELTA_STREAM_SOURCE_CHANGED",
      `The stream from ${url} can't go on: its checkpoint ${what}. Use the table it was made from, or begin a new stream with another checkpoint folder.`,
      { checkpoint: { ...offset }, tableId: id, latest },
    );
  }

  /** A stream that falls behind loses rows once the source's history is cleaned up. */
  async #warnOfRetention({ version }: DeltaOffset, latest: number): Promise<void> {
    if (version > latest || runtime.now() < this.#nextWarningMs) return;
    this.#nextWarningMs = runtime.now() + WARNING_INTERVAL_MS;
    const { store, metadata } = this.#reader;
    const retentionMs = Math.min(
      property(metadata, "delta.logRetentionDuration"),
      property(metadata, "delta.deletedFileRetentionDuration"),
    );
    const committed = await store.head(commitPath(version));
    if (committed === undefined || runtime.now() - committed.modifiedMs < NEAR * retentionMs) return;
    const days = (ms: number) => `${Math.round(ms / 8_640_000) / 10} days`;
    runtime.warn(
      `The stream is at version ${version} of ${store.url}, ${days(runtime.now() - committed.modifiedMs)} behind; what it hasn't read may be removed from the table after ${days(retentionMs)}.`,
      "DELTA_STREAM_NEAR_RETENTION",
    );
  }
}

/** Part of the retention. */
const NEAR = 0.8;
const WARNING_INTERVAL_MS = 3600 * 1000;

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** What no later run gets past by itself. */
const STOPS = [
  "DELTA_SOURCE_IGNORE_DELETE",
  "DELTA_SOURCE_TABLE_IGNORE_CHANGES",
  "DELTA_SCHEMA_CHANGED",
  "DELTA_MISSING_CHANGE_DATA",
  "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE",
] as const;
