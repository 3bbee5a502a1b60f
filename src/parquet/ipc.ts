import { type RecordBatch, RecordBatchStreamWriter } from "apache-arrow";

/**
 * Batches of one schema, one at least, as an Arrow IPC stream in a buffer of its own.
 *
 * `tableToIPC` and the writer's `toUint8Array` must not be used for this: they take neighbouring pieces of one buffer
 * for one piece, and so lose bytes where two columns share a vector or two batches are slices that overlap.
 */
export function ipcBytes(batches: readonly RecordBatch[]): Uint8Array<ArrayBuffer> {
  const writer = new PieceWriter();
  for (const batch of batches) writer.write(batch);
  writer.finish();
  const bytes = new Uint8Array(writer.sizeBytes);
  let offset = 0;
  for (const piece of writer.pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

class PieceWriter extends RecordBatchStreamWriter {
  readonly pieces: Uint8Array[] = [];
  sizeBytes = 0;

  protected override _write(piece: ArrayBufferView): this {
    if (this._started && piece.byteLength > 0) {
      this.pieces.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      this.sizeBytes += piece.byteLength;
      this._position += piece.byteLength;
    }
    return this;
  }
}
