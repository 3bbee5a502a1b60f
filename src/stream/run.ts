import { isDeepStrictEqual } from "node:util";
import { DeltaError } from "../errors.js";
import type { Json } from "../load/progress.js";
import { runtime } from "../runtime.js";
import { openStore, type StorageOptions } from "../storage/open.js";
import type { ObjectStore } from "../storage/store.js";
import { type BatchPlan, CheckpointFolder } from "./checkpointFolder.js";
import { Pipeline } from "./pipeline.js";
import type { StreamSink } from "./sink.js";
import type { OpenSource, StreamSource } from "./source.js";
import type { Step } from "./step.js";

/**
 * When batches are made. `"availableNow"`: as many as it takes for what is there at the beginning, within the source's limits;
 * `"once"`: one for all of it; `{ everyMs }`: one each interval, until the signal comes.
 */
export type StreamTrigger = "availableNow" | "once" | { readonly everyMs: number };

export interface StreamRunOptions {
  /**
   * Where the stream keeps its place: a folder of its own, local or on S3, in the layout of Structured Streaming. Within a table its
   * name must begin with `_`.
   */
  readonly checkpoint: string | URL | ObjectStore;
  /** How the checkpoint's storage is reached. */
  readonly storage?: StorageOptions;
  /** Default `"availableNow"`. */
  readonly trigger?: StreamTrigger;
  /** Ends the run once the batch in hand is done. */
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onProgress?: (progress: StreamProgress) => void;
}

export interface StreamProgress {
  readonly batchId: number;
  /** Rows that came out of the stream's steps. */
  readonly rowCount: number;
  /** The version that holds them, where they went to a table. */
  readonly version: number | undefined;
  /** Where the source is now. */
  readonly offset: Json;
  /** What `withWatermark` has come to; undefined without it. */
  readonly watermark: Date | undefined;
  readonly durationMs: number;
}

export interface StreamResult {
  /** The stream's id, which its checkpoint holds and a table records. */
  readonly queryId: string;
  /** Batches made by this run. */
  readonly batchCount: number;
  readonly rowCount: number;
  /** The version of the last batch, where there was one and it went to a table. */
  readonly version: number | undefined;
  /** True where the signal ended it, so that there may be more to read. */
  readonly isStopped: boolean;
}

/** Runs a stream until its trigger or the signal ends it. */
export async function runStream(
  source: StreamSource,
  steps: readonly Step[],
  sink: StreamSink,
  options: StreamRunOptions,
): Promise<StreamResult> {
  const { checkpoint, storage, trigger = "availableNow" } = options;
  checkTrigger(trigger);
  const isLocation = typeof checkpoint === "string" || checkpoint instanceof URL;
  const store = isLocation ? openStore(checkpoint, storage) : checkpoint;
  try {
    return await new Run(source, steps, sink, store, trigger, options).run();
  } finally {
    if (isLocation) await store[Symbol.asyncDispose]();
  }
}

class Run {
  readonly #source: StreamSource;
  readonly #sink: StreamSink;
  readonly #folder: CheckpointFolder;
  readonly #pipeline: Pipeline;
  readonly #trigger: StreamTrigger;
  readonly #options: StreamRunOptions;
  readonly #result = { batchCount: 0, rowCount: 0, version: undefined as number | undefined };

  constructor(
    source: StreamSource,
    steps: readonly Step[],
    sink: StreamSink,
    store: ObjectStore,
    trigger: StreamTrigger,
    options: StreamRunOptions,
  ) {
    this.#source = source;
    this.#sink = sink;
    this.#folder = new CheckpointFolder(store);
    this.#pipeline = new Pipeline(steps, store, source.rowKind);
    this.#trigger = trigger;
    this.#options = options;
  }

