// Durable appends of ten rows one after another through one handle. Arguments: the table, how many. Prints, by the number of commits, the median and
// the 99th percentile of the last tenth of them, in milliseconds.
import { Table } from "delta-table";
import { type BenchRow, rowsFrom } from "../rows.js";

const [path = "", count = ""] = process.argv.slice(2);
await using table = Table.open<BenchRow>(path);
const times: number[] = [];
const points: { commits: number; p50: number; p99: number }[] = [];
for (let n = 1; n <= Number(count); n++) {
  const start = performance.now();
  await table.append(rowsFrom(n * 10, 10));
  times.push(performance.now() - start);
  if (n >= 100 && Number.isInteger(Math.log10(n))) {
    const last = times.slice(-n / 10).sort((a, b) => a - b);
    const at = (part: number) => last[Math.floor(last.length * part)]!;
    points.push({ commits: n, p50: at(0.5), p99: at(0.99) });
  }
}
console.log(JSON.stringify(points));
