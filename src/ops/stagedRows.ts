import type { RecordBatch } from "apache-arrow";
import { checkSignal } from "../signal.js";
import type { StagedFiles } from "../write/dataFiles.js";
import type { StagedAppend } from "./stagedAppend.js";

export interface RowProgress {
  /** Rows taken in so far. None of them is visible before the call returns. */
  readonly rowCount: number;
}

interface RowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch taken in. */
  readonly onProgress?: ((progress: RowProgress) => void) | undefined;
}

/** What takes rows and makes files of them. */
interface RowWriter {
  write(batch: RecordBatch): Promise<void>;
  finish(): Promise<StagedFiles>;
  discard(): Promise<void>;
}

/** Writes rows to files that wait for their commit; where that fails, none is left. */
export async function stageRows(
  writer: RowWriter,
  batches: AsyncIterable<RecordBatch>,
  { signal, onProgress }: RowOptions,
): Promise<StagedAppend> {
  let rowCount = 0;
  try {
    for await (const batch of batches) {
      checkSignal(signal, "the write");
      await writer.write(batch);
      rowCount += batch.numRows;
      onProgress?.({ rowCount });
    }
    return { ...(await writer.finish()), rowCount, discard: () => writer.discard() };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
