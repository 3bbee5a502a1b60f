import type { Data } from "apache-arrow";
import { makeBatch } from "../../arrow/column.js";
import { constantVector } from "../../arrow/constant.js";
import { takeValues } from "../../arrow/takeValues.js";
import { hasCode } from "../../errors.js";
import { toLiteral } from "../../schema/literalValue.js";
import type { Literal } from "../../schema/predicate.js";
import type { StructField, StructType } from "../../schema/types.js";
import { variantBytesType } from "../../schema/variantBytes.js";
import { DEFAULT } from "../../write/rowRules.js";
import { evaluateAll } from "../spark/evaluate.js";
import { type SparkExpression, sparkExpression } from "../spark/expression.js";

const NO_COLUMNS: StructType = { type: "struct", fields: [] };

/** A column that rows may leave out, and the value that they get then: one for all rows of a commit. */
export class DefaultColumn {
  readonly name: string;
  readonly #field: StructField;
  readonly #expression: SparkExpression;
  #value: Data | undefined;

  /** Throws what {@link sparkExpression} throws: a default names no columns. */
  constructor(field: StructField, nowMicros: bigint) {
    this.name = field.name;
    this.#field = field;
    const text = String(field.metadata[DEFAULT]);
    this.#expression = sparkExpression(text, NO_COLUMNS, { nowMicros, storedAs: field.type });
  }

  async values(count: number): Promise<Data> {
    const type = variantBytesType(this.#field.type);
    const literal = this.#literal();
    if (literal !== undefined) return constantVector(type, literal, count);
    this.#value ??= (await evaluateAll([this.#expression], rows(1)))[0]!;
    return takeValues(this.#value, new Uint32Array(count));
  }

  /** Of a literal, for which no DuckDB is needed; undefined for anything else. */
  #literal(): Literal | null | undefined {
    const { constant } = this.#expression;
    if (constant === undefined) return undefined;
    if (constant.text === undefined) return null;
    const { type } = this.#field;
    if (typeof type !== "string" || type === "binary") return undefined;
    try {
      return toLiteral(type, plainValue(type, constant.text));
    } catch (error) {
      if (hasCode(error, "DELTA_INVALID_PREDICATE")) return undefined;
      throw error;
    }
  }
}

function plainValue(type: string, text: string): unknown {
  if (type === "boolean") return /^(?:true|false)$/i.test(text) ? text.toLowerCase() === "true" : text;
  if (type === "float" || type === "double") return Number(text);
  return text;
}

/** A batch of so many rows without columns. */
function rows(count: number) {
  return makeBatch([], [], count);
}
