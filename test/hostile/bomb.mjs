// Reads Parquet files with the limits that users have; prints what came of each, and the memory that is held after them.
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { readParquet } from "#src/parquet/read.js";
import { openStore } from "#src/storage/open.js";

const outcomes = [];
for (const path of process.argv.slice(2)) {
  const file = { path: basename(path), sizeBytes: (await stat(path)).size };
  let rows = 0;
  try {
    for await (const batch of readParquet(openStore(dirname(path)), file)) rows += batch.numRows;
    outcomes.push(rows);
  } catch (error) {
    outcomes.push(error.code ?? String(error));
  }
}
// A worker that grew is ended, which takes a moment.
const held = [];
for (let i = 0; i < 20; i++) {
  held.push(process.memoryUsage.rss() / 1e6);
  await setTimeout(100);
}
console.log(JSON.stringify({ outcomes, residentMB: Math.min(...held) }));
