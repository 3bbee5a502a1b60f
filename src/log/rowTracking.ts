import { runtime } from "../runtime.js";
import { property } from "./properties.js";

/** Properties that name the columns of files in which rows that move keep their ids and versions, and how names begin. */
const COLUMNS = {
  "delta.rowTracking.materializedRowIdColumnName": "_row-id-col-",
  "delta.rowTracking.materializedRowCommitVersionColumnName": "_row-commit-version-col-",
} as const;

/**
 * The properties of a table, with the names of the columns that row tracking has in files where it is on: new ones that no other
 * column will have, unless it was on before. The same object where it is off.
 */
export function withRowTrackingColumns(
  configuration: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!property({ configuration }, "delta.enableRowTracking")) return configuration;
  const names = Object.entries(COLUMNS).map(([key, prefix]) => [
    key,
    configuration[key] ?? prefix + runtime.randomUUID(),
  ]);
  return { ...configuration, ...(Object.fromEntries(names) as Record<string, string>) };
}
