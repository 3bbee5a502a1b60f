/** Paths in a block; a path itself takes far more memory as a text of its own. */
const BLOCK_PATHS = 1000;

/** Many paths, in as many bytes as they have. */
export class PathList implements Iterable<string> {
  size = 0;
  readonly #blocks: Buffer[] = [];
  #open: string[] = [];

  add(path: string): void {
    this.size++;
    if (this.#open.push(path) < BLOCK_PATHS) return;
    // No path holds a NUL.
    this.#blocks.push(Buffer.from(this.#open.join("\0")));
    this.#open = [];
  }

  *[Symbol.iterator](): Generator<string> {
    for (const block of this.#blocks) yield* block.toString().split("\0");
    yield* this.#open;
  }

  first(count: number): string[] {
    const paths: string[] = [];
    for (const path of this) if (paths.push(path) >= count) break;
    return count === 0 ? [] : paths;
  }
}
