import type { Readable } from "node:stream";
import { DeltaError } from "../errors.js";
import type { SchemaOption } from "../ops/schemaOption.js";
import type { WhereOption } from "../ops/where.js";
import type { StorageOptions } from "../storage/open.js";
import type { Books } from "./books.js";
import type { ParseOptions } from "./format/format.js";
import type { JobOptions } from "./jobState.js";
import type { Json } from "./progress.js";
import type { SourceFormat } from "./source/source.js";

/** What a load reads: paths, globs, URLs of files and folders; or bytes that come once, under a name. */
export type LoadSource = string | URL | readonly (string | URL)[] | { readonly stdin: Readable; readonly name: string };

export interface LoadOptions<Row extends object = Record<string, unknown>> extends ParseOptions {
  /**
   * Names the load in the table: the next load of the same name goes on where this one is. Derived from the sources by
   * default; a stream needs one.
   */
  readonly job?: string;
  /** Of all files; by default each file's name tells. */
  readonly format?: SourceFormat;
  /** Bytes of the sources that become one commit, about. Default 128 MiB. */
  readonly batchBytes?: number;
  /** Of a new table. By default what the beginning of the first file shows. */
  readonly schema?: SchemaOption;
  /** Columns to partition a new table by. */
  readonly partitionBy?: readonly string[];
  /** Table properties of a new table. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Adds columns that the files have and the table lacks. By default they are an error. */
  readonly mergeSchema?: boolean;
  /** Loads the rows only for which this is true; the rest is counted as filtered. */
  readonly where?: WhereOption<Row>;
  /**
   * Where the table of dead letters is; `_dead_letters` below the table by default. False: none is kept, and so the first bad
   * record stops the load.
   */
  readonly deadLetters?: string | URL | false;
  /** Stops the load when it has more bad records than this, counted since it was last finished. */
  readonly maxBadRecords?: number;
  /**
   * Stops the load when more than this share (0 to 1) of its records is bad, looked at before each commit. Where neither this nor
   * `maxBadRecords` is given, a load stops when it has more than 1,000 bad records and they are more than half.
   */
  readonly maxBadRatio?: number;
  /** Begins anew, though the job has loaded before: its rows come again. */
  readonly restart?: boolean;
  /** Goes on with the job's own options, and takes files that have changed for loaded. */
  readonly ignoreChange?: boolean;
  /** How the sources' storage is reached. */
  readonly storage?: StorageOptions;
  /** Ends the load after the batch in hand, with `DELTA_ABORTED`; the same load goes on from there. */
  readonly signal?: AbortSignal;
  /** Called as records are read, and after each commit. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface LoadProgress extends Books {
  readonly job: string;
  /** True right after a commit; the numbers of this run so far are then all in the table. */
  readonly isCommitted: boolean;
  /** The version reached; undefined before the first commit. */
  readonly version: number | undefined;
  /** Files and stored bytes of this run; undefined while they are still being listed, and of streams. */
  readonly filesTotal: number | undefined;
  readonly bytesTotal: number | undefined;
}

/** What a load did. The books are those of this run. */
export interface LoadResult extends Books {
  readonly job: string;
  /** The version that holds the last of the rows; undefined where there is no table, since nothing was found to load. */
  readonly version: number | undefined;
  /** Commits made. */
  readonly batches: number;
  /** True where there was nothing new to load, so that nothing was committed. */
  readonly isUpToDate: boolean;
  /** Where dead letters of this run are; undefined where it had none. */
  readonly deadLetters: string | undefined;
  /** Files of folders that were passed over since their names tell no format. */
  readonly filesSkipped: number;
}

const PARSE_OPTIONS = [
  "delimiter",
  "quote",
  "escape",
  "header",
  "nullValues",
  "encoding",
  "dateFormat",
  "timestampFormat",
  "rescuedDataColumn",
] as const satisfies readonly (keyof ParseOptions)[];

/** Bytes of the sources that become one commit, where nothing else is said. */
export const DEFAULT_BATCH_BYTES = 128 * 1024 * 1024;
const MAX_BATCH_BYTES = 2 ** 30;

/** The parse options among a load's. */
export function parseOptionsOf(options: ParseOptions): ParseOptions {
  return Object.fromEntries(
    PARSE_OPTIONS.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

/** What of a load's options its job keeps to. */
export function jobOptionsOf({ format, where, ...options }: LoadOptions<object>): JobOptions {
  return {
    ...(parseOptionsOf(options) as JobOptions),
    ...(format === undefined ? {} : { format }),
    ...(where === undefined ? {} : { where: taggedJson(where) }),
  };
}

/** The options of a load in which those that its job keeps to are the job's. */
export function withJobOptions(options: LoadOptions<object>, job: JobOptions): LoadOptions<object> {
  const free = Object.entries(options).filter(([name]) => !JOB_OPTIONS.includes(name));
  const { where, ...kept } = job;
  return { ...Object.fromEntries(free), ...kept, ...(where === undefined ? {} : { where: untagged(where) as never }) };
}

const JOB_OPTIONS: readonly string[] = [...PARSE_OPTIONS, "format", "where"];

/** JSON from which {@link untagged} makes the same value again, also where a condition holds what JSON has no form for. */
function taggedJson(value: unknown): Json {
  if (typeof value === "bigint") return { $long: String(value) };
  if (value instanceof Date) return { $time: value.getTime() };
  if (value instanceof Uint8Array) return { $binary: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(taggedJson);
  if (typeof value !== "object" || value === null) return value as Json;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([name, part]) => [name, taggedJson(part)]));
}

function untagged(json: Json): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(untagged);
  const { $long, $time, $binary, ...rest } = json as { readonly [name: string]: Json };
  if (typeof $long === "string") return BigInt($long);
  if (typeof $time === "number") return new Date($time);
  if (typeof $binary === "string") return Buffer.from($binary, "base64");
  return Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, untagged(part)]));
}

/** Throws `DELTA_INVALID_ARGUMENT` for numbers that make no sense. */
export function checkLoadOptions({ batchBytes, maxBadRecords, maxBadRatio, job }: LoadOptions<object>): void {
  const check = (name: string, value: unknown, isRight: boolean, expects: string) => {
    if (value === undefined || isRight) return;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", `${name} is ${expects}, not ${String(value)}.`, { [name]: value });
  };
  const isWhole = Number.isSafeInteger;
  check(
    "batchBytes",
    batchBytes,
    isWhole(batchBytes) && batchBytes! >= 1 && batchBytes! <= MAX_BATCH_BYTES,
    "1 to 2^30",
  );
  check("maxBadRecords", maxBadRecords, isWhole(maxBadRecords) && maxBadRecords! >= 0, "a whole number from 0 up");
  check("maxBadRatio", maxBadRatio, maxBadRatio! >= 0 && maxBadRatio! <= 1, "a number from 0 to 1");
  check("job", job, job !== "", "a name");
}
