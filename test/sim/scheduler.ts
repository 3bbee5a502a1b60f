/** A client process in one of its lives: it ends in a crash, and the client begins a new one. */
export interface Life {
  readonly client: number;
  /** From 0. */
  readonly number: number;
  /** How far its clock is off, in milliseconds. */
  readonly skewMs: number;
  isDead: boolean;
}

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life;
  /** An effect on storage, which needs no life, or a step of the client's program. */
  readonly kind: "effect" | "step";
  readonly action: () => void;
}

/** 2026-01-01, so that texts of times look like times. */
const START_MS = 1_767_225_600_000;

/**
 * Runs everything that happens, one event after the other, on a clock of its own. After each step of a client its
 * program runs until it waits for storage or a timer again, so everything in between is that client's doing.
 */
export class Scheduler {
  nowMs = START_MS;
  /** Whose program runs now. */
  current: Life | undefined;
  #queue: Event[] = [];
  #order = 0;

  /** Plans an event; those of the same time happen in the order they were planned. */
  after(delayMs: number, life: Life, kind: Event["kind"], action: () => void): void {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, life, kind, action };
    let at = this.#queue.length;
    while (at > 0 && this.#queue[at - 1]!.atMs > event.atMs) at--;
    this.#queue.splice(at, 0, event);
  }

  /** Ends a life: its program goes no further. Of its requests under way those arrive that `arrives` says. */
  kill(life: Life, arrives: (order: number) => boolean): void {
    life.isDead = true;
    this.#queue = this.#queue.filter(
      (event) => event.life !== life || (event.kind === "effect" && arrives(event.order)),
    );
  }

  /** Runs until nothing is left to happen, or `maxEvents` have; whether it came to the end. */
  async run(maxEvents: number): Promise<boolean> {
    for (let count = 0; count < maxEvents; count++) {
      const event = this.#queue.shift();
      if (event === undefined) return true;
      this.nowMs = Math.max(this.nowMs, event.atMs);
      if (event.kind === "effect") event.action();
      else if (!event.life.isDead) await this.#step(event);
    }
    return false;
  }

  async #step({ life, action }: Event): Promise<void> {
    this.current = life;
    action();
    await quiet();
    this.current = undefined;
  }
}

/** Everything that can go on without storage and timers has gone on: promises are settled before the event loop turns. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
