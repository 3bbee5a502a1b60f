import type { Data, RecordBatch } from "apache-arrow";
import { isValid, validityOf } from "../../arrow/bits.js";
import { makeBatch } from "../../arrow/column.js";
import { concatValues } from "../../arrow/concatValues.js";
import { nullColumn } from "../../arrow/constant.js";
import { evaluatePredicate } from "../../arrow/evaluate.js";
import { toArrowField } from "../../arrow/schema.js";
import { sliceBatch, takeRows } from "../../arrow/take.js";
import { takeValues } from "../../arrow/takeValues.js";
import { DeltaError, hasCode } from "../../errors.js";
import type { Metadata } from "../../log/actions.js";
import { parseSchema, schemaToJson } from "../../schema/json.js";
import type { Predicate } from "../../schema/predicate.js";
import type { StructType } from "../../schema/types.js";
import {
  type BrokenRow,
  type CompleteOptions,
  IDENTITY_MARK,
  type LeftOut,
  NONE_LEFT_OUT,
  type RowRules,
  type SiftedRows,
} from "../../write/rowRules.js";
import { type Evaluated, evaluateAll } from "../spark/evaluate.js";
import type { DefaultColumn } from "./defaults.js";
import type { IdentityColumn } from "./identity.js";
import { type ConditionName, missingValue, violated } from "./violations.js";

/** A condition that must be true for each row. */
export interface Condition extends ConditionName {
  readonly sql: string;
  /** The same, where no DuckDB is needed for it. */
  readonly predicate: Predicate | undefined;
}

/** A column whose values are what an expression gives. */
export interface GeneratedColumn {
  readonly name: string;
  readonly index: number;
  readonly value: Evaluated;
  /** Whether a given value is the same. */
  readonly isSame: Evaluated;
  readonly condition: ConditionName;
}

export interface RuleSet {
  readonly schema: StructType;
  readonly conditions: readonly Condition[];
  readonly generated: readonly GeneratedColumn[];
  readonly defaults: readonly DefaultColumn[];
  readonly identities: readonly IdentityColumn[];
}

/** The rules of a table; see {@link RowRules}. */
export class TableRules implements RowRules {
  readonly #rules: RuleSet;

  constructor(rules: RuleSet) {
    this.#rules = rules;
  }

