import { formatDdlType, quoteName } from "../../schema/ddl.js";
import { schemaToJson } from "../../schema/json.js";
import type { DataType, StructField } from "../../schema/types.js";
import type { CommandRow, Given, Session } from "../command.js";
import { displayWidth, escapeControls, padWidth } from "../text.js";
import { PAST_OPTIONS, tableAt } from "./past.js";

export const schema: CommandRow = {
  name: "schema",
  summary: "Print the columns of a table",
  maxOperands: 0,
  options: PAST_OPTIONS,
  examples: [
    { command: "schema ./events", does: "The columns and their types" },
    { command: "schema ./events --json > schema.json", does: "Delta's own form, which create --schema-file takes" },
  ],
  run: printSchema,
};

async function printSchema({ stdout, table, json }: Session, given: Given): Promise<void> {
  const { fields } = await tableAt(table, given).schema();
  if (json) return stdout.line(schemaToJson({ type: "struct", fields }));
  for (const line of treeLines(fields, "")) await stdout.line(line);
}

/** A line for each column, those of a struct indented below it. */
function treeLines(fields: readonly StructField[], indent: string): string[] {
  const names = fields.map((field) => escapeControls(quoteName(field.name)));
  const width = Math.max(0, ...names.map(displayWidth));
  return fields.flatMap((field, index) => {
    const { comment } = field.metadata;
    const text = `${indent}${padWidth(names[index]!, width)}  ${typeText(field.type)}${field.nullable ? "" : " not null"}`;
    const said = typeof comment === "string" ? `  -- ${escapeControls(comment)}` : "";
    return [text + said, ...treeLines(nestedFields(field.type), `${indent}  `)];
  });
}

/** The type with its structs' columns left to the lines below. */
function typeText(type: DataType): string {
  if (typeof type === "string") return formatDdlType(type);
  if (type.type === "struct") return "struct";
  if (type.type === "array") return `array<${typeText(type.elementType)}${type.containsNull ? "" : " not null"}>`;
  return `map<${typeText(type.keyType)}, ${typeText(type.valueType)}${type.valueContainsNull ? "" : " not null"}>`;
}

function nestedFields(type: DataType): readonly StructField[] {
  if (typeof type === "string") return [];
  if (type.type === "struct") return type.fields;
  if (type.type === "array") return nestedFields(type.elementType);
  return [...nestedFields(type.keyType), ...nestedFields(type.valueType)];
}
