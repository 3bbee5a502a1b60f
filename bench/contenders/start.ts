// A whole process: opens a small table and prints its count. Argument: the table.
import { Table } from "delta-table";

console.log(await Table.open(process.argv[2]!).count());
