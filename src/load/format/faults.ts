import type { DeltaError, ErrorCode } from "../../errors.js";
import type { BadRecord, BadRecordCode } from "./format.js";

/** What is wrong with a record, wherever it is. */
export type RecordFault = Pick<BadRecord, "code" | "reason" | "column">;

/** A record may have a million columns that are to be named. */
const REASON_CHARS = 1000;

const CODES: Partial<Readonly<Record<ErrorCode, BadRecordCode>>> = {
  DELTA_VALUE_OUT_OF_RANGE: "TYPE",
  DELTA_NOT_NULL_CONSTRAINT_VIOLATED: "CONSTRAINT",
  DELTA_VIOLATE_CONSTRAINT_WITH_VALUES: "CONSTRAINT",
  DELTA_EXPRESSION_FAILED: "CONSTRAINT",
  DELTA_SCHEMA_MISMATCH: "UNKNOWN_COLUMN",
};

/** The fault that an error about one row tells of. */
export function recordFault(error: DeltaError): RecordFault {
  const { column, columns } = error.data;
  const name = column ?? (Array.isArray(columns) ? columns[0] : undefined);
  return {
    code: CODES[error.code] ?? "PARSE",
    // The row's number is one among rows that were tried together.
    reason: error.message.replace(/^Row \d+[,:]? /, "").slice(0, REASON_CHARS),
    ...(typeof name === "string" ? { column: name } : {}),
  };
}
