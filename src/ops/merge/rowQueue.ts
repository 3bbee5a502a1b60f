import type { RecordBatch } from "apache-arrow";
import { sliceBatch } from "../../arrow/take.js";
import { DeltaError } from "../../errors.js";

/** Rows that come in batches and are taken in others, in their order. */
export class RowQueue {
  readonly #batches: AsyncGenerator<RecordBatch>;
  #rest: RecordBatch | undefined;

  constructor(batches: AsyncGenerator<RecordBatch>) {
    this.#batches = batches;
  }

  /** The next `count` rows. */
  async take(count: number): Promise<RecordBatch[]> {
    const parts: RecordBatch[] = [];
    for (let missing = count; missing > 0; ) {
      const batch = this.#rest ?? (await this.#next());
      const taken = Math.min(missing, batch.numRows);
      parts.push(sliceBatch(batch, 0, taken));
      this.#rest = taken < batch.numRows ? sliceBatch(batch, taken, batch.numRows) : undefined;
      missing -= taken;
    }
    return parts;
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }

  async #next(): Promise<RecordBatch> {
    const next = await this.#batches.next();
    if (!next.done) return next.value;
    throw new DeltaError("DELTA_INTERNAL", "DuckDB gave fewer rows than it found.", {});
  }
}
