import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { withVariantJson } from "../arrow/variant/jsonForm.js";
import { DeltaError } from "../errors.js";
import { loaded } from "../lazy.js";
import type { OpaquePredicate } from "../schema/predicate.js";
import type { StructType } from "../schema/types.js";
import { type Duckdb, duckdb, quoteName, quoteText, withWorkFolder } from "./duckdb.js";
import { duckdbMessage, invalidSql } from "./expression.js";
import { nullRow } from "./types.js";

// Not `t` or the like: a table may have a column of that name, and `t.a` would be ambiguous.
const ROWS = quoteName("rows of the batch");

/**
 * A predicate that DuckDB evaluates. `text` is SQL that names columns as the schema spells them; `columns` are those.
 * `where` is the condition it is part of, for errors. Throws DELTA_INVALID_PREDICATE where DuckDB can't make sense of it (unknown function, wrong types, an aggregate).
 */
export async function opaquePredicate(
  text: string,
  columns: readonly (readonly string[])[],
  schema: StructType,
  where = text,
  known: Pick<OpaquePredicate, "implied" | "isVolatile"> = {},
): Promise<OpaquePredicate> {
  const db = await duckdb();
  // A row of nulls suffices: types are settled, and constants cast, before any row is looked at.
  await inSql(where, () => db.columns(`SELECT 1 FROM (${nullRow(schema)}) AS ${ROWS} WHERE (${text})`));
  return unchecked(text, columns, known);
}

/** As {@link opaquePredicate}, of a part of what was found good. */
export function unchecked(
  text: string,
  columns: readonly (readonly string[])[],
  known: Pick<OpaquePredicate, "implied" | "isVolatile"> = {},
): OpaquePredicate {
  const names = new Set(columns.map((path) => path[0]!));
  return {
    op: "opaque",
    text,
    columns,
    ...known,
    evaluate: async (batch) => evaluate(await duckdb(), text, names, batch as RecordBatch),
  };
}

async function evaluate(
  db: Duckdb,
  text: string,
  names: ReadonlySet<string>,
  batch: RecordBatch,
): Promise<Uint8Array<ArrayBuffer>> {
  if (batch.numRows === 0) return new Uint8Array(0);
  const answer = `SELECT coalesce(CAST((${text}) AS BOOLEAN)::UTINYINT, 2::UTINYINT)`;
  if (names.size === 0) return run(db, text, `${answer} FROM range(${batch.numRows}) AS ${ROWS}`, batch.numRows);
  const { encodeParquet } = await loaded(() => import("../parquet/write.js"), "delta-table/parquet");
  // By position: Arrow's selection by name leaves holes among the columns.
  const indices = batch.schema.fields.flatMap((field, i) => (names.has(field.name) ? [i] : []));
  const { bytes } = await encodeParquet([withVariantJson(batch.selectAt(indices))], { compression: "uncompressed" });
  return withWorkFolder(async (folder) => {
    const file = join(folder, "batch.parquet");
    await writeFile(file, bytes);
    // A folder on the way that is called "a=b" makes no column.
    const rows = `read_parquet(${quoteText(file)}, hive_partitioning = false)`;
    return run(db, text, `${answer} FROM ${rows} AS ${ROWS}`, batch.numRows);
  });
}

/** The rows come in the file's order: DuckDB keeps it unless told otherwise. */
async function run(db: Duckdb, text: string, sql: string, rowCount: number): Promise<Uint8Array<ArrayBuffer>> {
  const [answers] = await inSql(text, () => db.columns(sql));
  if (answers?.length !== rowCount) {
    throw new DeltaError("DELTA_INTERNAL", `DuckDB gave ${answers?.length} answers for ${rowCount} rows.`, { text });
  }
  return Uint8Array.from(answers as number[]);
}

async function inSql<T>(text: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw invalidSql(text, duckdbMessage(error), undefined, error);
  }
}
