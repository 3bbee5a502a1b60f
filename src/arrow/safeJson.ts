/** What could steer a terminal or hide text in it: control characters, line separators, changes of direction. */
export const UNSAFE = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** The character as JSON escapes it. */
export function escapeOf(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * The value's JSON, in which what could steer a terminal is written as an escape, which means the same. `replacer` is that of
 * `JSON.stringify`.
 */
export function jsonText(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return escapeJson(JSON.stringify(value, replacer));
}

/** JSON in which what could steer a terminal is written as an escape. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, escapeOf);
}