  get generated(): ReadonlySet<string> {
    return new Set(this.#rules.generated.map(({ name }) => name));
  }

  get identities(): ReadonlySet<string> {
    return new Set(this.#rules.identities.map(({ name }) => name));
  }

  get identityColumns(): readonly IdentityColumn[] {
    return this.#rules.identities;
  }

  async complete(batch: RecordBatch, options: CompleteOptions = {}): Promise<RecordBatch> {
    const { batch: whole, broken } = await this.sift(batch, options);
    if (broken[0] !== undefined) throw broken[0].error;
    return whole;
  }

  async sift(batch: RecordBatch, options: CompleteOptions = {}): Promise<SiftedRows> {
    if (batch.numRows === 0) return { batch, broken: [] };
    const { firstRow = 0, leftOut = NONE_LEFT_OUT } = options;
    const given = options.isRewrite ? batch : await this.#filled(batch, leftOut, firstRow);
    const { columns, broken } = await this.#checked(given, leftOut, firstRow);
    if (broken.length === 0) return { batch: columns, broken };
    const isBroken = new Set(broken.map(({ row }) => row));
    const kept = Array.from({ length: columns.numRows }, (_, row) => row).filter((row) => !isBroken.has(row));
    return { batch: takeRows(columns, Uint32Array.from(kept)), broken };
  }

  metadataAfter(metadata: Metadata): Metadata {
    const schema = parseSchema(metadata.schemaString);
    let isSame = true;
    const fields = schema.fields.map((field) => {
      const mark = this.#rules.identities.find(({ name }) => name === field.name)?.mark;
      if (mark === undefined || String(field.metadata[IDENTITY_MARK]) === String(mark)) return field;
      isSame = false;
      return { ...field, metadata: { ...field.metadata, [IDENTITY_MARK]: mark } };
    });
    return isSame ? metadata : { ...metadata, schemaString: schemaToJson({ ...schema, fields }) };
  }

  /** With defaults and identity values. */
  async #filled(batch: RecordBatch, leftOut: LeftOut, firstRow: number): Promise<RecordBatch> {
    const { defaults, identities } = this.#rules;
    const columns = [...batch.data.children];
    for (const column of identities) {
      const left = leftOut.get(column.name);
      if (!column.allowsExplicit) checkNotGiven(column.name, left, firstRow);
    }
    for (const column of [...defaults, ...identities]) {
      const left = leftOut.get(column.name);
      if (left === undefined) continue;
      const index = batch.schema.fields.findIndex(({ name }) => name === column.name);
      const count = left === "all" ? batch.numRows : left.reduce((sum, one) => sum + one, 0);
      if (count > 0) columns[index] = merged(columns[index]!, await column.values(count), left);
    }
    return makeBatch(batch.schema.fields, columns, batch.numRows);
  }

  /** With generated values, and what is wrong with which rows. An expression that fails is found by halving. */
  async #checked(
    batch: RecordBatch,
    leftOut: LeftOut,
    firstRow: number,
  ): Promise<{ readonly columns: RecordBatch; readonly broken: BrokenRow[] }> {
    try {
      const faults = new Map<number, DeltaError>();
      const columns = await this.#generated(batch, leftOut, firstRow, faults);
      this.#checkNulls(columns, firstRow, faults);
      await this.#checkConditions(columns, firstRow, faults);
      const broken = [...faults].map(([row, error]) => ({ row, error })).sort((a, b) => a.row - b.row);
      return { columns, broken };
    } catch (error) {
      if (!hasCode(error, "DELTA_EXPRESSION_FAILED")) throw error;
      const { numRows } = batch;
      if (numRows === 1)
        return { columns: this.#withNulls(batch), broken: [{ row: 0, error: failedAt(error, firstRow) }] };
      const middle = numRows >> 1;
      const first = await this.#checked(sliceBatch(batch, 0, middle), sliced(leftOut, 0, middle), firstRow);
      const rest = sliceBatch(batch, middle, numRows);
      const second = await this.#checked(rest, sliced(leftOut, middle, numRows), firstRow + middle);
      const halves = [first.columns, second.columns];
      const columns = batch.schema.fields.map((_, i) => concatValues(halves.map((half) => half.data.children[i]!)));
      const later = second.broken.map(({ row, error }) => ({ row: row + middle, error }));
      return { columns: makeBatch(batch.schema.fields, columns, numRows), broken: [...first.broken, ...later] };
    }
  }

  async #generated(
    batch: RecordBatch,
    leftOut: LeftOut,
    firstRow: number,
    faults: Map<number, DeltaError>,
  ): Promise<RecordBatch> {
    const { generated, schema } = this.#rules;
    if (generated.length === 0) return batch;
    const results = await evaluateAll(
      generated.flatMap(({ value, isSame }) => [value, isSame]),
      batch,
    );
    const columns = [...batch.data.children];
    for (const [at, { name, index, condition }] of generated.entries()) {
      const left = leftOut.get(name);
      const [values, same] = [results[2 * at]!, results[2 * at + 1]!];
      if (left !== "all") {
        eachUntrue(same, (row) => {
          if (left?.[row] !== 1 && !faults.has(row)) faults.set(row, violated(condition, batch, schema, row, firstRow));
        });
      }
      if (left !== undefined) {
        const wanted = left === "all" ? values : takeValues(values, indicesOf(left));
        if (wanted.length > 0) columns[index] = merged(columns[index]!, wanted, left);
      }
    }
    return makeBatch(batch.schema.fields, columns, batch.numRows);
  }

