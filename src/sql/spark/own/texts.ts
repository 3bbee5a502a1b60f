import type { OwnFunction } from "./own.js";

type Numbers = readonly number[];

/** Of a word's first letter and after spaces. */
function initcap(text: string): string {
  const small = text.toLowerCase();
  return small.replace(/(^| )(\p{Ll})/gu, (_, before: string, letter: string) => before + titled(letter));
}

function titled(letter: string): string {
  const large = letter.toUpperCase();
  if ([...large].length > 1 || /[\u01C4-\u01CC\u01F1-\u01F3\u10D0-\u10FF]/.test(letter)) {
    throw new Error(`a letter whose form at the beginning of words isn't known: ${letter}`);
  }
  return large;
}

function translate(text: string, from: string, to: string): string {
  const replacements = [...to];
  const map = new Map<string, string>();
  [...from].forEach((letter, index) => {
    if (!map.has(letter)) map.set(letter, replacements[index] ?? "");
  });
  return [...text].map((letter) => map.get(letter) ?? letter).join("");
}

function levenshtein(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  let row: Numbers = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, letter] of left.entries()) {
    const next = [i + 1];
    for (const [j, other] of right.entries()) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[right.length]!;
}

function substringIndex(text: string, delimiter: string, count: number): string {
  if (delimiter === "" || count === 0) return "";
  let at = count > 0 ? -delimiter.length : text.length;
  for (let left = Math.abs(count); left > 0; left--) {
    if (count < 0 && at === 0) return text;
    at =
      count > 0 ? text.indexOf(delimiter, at + (at < 0 ? delimiter.length : 1)) : text.lastIndexOf(delimiter, at - 1);
    if (at === -1) return text;
  }
  return count > 0 ? text.slice(0, at) : text.slice(at + delimiter.length);
}

function splitPart(text: string, delimiter: string, index: number): string {
  if (index === 0) throw new Error("a part of number 0");
  const parts = delimiter === "" ? [text] : text.split(delimiter);
  return parts.at(index > 0 ? index - 1 : index) ?? "";
}

function overlay(text: string, other: string, from: number, count: number): string {
  const [letters, replacement] = [[...text], [...other]];
  const slice = (at: number, length: number) => {
    const start = at > 0 ? at - 1 : at < 0 ? letters.length + at : 0;
    return letters.slice(Math.max(start, 0), Math.max(start + length, 0)).join("");
  };
  const taken = count >= 0 ? count : replacement.length;
  return slice(1, from - 1) + other + slice(from + taken, 2 ** 31);
}

const SOUNDS: Readonly<Record<string, string>> = Object.fromEntries(
  ["BFPV", "CGJKQSXZ", "DT", "L", "MN", "R"].flatMap((letters, index) =>
    [...letters].map((letter) => [letter, String(index + 1)]),
  ),
);

function soundex(text: string): string {
  const first = text.charAt(0).toUpperCase();
  if (!/^[A-Z]$/.test(first) || text.charCodeAt(0) > 127) return text;
  let code = first;
  let last = SOUNDS[first] ?? "0";
  for (const letter of text.slice(1).toUpperCase()) {
    if (code.length === 4) break;
    // A letter between two of one sound keeps them apart, unless it is H or W.
    if (!/^[A-Z]$/.test(letter)) last = "0";
    else if (SOUNDS[letter] !== undefined) {
      if (SOUNDS[letter] !== last) code += SOUNDS[letter];
      last = SOUNDS[letter]!;
    } else if (letter !== "H" && letter !== "W") last = "0";
  }
  return code.padEnd(4, "0");
}

function findInSet(text: string, list: string): number {
  return text.includes(",") ? 0 : list.split(",").indexOf(text) + 1;
}

/** A number's digits in another base; null for none. */
function conv(text: string, from: number, to: number): string | null {
  const bases = [from, Math.abs(to)];
  if (bases.some((base) => base < 2 || base > 36)) return null;
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const isNegative = trimmed.startsWith("-");
  let value = 0n;
  for (const letter of trimmed.slice(isNegative ? 1 : 0)) {
    const digit = /^[0-9a-z]$/i.test(letter) ? Number.parseInt(letter, 36) : 36;
    if (digit >= from) break;
    value = value * BigInt(from) + BigInt(digit);
    if (value >= 1n << 64n) throw new Error("a number of more than 64 bits");
  }
  if (isNegative) value = BigInt.asUintN(64, -value);
  const shown = to < 0 ? BigInt.asIntN(64, value) : value;
  return shown.toString(Math.abs(to)).toUpperCase();
}

