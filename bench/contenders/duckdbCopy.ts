// The floor of a load: DuckDB turns the CSV file into one Parquet file. No table, nothing flushed, nothing checked, nothing to go on
// from. Arguments: the CSV file, the folder, and a table where the file's rows are to be appended to one.
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { Table } from "delta-table";
import { sample } from "../process.js";

const [source = "", folder = "", path] = process.argv.slice(2);
const columns =
  "{id: 'BIGINT', 'at': 'TIMESTAMP WITH TIME ZONE', name: 'VARCHAR', value: 'DOUBLE', flag: 'BOOLEAN', category: 'VARCHAR'}";
const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();

await sample(
  async () => {
    const file = join(folder, "rows.parquet");
    await connection.run(
      `COPY (SELECT * FROM read_csv('${source}', header = true, columns = ${columns}))
         TO '${file}' (FORMAT parquet, COMPRESSION snappy)`,
    );
    if (path === undefined) return;
    await using table = Table.open(path);
    await table.load(file);
  },
  () => null,
);
