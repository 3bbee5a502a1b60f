import { DeltaError } from "../errors.js";
import { nearestName } from "./columns.js";
import { isDecimalInRange } from "./decimal.js";
import type { DataType, PrimitiveType, StructField, StructType } from "./types.js";

/** Spark's names of the primitive types and their synonyms, in lower case. */
const PRIMITIVES: Readonly<Record<string, PrimitiveType>> = {
  string: "string",
  text: "string",
  long: "long",
  bigint: "long",
  int: "integer",
  integer: "integer",
  short: "short",
  smallint: "short",
  byte: "byte",
  tinyint: "byte",
  float: "float",
  real: "float",
  double: "double",
  boolean: "boolean",
  bool: "boolean",
  binary: "binary",
  date: "date",
  timestamp: "timestamp",
  timestamp_ltz: "timestamp",
  timestamp_ntz: "timestamp_ntz",
  variant: "variant",
  void: "void",
};
const DECIMALS = new Set(["decimal", "dec", "numeric"]);
const TYPE_NAMES = [...Object.keys(PRIMITIVES), ...DECIMALS, "array", "map", "struct"];

const SPACE = /(?:\s|--[^\n]*)*/y;
const TOKEN = /`(?:[^`]|``)+`|'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}\p{N}_$]+|[<>(),:]/uy;
const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;
const MAX_DEPTH = 100;

/**
 * Reads columns as Spark's DDL writes them: `id bigint NOT NULL, tags array<string>, price decimal(10,2) COMMENT 'net'`.
 *
 * Names with other characters stand in backticks, a backtick in them doubled. A colon after a name is optional. Beyond
 * Spark's DDL, `NOT NULL` may follow the element type of an array and the value type of a map. Comments become the
 * field's metadata `comment`. Throws DELTA_INVALID_SCHEMA with the `position` (0-based) where the text is wrong.
 */
export function parseDdl(text: string): StructType {
  return new DdlParser(text).columns();
}

/**
 * The schema as {@link parseDdl} reads it, a line for each column, those of structs indented. Metadata other than comments
 * is left out.
 */
export function formatDdl(schema: StructType): string {
  return fieldLines(schema.fields, "");
}

const SPARK_NAMES: Readonly<Record<string, string>> = {
  long: "bigint",
  integer: "int",
  short: "smallint",
  byte: "tinyint",
};

function fieldLines(fields: readonly StructField[], indent: string): string {
  const names = fields.map((field) => quoteName(field.name));
  const width = Math.max(0, ...names.map((name) => name.length));
  const lines = fields.map(({ type, nullable, metadata: { comment } }, index) => {
    const said = typeof comment === "string" ? ` COMMENT '${comment.replaceAll("'", "''")}'` : "";
    return `${indent}${names[index]!.padEnd(width)}  ${typeText(type, indent)}${notNull(nullable)}${said}`;
  });
  return lines.join(",\n");
}

function typeText(type: DataType, indent: string): string {
  if (typeof type === "string") return SPARK_NAMES[type] ?? type;
  if (type.type === "array") return `array<${typeText(type.elementType, indent)}${notNull(type.containsNull)}>`;
  if (type.type === "map") {
    const value = `${typeText(type.valueType, indent)}${notNull(type.valueContainsNull)}`;
    return `map<${typeText(type.keyType, indent)}, ${value}>`;
  }
  if (type.fields.length === 0) return "struct<>";
  return `struct<\n${fieldLines(type.fields, `${indent}  `)}\n${indent}>`;
}

/** A column's name in backticks where it is no plain word. */
function quoteName(name: string): string {
  return PLAIN_NAME.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}

function notNull(nullable: boolean): string {
  return nullable ? "" : " NOT NULL";
}

