import type { DataType } from "apache-arrow";
import { DeltaError } from "../errors.js";

/** The error for a column of an Arrow type that no kernel here knows. */
export function unsupported(type: DataType): DeltaError {
  return new DeltaError(
    "DELTA_INVALID_SCHEMA",
    `Columns of the Arrow type ${type} are not supported; cast them first.`,
    {
      type: String(type),
    },
  );
}
