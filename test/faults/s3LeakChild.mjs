// Uses tables behind a fault proxy until each has failed, lets go of them and prints what is left over: resources, open
// descriptors, unhandled rejections. Argument: JSON { names, bucket, s3 }.
import fs from "node:fs";

const resources = () => process.getActiveResourcesInfo().sort();
const descriptors = () => fs.readdirSync("/proc/self/fd").length;

const { Table } = await import("#src/index.js");
const { replaceRuntime } = await import("#src/runtime.js");
const { names, bucket, s3 } = JSON.parse(process.argv[2]);
const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(String(error)));
replaceRuntime({ sleep: async () => {} });

async function use(name) {
  const table = Table.open(`s3://${bucket}/${name}`, { s3 });
  const outcome = async (running) =>
    running.then(
      () => "ok",
      (error) => error.code ?? String(error),
    );
  const append = await outcome(table.append([{ id: 1n }]));
  const read = await outcome(table.toArray());
  const stop = new AbortController();
  const aborted = outcome(table.toArray({ signal: stop.signal }));
  setImmediate(() => stop.abort());
  const result = { append, read, aborted: await aborted };
  await table[Symbol.asyncDispose]();
  return result;
}

/** Sockets that were closed take a moment to be gone. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

// Once for what is loaded and kept for good, such as the SDK.
await use("healthy");
await settled();
const before = { resources: resources(), descriptors: descriptors() };
const outcomes = {};
for (const name of names) outcomes[name] = await use(name);
await settled();
const after = { resources: resources(), descriptors: descriptors() };
console.log(JSON.stringify({ outcomes, before, after, unhandled }));
