// parquetjs-lite: one file of many rows, without a table around it. Arguments: the folder, rows.
import { createRequire } from "node:module";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync } from "hyparquet";
import { sample, storedBytes } from "../process.js";
import { rowsFrom } from "../rows.js";

const { ParquetSchema, ParquetWriter } = createRequire(import.meta.url)("parquetjs-lite");
const [folder = "", count = ""] = process.argv.slice(2);
const path = join(folder, "rows.parquet");
// It takes an INT64 as a number.
const rows = rowsFrom(0, Number(count)).map((row) => ({ ...row, id: Number(row.id) }));
const types = { id: "INT64", at: "TIMESTAMP_MILLIS", name: "UTF8", value: "DOUBLE", flag: "BOOLEAN", category: "UTF8" };
const schema = new ParquetSchema(
  Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type, compression: "SNAPPY" }])),
);

await sample(
  async () => {
    const writer = await ParquetWriter.openFile(schema, path);
    for (const row of rows) await writer.appendRow(row);
    await writer.close();
  },
  async () => ({ rows: Number((await parquetMetadataAsync(await asyncBufferFromFile(path))).num_rows) }),
  () => ({ storedBytes: storedBytes(folder) }),
);
