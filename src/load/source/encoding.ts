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
  latin1: () => new SingleByte((byte) => byte),
  "windows-1252": () => new SingleByte((byte) => (byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252[byte - 0x80]! : byte)),
};

/** Code points of the bytes 0x80 to 0x9f; bytes without a character stay control characters. */
const WINDOWS_1252 = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
  0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
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
  readonly #lengths = new Uint8Array(256);
  readonly #utf8: readonly Uint8Array[];

  constructor(codePointOf: (byte: number) => number) {
    this.#utf8 = Array.from({ length: 256 }, (_, byte) => Buffer.from(String.fromCodePoint(codePointOf(byte))));
    for (let byte = 0; byte < 256; byte++) this.#lengths[byte] = this.#utf8[byte]!.length;
  }

  decode(bytes: Uint8Array): Uint8Array {
    if (isAscii(bytes)) return bytes;
    let length = 0;
    for (let i = 0; i < bytes.length; i++) length += this.#lengths[bytes[i]!]!;
    const out = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte < 0x80) {
        out[at++] = byte;
        continue;
      }
      const encoded = this.#utf8[byte]!;
      for (let j = 0; j < encoded.length; j++) out[at++] = encoded[j]!;
    }
    return out;
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
