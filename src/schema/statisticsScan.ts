import { type FileStatistics, parseStatistics } from "./fileStatistics.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

const HEAD = '{"numRecords":';
const SECTIONS = ["minValues", "maxValues", "nullCount"] as const;
const SECTION_STARTS = SECTIONS.map((section) => ({ section, start: `,"${section}":{` }));
const FLAGS = [',"tightBounds":true', ',"tightBounds":false'];

/** What can't stand behind the end of a text begins these names, so that a quote before one begins a text. */
const FOUND_NAME = /^(?!__proto__$)[^\s,:\]}]/;

/** The longest number of records in digits that a double holds for sure. */
const MAX_DIGITS = 15;

/**
 * Finds the statistics of a few top-level columns in many texts that stand one behind the other, without parsing them: where a text
 * is as writers write it. Statistics of nested columns, escapes, spaces, a column that isn't there and whatever else is unusual
 * have the text parsed. A text that is no JSON may pass for one.
 *
 * Without a backslash no text holds a quote, so that a quote before a letter begins a text, and the comma and the brace before it
 * are the structure's own.
 */
export class StatisticsScan {
  readonly #text: string;
  readonly #bytes: Buffer;
  readonly #names: readonly string[];
  readonly #isUsual: boolean;
  readonly #keys: readonly Cursor[];
  readonly #backslash: Cursor;
  readonly #open: Cursor;
  readonly #close: Cursor;
  readonly #values: { readonly [section in (typeof SECTIONS)[number]]: Values } = {
    minValues: {},
    maxValues: {},
    nullCount: {},
  };
  readonly #found: ScannedStatistics;

  /** The texts' bytes in UTF-8, and the names of the columns. */
  constructor(bytes: Uint8Array, columns: readonly string[]) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // A character a byte: positions are those of the bytes.
    const text = this.#bytes.toString("latin1", 0, bytes.byteLength);
    this.#text = text;
    this.#names = columns;
    this.#isUsual = columns.every((name) => FOUND_NAME.test(name));
    this.#keys = columns.map((name) => new Cursor(text, Buffer.from(`${JSON.stringify(name)}:`).toString("latin1")));
    this.#backslash = new Cursor(text, "\\");
    this.#open = new Cursor(text, "{");
    this.#close = new Cursor(text, "}");
    this.#found = new ScannedStatistics(this.#bytes);
  }

  /** The statistics in the bytes from `start` to `end`, good until the next are asked for; best in their order. */
  at(start: number, end: number): FileStatistics | undefined {
    const scanned = this.#isUsual ? this.#scan(start, end) : undefined;
    return scanned ?? parseStatistics(this.#bytes.toString("utf8", start, end));
  }

  #scan(start: number, end: number): FileStatistics | undefined {
    const text = this.#text;
    if (this.#backslash.from(start) < end || !isAt(text, HEAD, start)) return undefined;
    let at = start + HEAD.length;
    let numRecords = 0;
    const digits = at;
    for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(++at)) {
      numRecords = numRecords * 10 + code - 0x30;
    }
    const count = at - digits;
    if (count === 0 || count > MAX_DIGITS || (count > 1 && text.charCodeAt(digits) === 0x30)) return undefined;
    const found = this.#found;
    found.minValues = undefined;
    found.maxValues = undefined;
    found.nullCount = undefined;
    let turn = -1;
    while (text.charCodeAt(at) === COMMA) {
      const next = this.#sectionAt(at, ++turn);
      if (next === undefined) {
        const flag = FLAGS.find((candidate) => isAt(text, candidate, at));
        if (flag === undefined) return undefined;
        at += flag.length;
        continue;
      }
      if (found[next.section] !== undefined) return undefined;
      const inside = at + next.start.length;
      const close = this.#close.from(inside);
      if (close >= end || this.#open.from(inside) < close) return undefined;
      const values = this.#values[next.section];
      if (!this.#find(inside, close, values)) return undefined;
      found[next.section] = values;
      at = close + 1;
    }
    if (text.charCodeAt(at) !== CLOSE_BRACE || at + 1 !== end) return undefined;
    found.numRecords = numRecords;
    found.start = start;
    found.end = end;
    return found;
  }

  /** The section that begins at a position; most likely that whose turn it is. */
  #sectionAt(at: number, turn: number): (typeof SECTION_STARTS)[number] | undefined {
    for (let i = 0; i < SECTION_STARTS.length; i++) {
      const candidate = SECTION_STARTS[(turn + i) % SECTION_STARTS.length]!;
      if (isAt(this.#text, candidate.start, at)) return candidate;
    }
    return undefined;
  }

  /** Takes the columns' values from the flat object between two positions; false where they aren't all there. */
  #find(inside: number, close: number, values: Values): boolean {
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i]!;
      const at = key.from(inside);
      if (at >= close) return false;
      const value = this.#value(at + key.length, close);
      if (value === undefined || key.from(at + 1) < close) return false;
      values[this.#names[i]!] = value;
    }
    return true;
  }

  /** The text, number, true, false or null at a position; undefined for what isn't one for sure. */
  #value(at: number, close: number): unknown {
    const text = this.#text;
    if (text.charCodeAt(at) === QUOTE) {
      const end = text.indexOf('"', at + 1);
      return end < 0 || end > close ? undefined : this.#bytes.toString("utf8", at + 1, end);
    }
    let end = at;
    let digits = 0;
    let code = text.charCodeAt(end);
    for (; code >= 0x30 && code <= 0x39; code = text.charCodeAt(++end)) digits = digits * 10 + code - 0x30;
    const isWhole = code === COMMA || end === close;
    if (isWhole && end > at && end - at <= MAX_DIGITS && (end - at === 1 || text.charCodeAt(at) !== 0x30))
      return digits;
    while (end < close && text.charCodeAt(end) !== COMMA) end++;
    const word = text.slice(at, end);
    if (word === "null") return null;
    if (word === "true" || word === "false") return word === "true";
    return NUMBER.test(word) ? Number(word) : undefined;
  }
}

/** As `startsWith`, which takes longer for texts as short as these. */
function isAt(text: string, sought: string, at: number): boolean {
  for (let i = 0; i < sought.length; i++) if (text.charCodeAt(at + i) !== sought.charCodeAt(i)) return false;
  return true;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

type Values = Record<string, unknown>;

/** One for all texts: another object for each would cost as much as the search. */
class ScannedStatistics implements FileStatistics {
  numRecords = 0;
  minValues: Values | undefined;
  maxValues: Values | undefined;
  nullCount: Values | undefined;
  start = 0;
  end = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Only numbers that a double can't hold are looked up in it. */
  get json(): string {
    return this.#bytes.toString("utf8", this.start, this.end);
  }
}

/** The places of a text in another, asked for in order: each is looked for once, however many texts lack it. */
class Cursor {
  readonly length: number;
  readonly #text: string;
  readonly #sought: string;
  #from = 0;
  #at = -1;

  constructor(text: string, sought: string) {
    this.#text = text;
    this.#sought = sought;
    this.length = sought.length;
  }

  /** The first place from a position on; infinite where there is none. */
  from(position: number): number {
    if (this.#at < position || position < this.#from) {
      this.#from = position;
      const at = this.#text.indexOf(this.#sought, position);
      this.#at = at < 0 ? Number.POSITIVE_INFINITY : at;
    }
    return this.#at;
  }
}
