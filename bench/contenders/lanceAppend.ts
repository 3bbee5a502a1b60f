// LanceDB: appends one by one. Arguments: the folder, how many, `open` (one handle) or `reopened`.
import { lancedb, lanceRows } from "../lancedb.js";
import { latenciesOf, sample } from "../process.js";
import { rows } from "../rows.js";

const [folder = "", count = "", how] = process.argv.slice(2);
const { connect } = lancedb();
const batches = Array.from({ length: Number(count) + 1 }, (_, n) => lanceRows(rows(n)));
const connection = await connect(folder);
const handle = await connection.createTable("rows", batches[0]!);
const opened = async () => (how === "open" ? handle : (await connect(folder)).openTable("rows"));

await sample(
  () => latenciesOf(batches.slice(1).map((batch) => async () => (await opened()).add(batch))),
  async () => {
    const all = await (await opened()).query().toArrow();
    const column = (name: string) => [...(all.getChild(name) as Iterable<unknown>)];
    const sum = (name: string) => column(name).reduce<number>((total, value) => total + Number(value), 0);
    const names = new Set(column("name")).size;
    return { rows: all.numRows, id: sum("id"), value: sum("value"), flags: sum("flag"), names };
  },
  (latencies) => ({ latencies }),
);
