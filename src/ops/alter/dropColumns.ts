import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import type { Snapshot } from "../../log/snapshot.js";
import { columnText } from "../../schema/columns.js";
import { editFields, spelledPath } from "../../schema/editSchema.js";
import { type AlterOptions, type AlterResult, alterTable, withSchema } from "./alterTable.js";
import { checkMapped } from "./checkMapped.js";
import { type ColumnPath, columnPath, pathText } from "./columnPath.js";
import { checkNoDependents, isClusteredBy } from "./dependents.js";
import { renamedStatsColumns } from "./statsColumns.js";

/** Implements `TableAlter.dropColumns`; see there. */
export function dropColumns(
  log: DeltaLog,
  columns: string | readonly ColumnPath[],
  options: AlterOptions,
): Promise<AlterResult> {
  const paths = (typeof columns === "string" ? [columns] : columns).map(columnPath);
  return alterTable(log, options, (snapshot) => {
    checkMapped(snapshot, "drop");
    if (paths.length === 0) return undefined;
    let { schema } = snapshot;
    const dropped = paths.map((path) => spelledPath(schema, path));
    for (const path of dropped) {
      checkDroppable(snapshot, path);
      schema = editFields(schema, path.slice(0, -1), (fields) => {
        const left = fields.filter(({ name }) => name !== path.at(-1));
        if (left.length > 0) return left;
        throw refused("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", path, "it is the last one there");
      });
    }
    const metadata = dropped.reduce(
      (changed, path) => renamedStatsColumns(changed, path, undefined),
      withSchema(snapshot, schema),
    );
    return {
      metadata,
      operation: "DROP COLUMNS",
      operationParameters: { columns: JSON.stringify(dropped.map(pathText)) },
    };
  });
}

function checkDroppable(snapshot: Snapshot, path: readonly string[]): void {
  if (path.length === 1 && snapshot.metadata.partitionColumns.includes(path[0]!)) {
    throw refused("DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN", path, "the table is partitioned by it");
  }
  if (isClusteredBy(snapshot, path)) {
    throw refused("DELTA_UNSUPPORTED_DROP_CLUSTERING_COLUMN", path, "the table is clustered by it");
  }
  checkNoDependents(snapshot, path, "drop");
}

function refused(code: DeltaError["code"], path: readonly string[], why: string): DeltaError {
  const column = columnText(path);
  return new DeltaError(code, `The column "${column}" can't be dropped: ${why}.`, { column });
}
