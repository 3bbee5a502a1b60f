import type { Data } from "apache-arrow";
import { makeColumn } from "../../arrow/column.js";
import { toArrowType } from "../../arrow/schema.js";
import { DeltaError } from "../../errors.js";
import type { StructField } from "../../schema/types.js";
import { IDENTITY_EXPLICIT, IDENTITY_MARK, IDENTITY_START, IDENTITY_STEP } from "../../write/rowRules.js";

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** A column that gets values of its own: start, start + step … (PROTOCOL.md, Identity Columns). */
export class IdentityColumn {
  readonly name: string;
  readonly allowsExplicit: boolean;
  readonly #start: bigint;
  readonly #step: bigint;
  #mark: bigint | undefined;

  /**
   * Throws `DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE` where the column isn't of type long,
   * `DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP` for a step of 0. `before` has given out values in the same commit.
   */
  constructor({ name, type, metadata }: StructField, before?: IdentityColumn) {
    this.name = name;
    if (type !== "long") {
      throw new DeltaError(
        "DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE",
        `The identity column "${name}" is of type ${typeof type === "string" ? type : type.type}; it must be long.`,
        { column: name, type },
      );
    }
    this.#start = integer(metadata[IDENTITY_START], name) ?? 1n;
    this.#step = integer(metadata[IDENTITY_STEP], name) ?? 1n;
    this.allowsExplicit = String(metadata[IDENTITY_EXPLICIT] ?? false) === "true";
    this.#mark = before?.mark ?? integer(metadata[IDENTITY_MARK], name);
    if (this.#step === 0n) {
      throw new DeltaError("DELTA_IDENTITY_COLUMNS_ILLEGAL_STEP", `The step of the identity column "${name}" is 0.`, {
        column: name,
      });
    }
  }

  /** The last value given out; undefined for none. */
  get mark(): bigint | undefined {
    return this.#mark;
  }

  /** So many new values, none of which was given out before. Throws `DELTA_VALUE_OUT_OF_RANGE` where there aren't so many. */
  values(count: number): Data {
    const values = new BigInt64Array(count);
    let next = this.#next();
    const last = next + this.#step * BigInt(count - 1);
    if (count > 0 && (last > MAX || last < MIN)) {
      throw new DeltaError(
        "DELTA_VALUE_OUT_OF_RANGE",
        `The identity column "${this.name}" has no ${count} values left after ${this.#mark ?? "none"}.`,
        { column: this.name, value: last, type: "long" },
      );
    }
    for (let i = 0; i < count; i++, next += this.#step) values[i] = next;
    if (count > 0) this.#mark = last;
    return makeColumn(toArrowType("long"), count, undefined, { values });
  }

  #next(): bigint {
    if (this.#mark === undefined) return this.#start;
    // A mark that others set may lie between two values, or before the first.
    const passed = (this.#mark - this.#start) * (this.#step < 0n ? -1n : 1n);
    const size = this.#step < 0n ? -this.#step : this.#step;
    return passed < 0n ? this.#start : this.#start + (passed / size + 1n) * this.#step;
  }
}

function integer(value: unknown, column: string): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  throw new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `The identity column "${column}" has ${String(value)} where an integer belongs.`,
    {
      column,
    },
  );
}
