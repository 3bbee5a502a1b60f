import { runtime } from "../runtime.js";
import { formatCount, formatDuration } from "./text.js";

const EVERY_MS = 100;

interface Line {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How far a long command has come, on one line of stderr that is written over; nothing where that is no terminal. */
export class Progress {
  readonly #line: Line;
  readonly #startedMs = runtime.now();
  #shownMs = 0;
  #visible = false;

  constructor(line: Line) {
    this.#line = line;
  }

  /** Says "<count> <what>" and the time since the start. */
  show(count: number, what: string): void {
    if (this.#line.isTTY !== true) return;
    const now = runtime.now();
    if (now - this.#shownMs < EVERY_MS) return;
    this.#shownMs = now;
    this.#visible = true;
    this.#line.write(`\r\u001b[K${formatCount(count)} ${what}, ${formatDuration(now - this.#startedMs)}`);
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (!this.#visible) return;
    this.#visible = false;
    this.#line.write("\r\u001b[K");
  }
}
