import { runtime } from "../runtime.js";
import { fitWidth, formatCount, formatDuration } from "./text.js";

const EVERY_MS = 100;
/** Some terminals say that they have none. */
const UNKNOWN_COLUMNS = 80;

interface Line {
  readonly isTTY?: boolean;
  readonly columns?: number;
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

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return runtime.now() - this.#startedMs;
  }

  /** Says "<count> <what>" and the time since the start. */
  show(count: number, what: string): void {
    this.showText(() => `${formatCount(count)} ${what}, ${formatDuration(this.elapsedMs)}`);
  }

  /** Says a text, cut to the line, which is made only where it is shown. */
  showText(text: () => string): void {
    if (this.#line.isTTY !== true) return;
    const now = runtime.now();
    if (now - this.#shownMs < EVERY_MS) return;
    this.#shownMs = now;
    this.#visible = true;
    // A line that is wrapped couldn't be written over.
    this.#line.write(`\r\u001b[K${fitWidth(text(), (this.#line.columns || UNKNOWN_COLUMNS) - 1)}`);
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (!this.#visible) return;
    this.#visible = false;
    this.#line.write("\r\u001b[K");
  }
}
