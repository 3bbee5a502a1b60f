import { type RecordBatch, RecordBatchStreamWriter } from "apache-arrow";
import { toArrowSchema } from "../../arrow/schema.js";
import type { StructType } from "../../schema/types.js";

/** Arrow's stream format, piece by piece: what was written is taken before the next batch is. */
export async function* arrowStream(
  schema: StructType,
  batches: AsyncIterable<RecordBatch>,
): AsyncGenerator<Uint8Array> {
  const writer = new PieceWriter();
  writer.reset(undefined, toArrowSchema(schema));
  yield* writer.take();
  for await (const batch of batches) {
    writer.write(batch);
    yield* writer.take();
  }
  writer.finish();
  yield* writer.take();
}

/** Keeps the bytes instead of queueing them without bound. */
class PieceWriter extends RecordBatchStreamWriter {
  #pieces: Uint8Array[] = [];

  take(): Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  protected override _write(chunk: unknown): this {
    if (!this._started || !ArrayBuffer.isView(chunk) || chunk.byteLength === 0) return this;
    this.#pieces.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this._position += chunk.byteLength;
    return this;
  }
}
