// Makes LanceDB's copy of a Delta table. Arguments: the table, the folder.
import { Table as ArrowTable, tableToIPC } from "apache-arrow";
import { Table } from "delta-table";
import { lancedb } from "../lancedb.js";

const [path = "", folder = ""] = process.argv.slice(2);
const { connect, tableFromIPC } = lancedb();
const connection = await connect(folder);
const made: { table?: Awaited<ReturnType<typeof connection.createTable>> } = {};
for await (const batch of Table.open(path).batches()) {
  const data = tableFromIPC(tableToIPC(new ArrowTable([batch]), "stream"));
  if (made.table === undefined) made.table = await connection.createTable("rows", data);
  else await made.table.add(data);
}
await made.table?.optimize();
