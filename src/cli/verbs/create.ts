import type { CommandRow, Given, Session } from "../command.js";
import { escapeControls, jsonText } from "../text.js";
import { UsageError } from "../usage.js";
import { SCHEMA_OPTIONS, schemaGiven } from "./schemaText.js";
import { CLUSTER_BY } from "./tableOptions.js";

export const create: CommandRow = {
  name: "create",
  summary: "Make an empty table",
  maxOperands: 0,
  options: [
    ...SCHEMA_OPTIONS,
    { name: "partition-by", kind: "names", value: "A,B", summary: "columns whose values name folders" },
    CLUSTER_BY,
    { name: "property", kind: "pairs", value: "KEY=VALUE", summary: "a table property; may be given again" },
    { name: "name", kind: "text", value: "TEXT", summary: "the table's name" },
    { name: "description", kind: "text", value: "TEXT", summary: "what the table is" },
  ],
  examples: [
    {
      command: "create ./events --schema 'id bigint not null, name string, day date' --partition-by day",
      does: "An empty table partitioned by day",
    },
    {
      command: "create ./prices --schema 'item string, price decimal(10,2)' --property delta.appendOnly=true",
      does: "One that rows can only be added to",
    },
    { command: "create ./copy --schema-file schema.json", does: "With the schema that `schema --json` printed" },
  ],
  commits: true,
  run: createTable,
};

async function createTable({ stdout, table, json, signal }: Session, given: Given): Promise<void> {
  const schema = await schemaGiven(given);
  if (schema === undefined) {
    throw new UsageError(
      "the schema is missing",
      "Give --schema 'id bigint not null, name string' or --schema-file FILE.",
    );
  }
  const { version } = await table.create({
    schema,
    partitionBy: given.names("partition-by"),
    clusterBy: given.names("cluster-by"),
    properties: given.pairs("property"),
    name: given.text("name"),
    description: given.text("description"),
    signal,
  });
  await stdout.line(
    json ? jsonText({ location: table.url, version }) : `created ${escapeControls(table.url)}, version ${version}`,
  );
}
