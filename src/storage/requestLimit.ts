import { abortedError, checkSignal } from "../signal.js";

/** Lets at most `size` callers in at once; the others wait in the order in which they came. */
export class RequestLimit {
  readonly size: number;
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.size = size;
    this.#free = size;
  }

  /** Resolves with the function that leaves again. Throws `DELTA_ABORTED`, also while waiting. */
  async enter(signal: AbortSignal | undefined, doing: string): Promise<() => void> {
    checkSignal(signal, doing);
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal, doing);
    return () => this.#leave();
  }

  #turn(signal: AbortSignal | undefined, doing: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(enter);
        if (signal) reject(abortedError(signal, doing));
      };
      const enter = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#waiting.add(enter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
