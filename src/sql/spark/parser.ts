import { parseDdl } from "../../schema/ddl.js";
import type { DataType } from "../../schema/types.js";
import { unsupportedExpression } from "./errors.js";
import { intervalBetween, intervalOf, UNITS } from "./interval.js";
import { type Token, tokensOf } from "./tokens.js";
import type { BinaryOperator, LiteralNode, SparkNode } from "./tree.js";

/** How tight operators bind, loosest first, as in Spark's grammar. Those of one row are taken from left to right. */
const LEVELS: readonly Readonly<Record<string, BinaryOperator>>[] = [
  { "|": "|" },
  { "^": "^" },
  { "&": "&" },
  { "<<": "shiftleft", ">>": "shiftright", ">>>": "shiftrightunsigned" },
  { "+": "+", "-": "-", "||": "||" },
  { "*": "*", "/": "/", "%": "%", div: "div" },
];
const COMPARISONS: Readonly<Record<string, BinaryOperator>> = {
  ...{ "=": "=", "==": "=", "<>": "!=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<=>": "<=>" },
};
/** Functions that SQL writes without parentheses. */
const BARE = new Set(["current_date", "current_timestamp", "localtimestamp"]);
const MAX_DEPTH = 200;

/** Reads one expression of Spark SQL. Throws `DELTA_UNSUPPORTED_EXPRESSION` with `data.position` for what isn't understood. */
export function parseSpark(expression: string): SparkNode {
  return new Parser(expression).whole();
}

