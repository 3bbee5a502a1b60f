import { DeltaError } from "../errors.js";
import type { DataType, StructType } from "../schema/types.js";

/**
 * The columns (paths to leaves; arrays and maps are leaves) that a table keeps statistics of: those that
 * `delta.dataSkippingStatsColumns` names (`statsColumns`; a struct's name stands for all in it), or else the first
 * `delta.dataSkippingNumIndexedCols` leaves in the schema's order (`numIndexedCols`, -1 for all). Partition columns have
 * none and aren't counted. Names are compared without regard to case, as Spark does.
 *
 * `statsColumns` are names as the property holds them, each maybe with dots and backticks: see {@link parseColumnNames}.
 * Throws DELTA_INVALID_ARGUMENT where a name can't be parsed; names that the schema lacks are passed over.
 */
export function statisticsColumns(
  schema: StructType,
  partitionColumns: readonly string[],
  properties: {
    readonly numIndexedCols: number;
    readonly statsColumns?: readonly string[];
    /** Columns that have statistics in any case. */
    readonly always?: readonly (readonly string[])[];
  },
): readonly (readonly string[])[] {
  const leaves = schema.fields
    .filter((field) => !partitionColumns.includes(field.name))
    .flatMap((field) => leavesOf(field.type, [field.name]));
  const { numIndexedCols, statsColumns, always = [] } = properties;
  const listed = statsColumns?.flatMap(parseColumnNames);
  const wanted = [...(listed ?? []), ...always].map((path) => path.map(lowerCase));
  const isFirst = (index: number) => listed === undefined && (numIndexedCols < 0 || index < numIndexedCols);
  return leaves.filter(
    (leaf, index) =>
      isFirst(index) || wanted.some((path) => path.every((name, i) => name === lowerCase(leaf[i] ?? ""))),
  );
}

function leavesOf(type: DataType, path: readonly string[]): (readonly string[])[] {
  if (type === "void") return [];
  if (typeof type === "string" || type.type !== "struct") return [path];
  return type.fields.flatMap((field) => leavesOf(field.type, [...path, field.name]));
}

function lowerCase(name: string): string {
  return name.toLowerCase();
}

/**
 * The columns of a list such as "a, b.c, `odd, name`.`x``y`": parts between dots, in backticks where they hold other
 * characters, a backtick in them doubled. An empty text has none. Throws DELTA_INVALID_ARGUMENT where it is no such list.
 */
export function parseColumnNames(text: string): (readonly string[])[] {
  if (text.trim() === "") return [];
  const names: string[][] = [[]];
  const token = /\s*(?:`((?:[^`]|``)+)`|([^\s`.,]+))\s*([.,]|$)/y;
  while (token.lastIndex < text.length || names[names.length - 1].length === 0) {
    const match = token.exec(text);
    if (!match) break;
    names[names.length - 1].push(match[1]?.replaceAll("``", "`") ?? match[2]);
    if (match[3] === "") return names;
    if (match[3] === ",") names.push([]);
  }
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `"${text}" is no list of column names, such as "a, b.c, \`odd name\`".`,
    {
      text,
    },
  );
}
