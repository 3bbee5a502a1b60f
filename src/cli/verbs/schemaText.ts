import { readFile } from "node:fs/promises";
import { DeltaError } from "../../errors.js";
import { parseDdl } from "../../schema/ddl.js";
import { parseSchema } from "../../schema/json.js";
import type { StructType } from "../../schema/types.js";
import type { Given, OptionRow } from "../command.js";
import { fileError } from "../sources/files.js";
import { UsageError } from "../usage.js";

/** The options that give a schema. */
export const SCHEMA_OPTIONS: readonly OptionRow[] = [
  {
    name: "schema",
    kind: "text",
    value: "DDL",
    summary: "columns: 'id bigint not null, tags array<string>'",
    excludes: ["schema-file"],
  },
  { name: "schema-file", kind: "text", value: "FILE", summary: "a file with the same, or with Delta's schema JSON" },
];

/** The schema that the options give. Throws {@link UsageError} where it can't be read. */
export async function schemaGiven(given: Given): Promise<StructType | undefined> {
  const text = given.text("schema");
  if (text !== undefined) return schemaOfText(text, "--schema");
  const file = given.text("schema-file");
  if (file === undefined) return undefined;
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileError(file, error);
  });
  return schemaOfText(content, file);
}

function schemaOfText(text: string, source: string): StructType {
  try {
    return /^\s*\{/.test(text) ? parseSchema(text) : parseDdl(text);
  } catch (error) {
    if (!(error instanceof DeltaError)) throw error;
    throw new UsageError(`${source} is no schema. ${error.message}`, "See: delta-table create --help", error.code);
  }
}
