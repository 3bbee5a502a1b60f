import { setImmediate } from "node:timers/promises";

/** Reads in a row that may be answered without the event loop turning. */
const READS_A_TURN = 64;

let reads = 0;

/**
 * Called by each read that is answered at once; now and then it gives a promise to wait for, in which the event loop turns.
 * A caller that reads in a loop would otherwise keep timers, sockets and children from ever being heard.
 */
export function turnNowAndThen(): Promise<void> | undefined {
  if (++reads < READS_A_TURN) return undefined;
  reads = 0;
  return setImmediate();
}
