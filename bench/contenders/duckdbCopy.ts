// The floor of a load: DuckDB turns the CSV file into one Parquet file. No table, nothing flushed, nothing checked, nothing to go on
// from. Arguments: the CSV file, the folder.
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { sample } from "../process.js";

const [source = "", folder = ""] = process.argv.slice(2);
const columns =
  "{id: 'BIGINT', 'at': 'TIMESTAMP WITH TIME ZONE', name: 'VARCHAR', value: 'DOUBLE', flag: 'BOOLEAN', category: 'VARCHAR'}";
const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();

await sample(
  async () => {
    await connection.run(
      `COPY (SELECT * FROM read_csv('${source}', header = true, columns = ${columns}))
         TO '${join(folder, "rows.parquet")}' (FORMAT parquet, COMPRESSION snappy)`,
    );
  },
  () => null,
);
