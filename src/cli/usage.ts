import type { ErrorCode } from "../errors.js";

/** The command was not given as it should be: exit code 2. `hint` says what to give instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string;
  readonly code: ErrorCode;

  constructor(message: string, hint: string, code: ErrorCode = "DELTA_INVALID_ARGUMENT") {
    super(message);
    this.hint = hint;
    this.code = code;
  }
}
