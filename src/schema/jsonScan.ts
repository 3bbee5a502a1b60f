/** Finds the text of single values in valid JSON. Positions are indices; -1 is "not there". */

import { limits } from "../limits.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Texts up to here can't hold what is too much, and nearly all are as short. */
const SHORT_CHARS = 2048;

/**
 * True for a text whose parsed form would take a hundred times its room, or nest deeper than the stack allows: more than
 * `MAX_JSON_VALUES`, or deeper than `MAX_JSON_DEPTH`. It needn't be JSON.
 */
export function isJsonBomb(text: string): boolean {
  return exceeds(text, limits.MAX_JSON_VALUES);
}

/** True for a text that nests deeper than `MAX_JSON_DEPTH`, of however many values. */
export function nestsTooDeep(text: string): boolean {
  return exceeds(text, Number.POSITIVE_INFINITY);
}

function exceeds(text: string, maxValues: number): boolean {
  if (text.length <= SHORT_CHARS) return false;
  let depth = 0;
  let values = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = skipString(text, i) - 1;
      if (i < 0) return false;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      values++;
      if (++depth > limits.MAX_JSON_DEPTH) return true;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    else if (code === COMMA) values++;
    if (values > maxValues) return true;
  }
  return false;
}

/** The position of the value of a member of the object at `at`. */
export function findMember(text: string, at: number, name: string): number {
  const key = JSON.stringify(name);
  let i = skipSpace(text, at);
  if (text.charCodeAt(i) !== OPEN_BRACE) return -1;
  do {
    i = skipSpace(text, i + 1);
    if (text.charCodeAt(i) !== QUOTE) return -1;
    const end = skipString(text, i);
    if (end < 0) return -1;
    const matches = isKey(text, i, end, key, name);
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== COLON) return -1;
    i = skipSpace(text, i + 1);
    if (matches) return i;
    i = skipValue(text, i);
    if (i < 0) return -1;
    i = skipSpace(text, i);
  } while (text.charCodeAt(i) === COMMA);
  return -1;
}

/** The text of the string, number, true, false or null at `at`; `undefined` for anything else. */
export function scalarAt(text: string, at: number): string | undefined {
  const first = text.charCodeAt(at);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return undefined;
  const end = skipValue(text, at);
  return end < 0 ? undefined : text.slice(at, end);
}

function isKey(text: string, at: number, end: number, key: string, name: string): boolean {
  if (end - at === key.length && text.startsWith(key, at)) return true;
  const backslash = text.indexOf("\\", at);
  if (backslash < 0 || backslash >= end) return false;
  try {
    return JSON.parse(text.slice(at, end)) === name;
  } catch {
    return false;
  }
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (text.charCodeAt(i) <= 0x20) i++;
  return i;
}

/** Behind the string that begins at `at`. */
function skipString(text: string, at: number): number {
  for (let i = text.indexOf('"', at + 1); i >= 0; i = text.indexOf('"', i + 1)) {
    let before = i - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((i - before) % 2 === 1) return i + 1;
  }
  return -1;
}

/** Behind the value that begins at `at`. */
function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
    let i = at;
    while (isInWord(text.charCodeAt(i))) i++;
    return i > at ? i : -1;
  }
  let depth = 0;
  let i = at;
  while (i >= 0 && i < text.length) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = skipString(text, i);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return i + 1;
    i++;
  }
  return -1;
}

/** Letters, digits, signs and points: what numbers and the three words consist of. */
function isInWord(code: number): boolean {
  return (
    (code >= 0x2b && code <= 0x39 && code !== COMMA) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
  );
}
