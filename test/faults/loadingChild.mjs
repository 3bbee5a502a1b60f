// Uses modules that nothing has loaded yet while there are no file descriptors, and again when there are: Node doesn't try to load a
// module twice. Prints the outcomes as JSON. Argument: a table that exists. To be run with a small limit (ulimit -n).
import fs from "node:fs";

const { Table } = await import("#src/index.js");
const { openStore } = await import("#src/storage/open.js");
const [path, isWarm] = process.argv.slice(2);
const table = Table.open(path);
// What reads is there then, but for the library that decodes.
if (isWarm !== undefined) await table.toArray({ limit: 0 });
const store = openStore("s3://bucket/table", { s3: { endpoint: "http://127.0.0.1:9", region: "us-east-1" } });
const uses = {
  sdk: () => store.get("a"),
  read: async () => (await table.toArray()).length > 0,
  where: async () => (await table.toArray({ where: "id % 2 = 0" })).length,
  append: async () => (await table.append([])).rowCount,
  checkpoint: async () => (await table.checkpoint()).version >= 0,
};
const outcomes = {};
const look = async () => {
  for (const [name, use] of Object.entries(uses)) {
    const outcome = await use().catch(({ code, kind, data }) => `${code} ${kind} ${data.system ?? ""}`);
    outcomes[name] = [...(outcomes[name] ?? []), outcome];
  }
};
// The log has to be known: reading it takes files too.
await table.version();
const taken = [];
try {
  for (;;) taken.push(fs.openSync("/dev/null", "r"));
} catch {
  for (const descriptor of taken.splice(0, 4)) fs.closeSync(descriptor);
}
await look();
for (const descriptor of taken) fs.closeSync(descriptor);
await look();
console.log(JSON.stringify(outcomes));
process.exit(0);