const CHARSETS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  "UTF-8": (bytes) => new TextDecoder().decode(bytes),
  "US-ASCII": (bytes) => strict(bytes, 0x7f),
  "ISO-8859-1": (bytes) => bytes.toString("latin1"),
  "UTF-16": utf16,
  "UTF-16BE": (bytes) => swapped(bytes).toString("utf16le"),
  "UTF-16LE": (bytes) => bytes.toString("utf16le"),
};

/** Of either order, told by the first character; without one, the large end is first. */
function utf16(bytes: Buffer): string {
  const mark = bytes.length < 2 ? 0 : bytes.readUInt16BE();
  const rest = mark === 0xfeff || mark === 0xfffe ? bytes.subarray(2) : bytes;
  return (mark === 0xfffe ? rest : swapped(rest)).toString("utf16le");
}

function strict(bytes: Buffer, most: number): string {
  if (bytes.some((byte) => byte > most)) throw new Error("bytes that aren't of the character set");
  return bytes.toString("latin1");
}

function swapped(bytes: Uint8Array): Buffer {
  if (bytes.length % 2 === 1) throw new Error("bytes that aren't of the character set");
  return Buffer.from(bytes).swap16();
}

function decode(bytes: Uint8Array, charset: string): string {
  const of = CHARSETS[charset.toUpperCase()];
  if (of === undefined) throw new Error(`a character set that isn't known: ${charset}`);
  return of(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function encode(text: string, charset: string): Uint8Array {
  const name = charset.toUpperCase();
  const most = name === "US-ASCII" ? 0x7f : name === "ISO-8859-1" ? 0xff : 0x10_ffff;
  if ([...text].some((letter) => letter.codePointAt(0)! > most))
    throw new Error("letters that the character set lacks");
  if (name === "UTF-8") return Buffer.from(text, "utf8");
  if (name === "UTF-16LE") return Buffer.from(text, "utf16le");
  if (name === "UTF-16BE") return swapped(Buffer.from(text, "utf16le"));
  if (name === "UTF-16") return Buffer.concat([Buffer.from([0xfe, 0xff]), swapped(Buffer.from(text, "utf16le"))]);
  if (most > 0xff) throw new Error(`a character set that isn't known: ${charset}`);
  return Buffer.from(text, "latin1");
}

function unbase64(text: string): Uint8Array {
  const kept = text.replace(/[^A-Za-z0-9+/=]/g, "");
  if (!/^(?:[^=]{4})*(?:[^=]{2}(?:==)?|[^=]{3}=?)?$/.test(kept)) throw new Error("it isn't base64");
  return Buffer.from(kept, "base64");
}

function unhex(text: string): Uint8Array | null {
  const digits = text.length % 2 === 1 ? `0${text}` : text;
  return /^[0-9a-f]*$/i.test(digits) ? Buffer.from(digits, "hex") : null;
}

function urlEncode(text: string): string {
  const special = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()~]/g, special);
}

function char(code: bigint): string {
  return code < 0n ? "" : String.fromCharCode(Number(code & 0xffn));
}

/** Texts are taken by their characters, as Spark's are. */
export const TEXTS: Readonly<Record<string, OwnFunction>> = {
  initcap: { takes: ["text"], gives: "text", of: initcap },
  translate: { takes: ["text", "text", "text"], gives: "text", of: translate },
  levenshtein: { takes: ["text", "text"], gives: "integer", of: levenshtein },
  substring_index: { takes: ["text", "text", "integer"], gives: "text", of: substringIndex },
  split_part: { takes: ["text", "text", "integer"], gives: "text", of: splitPart },
  overlay: { takes: ["text", "text", "integer", "integer"], gives: "text", of: overlay },
  soundex: { takes: ["text"], gives: "text", of: soundex },
  find_in_set: { takes: ["text", "text"], gives: "integer", of: findInSet },
  conv: { takes: ["text", "integer", "integer"], gives: "text", of: conv },
  decode: { takes: ["binary", "text"], gives: "text", of: decode },
  encode: { takes: ["text", "text"], gives: "binary", of: encode },
  unbase64: { takes: ["text"], gives: "binary", of: unbase64 },
  unhex: { takes: ["text"], gives: "binary", of: unhex },
  url_encode: { takes: ["text"], gives: "text", of: urlEncode },
  url_decode: { takes: ["text"], gives: "text", of: (text: string) => decodeURIComponent(text.replaceAll("+", " ")) },
  char: { takes: ["long"], gives: "text", of: char },
};
