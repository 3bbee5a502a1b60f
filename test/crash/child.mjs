// Appends to a table, one append after the other, and says on stdout what it is about to do and what is done: whoever kills
// it knows which appends it may rely on. Argument: { table, writer, from, count, txn, partitionBy, interval, checkpoints }.

import { once } from "node:events";
import fs from "node:fs";
import { Table } from "#src/index.js";

const { table: location, writer, from, count, txn, partitioned, interval, checkpoints } = JSON.parse(process.argv[2]);
// Synchronously: a line is out before the next step begins.
const say = (...words) => fs.writeSync(1, `${words.join(" ")}\n`);

const table = Table.open(location);
say("ready");
await once(process.stdin, "data");
for (let n = from; n < from + count; n++) {
  // Partitioned by it, each append makes a folder.
  const part = `p${n}`;
  const rows = [0n, 1n, 2n].map((k) => ({ writer, n: BigInt(n), k, part }));
  say("begin", n);
  const { skipped } = await table.append(rows, {
    ...(partitioned ? { partitionBy: ["part"] } : {}),
    ...(txn ? { txn: { appId: writer, version: n } } : {}),
    properties: { "delta.checkpointInterval": String(interval) },
  });
  say(skipped ? "skipped" : "done", n);
  if (checkpoints) await table.checkpoint();
}
process.exit(0);
