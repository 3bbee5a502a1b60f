// Runs parseWhere where @duckdb/node-api can't be found, and prints the error's code and data.
import { register } from "node:module";

const hooks = `export async function resolve(specifier, context, next) {
  if (!specifier.startsWith("@duckdb/")) return next(specifier, context);
  throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { parseWhere } = await import("#src/sql/where.js");
const schema = { type: "struct", fields: [{ name: "id", type: "long", nullable: true, metadata: {} }] };
await parseWhere("id = 1", schema).catch(({ code, data }) => console.log(JSON.stringify({ code, data })));
