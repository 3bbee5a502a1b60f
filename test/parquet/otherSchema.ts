import type { SchemaElement } from "hyparquet";
import { leavesOf, type ParquetNode, parquetTree } from "#src/parquet/fileSchema.js";
import { readFooter } from "#src/parquet/footer.js";
import { footerBytes } from "#src/parquet/footerBytes.js";
import { storeOf } from "./fixtures.js";

/**
 * The file with its pages as they are and another schema, which has the same columns with the same levels: so old writers' shapes of
 * lists, maps and decimals can be had without them. A child of the root is given as the flat list of its elements.
 */
export async function withSchema(file: Uint8Array, elements: readonly SchemaElement[]): Promise<Uint8Array> {
  const { store } = await storeOf(file);
  const footer = await readFooter(store, { path: "file", sizeBytes: file.length });
  const root: ParquetNode = parquetTree(elements);
  const leaves = leavesOf(root);
  const rowGroups = footer.rowGroups.map(({ rowCount, chunks }) => ({
    rowCount,
    chunks: chunks.map((chunk, i) => ({ path: leaves[i]!.path, chunk, start: chunk.start })),
  }));
  const end = Math.max(4, ...footer.rowGroups.flatMap(({ chunks }) => chunks.map((chunk) => chunk.end)));
  const tail = footerBytes({ root, rowGroups, createdBy: "an old writer", keyValues: {} });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(tail.length);
  return Buffer.concat([file.subarray(0, end), tail, length, Buffer.from("PAR1")]);
}

/** The root of a schema with `count` columns. */
export const rootOf = (count: number): SchemaElement => ({ name: "schema", num_children: count }) as SchemaElement;