class Parser {
  readonly #expression: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#tokens = tokensOf(expression);
  }

  whole(): SparkNode {
    const node = this.#condition();
    if (this.#token.kind !== "end") throw this.#wrong("the end");
    return node;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #condition(): SparkNode {
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`at most ${MAX_DEPTH} expressions within each other`);
    let left = this.#conjunction();
    while (this.#takeWord("or")) left = { kind: "binary", op: "or", left, right: this.#conjunction() };
    this.#depth--;
    return left;
  }

  #conjunction(): SparkNode {
    let left = this.#negation();
    while (this.#takeWord("and")) left = { kind: "binary", op: "and", left, right: this.#negation() };
    return left;
  }

  #negation(): SparkNode {
    let isNegated = false;
    while (this.#takeWord("not") || this.#takeSymbol("!")) isNegated = !isNegated;
    const node = this.#predicate();
    return isNegated ? { kind: "not", of: node } : node;
  }

  #predicate(): SparkNode {
    let left = this.#comparison();
    for (;;) {
      const from = this.#next;
      const isNegated = this.#takeWord("not");
      const node = this.#predicateOn(left, isNegated);
      if (node === undefined) {
        this.#next = from;
        return left;
      }
      left = isNegated ? { kind: "not", of: node } : node;
    }
  }

  #predicateOn(of: SparkNode, isNegated: boolean): SparkNode | undefined {
    if (this.#takeWord("between")) {
      const low = this.#operation(0);
      this.#expectWord("and");
      const high = this.#operation(0);
      const from: SparkNode = { kind: "binary", op: ">=", left: of, right: low };
      return { kind: "binary", op: "and", left: from, right: { kind: "binary", op: "<=", left: of, right: high } };
    }
    if (this.#takeWord("in")) {
      this.#expectSymbol("(");
      return { kind: "in", of, list: this.#list() };
    }
    for (const kind of ["like", "ilike"] as const) if (this.#takeWord(kind)) return this.#like(kind, of, isNegated);
    if (this.#takeWord("rlike") || this.#takeWord("regexp")) return { kind: "rlike", of, pattern: this.#operation(0) };
    return this.#takeWord("is") ? this.#is(of) : undefined;
  }

  #like(kind: "like" | "ilike", of: SparkNode, isNegated: boolean): SparkNode {
    for (const word of ["any", "some", "all"]) {
      const { text } = this.#tokens[this.#next + 1]!;
      if (text !== "(" || !this.#takeWord(word)) continue;
      this.#next++;
      // NOT LIKE ALL is that none is like it.
      const op = (word === "all") === isNegated ? "or" : "and";
      return this.#list()
        .map((pattern): SparkNode => ({ kind, of, pattern }))
        .reduce((left, right) => ({ kind: "binary", op, left, right }));
    }
    const pattern = this.#operation(0);
    const escaping = this.#takeWord("escape") ? this.#text() : undefined;
    return { kind, of, pattern, ...(escaping === undefined ? {} : { escaping }) };
  }

  #is(of: SparkNode): SparkNode {
    const isNegated = this.#takeWord("not");
    const node = this.#isWhat(of);
    return isNegated ? { kind: "not", of: node } : node;
  }

  #isWhat(of: SparkNode): SparkNode {
    for (const what of ["null", "true", "false"] as const) if (this.#takeWord(what)) return { kind: "is", of, what };
    if (this.#takeWord("unknown")) return { kind: "is", of, what: "null" };
    if (!this.#takeWord("distinct")) throw this.#wrong("NULL, TRUE, FALSE or DISTINCT FROM");
    this.#expectWord("from");
    return { kind: "not", of: { kind: "binary", op: "<=>", left: of, right: this.#operation(0) } };
  }

  #comparison(): SparkNode {
    let left = this.#operation(0);
    for (;;) {
      const op = this.#takeOperator(COMPARISONS);
      if (op === undefined) return left;
      left = { kind: "binary", op, left, right: this.#operation(0) };
    }
  }

  #operation(level: number): SparkNode {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#operation(level + 1);
    for (;;) {
      const op = this.#takeOperator(operators);
      if (op === undefined) return left;
      left = { kind: "binary", op, left, right: this.#operation(level + 1) };
    }
  }

  #unary(): SparkNode {
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`at most ${MAX_DEPTH} expressions within each other`);
    try {
      if (this.#takeSymbol("-")) {
        if (this.#token.kind === "number") return this.#suffixes(this.#number("-"));
        return { kind: "minus", of: this.#unary() };
      }
      if (this.#takeSymbol("+")) return this.#unary();
      if (this.#takeSymbol("~")) return { kind: "complement", of: this.#unary() };
      return this.#suffixes(this.#primary());
    } finally {
      this.#depth--;
    }
  }

  #suffixes(node: SparkNode): SparkNode {
    for (;;) {
      if (this.#takeSymbol("::")) node = { kind: "cast", of: node, type: this.#type(), isTry: false };
      else if (this.#takeSymbol("[")) {
        node = { kind: "item", of: node, index: this.#condition() };
        this.#expectSymbol("]");
      } else if (this.#takeSymbol(".")) {
        const name = this.#name();
        node = node.kind === "column" ? { ...node, names: [...node.names, name] } : { kind: "field", of: node, name };
      } else return node;
    }
  }

  #primary(): SparkNode {
    const token = this.#token;
    if (token.kind === "number") return this.#number("");
    if (token.kind === "text") return { kind: "literal", type: "string", text: this.#text() };
    if (token.kind === "name") return { kind: "column", names: [this.#name()] };
    if (this.#takeSymbol("(")) {
      const node = this.#condition();
      this.#expectSymbol(")");
      return node;
    }
    if (token.kind !== "word") throw this.#wrong("a value");
    return this.#wordy(token.text.toLowerCase());
  }

  #wordy(word: string): SparkNode {
    const { kind, text } = this.#tokens[this.#next + 1]!;
    if (word === "null") return this.#constant("void", undefined);
    if (word === "true" || word === "false") return this.#constant("boolean", word);
    if (word === "case") return this.#case();
    if (kind === "text" && Object.hasOwn(TYPED, word)) {
      this.#next++;
      return { kind: "literal", type: TYPED[word]!, text: this.#text() };
    }
    if (word === "interval" && (kind === "text" || kind === "number" || text === "-")) return this.#interval();
    if (kind === "symbol" && text === "(") return this.#called(word);
    if (BARE.has(word)) {
      this.#next++;
      return { kind: "call", name: word, args: [] };
    }
    return { kind: "column", names: [this.#name()] };
  }

  #called(name: string): SparkNode {
    this.#next += 2;
    if (name === "cast" || name === "try_cast") {
      const of = this.#condition();
      this.#expectWord("as");
      const type = this.#type();
      this.#expectSymbol(")");
      return { kind: "cast", of, type, isTry: name === "try_cast" };
    }
    if (name === "extract") {
      const field = this.#name();
      this.#expectWord("from");
      const of = this.#condition();
      this.#expectSymbol(")");
      return { kind: "call", name: "date_part", args: [{ kind: "literal", type: "string", text: field }, of] };
    }
    const special = name === "trim" ? this.#trim() : this.#withWords(name);
    if (special !== undefined) return special;
    if (this.#token.text.toLowerCase() === "distinct") throw this.#wrong("a value");
    const args = this.#takeSymbol(")") ? [] : this.#list();
    return { kind: "call", name, args: WITH_UNIT.has(name) && args.length === 3 ? unitFirst(args) : args };
  }

  /** `TRIM(BOTH 'x' FROM y)`. */
  #trim(): SparkNode | undefined {
    const from = this.#next;
    let name = "trim";
    const word = this.#token.text.toLowerCase();
    const { kind, text } = this.#tokens[this.#next + 1]!;
    const isSide = Object.hasOwn(SIDES, word) && !(kind === "symbol" && /^[),.]$/.test(text));
    if (isSide) {
      name = SIDES[word]!;
      this.#next++;
      if (this.#takeWord("from")) {
        const of = this.#condition();
        this.#expectSymbol(")");
        return { kind: "call", name, args: [of] };
      }
    }
    const letters = this.#token.text === ")" ? undefined : this.#condition();
    if (letters !== undefined && this.#takeWord("from")) {
      const of = this.#condition();
      this.#expectSymbol(")");
      return { kind: "call", name, args: [letters, of] };
    }
    if (isSide) throw this.#wrong("FROM");
    this.#next = from;
    return undefined;
  }

  /** `SUBSTRING(x FROM 1 FOR 2)`, `POSITION(x IN y)`, `OVERLAY(x PLACING y FROM 1)`. */
  #withWords(name: string): SparkNode | undefined {
    const words = WORDS_BETWEEN[name];
    const from = this.#next;
    if (words === undefined || this.#token.text === ")") return undefined;
    const args = [this.#operation(0)];
    for (const word of words) if (this.#takeWord(word)) args.push(this.#operation(0));
    if (args.length > 1 && this.#takeSymbol(")")) return { kind: "call", name, args };
    this.#next = from;
    return undefined;
  }

  #case(): SparkNode {
    this.#next++;
    const of = this.#token.text.toLowerCase() === "when" ? undefined : this.#condition();
    const branches: { when: SparkNode; gives: SparkNode }[] = [];
    while (this.#takeWord("when")) {
      const when = this.#condition();
      this.#expectWord("then");
      branches.push({ when, gives: this.#condition() });
    }
    if (branches.length === 0) throw this.#wrong("WHEN");
    const otherwise = this.#takeWord("else") ? this.#condition() : undefined;
    this.#expectWord("end");
    return { kind: "case", of, branches, otherwise };
  }

  #interval(): SparkNode {
    const at = this.#next++;
    const parts: { text: string; unit: string }[] = [];
    let toUnit: string | undefined;
    while (parts.length === 0 || this.#token.kind === "number" || this.#token.kind === "text") {
      const sign = this.#takeSymbol("-") ? "-" : "";
      const { text } = this.#token;
      this.#next++;
      const unit = this.#token.text.toLowerCase().replace(/s$/, "");
      if (!Object.hasOwn(UNITS, unit)) throw this.#wrong("a unit of time");
      this.#next++;
      parts.push({ text: sign + text, unit });
      if (this.#takeWord("to")) toUnit = this.#name().toLowerCase();
    }
    const [first] = parts;
    const isRange = toUnit !== undefined && parts.length === 1;
    const interval = isRange
      ? intervalBetween(first!.text.trim(), first!.unit, toUnit!.replace(/s$/, ""))
      : toUnit === undefined
        ? intervalOf(parts)
        : undefined;
    if (interval !== undefined) return interval;
    this.#next = at;
    throw this.#wrong("an interval of months and years, or of days, hours and the like");
  }

  /** Up to a closing parenthesis. */
  #list(): SparkNode[] {
    const list = [this.#argument()];
    while (this.#takeSymbol(",")) list.push(this.#argument());
    this.#expectSymbol(")");
    return list;
  }

  /** `x -> …`, `(x, y) -> …`, or any expression. */
  #argument(): SparkNode {
    const from = this.#next;
    const names: string[] = [];
    const isMany = this.#takeSymbol("(");
    do {
      if (this.#token.kind !== "word" && this.#token.kind !== "name") break;
      names.push(this.#name());
    } while (isMany && this.#takeSymbol(","));
    if (names.length > 0 && (!isMany || this.#takeSymbol(")")) && this.#takeSymbol("->")) {
      return { kind: "lambda", names, body: this.#condition() };
    }
    this.#next = from;
    return this.#condition();
  }

  #number(sign: "" | "-"): LiteralNode {
    const { text } = this.#token;
    const [, digits = "", suffix = ""] = /^([\d.]+(?:e[+-]?\d+)?)(bd|[lsydf])?$/i.exec(text) ?? [];
    const literal = numberLiteral(sign + digits, suffix.toLowerCase());
    if (literal === undefined) throw this.#wrong("a number in its type's range");
    this.#next++;
    return literal;
  }

  #constant(type: DataType, text: string | undefined): LiteralNode {
    this.#next++;
    return { kind: "literal", type, text };
  }

  /** Literals that follow each other are one. */
  #text(): string {
    if (this.#token.kind !== "text") throw this.#wrong("a text in quotes");
    let text = "";
    while (this.#token.kind === "text") {
      text += this.#token.text;
      this.#next++;
    }
    return text;
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== "word" && kind !== "name") throw this.#wrong("a name");
    this.#next++;
    return text;
  }

  #type(): DataType {
    const start = this.#token;
    const word = this.#name();
    let digits = "";
    if (this.#token.text === "(") {
      while (!this.#takeSymbol(")")) {
        if (this.#token.kind === "end") throw this.#wrong(")");
        digits += this.#token.text;
        this.#next++;
      }
    }
    if (this.#token.text === "<") digits = this.#typeArguments();
    if (digits.startsWith("<") || this.#token.text !== "<") {
      try {
        const end = digits === "" || digits.startsWith("<") ? "" : ")";
        return parseDdl(`c ${word}${digits}${end}`).fields[0]!.type;
      } catch {
        // Said below.
      }
    }
    throw unsupportedExpression(this.#expression, `the type ${word} isn't known to casts`, start.at);
  }

  /** What is between < and >, as it is written. */
  #typeArguments(): string {
    const { at } = this.#token;
    let depth = 0;
    do {
      const { kind, text } = this.#token;
      if (kind === "end") throw this.#wrong(">");
      if (kind === "symbol" && text === "<") depth++;
      if (kind === "symbol" && /^>+$/.test(text)) depth -= text.length;
      this.#next++;
    } while (depth > 0);
    return this.#expression.slice(at, this.#token.at).trim();
  }

  #takeOperator(operators: Readonly<Record<string, BinaryOperator>>): BinaryOperator | undefined {
    const { kind, text } = this.#token;
    const word = text.toLowerCase();
    if ((kind !== "symbol" && kind !== "word") || !Object.hasOwn(operators, word)) return undefined;
    this.#next++;
    return operators[word];
  }

  #takeSymbol(symbol: string): boolean {
    const isIt = this.#token.kind === "symbol" && this.#token.text === symbol;
    if (isIt) this.#next++;
    return isIt;
  }

  #takeWord(word: string): boolean {
    const isIt = this.#token.kind === "word" && this.#token.text.toLowerCase() === word;
    if (isIt) this.#next++;
    return isIt;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#wrong(symbol);
  }

  #expectWord(word: string): void {
    if (!this.#takeWord(word)) throw this.#wrong(word.toUpperCase());
  }

  #wrong(expected: string): Error {
    const { kind, text, at } = this.#token;
    const found = kind === "end" ? "it ends" : `it has ${JSON.stringify(text)}`;
    return unsupportedExpression(this.#expression, `${found} where ${expected} should be`, at);
  }
}

const SIDES: Readonly<Record<string, string>> = { both: "trim", leading: "ltrim", trailing: "rtrim" };
/** Words that stand where commas might. */
const WORDS_BETWEEN: Readonly<Record<string, readonly string[]>> = {
  ...{ substring: ["from", "for"], substr: ["from", "for"], position: ["in"], overlay: ["placing", "from", "for"] },
};

/** The first of three arguments is a unit of time, without quotes. */
const WITH_UNIT = new Set(["timestampadd", "timestampdiff", "dateadd", "date_add", "datediff", "date_diff"]);

function unitFirst([unit, ...rest]: readonly SparkNode[]): readonly SparkNode[] {
  if (unit?.kind !== "column" || unit.names.length > 1) return [unit!, ...rest];
  return [{ kind: "literal", type: "string", text: unit.names[0] }, ...rest];
}

const TYPED: Readonly<Record<string, DataType>> = {
  date: "date",
  timestamp: "timestamp",
  timestamp_ltz: "timestamp",
  timestamp_ntz: "timestamp_ntz",
  x: "binary",
};

const SUFFIXES: Readonly<Record<string, { readonly type: DataType; readonly bits?: bigint }>> = {
  l: { type: "long", bits: 64n },
  s: { type: "short", bits: 16n },
  y: { type: "byte", bits: 8n },
  d: { type: "double" },
  f: { type: "float" },
};

/** A number of the smallest type that Spark gives it. */
function numberLiteral(digits: string, suffix: string): LiteralNode | undefined {
  const of = (type: DataType): LiteralNode => ({ kind: "literal", type, text: digits });
  const isWhole = /^-?\d+$/.test(digits);
  const row = SUFFIXES[suffix];
  if (row !== undefined) {
    if (row.bits === undefined) return of(row.type);
    return isWhole && fits(digits, row.bits) ? of(row.type) : undefined;
  }
  if (suffix === "" && isWhole && fits(digits, 32n)) return of("integer");
  if (suffix === "" && isWhole && fits(digits, 64n)) return of("long");
  if (/e/i.test(digits)) return suffix === "" ? of("double") : undefined;
  const decimal = decimalOf(digits);
  return decimal === undefined ? undefined : of(decimal);
}

function fits(digits: string, bits: bigint): boolean {
  const value = BigInt(digits);
  return value >= -(1n << (bits - 1n)) && value < 1n << (bits - 1n);
}

/** The decimal type that just holds these digits. */
export function decimalOf(digits: string): DataType | undefined {
  const [whole = "", fraction = ""] = digits.replace("-", "").split(".");
  const precision = Math.max(whole.replace(/^0+/, "").length + fraction.length, fraction.length, 1);
  return precision <= 38 ? `decimal(${precision},${fraction.length})` : undefined;
}
