// Several processes append to one table at the same time. Arguments: the engine, the table, writers, appends each, and a program for Python.
import { fileURLToPath } from "node:url";
import { Table } from "delta-table";
import { pythonScript } from "../folders.js";
import { lancedb, lanceRows } from "../lancedb.js";
import { type BenchRow, rowsFrom } from "../rows.js";
import { timeWriters } from "../writers.js";

const [engine = "", path = "", writers = "", appends = "", python = ""] = process.argv.slice(2);
const writer = fileURLToPath(new URL("./writer.js", import.meta.url));
if (engine === "lancedb") await (await lancedb().connect(path)).createTable("rows", lanceRows(rowsFrom(0, 10)));
else await Table.open<BenchRow>(path).append(rowsFrom(0, 10));

await timeWriters(
  Number(writers),
  (n) =>
    engine === "delta-rs"
      ? [python, pythonScript("writer"), path, String(n), appends]
      : [process.execPath, writer, engine, path, String(n), appends],
  async () => ({
    rows:
      engine === "lancedb"
        ? await (await (await lancedb().connect(path)).openTable("rows")).countRows()
        : await Table.open(path).count(),
  }),
);
