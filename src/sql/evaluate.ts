import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Data, RecordBatch } from "apache-arrow";
import { intersect, validityOf } from "../arrow/bits.js";
import { columnAt, makeBatch, makeColumn } from "../arrow/column.js";
import { conformBatch } from "../arrow/conform.js";
import { toArrowField } from "../arrow/schema.js";
import { withVariantJson } from "../arrow/variant/jsonForm.js";
import { DeltaError } from "../errors.js";
import { BATCH_ROWS, decodeFile } from "../parquet/decodeFile.js";
import { encodeParquet } from "../parquet/write.js";
import type { DataType, StructField, StructType } from "../schema/types.js";
import { holdsVariants, VARIANT_BYTES, variantBytesType, withVariantBytes } from "../schema/variantBytes.js";
import { type BoundColumn, bindColumns, boundColumns, columnOf } from "./bind.js";
import { type Duckdb, duckdb, quoteName, quoteText, withWorkFolder } from "./duckdb.js";
import { duckdbMessage, invalidSql, parseExpression, type SqlNode } from "./expression.js";
import { spoolCopy } from "./parquetCopy.js";
import { nullRow, sqlType, valueSqlType } from "./types.js";

/** The most rows that {@link ColumnExpressions.evaluate} takes at once. */
export const MAX_ROWS = BATCH_ROWS;

/** Expressions whose values become columns, in their order. */
export interface ColumnExpressions {
  /** Top-level columns that they name. */
  readonly columns: ReadonlySet<string>;
  /** SQL of each over rows called {@link ROWS}; undefined where one is taken over as it is. */
  readonly sql: readonly string[] | undefined;
  /** Their values for the rows of a batch that has those columns. */
  evaluate(batch: RecordBatch): Promise<RecordBatch>;
}

// Not `t` or the like: a table may have a column of that name, and `t.a` would be ambiguous.
export const ROWS = quoteName("rows of the batch");
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
  const computed: { readonly field: StructField; readonly text: string; readonly sql: string }[] = [];
  const copied = new Map<StructField, readonly string[]>();
  for (const { field, text } of assignments) {
    const expression = await parseExpression(text);
    const root = bindColumns(expression.root, schema, text);
    for (const [name] of boundColumns(root)) columns.add(name!);
    const own = wholeVariants(root, field.type);
    if (own !== undefined) copied.set(field, own.path);
    else {
      const from = `(${nullRow(schema, valueSqlType)}) AS ${ROWS}`;
      computed.push({ field, text, sql: await castTo(db, field, await expression.textOf(root), from, text) });
    }
  }
  const target: StructType = { type: "struct", fields: computed.map(({ field }) => field) };
  const values = computed.map(({ sql, field }) => `${sql} AS ${quoteName(field.name)}`);
  const text = computed.map((assignment) => assignment.text).join(", ");
  const work = { db, select: `SELECT ${values.join(", ")}`, text, names: columns, schema, target };
  return {
    columns,
    sql: copied.size > 0 ? undefined : computed.map((own) => own.sql),
    async evaluate(batch) {
      if (copied.size === 0) return evaluate(work, batch);
      const made = computed.length === 0 ? [] : (await evaluate(work, batch)).data.children;
      const children = assignments.map(({ field }) => {
        const path = copied.get(field);
        const at = computed.findIndex((one) => one.field === field);
        return path === undefined ? made[at]! : insideOf(batch, path);
      });
      const own = assignments.map(({ field }) => toArrowField({ ...field, type: variantBytesType(field.type) }));
      return makeBatch(own, children, batch.numRows);
    },
  };
}

/**
 * The column that an expression is, where it has variants in it that a column of `type` takes as they are.
 */
export function wholeVariants(root: SqlNode, type: DataType): BoundColumn | undefined {
  const column = columnOf(root);
  if (column === undefined || !holdsVariants(column.type)) return undefined;
  const isSame = sqlType(variantBytesType(column.type)) === sqlType(variantBytesType(type));
  return isSame ? column : undefined;
}

