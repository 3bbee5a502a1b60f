import { createHash } from "node:crypto";
import type { RecordBatch } from "apache-arrow";
import { buildBatch } from "../arrow/build.js";
import { DeltaError } from "../errors.js";
import type { DeltaLog } from "../log/deltaLog.js";
import { type AppendOptions, append } from "../ops/append.js";
import type { StructType } from "../schema/types.js";
import type { RowInput } from "../write/input.js";
import type { TransactionMove } from "../write/transactionMove.js";
import type { StreamPosition } from "./checkpointFolder.js";
import type { BatchOutput, BatchWritten, StreamSink } from "./sink.js";
import type { Chunk } from "./source.js";
import { isBatch } from "./step.js";

/** Options of the appends a stream makes. */
export type TableSinkOptions = Omit<AppendOptions, "txn" | "onProgress" | "signal">;

/**
 * Appends each batch as one version that records the stream's id and the batch's number with the rows (PROTOCOL.md, Transaction
 * Identifiers), as Delta's sink for Spark does: a batch that is there already isn't written again.
 */
export class TableSink implements StreamSink {
  readonly #log: DeltaLog;
  readonly #options: TableSinkOptions;
  readonly #name: string | undefined;
  #queryId = "";
  #recorded: number | undefined;
  #move: TransactionMove = [];

  /** `name` is what the table knows the stream by; by default the place of its checkpoint. */
  constructor(log: DeltaLog, options: TableSinkOptions, name: string | undefined) {
    this.#log = log;
    this.#options = options;
    this.#name = name;
  }

  /**
   * Throws `DELTA_STREAM_CHECKPOINT_STALE` where the table has batches that the checkpoint doesn't know of or the other way round, and where
   * the table was fed from a checkpoint of this name before that isn't there any more.
   */
  async open(queryId: string, checkpointUrl: string): Promise<(position: StreamPosition) => Promise<void>> {
    this.#queryId = queryId;
    await this.#look();
    const appId = `delta-table/stream/${this.#name ?? hash(checkpointUrl, 12)}`;
    const known = this.#transaction(appId);
    const to = Number.parseInt(hash(queryId, 12), 16);
    if (known !== undefined && known !== to) throw this.#lost(checkpointUrl);
    if (known === undefined) this.#move = [{ appId, from: undefined, to }];
    return async ({ planned, done }) => {
      // The table was looked at first: the checkpoint may be ahead of it by what another run has just done, but not behind.
      if (this.#recorded !== undefined && this.#recorded > (planned?.batchId ?? -1)) {
        throw this.#stale(
          checkpointUrl,
          planned?.batchId,
          "the checkpoint is older than the table, a restored backup perhaps",
        );
      }
      if (done === undefined || done.batchId <= (this.#recorded ?? -1)) return;
      await this.#look();
      if (done.batchId <= (this.#recorded ?? -1)) return;
      throw this.#stale(
        checkpointUrl,
        done.batchId,
        "it is the checkpoint of another table, or the table was set back to an older copy or has forgotten the stream (delta.setTransactionRetentionDuration)",
      );
    };
  }

  has(batchId: number): boolean {
    return this.#recorded !== undefined && this.#recorded >= batchId;
  }

  async write({ batchId, schema, chunks }: BatchOutput): Promise<BatchWritten> {
    const input: RowInput<object> =
      schema === undefined ? rowsOf(chunks) : { schema: async () => schema, batches: () => batchesOf(chunks, schema) };
    const txn = { appId: this.#queryId, version: batchId };
    const { version, skipped } = await append(
      this.#log,
      input,
      { ...this.#options, txn },
      {
        move: this.#move,
        operation: "STREAMING UPDATE",
        operationParameters: { outputMode: "Append", queryId: this.#queryId, epochId: String(batchId) },
      },
    );
    this.#recorded = batchId;
    this.#move = [];
    return { version, skipped };
  }

  async #look(): Promise<void> {
    await this.#log.latestIfExists();
    this.#recorded = this.#transaction(this.#queryId);
  }

  #transaction(appId: string): number | undefined {
    const version = this.#log.known?.transactions.get(appId)?.version;
    return version === undefined ? undefined : Number(version);
  }

  #stale(checkpointUrl: string, batchId: number | undefined, why: string): DeltaError {
    const recorded = this.#recorded;
    return new DeltaError(
      "DELTA_STREAM_CHECKPOINT_STALE",
      `The checkpoint ${checkpointUrl} is at batch ${batchId ?? "0 (new)"}, the table ${this.#log.store.url} at ${recorded ?? "none"} of this stream: ${why}. Going on would lose or double rows; nothing was written. Restore the two together, or begin a new stream with another checkpoint folder.`,
      { checkpoint: checkpointUrl, batchId, recorded, queryId: this.#queryId },
    );
  }

  #lost(checkpointUrl: string): DeltaError {
    const name = this.#name === undefined ? `with the checkpoint ${checkpointUrl}` : `named "${this.#name}"`;
    return new DeltaError(
      "DELTA_STREAM_CHECKPOINT_STALE",
      `The table ${this.#log.store.url} was fed by a stream ${name}, but what is in ${checkpointUrl} now is another stream's or new: the checkpoint was lost or replaced. Going on would add the source's rows again; nothing was written. Restore it, or begin a new stream with another ${this.#name === undefined ? "checkpoint folder" : "queryName"}.`,
      { checkpoint: checkpointUrl, queryId: this.#queryId },
    );
  }
}

async function* rowsOf(chunks: AsyncIterable<Chunk>): AsyncGenerator<object> {
  for await (const chunk of chunks) yield* chunk as readonly object[];
}

/** Rows that a function made become Arrow here. */
export async function* batchesOf(chunks: AsyncIterable<Chunk>, schema: StructType): AsyncGenerator<RecordBatch> {
  let rowCount = 0;
  for await (const chunk of chunks) {
    const batch = isBatch(chunk) ? chunk : buildBatch(schema, chunk, rowCount);
    rowCount += batch.numRows;
    yield batch;
  }
}

function hash(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
