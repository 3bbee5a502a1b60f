// LanceDB reads a table, once to warm up and once for the clock. Arguments: the folder, what, rows.
import { type LanceArrow, type LanceTable, lancedb } from "../lancedb.js";
import { sample } from "../process.js";
import { scanAnswer } from "../scanAnswer.js";

const [folder = "", what = "", count = ""] = process.argv.slice(2);
const bound = Number(count) - Math.floor(Number(count) / 20);
const open = async () => (await lancedb().connect(folder)).openTable("rows");

const scans: Readonly<Record<string, (table: LanceTable) => Promise<LanceArrow>>> = {
  all: (table) => table.query().toArrow(),
  // It has no aggregates: the column is read and summed here.
  sum: (table) => table.query().select(["value"]).toArrow(),
  filter: (table) => table.query().where(`id >= ${bound}`).toArrow(),
  column: (table) => table.query().select(["value"]).toArrow(),
};
const total = (table: LanceArrow) => {
  let sum = 0;
  for (const value of table.getChild("value") ?? []) sum += value as number;
  return sum;
};
await scans.filter!(await open());
await sample(
  async () => {
    const table = await scans[what]!(await open());
    return what === "sum" ? { table, sum: total(table) } : { table, sum: 0 };
  },
  ({ table, sum }) => (what === "sum" ? { total: sum } : scanAnswer(table, what)),
);
