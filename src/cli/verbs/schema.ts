import { formatDdl } from "../../schema/ddl.js";
import { schemaToJson } from "../../schema/json.js";
import type { CommandRow, Given, Session } from "../command.js";
import { escapeLines } from "../text.js";
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
  await stdout.line(json ? schemaToJson(schema) : escapeLines(formatDdl(schema)));
}
