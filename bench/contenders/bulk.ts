// One append of many rows to a new table. Arguments: the table, rows, a table that has these rows, `arrow` or `objects`, `fsync` or `no-fsync`.
import { Table } from "delta-table";
import { sample, storedBytes } from "../process.js";
import { type BenchRow, rowsFrom } from "../rows.js";

const [path = "", count = "", source = "", from, sync] = process.argv.slice(2);
const input = from === "arrow" ? await Table.open(source).toArrow() : rowsFrom(0, Number(count));
// What a first append loads isn't timed: a process that appends once is the start workload's matter.
await Table.open<BenchRow>("memory:warm").append(rowsFrom(0, 10));

await sample(
  () => Table.open<BenchRow>(path, sync === "no-fsync" ? { fsync: false } : {}).append(input),
  () => null,
  () => ({ storedBytes: storedBytes(path) }),
);
