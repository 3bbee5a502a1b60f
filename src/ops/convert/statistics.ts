import { FileStatistics } from "../../arrow/statistics.js";
import type { Footer } from "../../parquet/footer.js";
import { readParquet } from "../../parquet/read.js";
import { conformFile } from "../../read/conformFile.js";
import { columnNames } from "../../read/fileColumns.js";
import type { StructType } from "../../schema/types.js";
import type { ObjectStore } from "../../storage/store.js";

/** A data file's statistics, from its values: footers often lack the exact ones. */
export async function fileStatistics(
  store: ObjectStore,
  footer: Footer,
  schema: StructType,
  columns: readonly (readonly string[])[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const statistics = new FileStatistics(schema, columns);
  const tops = new Set(columns.map(([top]) => top));
  const read: StructType = { type: "struct", fields: schema.fields.filter(({ name }) => tops.has(name)) };
  const paths = columnNames(read, "none", footer).map((name) => [name]);
  if (footer.rowCount === 0 || read.fields.length === 0) {
    statistics.addRecords(footer.rowCount);
    return statistics.toJson();
  }
  for await (const batch of readParquet(store, footer.file, { columns: paths, footer, signal })) {
    statistics.add(conformFile(footer.file, batch, read, "none"));
  }
  return statistics.toJson();
}
