import { nestsTooDeep } from "../../schema/jsonScan.js";
import { VariantError } from "./error.js";
import { writeNumber } from "./number.js";
import type { VariantWriter, WrittenMember } from "./writer.js";

const TOKEN = /[ \t\r\n]*(?:("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([[\]{},:]))/y;

/**
 * Writes the variant that a JSON text stands for, as Spark's parse_json makes it. Throws a {@link VariantError} where the text is no
 * JSON, nests too deep, or has an object with one name twice.
 */
export function writeJson(out: VariantWriter, text: string): void {
  if (nestsTooDeep(text)) throw new VariantError("it nests too deep");
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new VariantError("it is no JSON", { cause });
  }
  new JsonReader(out, text).value();
}

/** Only reads text that JSON.parse has accepted. */
class JsonReader {
  readonly #out: VariantWriter;
  readonly #text: string;
  #at = 0;

  constructor(out: VariantWriter, text: string) {
    this.#out = out;
    this.#text = text;
  }

  value(): void {
    this.#write(this.#next());
  }

  #write(token: string): void {
    switch (token[0]) {
      case "[":
        this.#array();
        break;
      case "{":
        this.#object();
        break;
      case '"':
        this.#out.text(textOf(token));
        break;
      case "n":
        this.#out.null();
        break;
      case "t":
      case "f":
        this.#out.boolean(token === "true");
        break;
      default:
        writeNumber(this.#out, token);
    }
  }

  #array(): void {
    const start = this.#out.length;
    const offsets: number[] = [];
    for (let token = this.#next(); token !== "]"; token = this.#next()) {
      if (token === ",") continue;
      offsets.push(this.#out.length - start);
      this.#write(token);
    }
    this.#out.wrapArray(start, offsets);
  }

  #object(): void {
    const start = this.#out.length;
    const members: WrittenMember[] = [];
    for (let token = this.#next(); token !== "}"; token = this.#next()) {
      if (token === ",") continue;
      this.#next();
      members.push({ id: this.#out.nameId(textOf(token)), offset: this.#out.length - start });
      this.value();
    }
    this.#out.wrapObject(start, members);
  }

  #next(): string {
    TOKEN.lastIndex = this.#at;
    const [, text, number, word, sign] = TOKEN.exec(this.#text)!;
    this.#at = TOKEN.lastIndex;
    return text ?? number ?? word ?? sign!;
  }
}

function textOf(token: string): string {
  return token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1);
}
