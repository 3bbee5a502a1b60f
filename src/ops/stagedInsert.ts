import type { DeltaLog } from "../log/deltaLog.js";
import type { Snapshot } from "../log/snapshot.js";
import type { RowInput } from "../write/input.js";
import { allStored } from "../write/stored.js";
import { type AppendOptions, rowsFor } from "./append.js";
import { ChangeFiles } from "./rewrite/changeFiles.js";
import { type AppendResult, dataFileWriter, tableActions } from "./stagedAppend.js";
import type { StagedChange } from "./stagedChange.js";
import { stageRows } from "./stagedRows.js";

export interface StagedInsert extends StagedChange, Pick<AppendResult, "rowCount" | "fileCount" | "sizeBytes"> {}

/** Writes rows to files that are one part of a change; `tells` has change files written for them. */
export async function stageInsert(
  log: DeltaLog,
  snapshot: Snapshot,
  input: RowInput<object>,
  options: AppendOptions,
  tells: boolean,
): Promise<StagedInsert> {
  const { target, batches } = await rowsFor(snapshot, input, options);
  const changes = tells ? new ChangeFiles(log, target, options.signal) : undefined;
  async function* told() {
    for await (const batch of batches) {
      await changes?.write(batch, "insert");
      yield batch;
    }
  }
  try {
    const staged = await stageRows(dataFileWriter(log, target, options.signal), told(), options);
    const cdc = await changes?.finish();
    const { adds, stored, rowCount } = staged;
    const sizeBytes = adds.reduce((sum, { size }) => sum + size, 0);
    return {
      actions: [...tableActions(target), ...adds.map((add) => ({ add })), ...(cdc?.actions ?? [])],
      reads: undefined,
      operation: "WRITE",
      operationParameters: { mode: "Append", partitionBy: JSON.stringify(target.metadata.partitionColumns) },
      operationMetrics: {
        numFiles: String(adds.length),
        numOutputRows: String(rowCount),
        numOutputBytes: String(sizeBytes),
      },
      stored: allStored([stored, cdc?.stored]),
      discard: async () => {
        await Promise.all([staged.discard(), changes?.discard()]);
      },
      rowCount,
      fileCount: adds.length,
      sizeBytes,
    };
  } catch (error) {
    await changes?.discard();
    throw error;
  }
}
