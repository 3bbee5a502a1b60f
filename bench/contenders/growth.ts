// One call on a table, in a warm process. Arguments: what, the table, a copy for what changes it.
import { Table } from "delta-table";
import { linkedCopy } from "../linkedCopy.js";
import { loadModules, sample } from "../process.js";

const [what = "", source = "", copy = ""] = process.argv.slice(2);
await loadModules();
const isChange = what === "append" || what === "checkpoint";
if (isChange) linkedCopy(source, copy);
const table = Table.open(isChange ? copy : source);
if (what === "append") await table.version();

const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  open: () => table.version(),
  append: () => table.append([{ id: 1n, at: new Date(0), name: "a", value: 1 }]),
  list: async () => {
    let files = 0;
    for await (const batch of table.fileBatches({ columns: ["path"] })) files += batch.numRows;
    return files;
  },
  "list where": async () => {
    let files = 0;
    for await (const _ of table.batches({ where: { id: -1n } })) files++;
    return files;
  },
  checkpoint: () => table.checkpoint(),
};
await sample(calls[what]!, () => null);
