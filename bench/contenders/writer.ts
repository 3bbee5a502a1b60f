// One of several writers: appends of ten rows. Arguments: the engine, the table, its number, appends.
import { once } from "node:events";
import { Table } from "delta-table";
import { lancedb, lanceRows } from "../lancedb.js";
import { type BenchRow, rowsFrom } from "../rows.js";

const [engine, path = "", number = "", appends = ""] = process.argv.slice(2);
const append = engine === "lancedb" ? await lanceAppend() : await ourAppend();
console.log("ready");
await once(process.stdin, "data");
for (let n = 0; n < Number(appends); n++) await append(rowsFrom((Number(number) + 1) * 100_000 + n * 10, 10));
process.exit(0);

async function lanceAppend() {
  const table = await (await lancedb().connect(path)).openTable("rows");
  return (rows: BenchRow[]) => table.add(lanceRows(rows));
}

async function ourAppend() {
  const table = Table.open<BenchRow>(path);
  await table.version();
  await Table.open<BenchRow>("memory:warm").append(rowsFrom(0, 10));
  return (rows: BenchRow[]) => table.append(rows);
}
