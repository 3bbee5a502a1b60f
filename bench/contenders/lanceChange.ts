// LanceDB deletes, updates or merges rows of a copy of a table. Arguments: the folder, the copy, what, rows.
import { tableToIPC } from "apache-arrow";
import { Table } from "delta-table";
import { lancedb } from "../lancedb.js";
import { linkedCopy } from "../linkedCopy.js";
import { sample } from "../process.js";
import { type BenchRow, mergedRows } from "../rows.js";

const [source = "", folder = "", what = "", count = ""] = process.argv.slice(2);
linkedCopy(source, folder);
const { connect, tableFromIPC } = lancedb();
const merged = Table.open<BenchRow>("memory:merged");
await merged.append(mergedRows(Number(count)));
const rows = tableFromIPC(tableToIPC(await merged.toArrow(), "stream"));
const table = await (await connect(folder)).openTable("rows");

const changes: Readonly<Record<string, () => Promise<unknown>>> = {
  delete: () => table.delete("id % 100 = 7"),
  update: () => table.update({ where: "id % 100 = 7", valuesSql: { value: "value + 1" } }),
  merge: () => table.mergeInsert("id").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(rows),
};
await sample(changes[what]!, async () => {
  const all = await table.query().select(["id", "value"]).toArrow();
  const sums = { id: 0n, value: 0 };
  for (const id of all.getChild("id") ?? []) sums.id += id as bigint;
  for (const value of all.getChild("value") ?? []) sums.value += value as number;
  return { rows: all.numRows, id: Number(sums.id), value: sums.value };
});
