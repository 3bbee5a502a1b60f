// npm run demo [-- --keep]: the real flights table of the vega-datasets package (3 million rows) goes into a Delta table in
// batches, is read back, and is looked at as it was before.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { Table } from "delta-table";

const BATCHES = 6;

const keep = process.argv.includes("--keep");
const folder = await mkdtemp(join(tmpdir(), "delta-table-demo-"));
const path = join(folder, "flights");

/** Does one step and says how long it took. */
async function step(what, task) {
  const start = performance.now();
  const result = await task();
  console.log(`${`${((performance.now() - start) / 1000).toFixed(2)} s`.padStart(9)}  ${what(result)}`);
  return result;
}

const number = new Intl.NumberFormat("en-US").format;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The flights as an Arrow table. */
async function readFlights() {
  const parquet = await import("parquet-wasm");
  const bytes = await readFile(new URL("../data/flights-3m.parquet", import.meta.resolve("vega-datasets")));
  return tableFromIPC(parquet.readParquet(bytes, { batchSize: 122_880 }).intoIPCStream());
}

try {
  console.log(`A Delta table of real flights, in ${path}\n`);
  const flights = await step(
    (table) => `read the source file: ${number(table.numRows)} flights, columns ${table.schema.names.join(", ")}`,
    readFlights,
  );

  const table = Table.open(path);
  const perBatch = Math.ceil(flights.numRows / BATCHES);
  for (let n = 0; n < BATCHES; n++) {
    await step(
      ({ version, rowCount, sizeBytes }) =>
        `appended ${number(rowCount)} rows in ${megabytes(sizeBytes)}: version ${version}${n === 0 ? ", which created the table" : ""}`,
      () => table.append(flights.slice(n * perBatch, (n + 1) * perBatch)),
    );
  }

  console.log();
  await step(
    (count) => `count(): ${number(count)} rows, from the log's statistics alone`,
    () => table.count(),
  );
  await step(
    ({ rows, miles }) =>
      `read one column, distance, of all rows: ${number(rows)} flights, on average ${(miles / rows).toFixed(0)} miles`,
    async () => {
      let [rows, miles] = [0, 0];
      for await (const batch of table.batches({ columns: ["distance"] })) {
        rows += batch.numRows;
        const column = batch.getChild("distance");
        for (let i = 0; i < batch.numRows; i++) miles += Number(column.get(i));
      }
      return { rows, miles };
    },
  );
  await step(
    (count) => `count({ where: { delay: { gt: 120 } } }): ${number(count)} flights more than two hours late`,
    () => table.count({ where: { delay: { gt: 120 } } }),
  );
  const [first] = await step(
    () => 'the first row that matches { origin: "SFO" }:',
    () => table.toArray({ where: { origin: "SFO" }, limit: 1 }),
  );
  console.log("          ", first);

  console.log();
  await step(
    (count) => `at(0), the table as it was after the first append: ${number(count)} rows`,
    () => table.at(0).count(),
  );
  const history = await step(
    (entries) => `history(): ${entries.length} versions`,
    () => table.history(),
  );
  for (const { version, timestamp, operation } of history) {
    console.log(`           ${version}  ${new Date(timestamp).toISOString()}  ${operation}`);
  }
  if (keep) console.log(`\nKept. Any Delta reader can open it: ${path}`);
} finally {
  if (!keep) await rm(folder, { recursive: true, force: true });
}
