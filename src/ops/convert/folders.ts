import { DeltaError } from "../../errors.js";
import { decodePath } from "../../log/paths.js";
import { parsePartitionValue, serializePartitionValue } from "../../schema/partition.js";
import type { DataType, StructField } from "../../schema/types.js";

/** The columns that a file's folders name, and their values as texts. */
export type FolderValues = readonly (readonly [column: string, text: string | null])[];

const HIVE_NULL = "__HIVE_DEFAULT_PARTITION__";

/** What folders such as `year=2024/city=New%20York` say of a file. */
export function folderValues(path: string): FolderValues {
  return path
    .split("/")
    .slice(0, -1)
    .flatMap((folder) => {
      const at = folder.indexOf("=");
      if (at <= 0) return [];
      const text = decodePath(folder.slice(at + 1));
      return [[decodePath(folder.slice(0, at)), text === HIVE_NULL || text === "" ? null : text] as const];
    });
}

/** Throws `DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME` where a file's folders don't name just these columns in their order. */
export function checkFolders(path: string, values: FolderValues, columns: readonly string[]): void {
  const found = values.map(([column]) => column);
  if (found.length === columns.length && found.every((column, i) => column === columns[i])) return;
  const list = (names: readonly string[]) => (names.length === 0 ? "no partition column" : names.join(", "));
  throw new DeltaError(
    "DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME",
    `The folders of ${path} name ${list(found)}, but the table's would be ${list(columns)}. All files must be in folders of the same columns.`,
    { path, found, expected: columns },
  );
}

const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
/** Tried in this order; texts that would come out otherwise than they were stay texts. */
const GUESSES: readonly (readonly [DataType, RegExp])[] = [
  ["integer", INTEGER],
  ["long", INTEGER],
  ["date", DATE],
];

/** Finds out of what type a partition column may be, from the texts of its values. */
export class PartitionGuess {
  readonly #left = new Set(GUESSES.map(([type]) => type));
  #isEmpty = true;

  add(text: string | null): void {
    if (text === null) return;
    this.#isEmpty = false;
    for (const [type, pattern] of GUESSES) {
      if (this.#left.has(type) && !(pattern.test(text) && isValue(type, text))) this.#left.delete(type);
    }
  }

  get type(): DataType {
    const [first = "string"] = this.#isEmpty ? [] : this.#left;
    return first;
  }
}

function isValue(type: DataType, text: string): boolean {
  try {
    parsePartitionValue(type, text);
    return true;
  } catch {
    return false;
  }
}

/** A folder's text as the log has it. Throws `DELTA_PARTITION_COLUMN_CAST_FAILED`. */
export function partitionText({ name, type }: StructField, text: string | null, path: string): string | null {
  try {
    return serializePartitionValue(type, parsePartitionValue(type, text), { column: name });
  } catch (cause) {
    throw new DeltaError(
      "DELTA_PARTITION_COLUMN_CAST_FAILED",
      `The folder of ${path} gives ${JSON.stringify(text)} as the value of partition column "${name}", which is no ${String(type)}.`,
      { path, column: name, value: text, type },
      cause,
    );
  }
}
