// Reads a table, once to warm up and once for the clock. Arguments: the table, what, rows.
import type { Table as ArrowTable } from "apache-arrow";
import { Table } from "delta-table";
import { sample } from "../process.js";
import { scanAnswer } from "../scanAnswer.js";

const [path = "", what = "", count = ""] = process.argv.slice(2);
const bound = BigInt(Number(count) - Math.floor(Number(count) / 20));

const scans: Readonly<Record<string, (table: Table) => Promise<ArrowTable>>> = {
  all: (table) => table.toArrow(),
  sum: (table) => table.sql("SELECT sum(value) AS total FROM this").toArrow(),
  filter: (table) => table.toArrow({ where: { id: { gte: bound } } }),
  column: (table) => table.toArrow({ columns: ["value"] }),
};
await scans[what === "sum" ? "sum" : "filter"]!(Table.open(path));
await sample(
  () => scans[what]!(Table.open(path)),
  (table) => scanAnswer(table, what),
);
