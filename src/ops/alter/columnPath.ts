import { parseColumnNames } from "../../arrow/statisticsColumns.js";
import { DeltaError } from "../../errors.js";

/**
 * A column, nested ones too: names between dots, in backticks where they hold dots themselves ("address.city"), or a list of names. Through
 * arrays and maps lead `element`, `key` and `value`.
 */
export type ColumnPath = string | readonly string[];

/** The names of a path. Throws `DELTA_INVALID_ARGUMENT`. */
export function columnPath(path: ColumnPath): readonly string[] {
  if (typeof path !== "string") {
    if (path.length > 0) return path;
    throw new DeltaError("DELTA_INVALID_ARGUMENT", "A column's path has a name at least.", { path });
  }
  const [names, ...more] = parseColumnNames(path);
  if (names !== undefined && more.length === 0) return names;
  throw new DeltaError("DELTA_INVALID_ARGUMENT", `${JSON.stringify(path)} is no column, such as "address.city".`, {
    path,
  });
}

/** The path as SQL has it. */
export function pathText(path: readonly string[]): string {
  return path.map((name) => (/^\w+$/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``)).join(".");
}
