import { DeltaError } from "../../errors.js";
import type { DeltaLog } from "../../log/deltaLog.js";
import { columnText } from "../../schema/columns.js";
import { editFields, indexOf, spelledPath } from "../../schema/editSchema.js";
import { type AlterOptions, type AlterResult, alterTable, withSchema } from "./alterTable.js";
import { checkMapped } from "./checkMapped.js";
import { type ColumnPath, columnPath, pathText } from "./columnPath.js";
import { checkNoDependents } from "./dependents.js";
import { renamedStatsColumns } from "./statsColumns.js";

/** Implements `TableAlter.renameColumn`; see there. */
export function renameColumn(
  log: DeltaLog,
  path: ColumnPath,
  newName: string,
  options: AlterOptions,
): Promise<AlterResult> {
  return alterTable(log, options, (snapshot) => {
    checkMapped(snapshot, "rename");
    const old = spelledPath(snapshot.schema, columnPath(path));
    const [parent, name] = [old.slice(0, -1), old.at(-1)!];
    if (name === newName) return undefined;
    checkNoDependents(snapshot, old, "rename");
    const renamed = [...parent, newName];
    const schema = editFields(snapshot.schema, parent, (fields) => {
      const at = indexOf(fields, name);
      const other = indexOf(fields, newName);
      if (other >= 0 && other !== at) {
        throw new DeltaError("DELTA_DUPLICATE_COLUMNS_FOUND", `There is a column "${columnText(renamed)}" already.`, {
          column: columnText(renamed),
        });
      }
      return fields.map((field, i) => (i === at ? { ...field, name: newName } : field));
    });
    const { partitionColumns } = snapshot.metadata;
    const partitions =
      parent.length > 0 ? partitionColumns : partitionColumns.map((column) => (column === name ? newName : column));
    const metadata = withSchema(snapshot, schema, partitions);
    return {
      metadata: renamedStatsColumns(metadata, old, renamed),
      operation: "RENAME COLUMN",
      operationParameters: { oldColumnPath: pathText(old), newColumnPath: pathText(renamed) },
    };
  });
}
