import { makeBatch } from "../arrow/column.js";
import { constantVector } from "../arrow/constant.js";
import { toArrowSchema } from "../arrow/schema.js";
import type { DeletionVectorReader } from "../log/deletionVector.js";
import type { ScanFile } from "../read/plan.js";
import { rowIndexes } from "../read/rowIndex.js";
import type { StructField, StructType } from "../schema/types.js";
import { quoteName } from "./duckdb.js";
import { Spool } from "./merge/spool.js";

/** A row's file (its number among those read) and its place in it. They travel with the rows. */
export const FILE: StructField = { name: "merge: file", type: "integer", nullable: false, metadata: {} };
export const POSITION: StructField = { name: "merge: position", type: "long", nullable: false, metadata: {} };

const SCHEMA: StructType = { type: "struct", fields: [FILE, POSITION] };
const USING = [FILE, POSITION].map(({ name }) => quoteName(name)).join(", ");
/** Places that are written at once. */
const BATCH_ROWS = 100_000;

/**
 * Writes the places that the files' deletion vectors remove to a work folder, for DuckDB; gives what leaves their rows out, to be put behind a
 * FROM clause of rows with {@link FILE} and {@link POSITION}.
 */
export async function withoutRemovedRows(
  files: readonly (readonly [number: number, file: ScanFile])[],
  vectors: DeletionVectorReader,
  folder: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (files.every(([, { deletionVector }]) => deletionVector === undefined)) return "";
  const { fields } = toArrowSchema(SCHEMA);
  const spool = new Spool(folder, name, SCHEMA, signal);
  for (const [number, { deletionVector }] of files) {
    if (deletionVector === undefined) continue;
    const places = Float64Array.from((await vectors.read(deletionVector, signal)).positions());
    for (let first = 0; first < places.length; first += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, places.length - first);
      const columns = [constantVector("integer", number, count), rowIndexes(count, (row) => places[first + row]!)];
      await spool.write(makeBatch(fields, columns, count));
    }
  }
  return ` ANTI JOIN ${await spool.finish()} AS "removed" USING (${USING})`;
}
