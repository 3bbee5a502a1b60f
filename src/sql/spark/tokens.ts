import { unsupportedExpression } from "./errors.js";

/** A piece of an expression in Spark SQL. */
export interface Token {
  readonly kind: "word" | "name" | "number" | "text" | "symbol" | "end";
  /** A word as it is spelled, a name without its backticks, a text as it is meant. */
  readonly text: string;
  /** 0-based, in characters. */
  readonly at: number;
}

const SPACE = /(?:\s|--[^\n]*|\/\*(?!\+)[\s\S]*?\*\/)*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NAME = /`(?:[^`]|``)+`/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:BD|[LSYDF])?(?![\p{L}\p{N}_])/iuy;
const TEXT = /[rR](?:'[^']*'|"[^"]*")|'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const SYMBOL = /<=>|>>>|>>|<<|<>|<=|>=|!=|==|\|\||::|->|[-+*/%=<>!~&|^()[\],.]/y;

/** Cuts an expression into tokens; the last one is the end. Throws `DELTA_UNSUPPORTED_EXPRESSION` for what is none. */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  for (let at = skip(expression, 0); at < expression.length; ) {
    const [token, length] = tokenAt(expression, at);
    tokens.push(token);
    at = skip(expression, at + length);
  }
  return [...tokens, { kind: "end", text: "", at: expression.length }];
}

function skip(expression: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(expression)?.[0].length ?? 0);
}

function tokenAt(expression: string, at: number): [Token, number] {
  const found = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(expression)?.[0];
  };
  const text = found(TEXT);
  if (text !== undefined) return [{ kind: "text", text: textOf(text), at }, text.length];
  const number = found(NUMBER);
  if (number !== undefined) return [{ kind: "number", text: number, at }, number.length];
  const word = found(WORD);
  if (word !== undefined) return [{ kind: "word", text: word, at }, word.length];
  const name = found(NAME);
  if (name !== undefined) return [{ kind: "name", text: name.slice(1, -1).replaceAll("``", "`"), at }, name.length];
  const symbol = found(SYMBOL);
  if (symbol !== undefined) return [{ kind: "symbol", text: symbol, at }, symbol.length];
  throw unsupportedExpression(expression, `${JSON.stringify(expression.charAt(at))} isn't understood`, at);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
  // They stay escaped, for LIKE.
  "%": "\\%",
  _: "\\_",
};

/** What a literal means: Spark undoes backslashes, unless it begins with an r. A doubled quote ends one literal and begins the next. */
function textOf(literal: string): string {
  const isRaw = /^r/i.test(literal);
  const quoted = isRaw ? literal.slice(1) : literal;
  const inner = quoted.slice(1, -1);
  if (isRaw) return inner;
  return inner.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\([0-3][0-7]{2})|\\([\s\S])/g,
    (match, short?: string, long?: string, octal?: string, escaped?: string) => {
      const code = short ?? long;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      if (escaped !== undefined) return ESCAPES[escaped] ?? escaped;
      return match;
    },
  );
}
