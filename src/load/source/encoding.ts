import { isAscii } from "node:buffer";
import { DeltaError } from "../../errors.js";

/** How a text is written as bytes. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "latin1" | "windows-1252";

/** Turns a text's bytes into UTF-8, and tells how many bytes of UTF-8 stand for how many of the text. */
export interface Transcoder {
  /** Bytes of a character that isn't complete yet are kept for the next call. */
  decode(bytes: Uint8Array): Uint8Array;
  /** What is left at the text's end. */
  end(): Uint8Array;
  /** Bytes kept; at the text's end they are half a character. */
  readonly pending: number;
  /** Bytes of the text that `utf8`, whole characters of what was decoded, stands for. */
  sourceBytes(utf8: Uint8Array): number;
}

const TRANSCODERS: Readonly<Record<Encoding, (() => Transcoder) | undefined>> = {
  "utf-8": undefined,
  "utf-16le": () => new Utf16(false),
  "utf-16be": () => new Utf16(true),
  latin1: () => new SingleByte(false),
  "windows-1252": () => new SingleByte(true),
};

/** The bytes 0x80 to 0x9f. */
const C1 = /[\u0080-\u009f]/g;

/** What they stand for; those without a character stay control characters. */
const WINDOWS_1252 = [
  ..."\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f",
  ..."\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178",
];

/** The encoding that a person names. Throws DELTA_INVALID_ARGUMENT. */
export function encodingOf(name: string | undefined): Encoding {
  const lower = name?.toLowerCase() ?? "utf-8";
  if (Object.hasOwn(TRANSCODERS, lower)) return lower as Encoding;
  throw new DeltaError(
    "DELTA_INVALID_ARGUMENT",
    `"${name}" is no encoding that can be read. There are ${Object.keys(TRANSCODERS).join(", ")}.`,
    { encoding: name },
  );
}

/** Undefined where nothing is to be done. */
export function transcoder(encoding: Encoding): Transcoder | undefined {
  return TRANSCODERS[encoding]?.();
}

/** The encoding that a byte order mark at a text's beginning tells, and the mark's length. */
export function byteOrderMark(bytes: Uint8Array): { readonly encoding: Encoding; readonly length: number } | undefined {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return { encoding: "utf-8", length: 3 };
  if (first === 0xff && second === 0xfe) return { encoding: "utf-16le", length: 2 };
  if (first === 0xfe && second === 0xff) return { encoding: "utf-16be", length: 2 };
  return undefined;
}

class SingleByte implements Transcoder {
  readonly pending = 0;
  readonly #isWindows: boolean;

  constructor(isWindows: boolean) {
    this.#isWindows = isWindows;
  }

  decode(bytes: Uint8Array): Uint8Array {
    if (isAscii(bytes)) return bytes;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    return Buffer.from(this.#isWindows ? text.replace(C1, (unit) => WINDOWS_1252[unit.charCodeAt(0) - 0x80]!) : text);
  }

  end(): Uint8Array {
    return new Uint8Array(0);
  }

  sourceBytes(utf8: Uint8Array): number {
    return characters(utf8);
  }
}

/** The number of characters: of bytes that begin one. */
function characters(utf8: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < utf8.length; i++) if ((utf8[i]! & 0xc0) !== 0x80) count++;
  return count;
}

class Utf16 implements Transcoder {
  readonly #isBigEndian: boolean;
  #kept = Buffer.alloc(0);

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  get pending(): number {
    return this.#kept.length;
  }

  decode(bytes: Uint8Array): Uint8Array {
    const all = Buffer.concat([this.#kept, bytes]);
    let end = all.length - (all.length % 2);
    // A character above U+FFFF is two units.
    if (end > 0 && (all[this.#isBigEndian ? end - 2 : end - 1]! & 0xfc) === 0xd8) end -= 2;
    this.#kept = Buffer.from(all.subarray(end));
    return this.#utf8(all.subarray(0, end));
  }

  end(): Uint8Array {
    const unit = this.#kept.subarray(0, this.#kept.length - (this.#kept.length % 2));
    this.#kept = this.#kept.subarray(unit.length);
    return this.#utf8(unit);
  }

  #utf8(units: Buffer): Uint8Array {
    const text = (this.#isBigEndian ? units.swap16() : units).toString("utf16le");
    return LONE_SURROGATE.test(text) ? withLoneSurrogates(text) : Buffer.from(text);
  }

  sourceBytes(utf8: Uint8Array): number {
    let count = 0;
    for (let i = 0; i < utf8.length; i++) {
      const byte = utf8[i]!;
      if ((byte & 0xc0) !== 0x80) count += byte >= 0xf0 ? 4 : 2;
    }
    return count;
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Surrogates without their partner become what they would be in UTF-8, which nobody takes for a text: that is a record's fault. */
function withLoneSurrogates(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const part of text.match(/[\ud800-\udfff]|[^\ud800-\udfff]+/gu) ?? []) {
    const unit = part.charCodeAt(0);
    const isLone = part.length === 1 && unit >= 0xd800 && unit <= 0xdfff;
    parts.push(
      isLone ? Uint8Array.of(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63)) : Buffer.from(part),
    );
  }
  return Buffer.concat(parts);
}
