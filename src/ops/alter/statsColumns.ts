import { parseColumnNames } from "../../arrow/statisticsColumns.js";
import type { Metadata } from "../../log/actions.js";
import { property } from "../../log/properties.js";
import { pathText } from "./columnPath.js";

/** The metadata whose list of columns with statistics calls a column by its new name; without it where that is undefined. */
export function renamedStatsColumns(
  metadata: Metadata,
  path: readonly string[],
  renamed: readonly string[] | undefined,
): Metadata {
  const key = "delta.dataSkippingStatsColumns";
  const listed = property(metadata, key);
  if (listed === undefined) return metadata;
  const columns = parseColumnNames(listed);
  const changed = columns.flatMap((column) => {
    const isIn = path.every((name, i) => column[i]?.toLowerCase() === name.toLowerCase());
    if (!isIn) return [column];
    return renamed === undefined ? [] : [[...renamed, ...column.slice(path.length)]];
  });
  const text = changed.map(pathText).join(",");
  if (columns.length === changed.length && text === columns.map(pathText).join(",")) return metadata;
  return { ...metadata, configuration: { ...metadata.configuration, [key]: text } };
}
