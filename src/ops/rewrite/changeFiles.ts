import type { RecordBatch } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { constantVector } from "../../arrow/constant.js";
import { toArrowSchema } from "../../arrow/schema.js";
import type { Action } from "../../log/actions.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { isFeatureActive } from "../../log/features.js";
import type { Snapshot } from "../../log/snapshot.js";
import type { StructType } from "../../schema/types.js";
import { withVariantBytes } from "../../schema/variantBytes.js";
import { DataFileWriter } from "../../write/dataFiles.js";
import type { ChangeType } from "../changes.js";
import { dataFileOptions } from "../stagedAppend.js";

type TableState = Pick<Snapshot, "protocol" | "metadata" | "schema">;

/** Where the change files of a table are. */
const FOLDER = "_change_data";

/** Writes the change files of a commit (PROTOCOL.md, Change Data Files). */
export class ChangeFiles {
  readonly #schema: StructType;
  readonly #writer: DataFileWriter;
  rowCount = 0;

  constructor(log: DeltaLog, table: TableState, signal?: AbortSignal) {
    const { protocol, metadata, schema } = table;
    const type = { name: "_change_type", type: "string", nullable: true, metadata: {} } as const;
    this.#schema = { type: "struct", fields: [...withVariantBytes(schema).fields, type] };
    const options = dataFileOptions({ snapshot: undefined, protocol, metadata, schema });
    this.#writer = new DataFileWriter(log.store, {
      ...options,
      schema: this.#schema,
      statisticsColumns: [],
      folder: FOLDER,
      signal,
    });
  }

  /** Takes rows whose first columns are the table's. */
  async write(batch: RecordBatch | undefined, type: ChangeType): Promise<void> {
    if (batch === undefined || batch.numRows === 0) return;
    const { fields } = toArrowSchema(this.#schema);
    const own = batch.data.children.slice(0, fields.length - 1);
    this.rowCount += batch.numRows;
    await this.#writer.write(makeBatch(fields, [...own, constantVector("string", type, batch.numRows)], batch.numRows));
  }

  async finish(): Promise<{ readonly actions: readonly Action[]; readonly stored: Promise<void> }> {
    const { adds, stored } = await this.#writer.finish();
    const actions = adds.map(({ path, partitionValues, size }) => ({
      cdc: { path, partitionValues, size, dataChange: false as const },
    }));
    return { actions, stored };
  }

  discard(): Promise<void> {
    return this.#writer.discard();
  }
}

/** Whether a table tells its changes. */
export function tellsChanges({ protocol, metadata }: Snapshot): boolean {
  return isFeatureActive("changeDataFeed", protocol, metadata);
}
