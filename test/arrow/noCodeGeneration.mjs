import { buildBatch } from "#src/arrow/build.js";
import { rowReader } from "#src/arrow/rows.js";

let forbidden = false;
try {
  new Function("");
} catch {
  forbidden = true;
}
const field = (name, type) => ({ name, type, nullable: true, metadata: {} });
const schema = { type: "struct", fields: [field("a", "string"), field("__proto__", "integer")] };
const rows = Array.from({ length: 2000 }, (_, i) => JSON.parse(`{"a":"${i}","__proto__":1}`));
const read = rowReader(schema)(buildBatch(schema, rows, 0));
const last = Object.entries(read[1999]);
console.log(JSON.stringify({ forbidden, rows: read.length, last }));
