import type { OptionRow } from "../command.js";
import { SCHEMA_OPTIONS } from "./schemaText.js";

export const MERGE_SCHEMA: OptionRow = {
  name: "merge-schema",
  kind: "flag",
  summary: "add columns that the files have and the table lacks",
};

/** The options that say what a table is that rows create. */
export const NEW_TABLE_OPTIONS: readonly OptionRow[] = [
  ...SCHEMA_OPTIONS,
  { name: "partition-by", kind: "names", value: "A,B", summary: "columns to partition a new table by" },
];

export const CLUSTER_BY: OptionRow = {
  name: "cluster-by",
  kind: "names",
  value: "A,B",
  summary: "columns whose neighbours optimize brings together",
};
