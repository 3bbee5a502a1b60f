import type { Data, RecordBatch } from "apache-arrow";
import { DeltaError } from "../errors.js";
import type { Literal, Predicate } from "../schema/predicate.js";
import { intersect, isSet, type Validity, validityOf } from "./bits.js";
import { columnAt } from "./column.js";
import { compareWith, hasPrefix, type Outcomes } from "./compare.js";
import { memberTest } from "./members.js";

/** A truth value for each row: 0 false, 1 true, 2 null. */
type Truth = Uint8Array;

const FALSE = 0;
const TRUE = 1;
const NULL = 2;

/**
 * The rows of a batch (conformed to the schema that the predicate was resolved against) for which the predicate is true:
 * their indices in order, or "all". See {@link Predicate} for the logic; strings and binaries are compared by their bytes.
 * Throws DELTA_INVALID_PREDICATE where the batch lacks a column or its type can't be compared with the value.
 */
export async function evaluatePredicate(predicate: Predicate, batch: RecordBatch): Promise<Uint32Array | "all"> {
  const truth = await evaluate(predicate, batch);
  let count = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] === TRUE) count++;
  if (count === truth.length) return "all";
  const indices = new Uint32Array(count);
  for (let i = 0, at = 0; at < count; i++) if (truth[i] === TRUE) indices[at++] = i;
  return indices;
}

async function evaluate(predicate: Predicate, batch: RecordBatch): Promise<Truth> {
  const length = batch.numRows;
  switch (predicate.op) {
    case "and":
    case "or":
      return combine(predicate.op, predicate.terms, batch);
    case "not": {
      const truth = await evaluate(predicate.term, batch);
      return truth.map((value) => (value === NULL ? NULL : 1 - value));
    }
    case "constant":
      return new Uint8Array(length).fill(predicate.value === null ? NULL : Number(predicate.value));
    case "opaque": {
      const truth = await predicate.evaluate(batch);
      if (truth.length === length) return truth;
      throw new DeltaError("DELTA_INTERNAL", `"${predicate.text}" gave ${truth.length} values for ${length} rows.`);
    }
    case "isNull": {
      const { validity } = columnOf(batch, predicate.column);
      const truth = new Uint8Array(length);
      if (validity !== undefined) for (let i = 0; i < length; i++) truth[i] = isSet(validity, i) ? FALSE : TRUE;
      return truth;
    }
    case "in": {
      const { data, validity } = columnOf(batch, predicate.column);
      const outcomes: Outcomes = { less: FALSE, equal: TRUE, greater: FALSE };
      if (predicate.values.length > MAX_COMPARISONS) {
        return nullsAmong(memberTest(data, predicate.values, predicate.column), validity, length);
      }
      const truth = new Uint8Array(length);
      for (const value of predicate.values) {
        const equal = compareWith(data, value, outcomes, predicate.column);
        for (let i = 0; i < length; i++) truth[i] |= equal[i];
      }
      return nullsAmong(truth, validity, length);
    }
    case "startsWith": {
      const { data, validity } = columnOf(batch, predicate.column);
      return nullsAmong(hasPrefix(data, predicate.value, predicate.column), validity, length);
    }
    default: {
      const { data, validity } = columnOf(batch, predicate.column);
      const truth = compareWith(data, predicate.value satisfies Literal, OUTCOMES[predicate.op], predicate.column);
      return nullsAmong(truth, validity, length);
    }
  }
}

/** Up to this many values of an IN list, comparing with each is faster than looking up. */
const MAX_COMPARISONS = 4;

const OUTCOMES: Readonly<Record<"=" | "!=" | "<" | "<=" | ">" | ">=", Outcomes>> = {
  "=": { less: FALSE, equal: TRUE, greater: FALSE },
  "!=": { less: TRUE, equal: FALSE, greater: TRUE },
  "<": { less: TRUE, equal: FALSE, greater: FALSE },
  "<=": { less: TRUE, equal: TRUE, greater: FALSE },
  ">": { less: FALSE, equal: FALSE, greater: TRUE },
  ">=": { less: FALSE, equal: TRUE, greater: TRUE },
};

async function combine(op: "and" | "or", terms: readonly Predicate[], batch: RecordBatch): Promise<Truth> {
  const decisive = op === "and" ? FALSE : TRUE;
  const truth = new Uint8Array(batch.numRows).fill(1 - decisive);
  for (const term of terms) {
    const next = await evaluate(term, batch);
    for (let i = 0; i < truth.length; i++) {
      if (truth[i] === decisive) continue;
      if (next[i] !== 1 - decisive) truth[i] = next[i];
    }
  }
  return truth;
}

function nullsAmong(truth: Truth, validity: Validity | undefined, length: number): Truth {
  if (validity !== undefined) for (let i = 0; i < length; i++) if (!isSet(validity, i)) truth[i] = NULL;
  return truth;
}

/** The column at a path; what is inside a struct that is null is null. */
function columnOf(batch: RecordBatch, path: readonly string[]): { data: Data; validity: Validity | undefined } {
  const levels = columnAt(batch, path);
  if (levels === undefined || levels.length === 0) {
    throw new DeltaError("DELTA_INVALID_PREDICATE", `There is no column "${path.join(".")}".`, { column: path });
  }
  const validity = levels.map(validityOf).reduce((all, own) => intersect(all, own, batch.numRows));
  return { data: levels[levels.length - 1], validity };
}
