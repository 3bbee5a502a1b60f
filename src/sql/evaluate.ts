import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordBatch } from "apache-arrow";
import { conformBatch } from "../arrow/conform.js";
import { DeltaError } from "../errors.js";
import { BATCH_ROWS, decodeFile } from "../parquet/decodeFile.js";
import { encodeParquet } from "../parquet/write.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { bindColumns, boundColumns } from "./bind.js";
import { type Duckdb, duckdb, quoteName, quoteText, withWorkFolder } from "./duckdb.js";
import { duckdbMessage, invalidSql, parseExpression } from "./expression.js";
import { nullRow, sqlType } from "./types.js";

/** The most rows that {@link ColumnExpressions.evaluate} takes at once. */
export const MAX_ROWS = BATCH_ROWS;

/** Expressions whose values become columns. */
export interface ColumnExpressions {
  /** Top-level columns that they name. */
  readonly columns: ReadonlySet<string>;
  /** Their values for the rows of a batch that has those columns. */
  evaluate(batch: RecordBatch): Promise<RecordBatch>;
}

// Not `t` or the like: a table may have a column of that name, and `t.a` would be ambiguous.
const ROWS = quoteName("rows of the batch");
const INTEGERS: ReadonlySet<DataType> = new Set(["byte", "short", "integer", "long"]);

/**
 * Expressions in DuckDB's SQL over the columns of `schema`, each cast to the type of its field; a fraction is cut off where that is an
 * integer. Throws `DELTA_INVALID_PREDICATE` for what is no such expression, here and, for a value that doesn't fit, when they are evaluated.
 */
export async function columnExpressions(
  assignments: readonly { readonly field: StructField; readonly text: string }[],
  schema: StructType,
): Promise<ColumnExpressions> {
  const db = await duckdb();
  const columns = new Set<string>();
  const values: string[] = [];
  for (const { field, text } of assignments) {
    const expression = await parseExpression(text);
    const root = bindColumns(expression.root, schema, text);
    for (const [name] of boundColumns(root)) columns.add(name!);
    values.push(await castTo(db, field, await expression.textOf(root), `(${nullRow(schema)}) AS ${ROWS}`, text));
  }
  const target: StructType = { type: "struct", fields: assignments.map(({ field }) => field) };
  const select = `SELECT ${values.map((value, i) => `${value} AS ${quoteName(target.fields[i]!.name)}`).join(", ")}`;
  const text = assignments.map((assignment) => assignment.text).join(", ");
  return { columns, evaluate: (batch) => evaluate(db, select, text, columns, batch, target) };
}

/**
 * The SQL of a value cast to its field's type; a fraction is cut off where that is an integer. `from` is what its columns come
 * from, `text` what it is part of. Throws `DELTA_INVALID_PREDICATE`.
 */
export async function castTo(
  db: Pick<Duckdb, "columns">,
  field: Pick<StructField, "type">,
  sql: string,
  from: string,
  text: string,
): Promise<string> {
  const described = `DESCRIBE SELECT (${sql}) FROM ${from}`;
  const [, [found]] = (await inSql(text, () => db.columns(described))) as [unknown, [string]];
  const hasFraction = /^(?:DOUBLE|FLOAT|DECIMAL)/.test(found);
  const whole = hasFraction && INTEGERS.has(field.type) ? `trunc(${sql})` : `(${sql})`;
  const cast = `CAST(${whole} AS ${sqlType(field.type)})`;
  // A row of nulls settles whether there is such a cast.
  await inSql(text, () => db.columns(`SELECT ${cast} FROM ${from} WHERE false`));
  return cast;
}

async function evaluate(
  db: Duckdb,
  select: string,
  text: string,
  names: ReadonlySet<string>,
  batch: RecordBatch,
  target: StructType,
): Promise<RecordBatch> {
  return withWorkFolder(async (folder) => {
    let from = `range(${batch.numRows})`;
    if (names.size > 0) {
      const indices = batch.schema.fields.flatMap((field, i) => (names.has(field.name) ? [i] : []));
      const { bytes } = await encodeParquet([batch.selectAt(indices)], { compression: "uncompressed" });
      const source = join(folder, "batch.parquet");
      await writeFile(source, bytes);
      // A folder on the way that is called "a=b" makes no column.
      from = `read_parquet(${quoteText(source)}, hive_partitioning = false)`;
    }
    const file = join(folder, "values.parquet");
    const copy = `COPY (${select} FROM ${from} AS ${ROWS}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION uncompressed)`;
    await inSql(text, () => db.columns(copy));
    const bytes = new Uint8Array(await readFile(file));
    const part = { bytes, rowCount: batch.numRows };
    const ref = { path: file, sizeBytes: bytes.length };
    const batches = batch.numRows === 0 ? [batch.slice(0, 0)] : await decodeFile(ref, part, bytes.length, undefined);
    if (batches.length > 1) {
      throw new DeltaError("DELTA_INTERNAL", `${batch.numRows} rows are too many to evaluate at once.`);
    }
    return conformBatch(batches[0]!, target);
  });
}

/** What DuckDB does with `text`; its errors are `DELTA_INVALID_PREDICATE`. */
export async function inSql<T>(text: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw invalidSql(text, duckdbMessage(error), undefined, error);
  }
}