/** A column, or one in structs, which is null where one of them is. */
function insideOf(batch: RecordBatch, path: readonly string[]): Data {
  const levels = columnAt(batch, path)!;
  const own = levels.at(-1)!;
  if (levels.length === 1) return own;
  const validity = levels.map(validityOf).reduce((all, next) => intersect(all, next, own.length));
  return makeColumn(own.type, own.length, validity, { children: own.children });
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
  const isVariant = variantBytesType(field.type) === VARIANT_BYTES;
  // A text is a text, also where it could be JSON.
  if (isVariant) return `CAST(${found === "JSON" ? `(${sql})` : `to_json(${sql})`} AS VARCHAR)`;
  if (field.type === "void" && sql !== "NULL") {
    throw invalidSql(text, "a column of type void holds nothing but null");
  }
  const hasFraction = /^(?:DOUBLE|FLOAT|DECIMAL)/.test(found);
  const whole = hasFraction && INTEGERS.has(field.type) ? `trunc(${sql})` : `(${sql})`;
  const cast = `CAST(${whole} AS ${valueSqlType(field.type)})`;
  // A row of nulls settles whether there is such a cast.
  await inSql(text, () => db.columns(`SELECT ${cast} FROM ${from} WHERE false`));
  return cast;
}

interface Work {
  readonly db: Duckdb;
  readonly select: string;
  /** For errors. */
  readonly text: string;
  readonly names: ReadonlySet<string>;
  readonly schema: StructType;
  readonly target: StructType;
}

async function evaluate({ db, select, text, names, schema, target }: Work, batch: RecordBatch): Promise<RecordBatch> {
  return withWorkFolder(async (folder) => {
    let from = `range(${batch.numRows})`;
    if (names.size > 0) {
      const indices = batch.schema.fields.flatMap((field, i) => (names.has(field.name) ? [i] : []));
      const { bytes } = await encodeParquet([withVariantJson(batch.selectAt(indices))], {
        compression: "uncompressed",
      });
      const source = join(folder, "batch.parquet");
      await writeFile(source, bytes);
      // A folder on the way that is called "a=b" makes no column.
      from = withJson(`read_parquet(${quoteText(source)}, hive_partitioning = false)`, schema, names);
    }
    const file = join(folder, "values.parquet");
    const copy = spoolCopy(`${select} FROM ${from} AS ${ROWS}`, file);
    await inSql(text, () => db.columns(copy));
    const bytes = new Uint8Array(await readFile(file));
    const part = { bytes, rowCount: batch.numRows };
    const ref = { path: file, sizeBytes: bytes.length };
    const batches = batch.numRows === 0 ? [batch.slice(0, 0)] : await decodeFile(ref, part, bytes.length, undefined);
    if (batches.length > 1) {
      throw new DeltaError("DELTA_INTERNAL", `${batch.numRows} rows are too many to evaluate at once.`);
    }
    return conformBatch(batches[0]!, withVariantBytes(target));
  });
}

/** A relation with JSON where it has its texts: of those of `schema`'s columns that are among `names`. */
export function withJson(relation: string, schema: StructType, names: ReadonlySet<string>): string {
  const replaced = schema.fields
    .filter(({ name, type }) => names.has(name) && variantBytesType(type) !== type)
    .map(({ name, type }) => `CAST(${quoteName(name)} AS ${valueSqlType(type)}) AS ${quoteName(name)}`);
  return replaced.length === 0 ? relation : `(SELECT * REPLACE (${replaced.join(", ")}) FROM ${relation})`;
}

/** What DuckDB does with `text`; its errors are `DELTA_INVALID_PREDICATE`. */
export async function inSql<T>(text: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw invalidSql(text, duckdbMessage(error), undefined, error);
  }
}
