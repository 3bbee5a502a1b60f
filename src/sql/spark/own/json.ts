import { javaText } from "./javaNumbers.js";
import type { OwnFunction } from "./own.js";

type Json =
  | string
  | null
  | boolean
  | { readonly number: string }
  | readonly Json[]
  | ReadonlyMap<Json, readonly Json[]>;
type Step = string | number;

/** The names and indices of a path; undefined for one with wildcards, or that isn't understood. */
export function jsonPath(path: string): Step[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: Step[] = [];
  const rest = path.slice(1);
  const pattern = /\.([^.[]+)|\['([^'?]+)'\]|\[(\d+)\]/y;
  while (pattern.lastIndex < rest.length) {
    const found = pattern.exec(rest);
    if (found === null || found[1] === "*" || found[2] === "*") return undefined;
    steps.push(found[3] === undefined ? (found[1] ?? found[2])! : Number(found[3]));
  }
  return steps;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What is behind the value doesn't matter. */
  value(): Json {
    this.#take(/\s*/y);
    const start = this.#text[this.#at];
    if (start === "{") return this.#object();
    if (start === "[") return this.#array();
    if (start === '"' || start === "'") return this.#string();
    const word = this.#take(/true|false|null/y);
    if (word !== undefined) return word === "null" ? null : word === "true";
    const number = this.#take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y);
    if (number === undefined) throw new SyntaxError("no JSON");
    return { number: /[.e]/i.test(number) ? javaText(Number(number)) : String(BigInt(number)) };
  }

  #object(): Json {
    const fields = new Map<string, Json[]>();
    this.#at++;
    if (this.#symbol("}")) return fields;
    do {
      this.#take(/\s*/y);
      const name = this.#string();
      if (!this.#symbol(":")) throw new SyntaxError("no JSON");
      fields.set(name, [...(fields.get(name) ?? []), this.value()]);
    } while (this.#symbol(","));
    if (!this.#symbol("}")) throw new SyntaxError("no JSON");
    return fields;
  }

  #array(): Json {
    const items: Json[] = [];
    this.#at++;
    if (this.#symbol("]")) return items;
    do items.push(this.value());
    while (this.#symbol(","));
    if (!this.#symbol("]")) throw new SyntaxError("no JSON");
    return items;
  }

  #string(): string {
    const literal = this.#take(/"(?:[^"\\]|\\["\\/bfnrtu'])*"|'(?:[^'\\]|\\["\\/bfnrtu'])*'/y);
    if (literal === undefined) throw new SyntaxError("no JSON");
    return literal.slice(1, -1).replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code?: string, letter?: string) => {
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      if (letter === "u") throw new SyntaxError("no JSON");
      return { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }[letter!] ?? letter!;
    });
  }

  #symbol(symbol: string): boolean {
    this.#take(/\s*/y);
    const isIt = this.#text[this.#at] === symbol;
    if (isIt) this.#at++;
    return isIt;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

function isObject(value: Json): value is ReadonlyMap<string, readonly Json[]> {
  return value instanceof Map;
}

function found(value: Json, [step, ...rest]: readonly Step[]): Json {
  if (step === undefined) return value;
  if (typeof step === "number")
    return Array.isArray(value) ? found((value as readonly Json[])[step] ?? null, rest) : null;
  if (!isObject(value)) return null;
  for (const one of value.get(step) ?? []) {
    const inner = found(one, rest);
    if (inner !== null) return inner;
  }
  return null;
}

function shown(value: Json): string {
  if (typeof value === "string") {
    // Capital digits where there is no shorter escape.
    return JSON.stringify(value).replace(/(?<=\\u00)[0-9a-f]{2}/g, (digits) => digits.toUpperCase());
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(shown).join(",")}]`;
  if (!isObject(value)) return (value as { readonly number: string }).number;
  const fields = [...value].flatMap(([name, values]) => values.map((one) => `${shown(name)}:${shown(one)}`));
  return `{${fields.join(",")}}`;
}

function getJsonObject(text: string, path: string): string | null {
  try {
    const value = found(new Reader(text).value(), jsonPath(path)!);
    return value === null || typeof value === "string" ? value : shown(value);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export const JSONS: Readonly<Record<string, OwnFunction>> = {
  get_json_object: { takes: ["text", "text"], gives: "text", of: getJsonObject },
};
