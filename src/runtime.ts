/**
 * The only source of time and chance, and of warnings. Everything that asks the clock, draws a random number or waits goes
 * through here, so that a test can replace it and a whole run follows from one seed.
 */
export interface Runtime {
  /** Milliseconds since the epoch. */
  now(): number;
  /** A number in [0, 1). */
  random(): number;
  randomUUID(): string;
  /** Resolves after `ms` milliseconds, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `action` after `ms` milliseconds unless the process ends before; the returned function cancels it. */
  later(ms: number, action: () => void): () => void;
  /** Tells the person running the process of something that was passed over and needs no action now. */
  warn(message: string, code: string): void;
}

const system: Runtime = {
  now: () => Date.now(),
  random: () => Math.random(),
  randomUUID: () => globalThis.crypto.randomUUID(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
  later: (ms, action) => {
    const timer = setTimeout(action, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  warn: (message, code) => process.emitWarning(message, { type: "DeltaWarning", code }),
};

/** The runtime in force. */
export const runtime: Runtime = { ...system };

/**
 * Replaces parts of the runtime (tests only); the returned function puts the old one back.
 * @testonly
 */
export function replaceRuntime(parts: Partial<Runtime>): () => void {
  const before = { ...runtime };
  Object.assign(runtime, parts);
  return () => Object.assign(runtime, before);
}
