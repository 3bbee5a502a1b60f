/** A number's text where the JavaScript number would not be the same, or would not tell whether it had a point. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Stands for numbers on their way through JSON.parse: a noncharacter, which no text has. */
const MARK = "\ufdd0";
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\d[\d.eE+-]*/g;
const MAY_BE_INEXACT = /[\d.]{16}/;
const HAS_POINT = /\d[.eE]/;

/**
 * Parses JSON. A number that JavaScript can't hold with all its digits is a {@link JsonNumber}; with `keepPoints` so is one
 * that is written with a point or an exponent. Throws SyntaxError.
 */
export function parseJson(text: string, keepPoints: boolean): unknown {
  const plain: unknown = JSON.parse(text);
  if (!MAY_BE_INEXACT.test(text) && !(keepPoints && HAS_POINT.test(text))) return plain;
  const isPlain = (token: string) => token.startsWith('"') || isExact(token, keepPoints);
  return unmarked(JSON.parse(text.replace(TOKEN, (token) => (isPlain(token) ? token : `{"${MARK}":"${token}"}`))));
}

function isExact(number: string, keepPoints: boolean): boolean {
  if (/^-?\d+$/.test(number)) return Number.isSafeInteger(Number(number));
  return !keepPoints && number.length < 16;
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
