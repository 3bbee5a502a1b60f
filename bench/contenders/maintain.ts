// Compacts, lists what a vacuum would delete, or writes a checkpoint. Arguments: the table, a copy to do it to, what.
import { Table } from "delta-table";
import { linkedCopy } from "../linkedCopy.js";
import { loadModules, sample } from "../process.js";

const [source = "", path = "", what = ""] = process.argv.slice(2);
await loadModules();
await Table.open("memory:modules").optimize();
// The peers' libraries are loaded before their clocks too: here DuckDB's.
if (what === "compact") await Table.open("memory:modules").delete("id % 100 = 7");
await Table.open("memory:modules").vacuum({ dryRun: true });
linkedCopy(source, path);
const table = Table.open(path);
const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  compact: () => table.optimize(),
  vacuum: async () => (await table.vacuum({ dryRun: true })).fileCount,
  checkpoint: () => table.checkpoint(),
};
await sample(tasks[what]!, (result) => (what === "vacuum" ? { files: result } : null));
