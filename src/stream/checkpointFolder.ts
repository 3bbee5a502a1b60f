import { DeltaError, hasCode } from "../errors.js";
import type { Json } from "../load/progress.js";
import { runtime } from "../runtime.js";
import type { ObjectStore } from "../storage/store.js";
import { BatchLog } from "./batchLog.js";

/** What a batch reads, and when and with which watermark it was begun: written before anything is read. */
export interface BatchPlan {
  readonly watermarkMs: number;
  readonly timestampMs: number;
  /** Settings that stay the same for a stream's life; Spark's own are kept as they are. */
  readonly conf: Readonly<Record<string, string>>;
  /** Where the source is after the batch; undefined where it gives none yet. */
  readonly end: Json | undefined;
}

/** How far a stream is. */
export interface StreamPosition {
  /** The newest batch that is planned; undefined before the first one. */
  readonly planned: { readonly batchId: number; readonly plan: BatchPlan } | undefined;
  /** The one before it. */
  readonly before: BatchPlan | undefined;
  /** The newest batch that is done, and the watermark for the one after it. */
  readonly done: { readonly batchId: number; readonly nextWatermarkMs: number } | undefined;
}

/** Batches whose plans are kept, as Structured Streaming keeps them. */
const KEPT_BATCHES = 100;

/** A stream's checkpoint: a folder in the layout and the formats of Structured Streaming. */
export class CheckpointFolder {
  readonly store: ObjectStore;
  readonly #plans: BatchLog;
  readonly #done: BatchLog;

  constructor(store: ObjectStore) {
    this.store = store;
    this.#plans = new BatchLog(store, "offsets/");
    this.#done = new BatchLog(store, "commits/");
  }

  /** The stream's id, for good; made where the folder is new. Throws `DELTA_STREAM_CHECKPOINT_INVALID`. */
  async queryId(): Promise<string> {
    const found = await this.#readId();
    if (found !== undefined) return found;
    if ((await this.#plans.ids()).length > 0) throw this.#invalidId("is missing, though there are batches");
    const bytes = new TextEncoder().encode(JSON.stringify({ id: runtime.randomUUID() }));
    await this.store.putIfAbsent(METADATA, bytes);
    const made = await this.#readId();
    if (made !== undefined) return made;
    throw new DeltaError("DELTA_STORAGE_UNAVAILABLE", `${this.store.url}: ${METADATA} could not be written.`, {});
  }

  /** Throws `DELTA_STREAM_CHECKPOINT_INVALID`, also where batches between are missing. */
  async position(): Promise<StreamPosition> {
    // The done ones first: each of them was planned before.
    const done = (await this.#done.ids()).at(-1);
    const plans = await this.#plans.ids();
    await Promise.all([this.#plans.settle(), this.#done.settle()]);
    const planned = plans.at(-1);
    if (planned === undefined) {
      if (done === undefined) return { planned: undefined, before: undefined, done: undefined };
      throw this.#plans.invalid(String(done), "is missing, though the batch is done");
    }
    if (done !== undefined && done > planned) throw this.#plans.invalid(String(done), "is missing");
    const plan = await this.#readPlan(planned);
    return {
      planned: { batchId: planned, plan },
      before: planned === 0 ? undefined : await this.#readPlan(planned - 1),
      done: done === undefined ? undefined : { batchId: done, nextWatermarkMs: await this.#readDone(done) },
    };
  }

  async plan(batchId: number, { watermarkMs, timestampMs, conf, end }: BatchPlan): Promise<void> {
    const metadata = { batchWatermarkMs: watermarkMs, batchTimestampMs: timestampMs, conf };
    const offset = end === undefined ? NO_OFFSET : JSON.stringify(end);
    await this.#plans.add(String(batchId), [JSON.stringify(metadata), offset]);
  }

  /** Marks a batch as done, and forgets the one that is out of use by now. */
  async finish(batchId: number, nextWatermarkMs: number): Promise<void> {
    await this.#done.add(String(batchId), [JSON.stringify({ nextBatchWatermarkMs: nextWatermarkMs })]);
    const outdated = batchId - KEPT_BATCHES;
    if (outdated < 0) return;
    try {
      await this.#plans.remove(String(outdated));
      await this.#done.remove(String(outdated));
    } catch (error) {
      // The batch is done; an error would say that it isn't.
      const reason = error instanceof Error ? error.message : String(error);
      runtime.warn(`${this.store.url}: batch ${outdated} could not be removed: ${reason}`, "DELTA_FILE_LEFT");
    }
  }

  async #readId(): Promise<string | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.store.get(METADATA);
    } catch (error) {
      if (hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
      throw error;
    }
    const id = parseObject(new TextDecoder().decode(bytes))?.id;
    if (typeof id === "string" && id !== "") return id;
    throw this.#invalidId("holds no id");
  }

  async #readPlan(batchId: number): Promise<BatchPlan> {
    const name = String(batchId);
    const lines = await this.#plans.read(name);
    if (lines === undefined) throw this.#plans.invalid(name, "is missing");
    const [metadata, offset, ...others] = lines;
    const parsed = metadata === "" ? {} : parseObject(metadata);
    if (parsed === undefined || offset === undefined) throw this.#plans.invalid(name, "isn't what a stream writes");
    if (others.some((line) => line !== "")) {
      throw this.#plans.invalid(name, "has several sources; this release streams from one");
    }
    const conf = (parsed.conf ?? {}) as Record<string, string>;
    const end = offset === NO_OFFSET ? undefined : parse(offset);
    if (end === null) throw this.#plans.invalid(name, "holds an offset that isn't JSON");
    return {
      watermarkMs: Number(parsed.batchWatermarkMs ?? 0),
      timestampMs: Number(parsed.batchTimestampMs ?? 0),
      conf,
      end,
    };
  }

  async #readDone(batchId: number): Promise<number> {
    const lines = await this.#done.read(String(batchId));
    const parsed = lines?.[0] === undefined || lines[0] === "" ? {} : parseObject(lines[0]);
    if (parsed === undefined) throw this.#done.invalid(String(batchId), "isn't what a stream writes");
    return Number(parsed.nextBatchWatermarkMs ?? 0);
  }

  #invalidId(flaw: string): DeltaError {
    return new DeltaError(
      "DELTA_STREAM_CHECKPOINT_INVALID",
      `${METADATA} of the checkpoint ${this.store.url} ${flaw}. Restore the checkpoint, or begin a new stream with another folder.`,
      { path: METADATA },
    );
  }
}

const METADATA = "metadata";

/** Stands for a source that has given nothing yet. */
const NO_OFFSET = "-";

function parseObject(text: string | undefined): Record<string, unknown> | undefined {
  const value = parse(text ?? "");
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** Null where it isn't JSON: no offset is. */
function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
