// Appends to tables with rules where @duckdb/node-api can't be found, and prints what comes of it.
import { register } from "node:module";

const hooks = `export async function resolve(specifier, context, next) {
  if (!specifier.startsWith("@duckdb/")) return next(specifier, context);
  throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { Table } = await import("#src/index.js");
const field = (name, type, metadata = {}) => ({ name, type, nullable: true, metadata });
const identity = { "delta.identity.start": 1, "delta.identity.step": 1, "delta.identity.allowExplicitInsert": false };
const fields = [
  field("id", "long", identity),
  field("x", "integer"),
  field("s", "string", { CURRENT_DEFAULT: "'none'" }),
];
const table = Table.open("memory://rules");
await table.create({
  schema: { type: "struct", fields },
  properties: { "delta.constraints.c": "x > 0 AND s <> 'bad'" },
});
await table.append([{ x: 1 }]);
const codeOf = (appended) =>
  appended.then(
    () => "none",
    ({ code }) => code,
  );
const broken = await codeOf(table.append([{ x: 0 }]));
const other = Table.open("memory://other");
await other.create({ schema: { type: "struct", fields }, properties: { "delta.constraints.c": "length(s) > 1" } });
const missing = await codeOf(other.append([{ x: 1 }]));
const rows = (await table.toArray()).map(({ id, x, s }) => [Number(id), x, s]);
console.log(JSON.stringify({ rows, broken, missing }));
