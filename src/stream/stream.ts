import type { Row as AnyRow } from "../arrow/rows.js";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { DeltaLog } from "../log/deltaLog.js";
import type { AppendOptions } from "../ops/append.js";
import type { SchemaOption } from "../ops/schemaOption.js";
import type { AppendResult } from "../ops/stagedAppend.js";
import type { WindowOptions } from "./countByWindow.js";
import type { DropDuplicatesOptions } from "./dropDuplicates.js";
import type { StreamBatch } from "./functionSink.js";
import type { StreamResult, StreamRunOptions } from "./run.js";
import type { StreamSink } from "./sink.js";
import type { StreamSource } from "./source.js";
import type { Step } from "./step.js";
import type { TableSinkOptions } from "./tableSink.js";

const MODULE = "delta-table/stream";

/** Makes a step once the stream runs: what works on rows is loaded then. */
type MakeStep = (steps: typeof import("./steps.js")) => Step;

/** What a stream can write to: a `Table`. */
export interface StreamTarget {
  readonly url: string;
  append(rows: never, options?: AppendOptions): Promise<AppendResult>;
  /** @internal */
  readonly [streamedLog]: DeltaLog;
}

/** @internal */
export const streamedLog = Symbol("log");

export interface ToTableOptions extends StreamRunOptions, TableSinkOptions {
  /**
   * What the table knows the stream by; by default the place of its checkpoint. A stream of that name with another checkpoint is
   * refused: that one was lost, and the rows would come again.
   */
  readonly queryName?: string;
}

/**
 * Rows that keep coming, in batches. Nothing is read before {@link Stream.toTable} or {@link Stream.forEachBatch}; each method gives a
 * new stream.
 *
 * @example
 * await Table.open("./raw").stream()
 *   .filter((row) => row.kind === "order")
 *   .toTable(Table.open("./orders"), { checkpoint: "./checkpoints/orders" });
 */
export class Stream<Row extends object = Record<string, unknown>> {
  readonly #source: StreamSource;
  readonly #steps: readonly MakeStep[];

  /** @internal */
  constructor(source: StreamSource, steps: readonly MakeStep[] = []) {
    this.#source = source;
    this.#steps = steps;
  }

  /**
   * Makes another row of each row. `schema` is that of the new rows; where nobody says, it is the table's they go to or, where they
   * create it, inferred. A batch may be made again after a crash: the function must give the same row for a row.
   */
  map<Out extends object>(map: (row: Row) => Out, { schema }: { readonly schema?: SchemaOption } = {}): Stream<Out> {
    const rowMap = map as (row: AnyRow) => object;
    return this.#with(({ mapStep }) => mapStep(rowMap, schema)) as unknown as Stream<Out>;
  }

  /** Keeps the rows for which `keep` is true. */
  filter(keep: (row: Row) => boolean): Stream<Row> {
    return this.#with(({ filterStep }) => filterStep(keep as (row: AnyRow) => boolean));
  }

  /**
   * Says which column holds the time of events, and how late they may come: a row that is older than the newest one by more than
   * `delayMs` is late. From the next batch on, steps with state drop late rows, and forget what only those could ask for.
   */
  withWatermark(column: keyof Row & string, { delayMs }: { readonly delayMs: number }): Stream<Row> {
    checkDuration("delayMs", delayMs, 0);
    return this.#with(({ watermarkStep }) => watermarkStep(column, delayMs));
  }

  /**
   * Keeps the first of the rows that are equal in `columns`, across batches and runs. What came is remembered in the checkpoint: for
   * `ttlMs` after its batch, until the watermark has passed it, or forever.
   */
  dropDuplicates(columns: readonly (keyof Row & string)[], options: DropDuplicatesOptions = {}): Stream<Row> {
    if (columns.length === 0) throw new DeltaError("DELTA_INVALID_ARGUMENT", "Name columns to tell duplicates by.", {});
    if (options.ttlMs !== undefined) checkDuration("ttlMs", options.ttlMs, 1);
    return this.#with(({ dropDuplicatesStep }) => dropDuplicatesStep(columns, options));
  }

