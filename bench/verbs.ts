import type { Table } from "delta-table";
import { type BenchRow, rowsFrom } from "./rows.js";

type Rows = Table<BenchRow>;
type Call = (table: Rows) => Promise<unknown>;

/** A call whose requests are counted, and what it needs the table to be. */
export interface Verb {
  readonly name: string;
  readonly call: Call;
  readonly prepare?: Call;
}

const vectors: Call = (table) => table.alter.setProperties({ "delta.enableDeletionVectors": "true" });

/** Each on a new handle, on a table that {@link makeElevenFiles} made. */
export const VERBS: readonly Verb[] = [
  { name: "open", call: (table) => table.version() },
  { name: "append of 100 rows", call: (table) => table.append(rowsFrom(20_000, 100)) },
  { name: "read all", call: (table) => table.toArrow() },
  { name: "read one column of six", call: (table) => table.toArrow({ columns: ["value"] }) },
  { name: "read where an id is, in one file", call: (table) => table.toArrow({ where: { id: 5_500n } }) },
  { name: "count", call: (table) => table.count() },
  { name: "list the files", call: (table) => table.files() },
  { name: "history", call: (table) => table.history() },
  { name: "delete a row, by copying", call: (table) => table.delete({ id: 5_500n }) },
  { name: "delete a row, by a vector", call: (table) => table.delete({ id: 5_500n }), prepare: vectors },
  {
    name: "update a row, by copying",
    call: (table) => table.update({ set: { value: 0 }, where: { id: 5_500n } }),
  },
  {
    name: "merge 10 rows into one file",
    call: (table) =>
      table.merge(rowsFrom(5_500, 10), {
        on: ["id"],
        whenMatched: [{ update: "*" }],
        whenNotMatched: [{ insert: "*" }],
      }),
  },
  { name: "optimize 11 files", call: (table) => table.optimize() },
  { name: "vacuum, dry run", call: (table) => table.vacuum({ dryRun: true }) },
  { name: "checkpoint", call: (table) => table.checkpoint() },
];

/** A table of eleven files of 1,000 rows, whose log has a checkpoint. */
export async function makeElevenFiles(table: Rows, { prepare }: Verb): Promise<void> {
  for (let n = 0; n < 11; n++) await table.append(rowsFrom(n * 1_000, 1_000));
  await prepare?.(table);
}
