import { DeltaError } from "../../errors.js";

/** A source's stored bytes aren't what their format wants. `offset` is where in the stored file. */
export function unreadable(url: string, offset: number, what: string, cause?: unknown): DeltaError {
  const message = `${url}, at byte ${offset}: ${what}.`;
  return new DeltaError("DELTA_INPUT_UNREADABLE", message, { file: url, offset }, cause);
}

/** A compressed source ends too early. */
export function cutOff(url: string, offset: number): DeltaError {
  return unreadable(url, offset, "the file ends within its compressed data; it was cut off or is still being written");
}

/** A source isn't the file any more that was listed. */
export function sourceChanged(url: string, what: string): DeltaError {
  const message = `${url} ${what}. Load again; what is in the table by then stays.`;
  return new DeltaError("DELTA_LOAD_SOURCE_CHANGED", message, { file: url });
}
