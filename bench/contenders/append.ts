// Arguments: the table, how many appends, `open` (one handle) or `reopened`, `fsync` or `no-fsync`.
import { Table } from "delta-table";
import { latenciesOf, sample } from "../process.js";
import { type BenchRow, rows } from "../rows.js";

const [path = "", count = "", how, sync] = process.argv.slice(2);
const options = sync === "no-fsync" ? { fsync: false } : {};
const batches = Array.from({ length: Number(count) + 1 }, (_, n) => rows(n));
const handle = Table.open<BenchRow>(path, options);
await handle.append(batches[0]!);

await sample(
  () =>
    latenciesOf(
      batches
        .slice(1)
        .map((batch) => () => (how === "open" ? handle : Table.open<BenchRow>(path, options)).append(batch)),
    ),
  () => null,
  (latencies) => ({ latencies }),
);
