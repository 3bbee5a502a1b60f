import { DeltaError } from "../errors.js";
import { columnNames, nearestName, resolveColumn } from "../schema/columns.js";
import type { StructType } from "../schema/types.js";

/** As many as Delta's own takes. */
const MAX_COLUMNS = 4;

/** The paths of columns to cluster by. Throws `DELTA_INVALID_ARGUMENT`. */
export function clusterPaths(
  schema: StructType,
  names: readonly string[],
  partitionColumns: readonly string[],
): readonly (readonly string[])[] {
  if (partitionColumns.length > 0) throw invalid("A table is either partitioned or clustered, not both.", {});
  if (names.length > MAX_COLUMNS) throw invalid(`A table is clustered by ${MAX_COLUMNS} columns at most.`, { names });
  if (new Set(names).size < names.length) throw invalid("A column to cluster by is named twice.", { names });
  return names.map((name) => {
    const column = resolveColumn(schema, [name]) ?? resolveColumn(schema, name.split("."));
    if (column === undefined) {
      const nearest = nearestName(name, columnNames(schema));
      throw invalid(`There is no column "${name}" to cluster by.`, { column: name, nearest });
    }
    if (typeof column.type !== "string" || ["binary", "boolean", "variant", "void"].includes(column.type)) {
      throw invalid(`The column "${name}" has no order to cluster by.`, { column: name });
    }
    return column.path;
  });
}

function invalid(message: string, data: Record<string, unknown>): DeltaError {
  return new DeltaError("DELTA_INVALID_ARGUMENT", message, data);
}
