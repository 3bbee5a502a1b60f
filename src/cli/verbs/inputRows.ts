import { hasCode } from "../../errors.js";
import { SOURCE_FORMATS } from "../../load/source/names.js";
import type { SourceFormat } from "../../load/source/source.js";
import type { StructType } from "../../schema/types.js";
import type { Table } from "../../table.js";
import type { RowInput } from "../../write/input.js";
import type { Given, OptionRow, Session } from "../command.js";
import { checkFiles, inputFiles } from "../sources/files.js";
import { mergedSchema } from "../sources/mergedSchema.js";
import { rowsOfFiles } from "../sources/rows.js";
import { TemporaryFolder } from "../sources/temporary.js";
import { UsageError } from "../usage.js";
import { schemaGiven } from "./schemaText.js";

export const INPUT_FORMAT: OptionRow = {
  name: "format",
  kind: "text",
  choices: SOURCE_FORMATS,
  summary: "default: by the file's extension; jsonl for -",
};

/** The rows of the operands, or of the standard input, and what the options say of their schema. */
interface InputRows {
  readonly rows: RowInput;
  readonly declared: StructType | undefined;
  readonly mergeSchema: boolean;
}

/** Runs `use` with the rows of the files, or of the standard input, in the table's schema; with `isNewSchema`, in their own. */
export async function withInputRows<T>(
  { table, stdin, signal }: Session,
  given: Given,
  use: (input: InputRows) => Promise<T>,
  isNewSchema = false,
): Promise<T> {
  const files = inputFiles(given.operands, given.text("format") as SourceFormat | undefined);
  if (files.some((file) => file.path === undefined) && "isTTY" in stdin && stdin.isTTY) {
    throw new UsageError("there are no rows", "Name files, or pipe rows in, with - in place of a file.");
  }
  await checkFiles(files);
  const declared = await schemaGiven(given);
  const existing = isNewSchema ? undefined : await schemaIfExists(table);
  await using temporary = new TemporaryFolder();
  const context = { stdin, temporary, signal };
  const mergeSchema = given.has("merge-schema");
  const known = existing ?? declared;
  const inputs = mergeSchema ? await mergedSchema(files, context, known) : { files, schema: known };
  const rows = await rowsOfFiles(inputs.files, context, inputs.schema);
  return await use({ rows, declared, mergeSchema });
}

async function schemaIfExists(table: Table): Promise<StructType | undefined> {
  try {
    return await table.schema();
  } catch (error) {
    if (hasCode(error, "DELTA_TABLE_NOT_FOUND")) return undefined;
    throw error;
  }
}
