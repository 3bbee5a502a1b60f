import type { StreamPosition } from "./checkpointFolder.js";
import type { Flow } from "./step.js";

/** One batch on its way to a sink. Its chunks may be read once, and to their end. */
export interface BatchOutput extends Flow {
  readonly batchId: number;
}

/** What became of a batch. */
export interface BatchWritten {
  /** The version that holds it, where it went to a table. */
  readonly version?: number;
  /** True where it had been written already: its chunks weren't needed. */
  readonly skipped: boolean;
}

/** Where a stream's rows go. */
export interface StreamSink {
  /**
   * Called before the checkpoint's batches are looked at; the function it gives checks that the two belong together.
   */
  open(queryId: string, checkpointUrl: string): Promise<(position: StreamPosition) => Promise<void>>;
  /** Whether a batch is there already. */
  has(batchId: number): boolean;
  write(output: BatchOutput): Promise<BatchWritten>;
}