  #checkNulls(batch: RecordBatch, firstRow: number, faults: Map<number, DeltaError>): void {
    for (const [index, field] of this.#rules.schema.fields.entries()) {
      const validity = field.nullable ? undefined : validityOf(batch.data.children[index]!);
      if (validity === undefined) continue;
      for (let row = 0; row < batch.numRows; row++) {
        if (!isValid(validity, row) && !faults.has(row)) faults.set(row, missingValue(field.name, firstRow + row));
      }
    }
  }

  async #checkConditions(batch: RecordBatch, firstRow: number, faults: Map<number, DeltaError>): Promise<void> {
    const { conditions, schema } = this.#rules;
    const opaque = conditions.filter(({ predicate }) => predicate === undefined);
    const results = opaque.length === 0 ? [] : await evaluateAll(opaque.map(asEvaluated), batch);
    for (const condition of conditions) {
      const { predicate } = condition;
      const untrue = (row: number) => {
        if (!faults.has(row)) faults.set(row, violated(condition, batch, schema, row, firstRow));
      };
      if (predicate === undefined) eachUntrue(results[opaque.indexOf(condition)]!, untrue);
      else eachLeftOut(await evaluatePredicate(predicate, batch), batch.numRows, untrue);
    }
  }

  /** Columns that can't be generated for a row that isn't written. */
  #withNulls(batch: RecordBatch): RecordBatch {
    const columns = [...batch.data.children];
    for (const { index } of this.#rules.generated) {
      columns[index] = nullColumn(toArrowField(this.#rules.schema.fields[index]!).type, batch.numRows);
    }
    return makeBatch(batch.schema.fields, columns, batch.numRows);
  }
}

function asEvaluated({ sql, columns }: Condition): Evaluated {
  return { sql, columns, type: "boolean" };
}

/** The rows that aren't among those for which a predicate is true. */
function eachLeftOut(kept: Uint32Array | "all", count: number, visit: (row: number) => void): void {
  if (kept === "all") return;
  for (let row = 0, at = 0; row < count; row++) {
    if (kept[at] === row) at++;
    else visit(row);
  }
}

/** Null is as good as false. */
function eachUntrue(truth: Data, visit: (row: number) => void): void {
  const validity = validityOf(truth);
  const bits = truth.values as unknown as Uint8Array;
  for (let row = 0; row < truth.length; row++) {
    const at = truth.offset + row;
    if (!isValid(validity, row) || ((bits[at >> 3]! >> (at & 7)) & 1) === 0) visit(row);
  }
}

/** The column with `values` for the rows that leave it out. */
function merged(column: Data, values: Data, left: "all" | Uint8Array): Data {
  if (left === "all") return values;
  let next = column.length;
  const indices = Uint32Array.from({ length: column.length }, (_, row) => (left[row] === 1 ? next++ : row));
  return takeValues(concatValues([column, values]), indices);
}

function indicesOf(left: Uint8Array): Uint32Array {
  const indices: number[] = [];
  for (let row = 0; row < left.length; row++) if (left[row] === 1) indices.push(row);
  return Uint32Array.from(indices);
}

function sliced(leftOut: LeftOut, start: number, end: number): LeftOut {
  return new Map(
    [...leftOut].map(([name, left]) => [name, left === "all" ? left : left.subarray(start, end)] as const),
  );
}

function checkNotGiven(column: string, left: "all" | Uint8Array | undefined, firstRow: number): void {
  const index = left === undefined ? 0 : left === "all" ? -1 : left.indexOf(0);
  if (index === -1) return;
  const row = firstRow + index;
  throw new DeltaError(
    "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED",
    `Row ${row} has a value for "${column}", but the table gives that column its values always. Leave it out.`,
    { row, column },
  );
}

function failedAt(error: DeltaError, row: number): DeltaError {
  return new DeltaError("DELTA_EXPRESSION_FAILED", `Row ${row}: ${error.message}`, { ...error.data, row }, error);
}