  async run(): Promise<StreamResult> {
    const { signal } = this.#options;
    const queryId = await this.#folder.queryId();
    const check = await this.#sink.open(queryId, this.#folder.store.url);
    const { planned, before, done } = await this.#folder.position();
    await check({ planned, before, done });
    await this.#pipeline.check(planned?.plan.conf);
    const isInterval = typeof this.#trigger === "object";
    const source = await this.#source.open({
      checkpoint: this.#folder.store,
      onlyAvailable: !isInterval,
      unlimited: this.#trigger === "once",
    });
    this.#pipeline.tryOut(source.schema);

    let at = planned?.plan.end;
    let batchId = (planned?.batchId ?? -1) + 1;
    let watermarkMs = done?.nextWatermarkMs ?? 0;
    const conf = this.#pipeline.confFrom(planned?.plan.conf);
    if (planned !== undefined && done?.batchId !== planned.batchId) {
      watermarkMs = await this.#batch(source, before?.end, planned.batchId, planned.plan);
    }
    await this.#pipeline.load(batchId);
    for (;;) {
      if (signal?.aborted) return { queryId, ...this.#result, isStopped: true };
      const startedMs = runtime.now();
      const plan = await this.#next(source, at, watermarkMs, conf);
      if (plan !== undefined) {
        await this.#folder.plan(batchId, plan);
        watermarkMs = await this.#batch(source, at, batchId, plan);
        at = plan.end;
        batchId++;
      }
      if (typeof this.#trigger === "object") await pause(startedMs + this.#trigger.everyMs, signal);
      else if (plan === undefined || (this.#trigger === "once" && !this.#pipeline.hasDue(watermarkMs))) {
        return { queryId, ...this.#result, isStopped: false };
      }
    }
  }

  /** What the next batch reads; undefined where there is nothing to do. */
  async #next(
    source: OpenSource,
    at: Json | undefined,
    watermarkMs: number,
    conf: Readonly<Record<string, string>>,
  ): Promise<BatchPlan | undefined> {
    const next = await source.next(at);
    const timestampMs = runtime.now();
    if (next !== undefined && !isDeepStrictEqual(next.end, at)) {
      return { watermarkMs, timestampMs, conf: { ...conf, ...next.conf }, end: next.end };
    }
    if (at === undefined || !this.#pipeline.hasDue(watermarkMs)) return undefined;
    return { watermarkMs, timestampMs, conf, end: at };
  }

  /** Makes a planned batch, whatever an attempt before has done of it; gives the watermark of the next one. */
  async #batch(source: OpenSource, start: Json | undefined, batchId: number, plan: BatchPlan): Promise<number> {
    const startedMs = runtime.now();
    const { end, conf } = plan;
    const isEmpty = end === undefined || isDeepStrictEqual(start, end);
    const chunks = isEmpty ? nothing() : source.read(start, end, conf);
    const batch = await this.#pipeline.batch({ schema: source.schema, chunks }, batchId, plan, this.#sink.has(batchId));
    const written = await this.#sink.write({ batchId, schema: batch.schema, chunks: batch.chunks });
    const nextWatermarkMs = await batch.nextWatermarkMs(written.skipped);
    await this.#folder.finish(batchId, nextWatermarkMs);
    await this.#pipeline.removeOutdated(batchId);
    const rowCount = written.skipped ? 0 : batch.rowCount();
    this.#result.batchCount++;
    this.#result.rowCount += rowCount;
    this.#result.version = written.version;
    this.#options.onProgress?.({
      batchId,
      rowCount,
      version: written.version,
      offset: end ?? null,
      watermark: nextWatermarkMs === 0 ? undefined : new Date(nextWatermarkMs),
      durationMs: runtime.now() - startedMs,
    });
    return nextWatermarkMs;
  }
}

async function* nothing() {}

/** Waits until a time, or for the signal. */
async function pause(untilMs: number, signal: AbortSignal | undefined): Promise<void> {
  const waitMs = untilMs - runtime.now();
  if (waitMs <= 0 || signal?.aborted) return;
  await runtime.sleep(waitMs, signal).catch((error) => {
    if (!signal?.aborted) throw error;
  });
}

function checkTrigger(trigger: StreamTrigger): void {
  if (trigger === "once" || trigger === "availableNow") return;
  if (typeof trigger === "object" && Number.isSafeInteger(trigger.everyMs) && trigger.everyMs >= 0) return;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `A trigger is "availableNow", "once" or { everyMs: 10_000 }, not ${JSON.stringify(trigger)}.`,
    { trigger },
  );
}
