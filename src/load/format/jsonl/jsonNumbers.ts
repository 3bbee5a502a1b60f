/** A number's text where the JavaScript number would not be the same, or would not tell whether it had a point. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Stands for numbers on their way through JSON.parse: a noncharacter, which no text has. */
const MARK = "\ufdd0";
const HAS_MARK = /\ufdd0|\\ufdd0/i;
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\d[\d.eE+-]*/g;
const LONG_NUMBER = /[\d.]{16}/;
const HAS_POINT = /\d[.eE]/;
/** Numbers of fewer characters are exact. */
const LONG = 16;

/** Which numbers become a {@link JsonNumber}: `none`; `inexact` ones; or `points`, also all with a point or an exponent. */
export type KeptNumbers = "none" | "inexact" | "points";

/** True where a number of JSON text may have so many digits that JavaScript can't hold them. */
export function mayHaveLongNumber(bytes: Uint8Array): boolean {
  // A run of 16 bytes holds one whose index is a multiple of 16.
  for (let i = LONG - 1; i < bytes.length; i += LONG) {
    if (!isNumeric(bytes[i]!)) continue;
    let [start, end] = [i, i + 1];
    while (start > 0 && isNumeric(bytes[start - 1]!)) start--;
    while (end < bytes.length && isNumeric(bytes[end]!)) end++;
    if (end - start >= LONG) return true;
  }
  return false;
}

function isNumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2e;
}

/** Parses JSON, with the numbers that `kept` says as {@link JsonNumber}. Throws SyntaxError. */
export function parseJson(text: string, kept: KeptNumbers): unknown {
  const plain: unknown = JSON.parse(text);
  const keepPoints = kept === "points" && HAS_POINT.test(text);
  if (kept === "none" || !(keepPoints || LONG_NUMBER.test(text))) return plain;
  if (HAS_MARK.test(text)) throw new SyntaxError("it holds U+FDD0, which is no character");
  const isPlain = (token: string) => token.startsWith('"') || isExact(token, keepPoints);
  return unmarked(JSON.parse(text.replace(TOKEN, (token) => (isPlain(token) ? token : `{"${MARK}":"${token}"}`))));
}

function isExact(number: string, keepPoints: boolean): boolean {
  if (/^-?\d+$/.test(number)) return Number.isSafeInteger(Number(number));
  return !keepPoints && number.length < LONG;
}

function unmarked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(unmarked);
  const object = value as Record<string, unknown>;
  const number = object[MARK];
  if (typeof number === "string") return new JsonNumber(number);
  for (const key of Object.keys(object)) {
    const item = object[key];
    if (typeof item === "object" && item !== null) object[key] = unmarked(item);
  }
  return object;
}
