import type { RecordBatch } from "apache-arrow";
import { withVariantJson } from "../arrow/variant/jsonForm.js";
import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import type { BatchSource } from "../write/input.js";
import { storedBatches } from "../write/storedBatches.js";
import type { BatchOutput, BatchWritten, StreamSink } from "./sink.js";
import type { Chunk } from "./source.js";
import { rowsOf } from "./step.js";
import { batchesOf } from "./tableSink.js";

/** A batch's rows, which can be taken once: as objects, as Arrow batches, or as what `Table.append` takes. */
export class StreamBatch<Out extends object = Record<string, unknown>> implements BatchSource {
  readonly #schema: StructType | undefined;
  readonly #chunks: AsyncIterable<Chunk>;
  #isTaken = false;

  /** @internal */
  constructor(schema: StructType | undefined, chunks: AsyncIterable<Chunk>) {
    this.#schema = schema;
    this.#chunks = chunks;
  }

  /** The rows as objects, one at a time. */
  async *rows(): AsyncGenerator<Out> {
    for await (const chunk of this.#take()) yield* rowsOf(chunk, this.#schema) as readonly Out[];
  }

  [Symbol.asyncIterator](): AsyncGenerator<Out> {
    return this.rows();
  }

  async toArray(): Promise<Out[]> {
    const rows: Out[] = [];
    for await (const row of this.rows()) rows.push(row);
    return rows;
  }

  /** The rows as Arrow record batches. Throws `DELTA_CANNOT_INFER_SCHEMA` as {@link schema} does. */
  async *batches(): AsyncGenerator<RecordBatch> {
    for await (const batch of this[storedBatches]()) yield withVariantJson(batch);
  }

  /** @internal */
  async *[storedBatches](): AsyncGenerator<RecordBatch> {
    const schema = await this.schema();
    yield* batchesOf(this.#take(), schema);
  }

  /** Throws `DELTA_CANNOT_INFER_SCHEMA` where a function made the rows and nobody said what is in them. */
  async schema(): Promise<StructType> {
    if (this.#schema !== undefined) return this.#schema;
    throw new DeltaError(
      "DELTA_CANNOT_INFER_SCHEMA",
      "Nobody said what is in the rows that a function made: map(row => …, { schema }). As objects they can be taken all the same.",
      {},
    );
  }

  #take(): AsyncIterable<Chunk> {
    if (this.#isTaken) {
      throw new DeltaError(
        "DELTA_INVALID_ARGUMENT",
        "A batch's rows can be taken once; keep toArray()'s to use them twice.",
        {},
      );
    }
    this.#isTaken = true;
    return this.#chunks;
  }
}

/** What is called with each batch. */
export type BatchFunction = (batch: StreamBatch, batchId: number) => void | Promise<void>;

/** Calls a function with each batch: again with the same batch and number where a crash left open whether it was done. */
export class FunctionSink implements StreamSink {
  readonly #call: BatchFunction;

  constructor(call: BatchFunction) {
    this.#call = call;
  }

  async open(): Promise<() => Promise<void>> {
    return async () => undefined;
  }

  has(): boolean {
    return false;
  }

  async write({ batchId, schema, chunks }: BatchOutput): Promise<BatchWritten> {
    // What the function doesn't take is read to its end all the same.
    const items = chunks[Symbol.asyncIterator]();
    const unfinished: AsyncIterable<Chunk> = { [Symbol.asyncIterator]: () => ({ next: () => items.next() }) };
    await this.#call(new StreamBatch(schema, unfinished), batchId);
    while (!(await items.next()).done);
    return { skipped: false };
  }
}
