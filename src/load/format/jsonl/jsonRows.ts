import { DeltaError } from "../../../errors.js";
import { nestsTooDeep } from "../../../schema/jsonScan.js";
import type { StructType } from "../../../schema/types.js";
import { type KeptNumbers, parseJson } from "./jsonNumbers.js";
import { jsonText } from "./jsonText.js";
import { jsonRowConverter } from "./jsonValues.js";

export type JsonRow = Record<string, unknown>;

/** Thrown where a value is to become a text and its numbers were parsed without theirs. */
const TEXT_WANTED = new Error("The text of a number is wanted.");

/** Parses texts as rows for columns of a schema. A column of texts takes any value: what isn't a text as its JSON. */
export class JsonRows {
  readonly #convertFast: (row: JsonRow) => void;
  readonly #convert: (row: JsonRow) => void;
  #kept: KeptNumbers;

  constructor(schema: StructType, kept: KeptNumbers) {
    this.#kept = kept;
    this.#convertFast = jsonRowConverter(schema, textIfExact);
    this.#convert = jsonRowConverter(schema, jsonText);
  }

  /** Throws DELTA_INPUT_UNREADABLE where the text isn't the JSON of an object, and what converting throws. */
  row(text: string): JsonRow {
    if (this.#kept !== "points") {
      try {
        const row = parsedRow(text, this.#kept);
        this.#convertFast(row);
        return row;
      } catch (error) {
        if (error !== TEXT_WANTED) throw error;
        // Where there is one, there are others.
        this.#kept = "points";
      }
    }
    const row = parsedRow(text, this.#kept);
    this.#convert(row);
    return row;
  }
}

function textIfExact(value: unknown): string {
  if (typeof value === "boolean") return String(value);
  throw TEXT_WANTED;
}

/** Throws DELTA_INPUT_UNREADABLE where the text isn't the JSON of an object. */
export function parsedRow(text: string, kept: KeptNumbers): JsonRow {
  if (nestsTooDeep(text)) throw noRow("its arrays and objects nest too deep");
  let value: unknown;
  try {
    value = parseJson(text, kept);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw noRow(`it is no JSON (${cause.message})`, cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonRow;
  throw noRow(`it is ${Array.isArray(value) ? "an array" : "a single value"}, not an object with a row's columns`);
}

export function noRow(reason: string, cause?: unknown): DeltaError {
  return new DeltaError("DELTA_INPUT_UNREADABLE", reason, {}, cause);
}
