import { DeltaError, type ErrorCode } from "#src/errors.js";

/** Runs `action` and gives the DeltaError it must throw with this code. */
export async function expectCode(code: ErrorCode, action: () => unknown): Promise<DeltaError> {
  let outcome: unknown;
  try {
    outcome = await action();
  } catch (error) {
    if (error instanceof DeltaError && error.code === code) return error;
    throw error;
  }
  throw new Error(`expected ${code}, but got ${String(outcome)}`);
}
