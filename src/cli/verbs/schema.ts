import { formatDdl } from "../../schema/ddl.js";
import { schemaToJson } from "../../schema/json.js";
import type { DataType, StructType } from "../../schema/types.js";
import type { CommandRow, Given, Session } from "../command.js";
import { escapeControls, escapeJson } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const schema: CommandRow = {
  name: "schema",
  summary: "Print the columns of a table",
  maxOperands: 0,
  options: PAST_OPTIONS,
  examples: [
    { command: "schema ./events", does: "The columns and their types, as create --schema takes them" },
    { command: "schema ./events --json > schema.json", does: "Delta's own form; create --schema-file takes both" },
  ],
  run: printSchema,
};

async function printSchema({ stdout, table, json }: Session, given: Given): Promise<void> {
  const schema = await tableAt(table, given).schema();
  await stdout.line(json ? escapeJson(schemaToJson(schema)) : formatDdl(structShown(schema)));
}

/** The schema with names and comments that are safe to show: a line break in one would pass for another column. */
function structShown({ type, fields }: StructType): StructType {
  return {
    type,
    fields: fields.map((field) => ({
      ...field,
      name: escapeControls(field.name),
      type: typeShown(field.type),
      metadata: { ...field.metadata, comment: commentShown(field.metadata.comment) },
    })),
  };
}

function typeShown(type: DataType): DataType {
  if (typeof type === "string") return type;
  if (type.type === "struct") return structShown(type);
  if (type.type === "array") return { ...type, elementType: typeShown(type.elementType) };
  return { ...type, keyType: typeShown(type.keyType), valueType: typeShown(type.valueType) };
}

function commentShown(comment: unknown): unknown {
  return typeof comment === "string" ? escapeControls(comment) : comment;
}
