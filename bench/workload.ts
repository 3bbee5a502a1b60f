import type { ProcessIo } from "./processIo.js";

/** One way to do a workload's task: a command that does it once and prints a {@link Sample}. */
export interface Contender {
  readonly name: string;
  /** Who does it: `--peer` chooses by this. */
  readonly peer:
    | "delta-table"
    | "delta-rs"
    | "kernel-rs"
    | "polars"
    | "lancedb"
    | "spark"
    | "hyparquet"
    | "parquetjs-lite"
    | "floor";
  /** Program and arguments; `{scratch}` becomes a new empty folder of this run's. */
  readonly command: readonly [string, ...string[]];
}

/** What a contender's process prints as JSON, as its only line. */
export interface Sample {
  /** The task alone: packages imported before, the answer checked after. */
  readonly ms: number;
  /** Of the whole process up to the end of the task. */
  readonly peakRssBytes: number;
  /** How far the peak during the task was above what was resident before it. */
  readonly addedRssBytes?: number;
  /** Of the task alone. Missing where the system doesn't count it, and where the work is done by processes of its own. */
  readonly io?: ProcessIo | undefined;
  /** One for each unit of the task, in milliseconds. */
  readonly latencies?: readonly number[];
  /** What the result takes on disk. */
  readonly storedBytes?: number;
  /** What came out. Every contender's must be the same as every other's. */
  readonly answer: unknown;
}

/** A bound on one contender's figure, relative to the best of others or absolute. */
export interface Target {
  readonly text: string;
  readonly contender: string;
  /** `tail` is the 99th percentile of the units' times, divided by their median. */
  readonly measure: "time" | "peakRss" | "addedRss" | "stored" | "tail";
  /** The best of these is the measure; without, `atMost` is in milliseconds or bytes, or what a tail may be. */
  readonly relativeTo?: readonly string[];
  readonly atMost: number;
}

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** Times are divided by this many units, e.g. commits. */
  readonly units: number;
  readonly unit: string;
  readonly contenders: readonly Contender[];
  readonly targets: readonly Target[];
  /** The time is that of the whole process, whose output is its answer; memory isn't measured then. */
  readonly wholeProcess?: boolean;
  /** Where the answer is a table in `{scratch}`: an independent reading of it, in place of the sample's own answer. */
  readonly readBack?: (scratch: string) => Promise<unknown>;
}

/** What a workload is made from. */
export interface Setting {
  /** The interpreter that has the Python peers. */
  readonly python: string;
  /** Installs the peers for Node, on first use. */
  readonly node: () => Promise<string>;
  /** A small one, to see that everything runs. */
  readonly quick: boolean;
}
