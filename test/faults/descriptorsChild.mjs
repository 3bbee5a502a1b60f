// Uses up the file descriptors of this process but for a few, works on a table, gives them back and works again, with
// ever more of them left. Arguments: a table that exists. Prints JSON. To be run with a small limit (ulimit -n).
import fs from "node:fs";

const { DeltaError, Table } = await import("#src/index.js");
const { replaceRuntime } = await import("#src/runtime.js");
const [path] = process.argv.slice(2);
const problems = [];
const codes = {};
process.on("unhandledRejection", (error) => problems.push(`unhandled rejection: ${error}`));
replaceRuntime({ sleep: async () => {}, warn: () => {} });

/** Opens files until there is room for `left` more only; the returned function closes them. */
function takeAll(left) {
  const taken = [];
  try {
    for (;;) taken.push(fs.openSync("/dev/null", "r"));
  } catch {
    for (const descriptor of taken.splice(0, left)) fs.closeSync(descriptor);
  }
  return () => {
    for (const descriptor of taken) fs.closeSync(descriptor);
  };
}

const table = Table.open(path);
// What is loaded on first use takes more files than are left below: loadingChild.mjs is about that.
const rows = (await table.toArray()).length;
await table.append([]);
await table.checkpoint();
await Table.open(path).count();
let id = 1_000_000;
for (let left = 0; left < 16; left++) {
  const verbs = {
    append: () => table.append([{ id: BigInt(id++), text: "one more" }]),
    read: () => table.toArray(),
    other: () => Table.open(path).count(),
    checkpoint: () => table.checkpoint(),
  };
  for (const [name, verb] of Object.entries(verbs)) {
    const giveBack = takeAll(left);
    try {
      await verb();
      codes[name] ??= {};
      codes[name].ok = (codes[name].ok ?? 0) + 1;
    } catch (error) {
      codes[name] ??= {};
      codes[name][error.code] = (codes[name][error.code] ?? 0) + 1;
      if (!(error instanceof DeltaError)) problems.push(`${name}, ${left} left: ${error.stack}`);
      else if (error.kind !== "retry") problems.push(`${name}, ${left} left: ${error.code} ${error.message}`);
    } finally {
      giveBack();
    }
  }
}
const next = (await table.toArray()).length;
const appended = codes.append.ok ?? 0;
if (next !== rows + appended) problems.push(`${next} rows, not ${rows} and ${appended}`);
// Worker threads may be at rest; they end by themselves.
console.log(JSON.stringify({ codes, problems }));
process.exit(0);