class DdlParser {
  readonly #text: string;
  #at = 0;
  #token = "";
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#advance();
  }

  columns(): StructType {
    const fields = this.#fields();
    if (this.#token !== "") throw this.#wrong('"," or the end');
    return { type: "struct", fields };
  }

  #fields(): StructField[] {
    const fields: StructField[] = [];
    do fields.push(this.#field());
    while (this.#take(","));
    return fields;
  }

  #field(): StructField {
    const name = this.#name();
    this.#take(":");
    const type = this.#type();
    const nullable = this.#nullable();
    const metadata = this.#takeWord("comment") ? { comment: this.#string() } : {};
    return { name, type, nullable, metadata };
  }

  #name(): string {
    const token = this.#token;
    if (!/^(`[\s\S]+`|[\p{L}\p{N}_$])/u.test(token)) throw this.#wrong("a column's name");
    this.#advance();
    return token.startsWith("`") ? token.slice(1, -1).replaceAll("``", "`") : token;
  }

  #type(): DataType {
    const word = this.#token.toLowerCase();
    if (++this.#depth > MAX_DEPTH) throw this.#wrong(`at most ${MAX_DEPTH} types within each other`);
    try {
      if (Object.hasOwn(PRIMITIVES, word)) {
        this.#advance();
        return PRIMITIVES[word]!;
      }
      if (DECIMALS.has(word)) return this.#decimal();
      if (word === "array") return this.#array();
      if (word === "map") return this.#map();
      if (word === "struct") return this.#struct();
    } finally {
      this.#depth--;
    }
    const nearest = nearestName(word, TYPE_NAMES);
    throw this.#wrong(`a type${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`);
  }

  #decimal(): DataType {
    this.#advance();
    if (!this.#take("(")) return "decimal(10,0)";
    const precision = this.#digits();
    const scale = this.#take(",") ? this.#digits() : 0;
    if (!isDecimalInRange(precision, scale)) {
      throw this.#wrong("decimal(p,s) with p from 1 to 38 and s from 0 to p before this");
    }
    this.#expect(")");
    return `decimal(${precision},${scale})`;
  }

  #array(): DataType {
    this.#advance();
    this.#expect("<");
    const elementType = this.#type();
    const containsNull = this.#nullable();
    this.#expect(">");
    return { type: "array", elementType, containsNull };
  }

  #map(): DataType {
    this.#advance();
    this.#expect("<");
    const keyType = this.#type();
    this.#expect(",");
    const valueType = this.#type();
    const valueContainsNull = this.#nullable();
    this.#expect(">");
    return { type: "map", keyType, valueType, valueContainsNull };
  }

  #struct(): DataType {
    this.#advance();
    this.#expect("<");
    const fields = this.#token === ">" ? [] : this.#fields();
    this.#expect(">");
    return { type: "struct", fields };
  }

  #nullable(): boolean {
    if (!this.#takeWord("not")) {
      this.#takeWord("null");
      return true;
    }
    if (!this.#takeWord("null")) throw this.#wrong("NULL after NOT");
    return false;
  }

  #string(): string {
    const token = this.#token;
    const quote = token.charAt(0);
    if (quote !== "'" && quote !== '"') throw this.#wrong("a text in quotes after COMMENT");
    this.#advance();
    return token.slice(1, -1).replaceAll(quote + quote, quote);
  }

  #digits(): number {
    const token = this.#token;
    if (!/^\d{1,3}$/.test(token)) throw this.#wrong("a number of digits");
    this.#advance();
    return Number(token);
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#wrong(`"${token}"`);
  }

  #take(token: string): boolean {
    if (this.#token !== token) return false;
    this.#advance();
    return true;
  }

  #takeWord(word: string): boolean {
    if (this.#token.toLowerCase() !== word) return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    SPACE.lastIndex = this.#at + this.#token.length;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
    TOKEN.lastIndex = this.#at;
    this.#token = TOKEN.exec(this.#text)?.[0] ?? this.#text.charAt(this.#at);
  }

  #wrong(expected: string): DeltaError {
    const found = this.#token === "" ? "the end" : `"${this.#token}"`;
    const before = this.#text.slice(Math.max(0, this.#at - 30), this.#at).trimEnd();
    const where = before === "" ? "at the start" : `after "${before}"`;
    return new DeltaError(
      "DELTA_INVALID_SCHEMA",
      `The schema has ${found} ${where}, where ${expected} should be. An example: "id bigint NOT NULL, tags array<string>".`,
      { schema: this.#text, position: this.#at, found: this.#token, expected },
    );
  }
}
