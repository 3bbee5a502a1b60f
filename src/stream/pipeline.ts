import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import type { ObjectStore } from "../storage/store.js";
import type { BatchPlan } from "./checkpointFolder.js";
import type { Chunk } from "./source.js";
import { StateStore } from "./stateStore.js";
import { type BatchContext, type Flow, rowCountOf, type Step } from "./step.js";

/** Names the steps with state in each plan, so that a stream without them isn't taken for the same. */
const OPERATORS_CONF = "delta-table.operators";
/** Names the kind of the source's rows likewise. Spark's plans name none. */
const ROWS_CONF = "delta-table.rows";
const OWN_CONF = "delta-table.";

/** A batch's rows behind all steps. */
export interface PipelineBatch {
  readonly schema: StructType | undefined;
  readonly chunks: AsyncIterable<Chunk>;
  /** Rows that came out, once the chunks are read. */
  rowCount(): number;
  /** The next batch's watermark: of rows read or, where they were skipped, as the attempt that wrote them found it. */
  nextWatermarkMs(skipped: boolean): Promise<number>;
}

/** What a stream does with its source's rows: its steps with their state. */
export class Pipeline {
  readonly #steps: readonly { readonly step: Step; readonly state: StateStore | undefined }[];
  readonly #states: readonly StateStore[];
  readonly #store: ObjectStore;
  readonly #operators: string | undefined;
  readonly #rowKind: string | undefined;

  /** `rowKind` is the source's. */
  constructor(steps: readonly Step[], checkpoint: ObjectStore, rowKind: string | undefined) {
    const states: StateStore[] = [];
    this.#steps = steps.map((step) => {
      if (step.operator === undefined) return { step, state: undefined };
      const state = new StateStore(checkpoint, states.length, step.operator);
      states.push(state);
      return { step, state };
    });
    this.#states = states;
    this.#store = checkpoint;
    const operators = steps.flatMap(({ operator }) => (operator === undefined ? [] : [operator]));
    this.#operators = operators.length === 0 ? undefined : JSON.stringify(operators);
    this.#rowKind = rowKind;
  }

  /** Throws `DELTA_STREAM_SOURCE_CHANGED` where the checkpoint is of a stream of other rows or with other state. */
  async check(conf: Readonly<Record<string, string>> | undefined): Promise<void> {
    if (conf === undefined) return;
    const rows = conf[ROWS_CONF];
    if (rows !== undefined && rows !== this.#rowKind) {
      throw new DeltaError(
        "DELTA_STREAM_SOURCE_CHANGED",
        `The checkpoint ${this.#store.url} is of a stream that reads ${rows}, and this one reads ${this.#rowKind ?? "something else"} (readChangeFeed). Run the stream as it was, or begin a new one with another checkpoint folder.`,
        { checkpoint: rows, stream: this.#rowKind },
      );
    }
    const planned = conf[OPERATORS_CONF];
    const isSame = planned === this.#operators;
    if (isSame && (planned !== undefined || !(await this.#hasForeignState()))) return;
    throw new DeltaError(
      "DELTA_STREAM_SOURCE_CHANGED",
      `The checkpoint ${this.#store.url} is of a stream ${planned === undefined ? "without state, or with Spark's" : `with ${planned}`}, but this one has ${this.#operators ?? "none"}. Run the stream as it was, or begin a new one with another checkpoint folder.`,
      { checkpoint: planned, stream: this.#operators },
    );
  }

  /** Throws what is wrong with the steps by themselves, `DELTA_INVALID_ARGUMENT`, before anything is planned. */
  tryOut(schema: StructType | undefined): void {
    this.#apply({ schema, chunks: none() }, contextOf({ watermarkMs: 0, timestampMs: 0 }));
  }

  /** Settings of the next plans: those of others as they are. */
  confFrom(conf: Readonly<Record<string, string>> = {}): Record<string, string> {
    const others = Object.entries(conf).filter(([name]) => !name.startsWith(OWN_CONF));
    return {
      ...Object.fromEntries(others),
      ...(this.#operators === undefined ? {} : { [OPERATORS_CONF]: this.#operators }),
      ...(this.#rowKind === undefined ? {} : { [ROWS_CONF]: this.#rowKind }),
    };
  }

  /** Brings in the state before a batch. */
  async load(batchId: number): Promise<void> {
    for (const state of this.#states) await state.load(batchId);
  }

  /** Whether a batch without rows would give or forget something. */
  hasDue(watermarkMs: number): boolean {
    return this.#steps.some(({ step, state }) => state !== undefined && step.hasDue?.(state, watermarkMs) === true);
  }

  /** Sends a batch's rows through the steps; once they are read, the state behind it is on storage. */
  async batch(
    flow: Flow,
    batchId: number,
    { watermarkMs, timestampMs }: BatchPlan,
    isWritten: boolean,
  ): Promise<PipelineBatch> {
    if (!isWritten) await this.load(batchId);
    const context = contextOf({ watermarkMs, timestampMs });
    const out = this.#apply(flow, context);
    const { eventTime } = context;
    const next = () =>
      eventTime === undefined ? watermarkMs : Math.max(watermarkMs, context.maxEventMs - eventTime.delayMs);
    const states = this.#states;
    let rowCount = 0;
    async function* saving() {
      for await (const chunk of out.chunks) {
        rowCount += rowCountOf(chunk);
        yield chunk;
      }
      // Before the sink commits: a batch that is there has its state.
      for (const state of states) await state.save(batchId + 1, next());
    }
    return {
      schema: out.schema,
      chunks: saving(),
      rowCount: () => rowCount,
      nextWatermarkMs: async (skipped) => {
        if (!skipped || states[0] === undefined) return next();
        return states[0].nextWatermarkMs(batchId + 1);
      },
    };
  }

  async removeOutdated(batchId: number): Promise<void> {
    for (const state of this.#states) await state.removeBefore(batchId);
  }

  #apply(flow: Flow, context: BatchContext): Flow {
    return this.#steps.reduce((before, { step, state }) => step.apply(before, context, state), flow);
  }

  async #hasForeignState(): Promise<boolean> {
    for await (const _ of this.#store.list("state/")) return true;
    return false;
  }
}

function contextOf({ watermarkMs, timestampMs }: Pick<BatchPlan, "watermarkMs" | "timestampMs">): BatchContext {
  return {
    watermarkMs: watermarkMs === 0 ? Number.NEGATIVE_INFINITY : watermarkMs,
    timestampMs,
    eventTime: undefined,
    maxEventMs: Number.NEGATIVE_INFINITY,
  };
}

async function* none() {}