  /**
   * Counts rows by windows of the watermark's column. A window comes once, when the watermark has passed its end: `window` (a struct of
   * `start` and `end`), the columns of `by`, and `count`.
   *
   * @example
   * stream.withWatermark("at", { delayMs: 60_000 }).countByWindow({ sizeMs: 300_000, by: ["city"] })
   */
  countByWindow(options: WindowOptions): Stream<WindowCount> {
    checkWindow(options);
    return this.#with(({ countByWindowStep }) => countByWindowStep(options)) as unknown as Stream<WindowCount>;
  }

  /**
   * Appends each batch to a table as one version, exactly once: a run that was killed is gone on with by the next one with the
   * same checkpoint, here or in Spark. The first batch creates the table.
   *
   * Throws `DELTA_STREAM_CHECKPOINT_STALE` where table and checkpoint don't belong together, `DELTA_STREAM_CHECKPOINT_INVALID`,
   * `DELTA_STREAM_SOURCE_CHANGED`, `DELTA_STREAM_DATA_LOST`, `DELTA_CONCURRENT_TRANSACTION` where another run of the stream is at work,
   * and what the source and `Table.append` throw. Batches before the error are in the table.
   */
  async toTable(table: StreamTarget, options: ToTableOptions): Promise<StreamResult> {
    const { checkpoint, storage, trigger, signal, onProgress, queryName, ...rest } = options;
    const log = table[streamedLog];
    if (log === undefined) throw new DeltaError("DELTA_INVALID_ARGUMENT", "A stream goes to a Table.open(…).", {});
    const { TableSink } = await loaded(() => import("./tableSink.js"), MODULE);
    const sink = new TableSink(log, rest, queryName);
    return this.#run(sink, { checkpoint, storage, trigger, signal, onProgress });
  }

  /**
   * Calls a function with each batch. A batch that a crash left open comes again with the same rows and number, so that
   * `table.append(batch, { txn: { appId: "my stream", version: batchId } })` is exactly once all the same.
   */
  async forEachBatch(
    call: (batch: StreamBatch<Row>, batchId: number) => void | Promise<void>,
    options: StreamRunOptions,
  ): Promise<StreamResult> {
    const { FunctionSink } = await loaded(() => import("./functionSink.js"), MODULE);
    return this.#run(new FunctionSink(call as ConstructorParameters<typeof FunctionSink>[0]), options);
  }

  async #run(sink: StreamSink, options: StreamRunOptions): Promise<StreamResult> {
    const { runStream } = await loaded(() => import("./run.js"), MODULE);
    const steps = await loaded(() => import("./steps.js"), MODULE);
    return runStream(
      this.#source,
      this.#steps.map((make) => make(steps)),
      sink,
      options,
    );
  }

  #with(step: MakeStep): Stream<Row> {
    return new Stream<Row>(this.#source, [...this.#steps, step]);
  }
}

/** A row of {@link Stream.countByWindow}. */
export type WindowCount = Record<string, unknown> & {
  readonly window: { readonly start: Date; readonly end: Date };
  readonly count: bigint;
};

function checkWindow({ sizeMs, slideMs = sizeMs }: WindowOptions): void {
  const isDuration = (ms: number) => Number.isSafeInteger(ms) && ms > 0;
  if (isDuration(sizeMs) && isDuration(slideMs) && slideMs <= sizeMs) return;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `A window's sizeMs and slideMs are whole milliseconds from 1 up, and slideMs no more than sizeMs; not ${sizeMs} and ${slideMs}.`,
    { sizeMs, slideMs },
  );
}

function checkDuration(name: string, ms: number, least: number): void {
  if (Number.isSafeInteger(ms) && ms >= least) return;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `${name} is whole milliseconds from ${least} up, not ${ms}.`, {
    [name]: ms,
  });
}
