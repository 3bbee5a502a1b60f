import { parseDecimal, rescaleDecimal } from "./decimal.js";

const LONG_NUMBER = /\d{16}/;
const TOKEN = /\s*(?:("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{},:]))/y;

/** Parses JSON; integers that a double can't hold become `bigint` instead of losing digits. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  return LONG_NUMBER.test(text) ? new ExactParser(text, Number).value() : plain;
}

// Any number of 15 digits is the only one so short that its double stands for.
const LONG_DECIMAL = /[\d.]{16}/;

/** The same; other numbers that a double can't hold become their text, all digits kept. Throws SyntaxError. */
export function parseFaithfulJson(text: string): unknown {
  return LONG_DECIMAL.test(text) ? new ExactParser(text, faithfulNumber).value() : JSON.parse(text);
}

/** The double whose own text has these digits, else the text. */
function faithfulNumber(text: string): number | string {
  const value = Number(text);
  const [wanted, shown] = [parseDecimal(text), parseDecimal(String(value))];
  if (wanted === undefined || shown === undefined) return value;
  const scale = Math.max(wanted.scale, shown.scale);
  return rescaleDecimal(wanted, scale) === rescaleDecimal(shown, scale) ? value : text;
}

/** The JSON text of a value that {@link parseExactJson} gave: `bigint` is written as an integer. */
export function exactJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(exactJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${exactJson(member)}`).join(",")}}`;
}

/** Only reads text that JSON.parse has accepted, so it has no errors of its own. */
class ExactParser {
  readonly #text: string;
  readonly #number: (text: string) => unknown;
  #at = 0;

  /** `number` gives the value of a number that is no integer. */
  constructor(text: string, number: (text: string) => unknown) {
    this.#text = text;
    this.#number = number;
  }

  value(): unknown {
    const token = this.#next();
    if (token === "[") return this.#array();
    if (token === "{") return this.#object();
    if (/^-?\d+$/.test(token)) return exactInteger(token);
    if (/^[-\d]/.test(token)) return this.#number(token);
    return JSON.parse(token) as unknown;
  }

  #next(): string {
    TOKEN.lastIndex = this.#at;
    const match = TOKEN.exec(this.#text)!;
    this.#at = TOKEN.lastIndex;
    return match[0].trim();
  }

  #peek(): string {
    const at = this.#at;
    const token = this.#next();
    this.#at = at;
    return token;
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    if (this.#peek() === "]") this.#next();
    else
      do items.push(this.value());
      while (this.#next() === ",");
    return items;
  }

  #object(): Record<string, unknown> {
    const members: [string, unknown][] = [];
    if (this.#peek() === "}") this.#next();
    else
      do {
        const key = JSON.parse(this.#next()) as string;
        this.#next();
        members.push([key, this.value()]);
      } while (this.#next() === ",");
    return Object.fromEntries(members);
  }
}

function exactInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
