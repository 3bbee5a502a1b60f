import { DeltaError, hasCode } from "../errors.js";
import type { ObjectStore } from "../storage/store.js";

/** What every file of Structured Streaming's logs begins with. */
const VERSION_LINE = "v1";

/**
 * A folder of numbered files in the layout of Structured Streaming's logs: a version, then lines of JSON. Each is written once, and of
 * several runs by one.
 */
export class BatchLog {
  readonly #store: ObjectStore;
  readonly #folder: string;

  /** `folder` ends in `/`. */
  constructor(store: ObjectStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }

  /** The names in the folder, as they are. */
  async names(): Promise<string[]> {
    const paths = await this.#store.listNames(this.#folder);
    return paths.map((path) => path.slice(this.#folder.length));
  }

  /** The numbers of the files there are, ascending. */
  async ids(): Promise<number[]> {
    return numbersOf(await this.names());
  }

  /** The lines behind the version; undefined where there is no such file. Throws `DELTA_STREAM_CHECKPOINT_INVALID`. */
  async read(name: string): Promise<string[] | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#store.get(this.#folder + name);
    } catch (error) {
      if (hasCode(error, "DELTA_FILE_NOT_FOUND")) return undefined;
      throw error;
    }
    const [version, ...lines] = new TextDecoder().decode(bytes).split(/\r?\n/);
    if (version === VERSION_LINE) return lines;
    throw this.invalid(name, `begins with "${version?.slice(0, 20)}", not with "${VERSION_LINE}"`);
  }

  /**
   * Writes a file, durably. Throws `DELTA_CONCURRENT_TRANSACTION` where another run has written another one of this name, and
   * `DELTA_COMMIT_OUTCOME_UNKNOWN` where storage doesn't tell whether this one is there.
   */
  async add(name: string, lines: readonly string[]): Promise<void> {
    const path = this.#folder + name;
    const text = [VERSION_LINE, ...lines].join("\n");
    const bytes = new TextEncoder().encode(text);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if ((await this.#store.putIfAbsent(path, bytes)) === "created") return;
      const found = (await this.read(name))?.join("\n");
      if (found === lines.join("\n")) return this.#store.settle(this.#folder);
      if (found !== undefined) throw this.#taken(path);
    }
    throw new DeltaError(
      "DELTA_COMMIT_OUTCOME_UNKNOWN",
      `${this.#store.url}: storage doesn't tell whether ${path} was written. Run the stream again: it finds out where it is.`,
      { path },
    );
  }

  /** Removes a file, and the checksum that Hadoop keeps beside it on a local disk. */
  async remove(name: string): Promise<void> {
    await this.#store.delete(this.#folder + name);
    await this.#store.delete(`${this.#folder}.${name}.crc`);
  }

  /** What is found survives a crash from now on, also what a run wrote that was killed. */
  settle(): Promise<void> {
    return this.#store.settle(this.#folder);
  }

  invalid(name: string, flaw: string): DeltaError {
    const path = this.#folder + name;
    return new DeltaError(
      "DELTA_STREAM_CHECKPOINT_INVALID",
      `${path} of the checkpoint ${this.#store.url} ${flaw}. Restore the checkpoint, or begin a new stream with another folder.`,
      { path },
    );
  }

  #taken(path: string): DeltaError {
    return new DeltaError(
      "DELTA_CONCURRENT_TRANSACTION",
      `${this.#store.url}: another run of this stream has written ${path}. Nothing was lost or doubled; let one of them run.`,
      { path },
    );
  }
}

const ATTEMPTS = 5;

/** The numbers among the names, ascending. */
export function numbersOf(names: readonly string[]): number[] {
  return names
    .filter((name) => /^\d{1,15}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}
