// LanceDB: one table of many rows. Arguments: the folder, rows, `arrow` or `objects`.
import { tableToIPC } from "apache-arrow";
import { Table } from "delta-table";
import { lancedb } from "../lancedb.js";
import { sample } from "../process.js";
import { type BenchRow, rowsFrom } from "../rows.js";

const [folder = "", count = "", from] = process.argv.slice(2);
const { connect, tableFromIPC } = lancedb();
const objects = rowsFrom(0, Number(count));
const made = Table.open<BenchRow>("memory:made");
await made.append(objects);
const arrow = tableFromIPC(tableToIPC(await made.toArrow(), "stream"));
// It can't tell by itself what a Date is.
const { schema } = arrow as { readonly schema: unknown };
const connection = await connect(folder);

await sample(
  () =>
    from === "arrow" ? connection.createTable("rows", arrow) : connection.createTable("rows", objects, { schema }),
  async (table) => ({ rows: await table.countRows() }),
);
