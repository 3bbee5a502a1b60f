import { DeltaError } from "./errors.js";

/** Throws `DELTA_ABORTED` once the signal has fired; `doing` names what it stopped. */
export function checkSignal(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted) throw abortedError(signal, doing);
}

/** The error of a call that its `signal` ended; `cause` is the signal's reason. */
export function abortedError(signal: AbortSignal | undefined, doing: string): DeltaError {
  return new DeltaError("DELTA_ABORTED", `Stopped by the caller's signal: ${doing}.`, {}, signal?.reason);
}
