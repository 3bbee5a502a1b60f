import { DeltaError } from "../errors.js";
import type { StructType } from "../schema/types.js";
import { memoryStore } from "../storage/memory.js";
import type { BatchSink } from "./batchSink.js";
import type { ParseOptions, RecordSlice } from "./format/format.js";
import { formats } from "./format/formats.js";
import type { Json } from "./progress.js";
import { identityOf } from "./source/identity.js";
import type { SourceFile, SourceFormat } from "./source/source.js";

/** A dead letter to be parsed again, with its text as it is or mended. */
export interface LetterText {
  readonly id: string;
  readonly parser: string;
  readonly raw: Uint8Array;
}

/** How a letter was parsed. */
interface Parser {
  readonly format: SourceFormat;
  readonly dialect: { readonly [option: string]: Json };
  readonly options: ParseOptions;
  readonly columns: readonly string[];
}

/** More than any group has. */
const ALL_BYTES = 2 ** 30;
/** Quotes, escapes and line ends, whichever the dialect has. */
const SPECIAL: ReadonlySet<number> = new Set(Buffer.from("\"'`\\\r\n"));

/** Parses dead letters again. */
export class LetterBatch {
  readonly #sink: BatchSink;
  readonly #rejected: Set<number>;
  readonly #overrides: ParseOptions;

  /** `rejected` gets the numbers of the records that `sink` rejects. */
  constructor(sink: BatchSink, rejected: Set<number>, overrides: ParseOptions) {
    this.#sink = sink;
    this.#rejected = rejected;
    this.#overrides = overrides;
  }

  /**
   * Parses letters of one parser; the ids of those that are loaded now. Letters without quotes and line ends are parsed
   * together; each other one alone, since an open quote would swallow what follows.
   */
  async parse(letters: readonly LetterText[]): Promise<string[]> {
    const isPlain = ({ raw }: LetterText) => !raw.some((byte) => SPECIAL.has(byte));
    const loaded = await this.#parseGroup(letters.filter(isPlain));
    for (const letter of letters) if (!isPlain(letter)) loaded.push(...(await this.#parseGroup([letter])));
    return loaded;
  }

  async #parseGroup(letters: readonly LetterText[]): Promise<string[]> {
    if (letters.length === 0) return [];
    const { parser: text } = letters[0]!;
    const parser: Parser = JSON.parse(text);
    await using reader = await this.#open(letters, parser);
    const slices: RecordSlice[] = [];
    for (;;) {
      const slice = await reader.next(ALL_BYTES);
      if (slice === undefined) break;
      slices.push(slice);
      if (slice.isLast) break;
    }
    if (slices.reduce((sum, { recordCount }) => sum + recordCount, 0) !== letters.length) {
      // A text that isn't one record any more stays dead. Which one it is, is seen one by one.
      if (letters.length === 1) return [];
      const loaded: string[] = [];
      for (const letter of letters) loaded.push(...(await this.#parseGroup([letter])));
      return loaded;
    }
    this.#rejected.clear();
    await this.#sink.parse(slices.map((slice) => ({ slice, file: "dead letters", parser: text })));
    return letters.filter((_, index) => !this.#rejected.has(index)).map(({ id }) => id);
  }

  /** As a file without a header, in UTF-8. */
  async #open(letters: readonly LetterText[], { format, dialect, options, columns }: Parser) {
    const isText = format === "csv";
    const kind: SourceFormat = isText ? "csv" : "jsonl";
    const { encoding: _, ...rest } = { ...options, ...this.#overrides };
    const schema: StructType = {
      type: "struct",
      fields: columns.map((name) => ({ name, type: "string", nullable: true, metadata: {} })),
    };
    const own = Object.fromEntries(Object.entries(this.#overrides).filter(([name]) => name in dialect));
    const shape = { dialect: { ...dialect, ...own, ...(isText ? { header: false } : {}) }, schema };
    const loader = formats[kind];
    if (loader === undefined) throw new DeltaError("DELTA_INTERNAL", `There is no reader of ${kind}.`);
    const file = await letterFile(letters, kind);
    return (await loader()).open(file, undefined, shape, { ...rest, header: false });
  }
}

async function letterFile(letters: readonly LetterText[], format: SourceFormat): Promise<SourceFile> {
  const store = memoryStore();
  const path = "letters";
  await store.put(path, Buffer.concat(letters.flatMap(({ raw }) => [raw, Buffer.from("\n")])));
  const meta = await store.head(path);
  return { url: "dead letters", store, path, format, compression: "none", identity: identityOf(meta!) };
}
