// Deletes, updates or merges rows of a copy of a table. Arguments: the table, the copy, what, rows, `copies` or `vectors`.
import { sql, Table } from "delta-table";
import { linkedCopy } from "../linkedCopy.js";
import { loadModules, sample } from "../process.js";
import { type BenchRow, mergedRows } from "../rows.js";

const [source = "", path = "", what = "", count = "", how = ""] = process.argv.slice(2);
await loadModules();
// The peers' libraries are loaded before their clocks too: here DuckDB's.
await Table.open("memory:modules").delete("id % 100 = 7");
linkedCopy(source, path);
const table = Table.open<BenchRow>(path);
if (how === "vectors") await table.alter.setProperties({ "delta.enableDeletionVectors": "true" });
const merged = Table.open<BenchRow>("memory:merged");
await merged.append(mergedRows(Number(count)));
const rows = await merged.toArrow();

const changes: Readonly<Record<string, () => Promise<unknown>>> = {
  delete: () => table.delete("id % 100 = 7"),
  update: () => table.update({ set: { value: sql`value + 1` }, where: "id % 100 = 7" }),
  merge: () => table.merge(rows, { on: ["id"], whenMatched: [{ update: "*" }], whenNotMatched: [{ insert: "*" }] }),
};
await sample(changes[what]!, () => null);
